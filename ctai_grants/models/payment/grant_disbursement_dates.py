from odoo import models
from odoo.tools import format_date

from ...lib.award.history import local_date


class GrantDisbursement(models.Model):
    """What a tranche owes to the legal dates of its subsidy."""

    _inherit = "grant.disbursement"

    def _get_date_consequences(self, subsidy, yearly_amount):
        """What would change for this tranche if its subsidy had other dates: list of sentences.

        :param subsidy: the same one, with the dates that are supposed
        :param float yearly_amount: of :meth:`grant.subsidy._get_yearly_amounts`, with those dates
        """
        rows = {row.code: row for row in self.condition_ids if row.state != "overridden"}
        changed = [
            (rows[facts["code"]], facts["state"])
            for facts in self._get_dated_facts(subsidy, yearly_amount)
            if facts["code"] in rows
            and (rows[facts["code"]].state == "unmet") != (facts["state"] == "unmet")
        ]
        return [
            *self._get_deadline_consequence(subsidy),
            *(self._say_condition(row, state) for row, state in changed),
        ]

    def _get_deadline_consequence(self, subsidy):
        supposed = self.new({}, origin=self)
        supposed.subsidy_id = subsidy
        before, after = self.payment_deadline, supposed.payment_deadline
        if before == after:
            return []
        none = self.env._("no date")
        return [
            self.env._(
                "“%(tranche)s”, to pay before: %(before)s → %(after)s",
                tranche=self.name,
                before=format_date(self.env, before) if before else none,
                after=format_date(self.env, after) if after else none,
            )
        ]

    def _get_dated_facts(self, subsidy, yearly_amount):
        """The conditions that look at legal dates, by those of ``subsidy``: values as
        :meth:`grant.condition._get_facts`."""
        conditions = self.env["grant.condition"]
        executory = conditions._get_executory(subsidy)
        if self.certified_at:
            # What was certified needed it that day.
            day = local_date(self.certified_at, self.company_id._grant_timezone())
            date = subsidy.executory_date
            executory["state"] = "met" if date and date <= day else "unmet"
        return [
            executory,
            conditions._get_convention(subsidy, yearly_amount),
            conditions._get_cer(subsidy),
        ]

    def _say_condition(self, condition, state):
        about = {"tranche": self.name, "condition": condition.display_name}
        # What is certified has no unmet condition: only the other way can change.
        if self.state not in ("planned", "ready"):
            return self.env._(
                "“%(tranche)s” was certified without a condition that it needed: %(condition)s",
                **about,
            )
        if state == "unmet":
            return self.env._("“%(tranche)s” waits again for: %(condition)s", **about)
        return self.env._("“%(tranche)s” does not wait any more for: %(condition)s", **about)
