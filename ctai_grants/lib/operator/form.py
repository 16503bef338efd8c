"""What an operator types into the form of a report: euros and days, one way or not at all."""

import datetime
from decimal import Decimal

from ..accounting.spreadsheet import Refusal, is_empty, parse_amount
from ..guard.money import LARGEST_AMOUNT


def read_amount(text) -> float:
    """Euros of a field; nothing typed is zero.

    >>> read_amount("1 234,50 €"), read_amount(" "), read_amount(None)
    (1234.5, 0.0, 0.0)

    :raise Refusal: ``bad_amount``, ``ambiguous_amount``, ``negative``, ``too_large``
    """
    if is_empty(text):
        return 0.0
    amount = parse_amount(text)
    if amount < 0:
        raise Refusal("negative")
    if amount >= Decimal(LARGEST_AMOUNT):
        raise Refusal("too_large")
    return float(amount)


def read_day(text):
    """The day that a browser sends, or None of nothing.

    >>> read_day("2022-06-30"), read_day("")
    (datetime.date(2022, 6, 30), None)

    :raise Refusal: ``bad_date``
    """
    if not text:
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise Refusal("bad_date") from error
    if not 1990 <= day.year <= 2099:
        raise Refusal("bad_date")
    return day
