from odoo import fields, models


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
    grant_contradictory_days = fields.Integer(
        string="Days to Answer",
        default=15,
        help="Days that an operator has to answer, once it is told that money is to be paid back, "
        "before the city can decide (CRPA, art. L121-1).",
    )

    _grant_contradictory_days_positive = models.Constraint(
        "CHECK (grant_contradictory_days BETWEEN 1 AND 365)",
        "An operator has between 1 and 365 days to answer.",
    )
    _grant_upload_max_positive = models.Constraint(
        "CHECK (grant_upload_max_mb BETWEEN 1 AND 100)",
        "The largest upload is between 1 and 100 MB.",
    )
