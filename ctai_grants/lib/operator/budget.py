"""A budget as others send it: one row a line, by the account's code or name, the funder and the
amount."""

from decimal import Decimal
from typing import NamedTuple

from ..accounting.spreadsheet import Refusal, is_empty, normalise, parse_amount, read_sheets
from ..accounting.tables import Layout, find_tables

LAYOUT = Layout(
    "budget",
    {
        "account": (
            "compte", "n compte", "no compte", "numero de compte", "code", "poste", "ligne"
        ),
        "label": ("libelle", "intitule", "designation", "nature"),
        "funder": ("financeur", "detail", "precision", "precisions"),
        "amount": ("montant", "prevision", "previsionnel", "montant prevu", "budget", "prevu"),
    },
    ("account", "amount"),
)


class BudgetRow(NamedTuple):
    """One line of a budget, as it is written."""

    row: int
    account: str
    label: str
    funder: str
    amount: Decimal


def read_budget(content: bytes) -> list[BudgetRow]:
    """Rows of a budget that have an amount; those that only add up are left out.

    :raise Refusal: as :func:`read_sheets` and :func:`find_tables`; ``no_rows``, and of a cell
        (``row``, ``column``, ``cell``): ``bad_amount``, ``ambiguous_amount``, ``negative``
    """
    _layout, tables = find_tables(read_sheets(content), (LAYOUT,))
    rows = []
    for sheet, head, columns in tables:
        if sheet.error:
            raise sheet.error
        for row, cells in enumerate(sheet.rows[head + 1 :], head + 2):
            rows += _read_row(row, cells, columns, sheet.rows[head])
    if not rows:
        raise Refusal("no_rows")
    return rows


def _read_row(row, cells, columns, headings):
    def cell(name):
        position = columns.get(name, len(cells))
        return cells[position] if position < len(cells) else None

    account = _as_text(cell("account"))
    is_total = normalise(account or _as_text(cell("label"))).startswith(("total", "sous total"))
    if is_total or is_empty(cell("amount")):
        return []
    about = {"row": row, "column": headings[columns["amount"]], "cell": cell("amount")}
    try:
        amount = parse_amount(cell("amount"))
    except Refusal as refusal:
        raise Refusal(refusal.code, **about) from refusal
    if amount < 0:
        raise Refusal("negative", **about)
    if not amount:
        return []
    label, funder = _as_text(cell("label")), _as_text(cell("funder"))
    return [BudgetRow(row, account, label, funder, amount)]


def _as_text(cell):
    """What a cell says, of a number its whole digits.

    >>> _as_text(604.0), _as_text(" 60x "), _as_text(None)
    ('604', '60x', '')
    """
    if isinstance(cell, float) and cell == int(cell):
        cell = int(cell)
    return "" if is_empty(cell) else " ".join(str(cell).split())
