from odoo import api, fields, models
from odoo.fields import Domain

from ...lib.operator.calendar_file import Event, make_calendar

# How long before a date its alarm rings.
ALARM_DAYS = 7


class GrantDeliverable(models.Model):
    """The dates of pieces as a file for the calendar of who hands them in."""

    _inherit = "grant.deliverable"

    @api.model
    def _get_calendar_domain(self, subsidy=None):
        """What is to be handed in: of one subsidy, or of all that the user reads."""
        # any!: the pieces that the user reads; their subsidies' rules say the same once more.
        due = Domain("subsidy_id", "any!", [("state", "=", "signed")]) & Domain(
            "state", "in", ("expected", "to_complete")
        )
        return due & Domain("subsidy_id", "=", subsidy.id) if subsidy else due

    def _make_calendar(self):
        """A calendar file (RFC 5545) of the dates of these pieces, at least one.

        It names pieces, subsidies and dates, and addresses that ask for a login: whoever finds it
        can do nothing with it.

        :return: bytes
        """
        city = ", ".join(self.company_id.mapped("name"))
        return make_calendar(
            self.env._("Documents to hand in: %(city)s", city=city),
            [piece._describe_event() for piece in self.sorted(lambda one: (one.due_date, one.id))],
            fields.Datetime.now(),
            ALARM_DAYS,
        )

    def _describe_event(self):
        self.ensure_one()
        base = self.get_base_url()
        page = f"{base}/my/subsidies/{self.subsidy_id.id}/deliverables/{self.id}"
        about = {"piece": self.name, "subsidy": self.subsidy_id.name, "city": self.company_id.name}
        return Event(
            # The same in each file: who imports it again has each date once.
            uid=f"piece-{self.id}@{base.partition('://')[2]}",
            day=self.due_date,
            title=self.env._("To hand in: %(piece)s (%(subsidy)s)", **about),
            text=self.env._("%(city)s awaits it. Hand it in here: %(page)s", page=page, **about),
            url=page,
            changed=self.write_date,
        )
