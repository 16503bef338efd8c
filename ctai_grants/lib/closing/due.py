"""What a convention leaves to the operator in the end: plain arithmetic, in cents.

Sources: usual clauses of the conventions of objectives (circulaire 5811/SG of 29/9/2015), and
loi 2000-321, art. 10, for what the convention lets the operator keep.
"""

from decimal import Decimal

from ..guard.money import ZERO, round_euros


def amount_due(rule, granted, budget, eligible, other_income):
    """Euros due to the operator.

    :param str rule: ``fixed``, ``pro_rata`` (of the budget spent), ``cost`` (never more than was
        spent) or ``deficit`` (never more than was spent beyond the other income)
    :param Decimal budget: budgeted charges; above zero for ``pro_rata``
    :return: Decimal, between zero and ``granted``
    """
    match rule:
        case "fixed":
            due = granted
        case "pro_rata":
            due = round_euros(granted * eligible / budget)
        case "cost":
            due = eligible
        case "deficit":
            due = eligible - other_income
    return max(ZERO, min(granted, due))


def surplus_kept(granted, percent, over):
    """Euros that the operator keeps of what it got beyond its due: a share of the grant."""
    # By its text: 0.1 % is meant, not the float next to it.
    allowed = round_euros(granted * Decimal(str(percent or 0)) / 100)
    return max(ZERO, min(allowed, over))


def pro_rata_of_days(amount, first_day, last_day, breach_day):
    """Euros of ``amount`` for the days from ``breach_day`` to ``last_day``, both included, out of
    the days of the whole period (withdrawal pro rata of the remaining period: décret 2021-1947)."""
    days = (last_day - first_day).days + 1
    # A breach before the period takes all of it, one after its end nothing.
    left = (last_day - max(breach_day, first_day)).days + 1
    return round_euros(amount * max(0, left) / days)
