from odoo import models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantFinancialReport(models.Model):
    """What accepting a financial report does, shown before; and a report of nothing, which takes a
    reason."""

    _inherit = "grant.financial.report"

    def action_review(self):
        """Show what accepting this report does, then accept it."""
        return self._ask_reason("accept_report")

    @asks_reason("accept_report", _lt("Accept the Financial Report"))
    def _do_accept(self, reason):
        """Accept the report, see :meth:`action_accept`; with a reason where nothing is due, for all
        that was paid is asked back then.

        :raise UserError: as :meth:`action_accept`
        :raise AccessError: the user is not a coordinator
        """
        self._accept(reason)

    def _needs_reason(self, action):
        if action != "accept_report":
            return super()._needs_reason(action)
        return any(report._is_nothing_due() for report in self)

    def _is_nothing_due(self):
        """Whether the convention leaves nothing to the operator of what was paid: nothing was
        spent, or nothing of it is eligible."""
        due = self._get_due()["due"]
        return due is not None and not due and self._get_kept() > 0

    def _check_nothing_due(self, reason):
        """Refuse to ask everything back as if in passing.

        :raise UserError: naming the report and what would be due
        """
        if self._is_nothing_due() and not reason:
            raise UserError(
                self.env._(
                    "%(report)s says that nothing was spent, or nothing that is eligible: the "
                    "whole %(paid)s paid would be due back. Press “Accept” on the report, look at "
                    "what it does and write the reason.",
                    report=self.display_name,
                    paid=self.currency_id.format(self._get_kept()),
                )
            )

    def _get_kept(self):
        return self.subsidy_id.paid_amount - self.subsidy_id.recovered_amount

    # ------------------------------------------------------------------
    # What it does
    # ------------------------------------------------------------------

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        if action == "accept_report":
            for report in self:
                preview += report._get_acceptance_preview()
        return preview

    def _get_acceptance_preview(self):
        """What accepting this report does now: sections as :meth:`_get_reason_preview`."""
        self.ensure_one()
        due_rows = [(line["label"], line["amount"]) for line in self._get_due_lines()]
        sections = [
            (self.env._("What the report says"), due_rows, False),
            (self.env._("Tranches"), self._get_tranche_rows(), False),
            (
                self.env._(
                    "Given back to envelope “%(envelope)s”",
                    envelope=self.envelope_id.display_name,
                ),
                self._get_release_rows(),
                False,
            ),
            (self.env._("Recoveries"), self._get_recovery_rows(), False),
            (self.env._("What forbids it"), self._get_obstacle_rows(), True),
        ]
        if self._is_nothing_due():
            label = self.env._("The whole amount paid becomes due back")
            title = self.env._("Nothing was spent, or nothing that is eligible: nothing is due")
            sections.insert(0, (title, [(label, self._get_kept())], True))
        return [
            {"title": title, "rows": rows, "alert": alert}
            for title, rows, alert in sections
            if rows
        ]

    def _get_tranche_rows(self):
        """The tranches that are reduced or cancelled, and those that wait no more for a report."""
        reductions = self._get_reductions()
        is_zero = self.currency_id.is_zero
        rows = [
            (self.env._("“%s” is cancelled", tranche.name), -tranche.amount)
            if is_zero(left)
            else (self.env._("“%s” is reduced, to", tranche.name), left)
            for tranche, left in reductions
        ]
        gone = {tranche.id for tranche, left in reductions if is_zero(left)}
        for tranche in self.subsidy_id.disbursement_ids.filtered(lambda t: t.id not in gone):
            waits = tranche.condition_ids.filtered(lambda row: row.state == "unmet")
            if tranche.state == "planned" and "report" in waits.mapped("code"):
                sentence = (
                    self.env._("“%s” becomes ready to be certified")
                    if waits.mapped("code") == ["report"]
                    else self.env._("“%s” does not wait for the report any more, but for others")
                )
                rows.append((sentence % tranche.name, None))
        return rows

    def _get_release_rows(self):
        subsidy = self.subsidy_id
        target = max(self.due_amount, self._get_kept())
        released = self.currency_id.round(subsidy.committed_amount - target)
        if self.currency_id.is_zero(released):
            return []
        label = self.env._("No longer committed") if released > 0 else self.env._("Committed again")
        return [(label, released)]

    def _get_recovery_rows(self):
        gone, missing = self._get_recovery_change()
        rows = [
            (self.env._("%s is given up and made again", recovery.name), -recovery.residual_amount)
            for recovery in gone
        ]
        if missing:
            rows.append((self.env._("A recovery is created"), missing))
        return rows

    def _get_obstacle_rows(self):
        date = self.acceptance_date or self.company_id._grant_today()
        obstacles = [
            *self._get_missing_figures(), *self._get_wrong_dates(date),
            self._get_excess(), self._get_asked_too_much(),
        ]  # fmt: skip
        return [(obstacle, None) for obstacle in obstacles if obstacle]
