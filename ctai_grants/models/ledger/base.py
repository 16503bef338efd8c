from psycopg2.errors import ForeignKeyViolation, RestrictViolation

from odoo import api, models

LEDGER = "grant_ledger_"


class _InUse(ForeignKeyViolation):
    """What PostgreSQL 18 tells apart, and Odoo has words for under its old name."""

    def __init__(self, error):
        super().__init__(str(error))
        self.error = error

    @property
    def diag(self):
        return self.error.diag


class Base(models.AbstractModel):
    _inherit = "base"

    def _sql_error_to_message(self, exc):
        """What the ledger's own guards refuse in the database, in words, whoever wrote: an import,
        a merge of contacts, another add-on."""
        if (exc.diag.constraint_name or "").startswith(LEDGER):
            return self.env["grant.entry"]._get_refusal(exc)
        return super()._sql_error_to_message(exc)

    @api.model
    def _sql_error_to_message_generic(self, exc):
        if isinstance(exc, RestrictViolation):
            exc = _InUse(exc)
        return super()._sql_error_to_message_generic(exc)

    @api.model
    def _find_who_refuses(self, error):
        """The model whose constraint the database stands on, when it is of our add-ons and has a
        sentence of its own; nothing is read: the transaction has failed."""
        name = error.diag.constraint_name or ""
        if name.startswith(LEDGER):
            return self.env["grant.entry"]
        for model in self.env.registry.values():
            constraint = model._table_objects.get(name)
            if constraint and constraint.message and constraint._module.startswith("ctai_grants"):
                return self.env[model._name]
        return None
