"""What a document was on a past day, as the decisions about it tell it."""

import datetime
from typing import NamedTuple


class Step(NamedTuple):
    """What happened to a document: when, what was decided, and its state from then on."""

    day: datetime.date
    decision: str | None
    state: str
    decided_on: datetime.date | None = None


def state_after(states, decision, before, get_path=None):
    """State of a document after a decision.

    :param dict states: what each decision leads to: a state, or None when the state stays; where
        it depends, a dict by the state before or by who pays
    :param str before: the document's state until then
    :param get_path: says who pays, ``city`` or ``direct``; asked only where it decides
    :raise KeyError: nobody takes that decision on such a document, or not in that state

    >>> states = {"closed": "closed", "reopened": {"closed": "signed", "granted": "draft"}}
    >>> state_after(states, "reopened", "closed")
    'signed'
    >>> paths = {"city": "ordered", "direct": "certified"}
    >>> state_after({"unpaid": paths}, "unpaid", "paid", lambda: "city")
    'ordered'
    >>> state_after({"treasury_rejected": None}, "treasury_rejected", "ordered")
    'ordered'
    """
    state = states[decision]
    if isinstance(state, dict):
        # Where neither is in it, an error is meant: the caller says of which document.
        return state[before if before in state or not get_path else get_path()]
    return state or before


def states_after(first, states, decisions, get_path=None):
    """States of a document, the first one included, after each of these decisions in their order.

    >>> states_after("planned", {"certified": "certified", "returned": "planned"},
    ...              ["certified", "returned"])
    ['planned', 'certified', 'planned']
    """
    result = [first]
    for decision in decisions:
        result.append(state_after(states, decision, result[-1], get_path))
    return result


def last_step(history, day):
    """The last of these steps that counts on ``day``; the first one, when none does.

    >>> first = Step(datetime.date.min, None, "planned")
    >>> certified = Step(datetime.date(2022, 1, 9), "certified", "certified")
    >>> ordered = Step(datetime.date(2021, 12, 30), "ordered", "ordered")
    >>> history = [first, certified, ordered]
    >>> last_step(history, datetime.date(2021, 12, 31)).state
    'ordered'
    >>> last_step(history, datetime.date(2021, 12, 29)).state
    'planned'
    """
    # The last one taken, not the one dated last: what came after has undone it.
    return next((step for step in reversed(history) if step.day <= day), history[0])


def local_date(moment, timezone):
    """Day of a time of the database, in the legal time of the city.

    >>> import zoneinfo
    >>> paris = zoneinfo.ZoneInfo("Europe/Paris")
    >>> local_date(datetime.datetime(2021, 12, 31, 23, 30), paris)
    datetime.date(2022, 1, 1)
    """
    # Odoo keeps its times in UTC, and does not say so.
    return moment.replace(tzinfo=datetime.timezone.utc).astimezone(timezone).date()
