"""The CSV files of a statement, in one zip.

One file a sheet for a French Excel (semicolons, decimal comma, byte order mark), and
``ledger.csv`` for machines: with it the hash chains are verified without Odoo, by the recipe
of :mod:`ctai_grants.lib.ledger.chain`.
"""

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Sequence
from typing import BinaryIO

from odoo.addons.ctai_grants.lib.ledger.chain import LEDGER_FIELDS, first_break

from .statement import Column, Statement, Table, TieOutError

# A spreadsheet takes cells that begin so for formulas, in some locales the wide forms too.
DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def neutralise(text: str) -> str:
    """Text that no spreadsheet takes for a formula.

    >>> neutralise("=1+1"), neutralise("Coallia")
    ("'=1+1", 'Coallia')
    """
    return f"'{text}" if text.startswith(DANGEROUS) else text


def show_amount(value) -> str:
    return f"{value:.2f}".replace(".", ",")


def show_rate(value) -> str:
    return f"{100 * value:.1f} %".replace(".", ",")


def show_siret(value: str) -> str:
    """With spaces, or Excel makes a number of it: 2,18602E+13."""
    return neutralise(re.sub(r"^(\d{3})(\d{3})(\d{3})(\d{5})$", r"\1 \2 \3 \4", value))


SHOWN = {
    "amount": show_amount,
    "rate": show_rate,
    "integer": str,
    "date": lambda value: value.strftime("%d/%m/%Y"),
    "datetime": lambda value: value.strftime("%d/%m/%Y %H:%M"),
    "siret": show_siret,
}


def cell(column: Column, value) -> str:
    """A value as a French spreadsheet reads it.

    >>> import datetime, decimal
    >>> cell(Column("", "amount"), decimal.Decimal("-1234.50"))
    '-1234,50'
    >>> cell(Column("", "rate"), decimal.Decimal("0.125"))
    '12,5 %'
    >>> cell(Column("", "date"), datetime.date(2021, 12, 31))
    '31/12/2021'
    >>> cell(Column("", "siret"), "21860194600013")
    '218 601 946 00013'
    """
    # Not what is merely false: a zero is shown.
    if value is None or value == "":
        return ""
    return SHOWN.get(column.kind, neutralise)(value)


def file_name(number: int, title: str) -> str:
    """
    >>> file_name(3, "Pièces remises")
    '3-pieces-remises.csv'
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return f"{number}-{re.sub(r'[^a-z0-9]+', '-', plain).strip('-')}.csv"


def write(statement: Statement, stream: BinaryIO) -> None:
    """Write the zip of the statement's files to ``stream``.

    :raise TieOutError: the lines do not add up, or a chain is broken
    """
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        _write_file(archive, statement, file_name(1, statement.summary_title), _summary(statement))
        for number, table in enumerate([*statement.lists, statement.ledger], 2):
            _write_file(archive, statement, file_name(number, table.title), _table(table))
        with _open(archive, statement, "ledger.csv", "utf-8") as text:
            # Not neutralised: read by machines, and a text that is changed has another hash.
            _write_ledger(statement, csv.writer(text))


def _open(archive: zipfile.ZipFile, statement: Statement, name: str, encoding: str):
    # The ledger's time, and rights that do not depend on the machine: the same bytes each time.
    info = zipfile.ZipInfo(name, statement.made_at.timetuple()[:6])
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    return io.TextIOWrapper(archive.open(info, "w"), encoding, newline="")


def _write_file(archive, statement: Statement, name: str, rows: Iterable[Sequence[str]]) -> None:
    with _open(archive, statement, name, "utf-8-sig") as text:
        csv.writer(text, delimiter=";").writerows(rows)


def _write_ledger(statement: Statement, writer) -> None:
    """The whole chains, that is also what was dated after the statement: an entry can only be
    verified with all those before it."""
    writer.writerow(LEDGER_FIELDS)
    for label, head, read in statement.chains:
        broken = first_break(_written(read(), writer), head)
        if broken:
            raise TieOutError(f"{label}: {broken}")


def _written(entries, writer):
    for entry in entries:
        writer.writerow([entry[name] for name in LEDGER_FIELDS])
        yield entry


def _summary(statement: Statement):
    yield [neutralise(statement.title)]
    for label, value in statement.cover:
        yield [neutralise(label), neutralise(value)]
    for block in (*statement.blocks, statement.positions):
        yield []
        yield [neutralise(block.title)]
        yield from _table(block)
    yield []
    for note in statement.notes:
        yield [neutralise(note)]


def _table(table: Table):
    columns = table.columns
    yield [neutralise(column.label) for column in columns]
    for row in table.read():
        yield [cell(column, value) for column, value in zip(columns, row, strict=True)]
    for total in table.totals:
        row = [""] * len(columns)
        row[0] = neutralise(total.label)
        if total.only:
            row[total.only[0]] = neutralise(total.only[1])
        for index, value in total.values.items():
            row[index] = cell(columns[index], value)
        yield row
