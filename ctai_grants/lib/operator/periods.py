"""Periods that figures are told for: parts of a calendar year within a subsidy, or all of it."""

import datetime
from typing import NamedTuple

#: Months of each frequency; ``once``: the whole subsidy.
MONTHS = {"month": 1, "quarter": 3, "half": 6, "year": 12}
_LETTERS = {"quarter": "Q", "half": "H"}


class Period(NamedTuple):
    """Days of a period, both included; its code stays what it is when the subsidy's end moves."""

    code: str
    start: datetime.date
    end: datetime.date


def split(start, end, frequency):
    """The periods of a subsidy, the first one first.

    >>> day = datetime.date
    >>> found = split(day(2021, 10, 25), day(2022, 6, 30), "quarter")
    >>> [(period.code, period.start.isoformat()) for period in found]
    [('2021-Q4', '2021-10-25'), ('2022-Q1', '2022-01-01'), ('2022-Q2', '2022-04-01')]
    >>> [p.code for p in split(day(2021, 12, 31), day(2022, 1, 1), "month")]
    ['2021-12', '2022-01']
    >>> split(day(2021, 10, 25), day(2022, 6, 30), "once")[0].code, split(None, None, "year")
    ('all', [])
    """
    if not start or not end or end < start:
        return []
    if frequency == "once":
        return [Period("all", start, end)]
    months, periods = MONTHS[frequency], []
    year, number = start.year, (start.month - 1) // months
    while (first := datetime.date(year, 1 + number * months, 1)) <= end:
        year, number = (year, number + 1) if (number + 1) * months < 12 else (year + 1, 0)
        last = datetime.date(year, 1 + number * months, 1) - datetime.timedelta(days=1)
        code = _get_code(first, frequency, months)
        periods.append(Period(code, max(first, start), min(last, end)))
    return periods


def _get_code(first, frequency, months):
    if frequency == "year":
        return f"{first.year}"
    if frequency == "month":
        return f"{first:%Y-%m}"
    return f"{first.year}-{_LETTERS[frequency]}{(first.month - 1) // months + 1}"
