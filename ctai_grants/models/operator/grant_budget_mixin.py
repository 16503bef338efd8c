from odoo import models

#: Sides of a budget, in kind apart.
SIDES = ("expense", "income", "in_kind_expense", "in_kind_income")


class GrantBudgetMixin(models.AbstractModel):
    """Lines that make up a budget (domain-fr B3): both sides equal, contributions in kind equal on
    both sides and apart, and one line under 74 that is the subsidy."""

    _name = "grant.budget.mixin"
    _description = "Lines of a Budget"

    # The field with the euros that a line counts for.
    _counted_field = "amount"

    def _get_totals(self, name=None):
        """Euros of each of :data:`SIDES`, as a dict.

        :param str name: of the field that is added up, if another than usual
        """
        totals = dict.fromkeys(SIDES, 0.0)
        for line in self:
            account = line.account_id
            if account.side:
                side = f"in_kind_{account.side}" if account.in_kind else account.side
                totals[side] += line[name or self._counted_field]
        return {side: round(total, 2) for side, total in totals.items()}

    def _get_errors(self, granted, currency):
        """What is wrong with this budget: a list of sentences. None of nothing.

        :param granted: euros of the subsidy
        """
        if not self:
            return []
        currency = currency or self.env.company.currency_id
        totals, format_amount = self._get_totals(), currency.format
        of_subsidy = self.filtered("is_subsidy")
        amount = sum(of_subsidy.mapped(self._counted_field))
        errors = []
        if currency.compare_amounts(totals["expense"], totals["income"]):
            errors.append(
                self.env._(
                    "The charges (%(expense)s) and the income (%(income)s) of the budget are not "
                    "equal.",
                    expense=format_amount(totals["expense"]),
                    income=format_amount(totals["income"]),
                )
            )
        if currency.compare_amounts(totals["in_kind_expense"], totals["in_kind_income"]):
            errors.append(
                self.env._(
                    "Contributions in kind: their use (86: %(used)s) and what they are "
                    "(87: %(given)s) are not equal.",
                    used=format_amount(totals["in_kind_expense"]),
                    given=format_amount(totals["in_kind_income"]),
                )
            )
        if not of_subsidy:
            errors.append(
                self.env._("No line under 74 is this subsidy: tick “This Subsidy” on the one.")
            )
        elif currency.compare_amounts(amount, granted):
            errors.append(
                self.env._(
                    "The line of this subsidy says %(amount)s, the amount granted is %(granted)s.",
                    amount=format_amount(amount),
                    granted=format_amount(granted),
                )
            )
        return errors
