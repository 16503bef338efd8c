"""The ceilings of the ledger at the end of each day, in plain Python: what is committed, paid and
paid back on a day does not exceed what was allotted, committed and paid by then.

The database judges the same when it posts, another way (``models/ledger/grant_entry_dates.sql``:
back from its counters). Here each envelope and subsidy is added up from its first day, in cents.
"""

from collections.abc import Iterator, Mapping

#: Kinds of entries that count.
KINDS = ("allocation", "commitment", "payment", "recovery")


class Days:
    """What the entries of one envelope move, day by day.

    >>> days = Days()
    >>> days.add(None, "2021-10-21", "allocation", 10000)
    >>> days.add(7, "2021-10-25", "commitment", 5000)
    >>> days.add(7, "2021-12-01", "payment", 5000)
    >>> days.add(7, "2021-11-30", "recovery", 1)
    >>> list(days.get_broken())
    [(7, '2021-11-30', 'recovery', 1, 0)]
    """

    def __init__(self) -> None:
        # {subsidy id, or None: {date: {kind: cents}}}
        self._moves: dict[object, dict[str, dict[str, int]]] = {}

    def add(self, subsidy: object, date: str, kind: str, cents: int) -> None:
        """Note what entries of one subsidy (None: of none), day and kind move."""
        if kind in KINDS:
            self._add(subsidy, date, kind, cents)
            # What a subsidy commits counts in the envelope too.
            if kind == "commitment":
                self._add(None, date, kind, cents)

    def _add(self, owner: object, date: str, kind: str, cents: int) -> None:
        day = self._moves.setdefault(owner, {}).setdefault(date, {})
        day[kind] = day.get(kind, 0) + cents

    def get_broken(self) -> Iterator[tuple[object, str, str, int, int]]:
        """The first day of each envelope and subsidy on which something exceeds its ceiling.

        :return: subsidy id (None: the envelope), date, kind of what is too much, cents that there
            were of it, and its ceiling in cents
        """
        for owner, days in self._moves.items():
            sums = dict.fromkeys(KINDS, 0)
            for date in sorted(days):
                for kind, cents in days[date].items():
                    sums[kind] += cents
                if broken := _judge(owner, sums):
                    yield (owner, date, *broken)
                    break


def _judge(owner: object, sums: Mapping[str, int]) -> tuple[str, int, int] | None:
    """What is too much in these sums: its kind, how much there is and its ceiling."""
    if owner is None:
        limits = [("commitment", sums["commitment"], sums["allocation"])]
    else:
        kept = sums["payment"] - sums["recovery"]
        limits = [
            ("payment", kept, sums["commitment"]),
            ("recovery", sums["recovery"], sums["payment"]),
            # More of the repayments was taken back than there was.
            ("undone", -sums["recovery"], 0),
        ]
    return next((limit for limit in limits if limit[1] > limit[2]), None)
