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

    grant_short_report_amount = fields.Monetary(
        string="Short Form Up To",
        help="For a subsidy of at most this amount the financial report is asked in six totals "
        "instead of the lines of the Cerfa, unless its budget has those lines. Zero: never.",
    )

    _grant_short_report_amount_positive = models.Constraint(
        "CHECK (grant_short_report_amount >= 0)",
        "The amount up to which a report is short cannot be negative.",
    )
    _grant_gap_percent_range = models.Constraint(
        "CHECK (grant_gap_percent >= 0 AND grant_gap_percent <= 100)",
        "The gap that an operator explains is between 0 and 100 %.",
    )
