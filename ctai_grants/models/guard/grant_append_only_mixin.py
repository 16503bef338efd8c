from odoo import api, models
from odoo.exceptions import AccessError
from odoo.tools import SQL, file_open
from odoo.tools.misc import clean_context

from . import transition


class GrantAppendOnlyMixin(models.AbstractModel):
    """Lines that documents add and nobody changes: ledger entries, decisions, versions.

    The database refuses updates and deletions too, and chains the lines of each document
    (``append_only.sql``); the ledger has chains of its own.
    """

    _name = "grant.append.only.mixin"
    _description = "Append-only lines"

    def init(self):
        # After the tables of every model exist.
        self.pool.post_init(self._install_guards)

    @api.model
    def _install_guards(self):
        """Install the functions and triggers of the database: at each install and upgrade."""
        with file_open("ctai_grants/models/guard/append_only.sql") as functions:
            self.env.cr.execute(functions.read())
        # The mixin itself has no table: of it, only the functions are made.
        if not self._abstract:
            for name, event, scope in (
                # A TRUNCATE fires no trigger of rows.
                ("append_only", "UPDATE OR DELETE", "ROW"), ("keep", "TRUNCATE", "STATEMENT")
            ):  # fmt: skip
                self.env.cr.execute(
                    SQL(
                        "CREATE OR REPLACE TRIGGER %s BEFORE %s ON %s FOR EACH %s "
                        "EXECUTE FUNCTION grant_append_only()",
                        SQL.identifier(f"{self._table}_{name}"),
                        SQL(event),
                        SQL.identifier(self._table),
                        SQL(scope),
                    )
                )
        if chained := self._get_chained_fields():
            self._install_chain(chained)

    @api.model
    def _get_chained_fields(self):
        """Names of the fields that say which document a line is of: those of one are chained.
        None: the database does not chain these lines."""
        return []

    @api.model
    def _install_chain(self, chained):
        # No fields: nobody reads them but who verifies.
        self.env.cr.execute(
            SQL(
                "ALTER TABLE %(table)s ADD COLUMN IF NOT EXISTS chain text, "
                "ADD COLUMN IF NOT EXISTS chain_number integer, "
                "ADD COLUMN IF NOT EXISTS chain_previous text, "
                "ADD COLUMN IF NOT EXISTS chain_hash text; "
                "CREATE OR REPLACE TRIGGER %(name)s BEFORE INSERT ON %(table)s FOR EACH ROW "
                "EXECUTE FUNCTION grant_line_chain(%(chained)s)",
                table=SQL.identifier(self._table),
                name=SQL.identifier(f"{self._table}_chain"),
                chained=SQL(", ").join(chained),
            )
        )

    @api.private
    @api.model_create_multi
    def create(self, vals_list):
        self, allowed = transition.spend(self, count=len(vals_list))
        if not allowed:
            self._refuse()
        return super().create(vals_list)

    def write(self, vals):
        if vals:
            self._refuse()
        return super().write(vals)

    def unlink(self):
        if self:
            self._refuse()
        return super().unlink()

    def _refuse(self):
        raise AccessError(
            self.env._(
                "%(model)s: lines are added by their documents' buttons, and never typed in, "
                "imported, changed or deleted. Correct one with another.",
                # sudo: the name only
                model=self.env["ir.model"]._get(self._name).sudo().name,
            )
        )

    @api.model
    def _append(self, vals):
        """Add a line: the documents' methods only."""
        # Not with the defaults that a client sends: they would say what a decision is about.
        clean = clean_context(self.env.context)
        model = self.with_context(clean)  # pylint: disable=context-overridden
        return transition.creating(model, [vals]).create(vals).with_env(self.env)
