from odoo import models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.award.history import local_date


class GrantFinancialReport(models.Model):
    """What a financial report is accepted with: figures, a signed file, and an exercise that is
    over (loi 2000-321, art. 10: handed in within six months after its end)."""

    _inherit = "grant.financial.report"

    def _check_complete(self, date):
        """Refuse to accept a report that reports nothing.

        :param date: of the acceptance
        :raise UserError: naming the report and all that is missing or wrong
        """
        self.ensure_one()
        if problems := [*self._get_missing_figures(), *self._get_wrong_dates(date)]:
            raise UserError(
                self.env._(
                    "%(report)s cannot be accepted:\n%(problems)s",
                    report=self.display_name,
                    problems="\n".join(f"• {problem}" for problem in problems),
                )
            )

    def _get_missing_figures(self):
        """Sentences on the figures and the file that are not there."""
        problems = []
        is_zero = self.currency_id.is_zero
        if is_zero(self.actual_amount) and not self._attests_nothing():
            problems.append(
                self.env._(
                    "“Actual Charges” is zero: enter the charges of the report. If nothing was "
                    "spent and nothing is due for it, enter the budgeted charges; of a lump sum, "
                    "do without the report, with the reason."
                )
            )
        if self.due_rule == "pro_rata" and is_zero(self.budget_amount):
            problems.append(
                self.env._(
                    "The convention pays pro rata of the budget: enter the budgeted charges."
                )
            )
        if not self._has_signature():
            problems.append(
                self.env._(
                    "“Signed Report” is empty: have the file handed in as a piece of the subsidy, "
                    "and choose it here."
                )
            )
        return problems

    def _attests_nothing(self):
        """Whether it reports an action that was not carried out: nothing of its budget was spent,
        and nothing is due."""
        is_zero = self.currency_id.is_zero
        return not is_zero(self.budget_amount) and is_zero(self.due_amount)

    def _has_signature(self):
        """Whether the operator signed what it reports."""
        return bool(self.version_id)

    def _get_wrong_dates(self, date):
        """Sentences on an exercise that is not that of the subsidy, or was not over yet."""
        end = self.exercise_end
        about = {"end": format_date(self.env, end)}
        problems = []
        start = self.subsidy_id.date_start
        if start and end < start:
            problems.append(
                self.env._(
                    "The exercise ends on %(end)s, before the subsidy starts (%(start)s).",
                    start=format_date(self.env, start),
                    **about,
                )
            )
        if date < end:
            problems.append(
                self.env._(
                    "The exercise ends on %(end)s: the report is not accepted on %(date)s, before "
                    "its end.",
                    date=format_date(self.env, date),
                    **about,
                )
            )
        # sudo: when the file was handed in, whoever may read it
        version = self.sudo().version_id
        zone = self.company_id._grant_timezone()
        if version and (day := local_date(version.submitted_at, zone)) < end:
            problems.append(
                self.env._(
                    "“%(file)s” was handed in on %(date)s, before the end of the exercise "
                    "(%(end)s): ask for the report of the whole exercise.",
                    file=version.display_name,
                    date=format_date(self.env, day),
                    **about,
                )
            )
        return problems
