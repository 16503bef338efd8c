from odoo.cli import Command
from odoo.tools import LazyTranslate

# By its name: Odoo loads this file as a part of itself, whose translations it would look up.
_lt = LazyTranslate("ctai_grants")


class GrantsVerify(Command):
    """Check the ledger: hash chains, counters, accounting, documents, the database's guards, and
    the files handed in."""

    name = "grants_verify"
    epilog = """
        Checks every envelope of every company, in one read-only transaction.
        Exit codes: 0 all holds, 1 something is wrong (the first thing is named), 2 usage.
    """

    def run(self, args):
        # Not above: Odoo also loads this file for the list of its commands.
        from odoo.addons.ctai_grants import console

        console.add_options(self.parser)
        options = self.parser.parse_args(args)
        with console.reading(self.parser, options, "grant.entry") as env:
            wrong, told = self._verify(env)
            if wrong:
                self.parser.exit(console.WRONG, f"{wrong[0]}\n")
            print(told)  # pylint: disable=print-used

    def _verify(self, env):
        """Return what is wrong, and what to say when nothing is."""
        envelopes = env["grant.envelope"].search([])
        wrong = env["grant.entry"]._verify(envelopes)
        wrong += env["grant.entry"]._get_postdated(envelopes)
        wrong += env["grant.schema"]._get_broken_guards()
        wrong += env["grant.append.only.mixin"]._get_broken_lines()
        wrong += env["grant.seal"]._get_altered_documents()
        wrong += env["grant.deliverable.version"]._get_altered(envelopes)
        told = _lt(
            "%(envelopes)s envelopes, %(entries)s entries: chains, counters, accounting, documents,"
            " the database's guards and files hold.",
            envelopes=len(envelopes),
            entries=sum(envelopes.mapped("entry_count")),
        )
        return wrong, env._(told)
