"""A statement as plain objects, computed once and rendered as often as one likes. No Odoo here.

Money is :class:`decimal.Decimal`, in the contract's currency. The six kinds of the ledger are
called *flows*; a figure that is derived from them is a list of ``(flow, sign)`` terms.
"""

import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from odoo.addons.ctai_grants.lib.guard.money import ZERO, round_euros

FLOWS = ("allocation", "commitment", "payment", "justification", "receipt", "recovery")
AVAILABLE = (("allocation", 1), ("commitment", -1))
TO_PAY = (("commitment", 1), ("payment", -1), ("recovery", 1))
NET_PAID = (("payment", 1), ("recovery", -1))
UNJUSTIFIED = (*NET_PAID, ("justification", -1))
JUSTIFIED = (("justification", 1),)

# Where the sums over the ledger's lines find what they need.
LEDGER_CHAIN, LEDGER_KIND, LEDGER_AMOUNT = 0, 3, 8
SUMMARY_CHAIN = 1


class TieOutError(ValueError):
    """The lines do not add up to the figures: nothing may be handed out."""


@dataclass(frozen=True)
class Column:
    """A column and what its cells hold.

    ``kind``: text, siret, hash, integer, amount, rate, date or datetime. ``flow``: the ledger's
    kind that the cells are sums of. ``terms`` (over ``base``, for a rate): what they are derived
    from, in the columns of the same row.
    """

    label: str
    kind: str = "text"
    width: int = 14
    flow: str | None = None
    terms: tuple[tuple[str, int], ...] = ()
    base: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class Total:
    """A row of sums: ``values`` by column; ``only`` the rows with this text in this column."""

    label: str
    values: Mapping[int, Decimal | None]
    only: tuple[int, str] | None = None


@dataclass(frozen=True)
class Table:
    """Columns, rows (``read`` gives them anew each time) and the totals below them.

    ``key``: what the table is, in no language: files name it by that, to be found again.
    """

    title: str
    columns: Sequence[Column]
    read: Callable[[], Iterable[Sequence]]
    totals: Sequence[Total] = ()
    key: str = ""


@dataclass(frozen=True)
class Statement:
    """Everything a renderer needs; see :mod:`.xlsx` and :mod:`.csv_files`."""

    name: str
    title: str
    author: str
    running_head: str
    currency: str
    made_at: datetime.datetime
    cover: Sequence[tuple[str, str]]
    blocks: Sequence[Table]
    notes: Sequence[str]
    positions: Table
    summary_title: str
    chart_title: str
    empty: str
    lists: Sequence[Table]
    ledger: Table
    ledger_size: int
    kinds: Mapping[str, str]
    chains: Sequence[tuple[str, str, Callable[[], Iterable[Mapping]]]]
    #: What machines look for: number, contract, dates; texts and numbers that JSON can hold.
    about: Mapping = field(default_factory=dict)

    def find(self, key: str) -> Table | None:
        """The list of that key."""
        return next((table for table in self.lists if table.key == key), None)


def combine(terms: Iterable[tuple[str, int]], amounts: Mapping[str, Decimal]) -> Decimal:
    """Sum of the signed flows.

    >>> combine(TO_PAY, {"commitment": Decimal(100), "payment": Decimal(30)})
    Decimal('70.00')
    """
    return sum((sign * amounts.get(flow, ZERO) for flow, sign in terms), ZERO)


def derive(column: Column, amounts: Mapping[str, Decimal]) -> Decimal | None:
    """Value of a column with a flow or terms; None for a rate of nothing.

    >>> rate = Column("Rate", "rate", terms=JUSTIFIED, base=NET_PAID)
    >>> derive(rate, {"justification": Decimal(1), "payment": Decimal(4)})
    Decimal('0.25')
    >>> derive(rate, {})
    """
    if column.flow:
        return amounts.get(column.flow, ZERO)
    value = combine(column.terms, amounts)
    if not column.base:
        return value
    base = combine(column.base, amounts)
    return value / base if base else None


