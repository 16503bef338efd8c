from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_gap_percent = fields.Float(
        string="Gap to Explain (%)",
        digits=(5, 2),
        default=10,
        help="In a financial report, a line that differs by more from what was foreseen asks for a "
        "comment (arrêté of 11 October 2006: significant gaps). Zero: none does.",
    )

    _grant_gap_percent_range = models.Constraint(
        "CHECK (grant_gap_percent >= 0 AND grant_gap_percent <= 100)",
        "The gap that an operator explains is between 0 and 100 %.",
    )
