from odoo import fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..guard import transition
from .grant_financial_report_hand_in import TEXTS

#: Lines of the whole form that the short one has too: indirect charges, own resources.
KEPT = ("autchgindirect", "insufprevisionnel")


class GrantFinancialReport(models.Model):
    """The short form of a small association: six totals, on one page. Direct and indirect charges;
    this subsidy, the other ones, other income, own resources. Its totals, its calculation and what
    is looked at in it are those of the whole form."""

    _inherit = "grant.financial.report"

    # Of the day it was begun: the city may move its threshold.
    is_short = fields.Boolean(string="Short Form", readonly=True, copy=False)

    def _load_lines(self):
        for report in self:
            if report.state != "accepted" and not report.line_ids and report._may_be_short():
                report._transition(is_short=True)
        return super()._load_lines()

    def _choose_form(self, short):
        """Go over to the whole form, or back to the short one, as long as no figure is in it.

        :raise UserError: there are figures, or the city asks for the whole form
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self._check_writable()
        if short == self.is_short:
            # A second click.
            return
        if any(self.line_ids.mapped("actual")):
            raise UserError(
                self.env._(
                    "There are figures in this form, which the other one has no place for: empty "
                    "them and save the draft, then change the form."
                )
            )
        if short and not self._may_be_short():
            raise UserError(self.env._("The city asks for the whole form for this subsidy."))
        transition.writing(self.line_ids, ("is_loaded",)).unlink()
        self._transition(is_short=short, revision=self.revision + 1)
        vals_list = self._prepare_missing_lines()
        transition.creating(self.line_ids, vals_list).create(vals_list)

    def _may_be_short(self):
        """Whether the city is content with the totals of this report."""
        # sudo: what the city set, and the budget of one's own subsidy
        subsidy = self.subsidy_id.sudo()
        most = subsidy.company_id.grant_short_report_amount
        budget = subsidy.budget_line_ids.account_id
        return (
            bool(most)
            and subsidy.currency_id.compare_amounts(subsidy.amount, most) <= 0
            # What was foreseen line by line is reported line by line.
            and budget <= self._get_short_accounts()
        )

    def _get_short_accounts(self):
        kept = Domain("is_total", "=", True) | Domain("code", "in", KEPT)
        accounts = self.env["grant.budget.account"].search(kept)
        return accounts | accounts.search([("code", "in", ("74com", "74etat"))])

    def _get_form_domain(self):
        if not self.is_short:
            return super()._get_form_domain()
        return Domain("is_total", "=", True) | Domain("code", "in", KEPT)

    def _get_asked_texts(self):
        """Names of the texts that the page asks for."""
        if self.outcome == "not_done":
            return ("achieved",)
        return ("achieved", "audience", "observations") if self.is_short else TEXTS


class GrantReportLine(models.Model):
    _inherit = "grant.report.line"

    def _is_gap_large(self):
        # Of totals of which nothing was foreseen there is no gap.
        if self.report_id.is_short and not self.report_id._has_budget():
            return False
        return super()._is_gap_large()

    def _is_named(self):
        return super()._is_named() and not self.account_id.is_total
