from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_convention_threshold = fields.Monetary(
        string="Convention Threshold",
        default=23000.0,
        help="Above this amount (euros a year and operator), no payment is certified without a "
        "signed convention (loi 2000-321, art. 10; décret 2001-495, art. 1).",
    )