def add_up(
    label: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence],
    only: tuple[int, str] | None = None,
) -> Total:
    """Total of the rows, or of those that have a text in a column.

    >>> columns = [Column("Who"), Column("Paid", "amount")]
    >>> rows = [("city", Decimal("1.10")), ("State", Decimal("5")), ("city", Decimal("2.20"))]
    >>> add_up("Total", columns, rows, (0, "city")).values
    {1: Decimal('3.30')}
    """
    kept = [row for row in rows if only is None or row[only[0]] == only[1]]
    values: dict[int, Decimal | None] = {
        index: sum((row[index] or ZERO for row in kept), ZERO)
        for index, column in enumerate(columns)
        if column.kind == "amount"
    }
    # The rate of a total is that of its sums, no sum of rates.
    amounts = {column.flow: values[i] for i, column in enumerate(columns) if column.flow}
    for index, column in enumerate(columns):
        if column.base:
            values[index] = derive(column, amounts)
    return Total(label, values, only)


def checked(
    lines: Iterable[Sequence], expected: Mapping[tuple[int, str], Decimal], size: int
) -> Iterator[Sequence]:
    """Pass the ledger's lines on, and stop at the end when they are not what was announced.

    :param expected: sum by chain and label of the kind
    :raise TieOutError: naming the first sum that differs

    >>> line = (1, 1, None, "Payment", "", "", "", "", Decimal("5.00"))
    >>> list(checked([line], {(1, "Payment"): Decimal(5)}, 1)) == [line]
    True
    >>> list(checked([line], {(1, "Payment"): Decimal(6)}, 1))
    Traceback (most recent call last):
    odoo.addons.ctai_grants_reports.lib.statement.TieOutError: Payment: 5.00 in the lines, 6 in...
    """
    sums: dict[tuple[int, str], Decimal] = {}
    count = 0
    for line in lines:
        key = (line[LEDGER_CHAIN], line[LEDGER_KIND])
        sums[key] = sums.get(key, ZERO) + line[LEDGER_AMOUNT]
        count += 1
        yield line
    _check_sums(sums, expected)
    if count != size:
        raise TieOutError(f"{count} lines, {size} announced")


def _check_sums(sums: Mapping, expected: Mapping) -> None:
    for key in sorted({*sums, *expected}):
        found, wanted = sums.get(key, ZERO), expected.get(key, ZERO)
        if found != wanted:
            raise TieOutError(f"{key[1]}: {found} in the lines, {wanted} in the summary")


def split_by_action(
    actions: Sequence[tuple[int, Decimal]],
    granted: Decimal,
    amounts: Mapping[int | None, Mapping[str, Decimal]],
) -> list[tuple[int | None, Decimal, Mapping[str, Decimal]]]:
    """Rows of one subsidy: each euro of it in exactly one of them.

    What the ledger does not split by action goes to the only action, or to a row of its own.

    :param actions: (id, amount) of each action
    :param granted: amount of the subsidy
    :param amounts: sums of the ledger by action (None: by none) and flow
    :return: list of (action id or None, amount, sums by flow)

    >>> split_by_action([(7, Decimal(10))], Decimal(12), {None: {"payment": Decimal(3)}})
    [(7, Decimal('12'), {'payment': Decimal('3.00')})]
    >>> two = [(7, Decimal(10)), (8, Decimal(2))]
    >>> split_by_action(two, Decimal(12), {7: {"commitment": Decimal(10)}})
    [(7, Decimal('10'), {'commitment': Decimal('10')}), (8, Decimal('2'), {})]
    >>> split_by_action(two, Decimal(12), {None: {"payment": Decimal(3)}})[2]
    (None, Decimal('0.00'), {'payment': Decimal('3')})
    """
    if len(actions) < 2:
        return [(actions[0][0] if actions else None, granted, _merge(amounts.values()))]
    rows: list = [(action, amount, amounts.get(action, {})) for action, amount in actions]
    rest = granted - sum((amount for _action, amount in actions), ZERO)
    common = amounts.get(None, {})
    if rest or any(common.values()):
        rows.append((None, round_euros(rest), common))
    return rows


def _merge(parts: Iterable[Mapping[str, Decimal]]) -> dict[str, Decimal]:
    merged: dict[str, Decimal] = {}
    for sums in parts:
        for flow, amount in sums.items():
            merged[flow] = merged.get(flow, ZERO) + amount
    return merged
