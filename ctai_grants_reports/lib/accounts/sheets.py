"""Lists that go to the finance department, as plain objects. No Odoo here."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

CENT = Decimal("0.01")


@dataclass(frozen=True)
class Column:
    """``kind``: text, amount (euros), rate (1 is all) or date."""

    label: str
    kind: str = "text"
    width: int = 16


@dataclass(frozen=True)
class Sheet:
    """A list: rows of values in the order of its columns; ``sums``: whether amounts add up."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence]
    sums: bool = True
    #: columns (by place) that go into a chart over the first one: lines
    chart: Sequence[int] = ()

    def get_totals(self) -> dict[int, Decimal]:
        """Sum of each column of amounts, by its place.

        >>> sheet = Sheet("x", [Column("Who"), Column("Paid", "amount")], [("a", 1.1), ("b", 2.2)])
        >>> sheet.get_totals()
        {1: Decimal('3.30')}
        """
        if not self.sums:
            return {}
        return {
            place: sum((to_cents(row[place]) for row in self.rows), Decimal(0))
            for place, column in enumerate(self.columns)
            if column.kind == "amount"
        }


@dataclass(frozen=True)
class Paper:
    """All that one file says."""

    name: str
    title: str
    about: Sequence[tuple[str, str]]
    notes: Sequence[str]
    sheets: Sequence[Sheet]
    date: datetime.date
    author: str
    total: str
    empty: str
    labels: dict = field(default_factory=dict)


def to_cents(value) -> Decimal:
    """Euros of a float, a decimal, or nothing.

    >>> to_cents(0.1 + 0.2), to_cents(None)
    (Decimal('0.30'), Decimal('0.00'))
    """
    return Decimal(repr(value or 0.0) if isinstance(value, float) else str(value or 0)).quantize(
        CENT
    )
