from odoo import api, models
from odoo.exceptions import UserError
from odoo.modules import Manifest
from odoo.tools import SQL, file_open, sql

# Databases whose ledger was written out to be given up, by the command that does it (console.py), in
# this process alone: nothing that a client sends or a server action computes adds one.
GIVEN_UP = set()


class GrantEntry(models.Model):
    """What the ledger stands on: while it holds entries, no add-on, table, column or constraint of
    it is taken away, whoever asks."""

    _inherit = "grant.entry"

    @api.model
    def _install_guards(self):
        result = super()._install_guards()
        with file_open("ctai_grants/models/ledger/ir_module_module.sql") as functions:
            self.env.cr.execute(functions.read())
        is_kept = SQL("OLD.name = ANY (%s)", sorted(self._get_kept_modules()))
        here = ("installed", "to upgrade")
        leaves = SQL(
            "OLD.state IN %(here)s AND (NEW.state NOT IN %(here)s OR NEW.name <> OLD.name)",
            here=here,
        )
        for name, event, when in (
            ("stay", "UPDATE", SQL("%s AND %s", is_kept, leaves)), ("keep", "DELETE", is_kept)
        ):  # fmt: skip
            self.env.cr.execute(
                SQL(
                    "CREATE OR REPLACE TRIGGER %s BEFORE %s ON ir_module_module FOR EACH ROW "
                    "WHEN (%s) EXECUTE FUNCTION grant_module_keep()",
                    SQL.identifier(f"grant_module_{name}"),
                    SQL(event),
                    when,
                )
            )
        return result

    @api.model
    def _get_kept_modules(self):
        """Names of the add-ons with lines that are never deleted, and of all that they depend on.

        From the sources: what the database says of add-ons, an administrator changes by RPC.
        """
        lines = self.pool.descendants(["grant.append.only.mixin"], "_inherit")
        names = {self.env[name]._original_module for name in lines}
        todo = list(names)
        while todo:
            depends = set(Manifest.for_addon(todo.pop())["depends"]) - names
            names |= depends
            todo += depends
        return frozenset(names)

    @api.model
    def _is_kept(self):
        """Whether the ledger holds entries, and was not given up."""
        cr = self.env.cr
        if cr.dbname in GIVEN_UP or not sql.table_exists(cr, self._table):
            return False
        return bool(self.env.execute_query(SQL("SELECT FROM grant_entry LIMIT 1")))

    @api.model
    def _check_kept(self, things):
        """Refuse to take away, or to change, what the ledger stands on.

        :param things: names, as they are to be told; none is nothing to refuse
        :raise UserError: the ledger holds entries
        """
        things = list(things)
        if things and self._is_kept():
            raise UserError(
                self.env._(
                    "%(things)s: the grant ledger stands on it, and holds entries that are to be "
                    "kept. Nothing was changed. To give the ledger up, whoever runs the server "
                    "writes it out and uninstalls with one command: odoo grants_uninstall.",
                    things=", ".join(things),
                )
            )
