from pathlib import Path

from odoo.cli import Command


class GrantsRegister(Command):
    """Compare organisations with a public extract of Sirene or the RNA, of any length."""

    name = "grants_register"
    epilog = """
        Answers are kept on the organisations; what differs becomes activities.
        Exit codes: 0 done, 1 the file cannot be read (file and line are named), 2 usage.
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import console

        console.add_options(self.parser)
        self.parser.add_argument("file", type=Path, help="CSV file, zipped or not")
        options = self.parser.parse_args(args)
        with console.writing(self.parser, options, "grant.register") as env:
            with options.file.open("rb") as stream:
                counts = env["grant.register"]._import(stream, options.file.name)
            labels = env["grant.register.answer"]._fields["finding"]._description_selection(env)
            told = [f"{label}: {counts.get(finding, 0)}" for finding, label in labels]
            print(", ".join(told))  # pylint: disable=print-used
