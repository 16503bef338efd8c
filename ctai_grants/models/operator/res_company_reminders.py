import datetime
from zoneinfo import ZoneInfo

from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ...lib.operator.steps import get_steps, is_working, parse_days

# After that hour nobody is written to: who was not reached waits for the morning.
LAST_HOUR = 19


class ResCompany(models.Model):
    """When a city reminds its operators, and itself."""

    _inherit = "res.company"

    grant_reminders = fields.Boolean(
        string="Remind Operators",
        default=True,
        help="Operators are mailed before a piece is due and while it is late.",
    )
    grant_reminder_days = fields.Char(
        string="Days Before",
        default="30, 7",
        help="Days before the due date on which an operator is reminded, separated by commas. The "
        "day after it is reminded in any case.",
    )
    grant_reminder_every = fields.Integer(
        string="Days Between Reminders", default=7, help="Once a piece is late."
    )
    grant_reminder_times = fields.Integer(
        string="Reminders of a Late Piece",
        default=12,
        help="After that many, besides the one of the day after, the operator is not written to "
        "any more: the piece stays in the list of late ones, and an activity of the coordinator.",
    )
    grant_reminder_hour = fields.Integer(
        string="Hour of Reminders", default=9, help="From which hour, where the operator is."
    )
    grant_deadline_days = fields.Integer(
        string="Days Before Own Deadlines",
        default=15,
        help="How long before a payment or a publication is due who has to do it gets an activity.",
    )
    _grant_reminder_every_positive = models.Constraint(
        "CHECK (grant_reminder_every BETWEEN 1 AND 90)",
        "Between two reminders are 1 to 90 days.",
    )
    _grant_reminder_times_positive = models.Constraint(
        "CHECK (grant_reminder_times BETWEEN 0 AND 52)",
        "A late piece is reminded of 52 times at most.",
    )
    _grant_reminder_hour_by_day = models.Constraint(
        "CHECK (grant_reminder_hour BETWEEN 6 AND 18)",
        "Reminders leave by day: from an hour between 6 and 18.",
    )
    _grant_deadline_days_positive = models.Constraint(
        "CHECK (grant_deadline_days BETWEEN 1 AND 90)",
        "Own deadlines are announced 1 to 90 days before.",
    )

    @api.constrains("grant_reminder_days")
    def _check_grant_reminder_days(self):
        for company in self:
            try:
                parse_days(company.grant_reminder_days)
            except ValueError as error:
                raise ValidationError(
                    self.env._(
                        "“%(text)s” is no number of days before a due date: write whole numbers "
                        "of 1 to 365, separated by commas.",
                        text=error,
                    )
                ) from error

    def _get_reminder_steps(self):
        """The steps of this city, in days from the due date, in their order."""
        before = parse_days(self.grant_reminder_days)
        return get_steps(before, self.grant_reminder_every, self.grant_reminder_times)

    def _is_reminder_time(self, partner):
        """Whether an operator may be written to now: on a working day, by its own clock."""
        zone = ZoneInfo(partner.tz) if partner.tz else self._grant_timezone()
        now = datetime.datetime.now(zone)
        is_day = self.grant_reminder_hour <= now.hour < LAST_HOUR
        return is_day and is_working(now.date(), partner.zip or self.zip)
