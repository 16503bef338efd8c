from odoo import api, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    @api.constrains("currency_id")
    def _check_ledger_currency(self):
        # sudo: who administers companies may not read the ledger
        entries = self.env["grant.entry"].sudo()
        for company in self:
            if entries.search_count(
                [("company_id", "=", company.id), ("currency_id", "!=", company.currency_id.id)],
                limit=1,
            ):
                raise ValidationError(
                    self.env._(
                        "%(company)s: the currency cannot be changed any more, the grant ledger "
                        "holds amounts in it.",
                        company=company.display_name,
                    )
                )
