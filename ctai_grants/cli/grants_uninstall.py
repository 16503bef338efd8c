from pathlib import Path

from odoo.cli import Command
from odoo.tools import LazyTranslate, mute_logger

# By its name: Odoo loads this file as a part of itself, whose translations it would look up.
_lt = LazyTranslate("ctai_grants")


class GrantsUninstall(Command):
    """Give the ledger up: verify it, write all of it out, then uninstall the add-ons."""

    name = "grants_uninstall"
    epilog = """
        The only way to uninstall while the ledger holds entries. Stop the server and make a backup
        first. When something cannot be written, nothing is uninstalled.
        Exit codes: 0 done, 1 refused (the reason is told), 2 usage.
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import archive, console
        from odoo.addons.ctai_grants.lib.guard.words import has_words
        from odoo.addons.ctai_grants.models.ledger.grant_entry_keeper import giving_up

        console.add_options(self.parser)
        add = self.parser.add_argument
        add("--output", metavar="DIR", type=Path, required=True, help="a new folder")
        add("--confirm", metavar="DB", required=True, help="the name of the database once more")
        add("--by", metavar="NAME", required=True, help="who gives the ledger up: kept with it")
        add("--reason", metavar="TEXT", required=True, help="why: kept with it")
        options = self.parser.parse_args(args)
        with console.writing(self.parser, options, "grant.entry") as env:
            if options.confirm != env.cr.dbname:
                self.parser.error(f"--confirm is to name the database, {env.cr.dbname}")
            if not (has_words(options.by) and has_words(options.reason)):
                self.parser.error("--by and --reason are to be written, in words")
            about = {"by": options.by, "reason": options.reason}
            folder = archive.Archive(options.output, about)
            # Odoo tries to delete every record by itself before it drops their tables.
            with giving_up(env, folder.write_out) as written, mute_logger("odoo.sql_db"):
                env["ir.module.module"].search(
                    [("name", "=", "ctai_grants")]
                ).button_immediate_uninstall()
            told = _lt(
                "The ledger is in %(folder)s, the add-ons are uninstalled. SHA-256 of SHA256SUMS: "
                "%(digest)s",
                folder=options.output,
                digest=written[0],
            )
            print(env._(told))  # pylint: disable=print-used
