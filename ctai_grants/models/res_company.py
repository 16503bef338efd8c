from odoo import api, fields, models
from odoo.exceptions import ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_convention_threshold = fields.Monetary(
        string="Convention Threshold",
        default=23000.0,
        help="Above this amount (euros a year and operator), no payment is certified without a "
        "signed convention (loi 2000-321, art. 10; décret 2001-495, art. 1).",
    )
    grant_upload_max_mb = fields.Integer(
        string="Largest Upload (MB)",
        default=15,
        help="Files that operators hand in on the portal cannot be larger.",
    )

    _grant_upload_max_positive = models.Constraint(
        "CHECK (grant_upload_max_mb BETWEEN 1 AND 100)",
        "The largest upload is between 1 and 100 MB.",
    )

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
