"""What a document of one year becomes in another."""

import datetime
import re

from dateutil.relativedelta import relativedelta

YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def move(day, years):
    """The same day some years later; the last of a month stays the last of it."""
    if not day:
        return day
    later = day + relativedelta(years=years)
    is_last = (day + datetime.timedelta(days=1)).day == 1
    return later + relativedelta(day=31) if is_last else later


def say(text, years):
    """A name or reference some years later: each year that it names moves along."""
    return YEAR.sub(lambda found: str(int(found[0]) + years), text)
