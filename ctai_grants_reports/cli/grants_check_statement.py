from pathlib import Path

from odoo.cli import Command
from odoo.exceptions import UserError


class GrantsCheckStatement(Command):
    """Check an older statement file, its JSON or its workbook alone, against today's ledger."""

    name = "grants_check_statement"
    epilog = """
        Reads in one read-only transaction.
        Exit codes: 0 what the file says still is in the ledger, unchanged; 1 it is not, or the
        file was edited (the first difference is named); 2 usage, or a file that is no statement.
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import console

        console.add_options(self.parser)
        self.parser.add_argument("file", type=Path, metavar="FILE")
        options = self.parser.parse_args(args)
        with console.reading(self.parser, options, "grant.statement") as env:
            try:
                with options.file.open("rb") as stream:
                    check = env["grant.statement"]._check_file
                    difference, told = check(stream, options.file.name)
            except (UserError, OSError) as error:
                self.parser.exit(console.USAGE, f"{error}\n")
            if difference:
                self.parser.exit(console.WRONG, f"{difference}\n")
            print(told)  # pylint: disable=print-used
