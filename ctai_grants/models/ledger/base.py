from psycopg2.errors import RestrictViolation

from odoo import api, models

LEDGER = "grant_ledger_"


class Base(models.AbstractModel):
    _inherit = "base"

    def _sql_error_to_message(self, exc):
        """What the ledger's own guards refuse in the database, in words, whoever wrote: an import,
        a merge of contacts, another add-on; and what our documents still name, when it is deleted.
        """
        if (exc.diag.constraint_name or "").startswith(LEDGER):
            return self.env["grant.entry"]._get_refusal(exc)
        if model := self._find_who_names(exc):
            return self.env._(
                "A document of the kind “%(document)s” names it: what is in use is not deleted. "
                "Archive it instead.",
                document=self.env["ir.model"]._get(model).name,
            )
        return super()._sql_error_to_message(exc)

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
        named = self._find_who_names(error)
        return self.env[named] if named else None

    @api.model
    def _find_who_names(self, error):
        """The name of the model of ours that refers to what was to be deleted, or None. Since
        PostgreSQL 18 the database says so by a code that Odoo has no words for."""
        if not isinstance(error, RestrictViolation):
            return None
        table = error.diag.table_name
        for name, model in self.env.registry.items():
            if name.startswith("grant.") and not model._abstract:
                links = (f for f in model._fields.values() if f.type == "many2many" and f.store)
                if model._table == table or any(field.relation == table for field in links):
                    return name
        return None
