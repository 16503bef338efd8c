"""A calendar file of due dates (RFC 5545): one event a date, all day, with an alarm before it."""

import datetime
import re
from typing import NamedTuple

#: Octets of a line at most, its end apart (RFC 5545, 3.1).
LONGEST = 75
PRODUCT = "-//CTAI Grants//Due dates//EN"


class Event(NamedTuple):
    """Something that is due."""

    uid: str
    day: datetime.date
    title: str
    text: str
    url: str
    #: when it was last changed, in UTC: who imports the file again sees what moved
    changed: datetime.datetime


def escape(text: str) -> str:
    r"""A text as a value: no control characters, and what separates values escaped.

    >>> escape("Bilan; a, b\\c\r\nfin\x07")
    'Bilan\\; a\\, b\\\\c\\nfin'
    """
    text = re.sub(r"[\\;,]", r"\\\g<0>", text)
    text = re.sub(r"\r\n|[\r\n\x0b\x0c\x85\u2028\u2029]", r"\\n", text)
    return re.sub(r"[\x00-\x08\x0e-\x1f\x7f]", "", text)


def fold(line: str) -> str:
    """A line of at most 75 octets, continued by lines that begin with a space; no character is
    torn.

    >>> fold("x" * 76) == "x" * 75 + "\\r\\n x"
    True
    """
    parts, part, size = [], "", 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LONGEST:
            parts.append(part)
            # The space that begins a continuation is one of its octets.
            part, size = " ", 1
        part += character
        size += octets
    return "\r\n".join([*parts, part])


def make_calendar(name: str, events: list[Event], now: datetime.datetime, days: int) -> bytes:
    """The file.

    :param name: of the calendar
    :param events: at least one: a calendar without any is not valid
    :param now: when it is made, in UTC
    :param days: how long before each date its alarm rings
    """
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{PRODUCT}", "CALSCALE:GREGORIAN",
        f"X-WR-CALNAME:{escape(name)}",
    ]  # fmt: skip
    for event in events:
        lines += _write_event(event, now, days)
    return "".join(f"{fold(line)}\r\n" for line in [*lines, "END:VCALENDAR"]).encode()


def _write_event(event, now, days):
    title = escape(event.title)
    return [
        "BEGIN:VEVENT",
        f"UID:{escape(event.uid)}",
        f"DTSTAMP:{_write_time(now)}",
        f"LAST-MODIFIED:{_write_time(event.changed)}",
        f"DTSTART;VALUE=DATE:{event.day:%Y%m%d}",
        f"DTEND;VALUE=DATE:{event.day + datetime.timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{title}",
        f"DESCRIPTION:{escape(event.text)}",
        f"URL:{event.url}",
        # It is a date to know, not time that is taken.
        "TRANSP:TRANSPARENT",
        *_write_alarm(title, days),
        "END:VEVENT",
    ]


def _write_alarm(title, days):
    return [
        "BEGIN:VALARM", "ACTION:DISPLAY", f"DESCRIPTION:{title}", f"TRIGGER:-P{days}D",
        "END:VALARM",
    ]  # fmt: skip


def _write_time(moment):
    return f"{moment:%Y%m%dT%H%M%SZ}"
