from pathlib import Path

from odoo.cli import Command
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

# By its name: Odoo loads this file as a part of itself, whose translations it would look up.
_lt = LazyTranslate("ctai_grants")


class GrantsVerify(Command):
    """Check the ledger: hash chains, counters, accounting, documents, the database's guards, and
    the files handed in."""

    name = "grants_verify"
    epilog = """
        Checks every envelope of every company, in one read-only transaction.
        Exit codes: 0 all holds, 1 something is wrong (the first thing is named), 2 usage, or a
        FILE that cannot be compared (line and field are named).
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import console

        console.add_options(self.parser)
        self.parser.add_argument(
            "--against",
            type=Path,
            metavar="FILE",
            help="an older ledger.csv, the archive it came in, or a list of heads: whether it is"
            " still contained in today's ledger",
        )
        options = self.parser.parse_args(args)
        with console.reading(self.parser, options, "grant.entry") as env:
            if options.against:
                self._verify_against(env, options.against)
            wrong, told = self._verify(env)
            if wrong:
                self.parser.exit(console.WRONG, f"{wrong[0]}\n")
            print(told)  # pylint: disable=print-used

    def _verify_against(self, env, path):
        """Say what the copy tells; end the program when the ledger is not as it says."""
        from odoo.addons.ctai_grants import console

        try:
            with path.open("rb") as stream:
                difference, told = env["grant.entry"]._verify_against(stream, path.name)
        except (UserError, OSError) as error:
            self.parser.exit(console.USAGE, f"{error}\n")
        if difference:
            self.parser.exit(console.WRONG, f"{difference}\n")
        print(told)  # pylint: disable=print-used

    def _verify(self, env):
        """Return what is wrong, and what to say when nothing is."""
        if wrong := env["grant.entry"]._verify_database():
            return wrong, None
        envelopes = env["grant.envelope"].search([])
        told = _lt(
            "%(envelopes)s envelopes, %(entries)s entries: chains, counters, accounting, documents,"
            " the database's guards and files hold.",
            envelopes=len(envelopes),
            entries=sum(envelopes.mapped("entry_count")),
        )
        return [], env._(told)
