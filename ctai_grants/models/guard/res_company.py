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
    _inherit = ["res.company", "grant.money.mixin", "grant.company.mixin"]

    def _next_grant_number(self, documents, field="name"):
        """The next number of this city for a document, which none has: one may have been typed in.

        :param documents: of the model that the sequence is for
        :param str field: of the number
        """
        # sudo: numbers that the user may not see are taken too
        known = documents.sudo().with_context(active_test=False)
        while True:
            number = self._get_grant_sequence(documents._name).next_by_id()
            taken = [("company_id", "=", self.id), (field, "=", number)]
            if not known.search_count(taken, limit=1):
                return number

    def _get_grant_sequence(self, code):
        """The sequence of this city, which no other one counts in: made with its first number, or
        taken over when no city had one of its own yet."""
        self.ensure_one()
        # sudo: who makes a document may not read sequences; only the number comes out
        sequences = self.env["ir.sequence"].sudo()
        own = sequences.search([("code", "=", code), ("company_id", "=", self.id)], limit=1)
        if not own:
            # Shown to whom makes it at the same time: its transaction is tried again.
            self.env.cr.execute(
                SQL("UPDATE res_company SET write_date = write_date WHERE id = %s", self.id)
            )
            shared = sequences.search([("code", "=", code)], order="company_id desc", limit=1)
            if shared.company_id:
                own = shared.copy({"company_id": self.id, "number_next": 1})
            else:
                shared.company_id = self
                own = shared
        return own

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
        companies = self.sudo().with_context(active_test=False)
        companies = companies.search_fetch([("id", "!=", False)], ["partner_id"])
        # What is late is asked on each list: no more of them is read.
        companies.partner_id.fetch(["tz"])
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
