from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

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
