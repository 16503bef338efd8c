"""The days on which no delay of French law ends: Saturdays, Sundays and public holidays (code
du travail, art. L3133-1; in Moselle and Alsace also L3134-13, overseas L3422-2)."""

import datetime

from dateutil.easter import easter

_DAY = datetime.timedelta(days=1)
# Month and day of those that do not move.
_FIXED = frozenset({(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)})
# Easter Monday, Ascension and Whit Monday, in days after Easter.
_MOVING = (1, 39, 50)
# Departments of the local law.
_LOCAL_LAW = ("57", "67", "68")
# Abolition of slavery, by postcode: month and day (décret 83-1003). Saint-Barthélemy and
# Saint-Martin kept postcodes of Guadeloupe's.
_ABOLITION = {
    "97133": (10, 9), "97150": (5, 28),
    "971": (5, 27), "972": (5, 22), "973": (6, 10), "974": (12, 20), "976": (4, 27),
}  # fmt: skip


def is_holiday(day: datetime.date, postcode: str | None = None) -> bool:
    """Whether a day is a public holiday in France, where that postcode is. In Moselle and Alsace
    Good Friday and the second day of Christmas are too, overseas the abolition of slavery.

    >>> day = datetime.date
    >>> [d.isoformat() for n in range(365) if is_holiday(d := day(2022, 1, 1) + n * _DAY)]
    ... # doctest: +NORMALIZE_WHITESPACE
    ['2022-01-01', '2022-04-18', '2022-05-01', '2022-05-08', '2022-05-26', '2022-06-06',
     '2022-07-14', '2022-08-15', '2022-11-01', '2022-11-11', '2022-12-25']
    >>> is_holiday(day(2022, 4, 15)), is_holiday(day(2022, 4, 15), "67000")
    (False, True)
    >>> is_holiday(day(2022, 12, 26)), is_holiday(day(2022, 12, 26), "68100")
    (False, True)
    >>> is_holiday(day(2025, 5, 22), "97200"), is_holiday(day(2025, 5, 22), "86000")
    (True, False)
    >>> is_holiday(day(2025, 5, 27), "97100"), is_holiday(day(2025, 5, 27), "97133")
    (True, False)
    """
    postcode = "".join((postcode or "").split())
    if (day.month, day.day) in _FIXED or (day.month, day.day) == _get_abolition(postcode):
        return True
    after = (day - easter(day.year)).days
    is_local = after == -2 or (day.month, day.day) == (12, 26)
    return after in _MOVING or (is_local and postcode.startswith(_LOCAL_LAW))


def _get_abolition(postcode):
    return _ABOLITION.get(postcode) or _ABOLITION.get(postcode[:3])


def next_working_day(day: datetime.date, postcode: str | None = None) -> datetime.date:
    """The day, or the first one after it that is neither a Saturday, a Sunday nor a public holiday
    where that postcode is (as code de procédure civile, art. 642).

    >>> day = datetime.date
    >>> next_working_day(day(2022, 4, 15)).isoformat()  # Good Friday
    '2022-04-15'
    >>> next_working_day(day(2022, 4, 16)).isoformat()  # the Saturday before Easter
    '2022-04-19'
    >>> next_working_day(day(2021, 12, 25)).isoformat()
    '2021-12-27'
    >>> next_working_day(day(2022, 4, 15), "67000").isoformat()
    '2022-04-19'
    >>> next_working_day(day(2025, 5, 22), "97200").isoformat()
    '2025-05-23'
    """
    while day.weekday() >= 5 or is_holiday(day, postcode):
        day += _DAY
    return day
