from odoo import fields, models

from ...lib.closing.workdays import next_working_day


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_contradictory_days = fields.Integer(
        string="Days to Answer",
        default=15,
        help="Days that an operator has to answer, once it is told that money is to be paid back, "
        "before the city can decide (CRPA, art. L121-1).",
    )
    grant_working_day_deadlines = fields.Boolean(
        string="Delays End on a Working Day",
        default=True,
        help="A delay to answer that would end on a Saturday, a Sunday or a public holiday ends on "
        "the next working day (code de procédure civile, art. 642).",
    )
    _grant_contradictory_days_positive = models.Constraint(
        "CHECK (grant_contradictory_days BETWEEN 1 AND 365)",
        "An operator has between 1 and 365 days to answer.",
    )

    def _get_grant_deadline(self, day):
        """The day on which a delay that would end on ``day`` ends."""
        self.ensure_one()
        if not self.grant_working_day_deadlines:
            return day
        # sudo: who keeps the delays may not read the company's contact
        return next_working_day(day, self.sudo().zip)
