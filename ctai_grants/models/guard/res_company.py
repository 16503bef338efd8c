import datetime
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

# Legal time where nothing else is set: that of the company comes from its contact, which has
# none unless somebody gives it one (overseas cities). Odoo's own "today" is that of the user's
# browser, and the server's is UTC: neither is the day on which a city pays or a delay ends.
TIMEZONE = "Europe/Paris"


def today_in(timezone):
    """Today in the time zone of that name, or in the legal time when there is none."""
    return datetime.datetime.now(ZoneInfo(timezone or TIMEZONE)).date()


class ResCompany(models.Model):
    """The one rule for "today", in the ledger, in delays and in due dates: the city's day, whoever
    asks from wherever."""

    _name = "res.company"
    _inherit = ["res.company", "grant.money.mixin"]

    def _grant_timezone(self):
        # sudo: what is late is told to portal users too, and no more than the zone is read
        company = (self or self.env.company).sudo().ensure_one()
        return ZoneInfo(company.partner_id.tz or TIMEZONE)

    def _grant_today(self):
        """Today in the legal time of this company; of the current company when there is none."""
        return datetime.datetime.now(self._grant_timezone()).date()

    @api.model
    def _get_grant_days(self):
        """Today for all companies: dict {day: companies}, hardly ever of more than one day."""
        # sudo: as above
        companies = self.sudo().with_context(active_test=False).search([("id", "!=", False)])
        return companies.grouped(lambda company: company._grant_today())

    @api.model
    def _get_grant_today_domain(self, make_domain):
        """What ``make_domain`` makes of today: for the records of each company, of its own."""
        days = self._get_grant_days()
        if len(days) == 1:
            return make_domain(*days)
        return Domain.OR(
            Domain("company_id", "in", companies.ids) & make_domain(day)
            for day, companies in days.items()
        )

    @api.model
    def _get_grant_today_sql(self, column):
        """SQL of today for the company that is in ``column``."""
        days = self._get_grant_days()
        if len(days) == 1:
            return SQL("%s::date", *days)
        cases = [
            SQL("WHEN %s = ANY(%s) THEN %s::date", column, companies.ids, day)
            for day, companies in days.items()
        ]
        return SQL("CASE %s END", SQL(" ").join(cases))
