import datetime

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...lib.operator.calendar_file import Event, make_calendar
from .grant_indicator_target import YEARS

# How long before a date its alarm rings.
ALARM_DAYS = 7
# How far ahead periods of indicators are put into a calendar.
DAYS_AHEAD = 366


class GrantSubsidy(models.Model):
    """The dates of an operator as a file for its calendar: documents to hand in, letters to answer,
    figures to enter."""

    _inherit = "grant.subsidy"

    @api.model
    def _has_dates(self, subsidy=None):
        """Whether something is due: of one subsidy, or of all that the user reads. The commonest
        first: a page asks it each time."""
        pieces = self.env["grant.deliverable"]
        own = Domain("id", "=", subsidy.id) if subsidy else Domain.TRUE
        # any!: the pieces that the user reads; their subsidies' rules say the same once more.
        signed = Domain("subsidy_id", "any!", Domain("state", "=", "signed") & own)
        asked = Domain("state", "in", ("expected", "to_complete"))
        if pieces.search_count(signed & asked, limit=1):
            return True
        # By the rules of the user.
        read = self._search(own & Domain("state", "=", "signed"))
        # sudo: operators read neither lines of a convention nor recoveries; of their own subsidies
        # their pages show them
        found = self.sudo().search(
            Domain("id", "in", read)
            & (
                Domain("indicator_target_ids", "!=", False)
                | Domain("recovery_ids.state", "=", "notified")
            )
        )
        return bool(found._get_events())

    def _make_calendar(self):
        """A calendar file (RFC 5545) of what is due of these subsidies.

        It names pieces, subsidies and dates, and addresses that ask for a login: whoever finds it
        can do nothing with it.

        :return: bytes, or None when nothing is: a calendar without a date is no valid one
        """
        events = self._get_events()
        if not events:
            return None
        city = ", ".join(self.company_id.mapped("name"))
        return make_calendar(
            self.env._("Dates of subsidies: %(city)s", city=city),
            sorted(events, key=lambda event: (event.day, event.uid)),
            fields.Datetime.now(),
            ALARM_DAYS,
        )

    def _get_events(self):
        signed = self.filtered(lambda subsidy: subsidy.state == "signed")
        letters = signed.recovery_ids.filtered(lambda recovery: recovery._is_answerable())
        return [
            *map(self._describe_piece, signed.deliverable_ids._get_asked()),
            *map(self._describe_letter, letters),
            *(self._describe_figures(*row) for row in signed._get_periods_ahead()),
        ]

    def _get_periods_ahead(self):
        """Ends of periods whose figures are not told yet: rows of subsidy and day."""
        if not self:
            return []
        today = self.company_id[:1]._grant_today()
        self.env.flush_all()
        awaited = self.env["grant.indicator.target"]._get_awaited_sql(
            today.replace(year=today.year - YEARS, day=1),
            today + datetime.timedelta(days=DAYS_AHEAD),
            SQL("subsidy.id = ANY(%s)", self.ids),
        )
        rows = self.env.execute_query(
            SQL("SELECT DISTINCT subsidy_id, date_end FROM (%s) awaited", awaited)
        )
        return [(self.browse(subsidy_id), end) for subsidy_id, end in rows]

    def _make_event(self, uid, day, title, path, document):
        base = document.get_base_url()
        page = f"{base}{path}"
        city = document.company_id.name
        return Event(
            # The same in each file: who imports it again has each date once.
            uid=f"{uid}@{base.partition('://')[2]}",
            day=day,
            title=title,
            text=self.env._("%(city)s awaits it. The page: %(page)s", city=city, page=page),
            url=page,
            changed=document.write_date,
        )

    def _describe_piece(self, piece):
        about = {"piece": piece.name, "subsidy": piece.subsidy_id.name}
        title = self.env._("To hand in: %(piece)s (%(subsidy)s)", **about)
        path = piece._get_page_url()
        return self._make_event(f"piece-{piece.id}", piece.due_date, title, path, piece)

    def _describe_letter(self, recovery):
        subsidy = recovery.subsidy_id
        title = self.env._(
            "Last day to answer the letter %(letter)s (%(subsidy)s)",
            letter=recovery.name, subsidy=subsidy.name,
        )  # fmt: skip
        path = f"/my/subsidies/{subsidy.id}/recoveries/{recovery.id}"
        uid = f"letter-{recovery.id}"
        return self._make_event(uid, recovery.answer_deadline, title, path, recovery)

    def _describe_figures(self, subsidy, end):
        title = self.env._("Figures of your indicators to enter (%s)", subsidy.name)
        # Told when the period is over.
        day = end + datetime.timedelta(days=1)
        uid = f"figures-{subsidy.id}-{end:%Y%m%d}"
        return self._make_event(uid, day, title, subsidy._get_figures_url(), subsidy)
