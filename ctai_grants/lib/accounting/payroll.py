"""A payroll entry as payroll software exports it: account, label, debit, credit, and the share of
a line that a contract pays."""

from decimal import Decimal
from typing import NamedTuple

from .spreadsheet import (
    Refusal,
    is_empty,
    normalise,
    parse_amount,
    parse_identifier,
    read_sheets,
)
from .tables import Layout, find_tables

LAYOUT = Layout(
    "payroll",
    {
        "account": ("compte", "n compte", "no compte", "numero de compte", "imputation", "nature"),
        "label": ("libelle", "libelle ecriture", "designation", "rubrique", "intitule"),
        "debit": ("debit", "montant debit"),
        "credit": ("credit", "montant credit"),
        "share": ("part", "pourcentage", "quote part", "taux"),
    },
    ("account", "debit", "credit"),
)


class PayrollLine(NamedTuple):
    """One line of the entry: ``amount`` is debit less credit, ``share`` between 0 and 100."""

    row: int
    account: str
    label: str
    amount: Decimal
    share: Decimal


def read_payroll(content: bytes) -> list[PayrollLine]:
    """Lines of a payroll entry; rows that only add up are left out.

    :raise Refusal: as :func:`read_sheets` and :func:`find_tables`; ``no_rows``, ``unbalanced``
        (``difference``), and of a cell (``row``, ``column``, ``cell``): ``bad_amount``,
        ``ambiguous_amount``, ``bad_number``, ``both_sides``, ``bad_share``
    """
    _layout, tables = find_tables(read_sheets(content), (LAYOUT,))
    lines = []
    for sheet, head, columns in tables:
        # Only now: a sheet that is no table of ours may be as it likes.
        if sheet.error:
            raise sheet.error
        for row, cells in enumerate(sheet.rows[head + 1 :], head + 2):
            reader = _Row(row, cells, columns, sheet.rows[head])
            if not reader.is_empty_or_total():
                lines.append(reader.as_line())
    if not lines:
        raise Refusal("no_rows")
    # An entry balances: one that does not was cut off, or a row of it was not understood.
    if difference := sum(line.amount for line in lines):
        raise Refusal("unbalanced", difference=difference)
    return lines


class _Row:
    def __init__(self, row, cells, columns, headings):
        self.row, self.cells, self.columns, self.headings = row, cells, columns, headings

    def cell(self, column):
        position = self.columns.get(column, len(self.cells))
        return self.cells[position] if position < len(self.cells) else None

    def is_empty_or_total(self):
        first = next((cell for cell in self.cells if not is_empty(cell)), "")
        is_total = isinstance(first, str) and normalise(first).startswith(("total", "sous total"))
        return is_total or all(is_empty(self.cell(name)) for name in LAYOUT.required)

    def as_line(self):
        debit, credit = self.parse("debit", parse_amount), self.parse("credit", parse_amount)
        if debit and credit:
            self.refuse("both_sides", "debit")
        account = self.parse("account", parse_identifier)
        if not account:
            self.refuse("missing", "account")
        share = self.parse("share", parse_amount)
        if share is not None and not 0 <= share <= 100:
            self.refuse("bad_share", "share")
        return PayrollLine(
            self.row,
            account,
            str(self.cell("label") or "").strip(),
            (debit or Decimal(0)) - (credit or Decimal(0)),
            Decimal(100) if share is None else share,
        )

    def parse(self, column, parse):
        cell = self.cell(column)
        if is_empty(cell):
            return None
        try:
            return parse(cell)
        except Refusal as refusal:
            return self.refuse(refusal.code, column)

    def refuse(self, code, column):
        heading = " ".join(str(self.headings[self.columns[column]]).split())
        raise Refusal(code, row=self.row, column=heading, cell=self.cell(column))
