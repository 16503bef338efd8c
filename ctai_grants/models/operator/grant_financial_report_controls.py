from odoo import api, fields, models
from odoo.tools.misc import formatLang

from ...lib.guard.words import has_words


class GrantFinancialReport(models.Model):
    """What is looked at in the figures of a report (domain-fr B3): advice to who writes it and to
    who reviews it. What forbids the acceptance is apart."""

    _inherit = "grant.financial.report"

    advice = fields.Text(compute="_compute_advice", help="What to look at in the figures.")
    shift_percent = fields.Float(
        string="Shifted between Lines (%)", digits=(5, 2), compute="_compute_shift_percent",
        help="Of the budgeted charges: what was spent on some lines and foreseen on others.",
    )  # fmt: skip

    @api.depends(
        "line_ids.actual", "line_ids.comment", "line_ids.refused_amount", "line_ids.forecast",
        "subsidy_id.shift_percent",
    )  # fmt: skip
    def _compute_advice(self):
        for report in self:
            report.advice = "\n".join(report._get_advice())

    @api.depends("line_ids.actual", "line_ids.refused_amount", "line_ids.forecast")
    def _compute_shift_percent(self):
        for report in self:
            report.shift_percent = report._get_shift()

    def _get_shift(self):
        """Percents of the budgeted charges that moved from some lines to others; what is refused
        moved nowhere."""
        charges = self._get_charges()
        budget = sum(charges.mapped("forecast"))
        if not budget:
            return 0.0
        gaps = [line.eligible - line.forecast for line in charges]
        over = sum(gap for gap in gaps if gap > 0)
        # Spending more than was foreseen, on top of it, moves nothing.
        under = -sum(gap for gap in gaps if gap < 0)
        return round(100 * min(over, under) / budget, 2)

    def _get_part_of_subsidy(self):
        """Percents of the actual income that the amount granted is, as the form ends; None while
        there is no income."""
        self.ensure_one()
        income = self.line_ids._get_totals()["income"]
        # sudo: the amount of one's own subsidy
        return 100 * self.subsidy_id.sudo().amount / income if income else None

    def _get_advice(self):
        """What to look at in the figures: a list of sentences."""
        self.ensure_one()
        if not self.line_ids or not self.currency_id:
            return []
        return [*self._get_balance_advice(), *self._get_line_advice(), *self._get_shift_advice()]

    def _get_balance_advice(self):
        """Sentences on sides that are not equal."""
        totals, compare = self.line_ids._get_totals(), self.currency_id.compare_amounts
        amounts = {side: self.currency_id.format(total) for side, total in totals.items()}
        advice = []
        if compare(totals["in_kind_expense"], totals["in_kind_income"]):
            advice.append(
                self.env._(
                    "Contributions in kind: their use (86: %(in_kind_expense)s) and what they are "
                    "(87: %(in_kind_income)s) should be equal.",
                    **amounts,
                )
            )
        if compare(totals["income"], totals["expense"]) > 0:
            advice.append(
                self.env._(
                    "The income (%(income)s) is larger than the charges (%(expense)s): the action "
                    "leaves a surplus.",
                    **amounts,
                )
            )
        elif compare(totals["income"], totals["expense"]) < 0:
            advice.append(
                self.env._(
                    "The charges (%(expense)s) are larger than the income (%(income)s): enter what "
                    "covered the difference, your own funds if need be.",
                    **amounts,
                )
            )
        return advice

    def _get_line_advice(self):
        """Sentences on lines: the one of the subsidy, gaps that nobody explained."""
        advice = []
        # sudo: the amount of one's own subsidy
        granted = self.subsidy_id.sudo().amount
        for line in self.line_ids.filtered("is_subsidy"):
            if self.currency_id.compare_amounts(line.actual, granted):
                advice.append(
                    self.env._(
                        "The line of this subsidy says %(amount)s, the amount granted is "
                        "%(granted)s.",
                        amount=self.currency_id.format(line.actual),
                        granted=self.currency_id.format(granted),
                    )
                )
        if unsaid := self.line_ids.filtered("asks_comment"):
            advice.append(
                self.env._(
                    "Explain the gap of these lines (more than %(percent)s %%): %(lines)s.",
                    percent=formatLang(self.env, self.company_id.grant_gap_percent, digits=0),
                    lines=", ".join(unsaid.mapped("display_name")),
                )
            )
        return advice

    def _get_shift_advice(self):
        """A sentence where more moved between lines than the convention lets."""
        # sudo: what one's own convention says
        most = self.subsidy_id.sudo().shift_percent
        if not most or self.shift_percent <= most:
            return []
        return [
            self.env._(
                "%(shift)s %% of the budget moved between its lines, the convention lets "
                "%(most)s %% without an amendment.",
                shift=formatLang(self.env, self.shift_percent, digits=1),
                most=formatLang(self.env, most, digits=1),
            )
        ]

    # ------------------------------------------------------------------
    # What forbids the acceptance
    # ------------------------------------------------------------------

    def _get_missing_figures(self):
        problems = super()._get_missing_figures()
        if not self.line_ids:
            return problems
        for line in self.line_ids:
            if line.refused_amount and not has_words(line.refused_ground):
                problems.append(
                    self.env._("%s: write why it is refused, in words.", line.display_name)
                )
        problems += [
            self.env._("%s Sign an amendment to the budget, or refuse what is beyond.", sentence)
            for sentence in self._get_shift_advice()
        ]
        return problems

    def _get_acceptance_preview(self):
        sections = super()._get_acceptance_preview()
        if advice := self._get_advice():
            rows = [(sentence, None) for sentence in advice]
            sections.append(
                {"title": self.env._("To look at"), "rows": rows, "alert": False}
            )
        return sections
