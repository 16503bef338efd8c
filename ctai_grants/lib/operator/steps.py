"""When an operator is reminded of a due date: steps in days from it, on days that people work."""

import datetime
import re

from ..closing.workdays import is_holiday


def parse_days(text: str) -> list[int]:
    """Days before the due date, as a city writes them in its settings.

    :raise ValueError: something else than whole numbers of 1 to 365

    >>> parse_days("30, 7"), parse_days("")
    ([30, 7], [])
    >>> parse_days("a week")
    Traceback (most recent call last):
    ...
    ValueError: a
    """
    days = []
    for word in filter(None, re.split(r"[,;\s]+", text or "")):
        if not word.isdecimal() or not 1 <= int(word) <= 365:
            raise ValueError(word)
        days.append(int(word))
    return days


def get_steps(before: list[int], every: int, times: int) -> list[int]:
    """The steps, in days from the due date: some before it, the day after, then ``times`` more.

    >>> get_steps([30, 7], 7, 3)
    [-30, -7, 1, 8, 15, 22]
    """
    after = [1 + every * number for number in range(times + 1)]
    return sorted({-day for day in before}) + after


def is_working(day: datetime.date, postcode: str | None = None) -> bool:
    """Whether people work on a day, where that postcode is.

    >>> day = datetime.date
    >>> is_working(day(2022, 4, 18)), is_working(day(2022, 4, 19)), is_working(day(2022, 4, 23))
    (False, True, False)
    >>> is_working(day(2022, 12, 20), "97400"), is_working(day(2022, 12, 20), "86000")
    (False, True)
    >>> is_working(day(2022, 12, 26), "67000"), is_working(day(2022, 12, 26))
    (False, True)
    """
    return day.weekday() < 5 and not is_holiday(day, postcode)
