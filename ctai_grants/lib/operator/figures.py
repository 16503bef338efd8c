"""Figures of an indicator: counts, numbers and percentages, as they are typed and as they are."""

import math

from ..accounting.spreadsheet import Refusal, is_empty, parse_amount

#: Far above any count of a city, and well within what a database keeps to the cent.
LARGEST = 10**9


def read_figure(text, kind):
    """A figure as one types it in French, or None of nothing.

    >>> read_figure("1 234", "count"), read_figure("12,5 %", "percent"), read_figure(" ", "count")
    (1234.0, 12.5, None)

    :raise Refusal: see :func:`get_fault`
    """
    if is_empty(text):
        return None
    if kind == "percent" and text.strip().endswith("%"):
        text = text.strip()[:-1]
    number = float(parse_amount(text))
    if fault := get_fault(number, kind):
        raise Refusal(fault)
    return number


def get_fault(number, kind):
    """Why a number is no such figure, as a code; None: it is one.

    >>> get_fault(2.5, "count"), get_fault(float("nan"), "number"), get_fault(101, "percent")
    ('not_whole', 'bad_amount', 'above_hundred')
    >>> get_fault(-1, "count"), get_fault(10, "count")
    ('negative', None)
    """
    if isinstance(number, bool) or not math.isfinite(number):
        return "bad_amount"
    if number < 0:
        return "negative"
    if kind == "count" and number != int(number):
        return "not_whole"
    if kind == "percent" and number > 100:
        return "above_hundred"
    return "too_large" if number >= LARGEST else None
