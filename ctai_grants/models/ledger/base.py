from odoo import models


class Base(models.AbstractModel):
    _inherit = "base"

    def _sql_error_to_message(self, exc):
        """What the ledger's own guards refuse in the database, in words, whoever wrote: an import,
        a merge of contacts, another add-on."""
        if (exc.diag.constraint_name or "").startswith("grant_ledger_"):
            return self.env["grant.entry"]._get_refusal(exc)
        return super()._sql_error_to_message(exc)
