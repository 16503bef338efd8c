"""What the ledger should say of costs of the city: worked out item by item, for who verifies. What
posts does it in SQL, all at once (:mod:`ctai_grants.models.accounting.grant_own_cost`)."""

import datetime
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")


def split(balance: Decimal, shares: list) -> dict:
    """Amounts of an item by envelope, to the cent: never more than the item.

    :param list shares: (envelope, per cent), several of one envelope added up

    >>> split(Decimal("0.01"), [(1, Decimal(50)), (2, Decimal(50))])
    {1: Decimal('0.01'), 2: Decimal('0.00')}
    >>> split(Decimal(100), [(1, Decimal(100)), (2, Decimal(100))])
    {1: Decimal('50.00'), 2: Decimal('50.00')}
    """
    totals = defaultdict(Decimal)
    for envelope, share in shares:
        totals[envelope] += share
    kept = {key: min(max(share, Decimal(0)), Decimal(100)) for key, share in totals.items()}
    scale = max(sum(kept.values()), Decimal(100))
    amounts, share_before, before = {}, Decimal(0), Decimal(0)
    for envelope in sorted(kept):
        share_before += kept[envelope]
        upto = (balance * share_before / scale).quantize(CENT, ROUND_HALF_UP)
        amounts[envelope] = upto - before
        before = upto
    return amounts


def find_origin(move: int, moves: dict) -> datetime.date:
    """The date of the entry that ``move`` takes back, through reversals of reversals; its own when
    it takes back none, or when they take back each other.

    :param dict moves: {id: (date, id of the one taken back or None)}
    """
    date, back = moves[move]
    seen = {move}
    while back:
        if back in seen:
            return moves[move][0]
        seen.add(back)
        date, back = moves[back]
    return date


def get_payments(spent: dict, committed: dict) -> dict:
    """Euros to pay by day: what was spent until then as far as it was committed then, less what a
    later day takes back; a ceiling that falls takes back nothing that was not taken back in costs.

    :param dict spent: {day: euros}; so for ``committed``
    """
    days = sorted({*spent, *committed})
    total = ceiling = Decimal(0)
    costs, allowed = [], []
    for day in days:
        total += spent.get(day, Decimal(0))
        ceiling += committed.get(day, Decimal(0))
        costs.append(max(total, Decimal(0)))
        allowed.append(min(costs[-1], ceiling))
    # From the last day back: a day holds no more than the next one and what falls until then.
    for n in range(len(days) - 2, -1, -1):
        fall = max(costs[n] - costs[n + 1], Decimal(0))
        allowed[n] = min(allowed[n], allowed[n + 1] + fall)
    payments = {}
    for n, day in enumerate(days):
        amount = allowed[n] - (allowed[n - 1] if n else Decimal(0))
        if amount:
            payments[day] = amount
    return payments
