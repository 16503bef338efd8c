"""A report as a workbook: filled with what is known, all locked but the cells to fill, and read
back cell by cell. Whose it is and which version stands in a column that is hidden, what its columns
are in a row that is, so that another one, an older one, or cells that were moved are recognised."""

import io
import math
from typing import NamedTuple

import xlsxwriter

from ..accounting.spreadsheet import Refusal, is_empty, read_sheets
from ..guard.money import LARGEST_AMOUNT
from ..guard.text_sheet import TextSheet
from ..proof.upload import ODS, XLSX, media_type
from .cells import Marked, read_cells
from .form import read_amount

MARK = "ctai-report"
#: Rows above the first line.
HEAD_ROWS = 5
# Columns: the key (hidden), what the line is, forecast, actual, comment.
KEY, LABEL, FORECAST, ACTUAL, COMMENT = range(5)
_NAMES = ("key", "label", "forecast", "actual", "comment")
_NAMES_ROW = HEAD_ROWS - 2


class Row(NamedTuple):
    """One row of the workbook: of amounts, of a text, or a title (without key)."""

    key: str
    label: str
    forecast: float | None = None
    actual: float | None = None
    text: str = ""
    is_text: bool = False
    #: Characters that the text may have.
    longest: int = 200


class Words(NamedTuple):
    """What the workbook says beside its rows."""

    sheet: str
    title: str
    help: str
    headings: tuple


def get_mark(report, revision):
    """What identifies a workbook.

    >>> get_mark(7, 2)
    'ctai-report;7;2'
    """
    return f"{MARK};{report};{revision}"


def make_workbook(mark: str, words: Words, rows: list[Row]) -> bytes:
    """The workbook as bytes (XLSX, which LibreOffice opens as well)."""
    stream = io.BytesIO()
    # Texts stay texts: none of them is a formula or a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        sheet = book.add_worksheet(words.sheet, TextSheet)
        _write_head(book, sheet, mark, words)
        writer = _Writer(book, sheet)
        for number, row in enumerate(rows, HEAD_ROWS):
            writer.add(number, row)
        # No password: against a slip of the hand, the reader sees to the rest.
        sheet.protect("", {"format_columns": True, "format_rows": True})
    return stream.getvalue()


def _write_head(book, sheet, mark, words):
    bold, wrapped = book.add_format({"bold": True}), book.add_format({"text_wrap": True})
    sheet.set_column(KEY, KEY, None, None, {"hidden": True})
    sheet.set_column(LABEL, LABEL, 55)
    sheet.set_column(FORECAST, ACTUAL, 16)
    sheet.set_column(COMMENT, COMMENT, 60)
    sheet.write_string(0, KEY, mark)
    sheet.write_string(0, LABEL, words.title, book.add_format({"bold": True, "font_size": 14}))
    sheet.merge_range(1, LABEL, 2, COMMENT, words.help, wrapped)
    sheet.set_row(_NAMES_ROW, None, None, {"hidden": True})
    sheet.write_row(_NAMES_ROW, KEY, _NAMES)
    for column, heading in enumerate(words.headings, LABEL):
        sheet.write_string(HEAD_ROWS - 1, column, heading, bold)
    sheet.freeze_panes(HEAD_ROWS, 0)


class _Writer:
    def __init__(self, book, sheet):
        fill = {"locked": False, "bg_color": "#FFF8E1", "border": 1, "border_color": "#BDBDBD"}
        self.sheet = sheet
        self.money = book.add_format({"num_format": "#,##0.00"})
        self.open_money = book.add_format({"num_format": "#,##0.00", **fill})
        self.open_text = book.add_format({"text_wrap": True, **fill})
        self.title = book.add_format({"bold": True, "bottom": 1})

    def add(self, number, row):
        if not row.key:
            self.sheet.write_string(number, LABEL, row.label, self.title)
            return
        self.sheet.write_string(number, KEY, row.key)
        self.sheet.write_string(number, LABEL, row.label)
        if row.is_text:
            self.sheet.set_row(number, 60)
        else:
            self.sheet.write_number(number, FORECAST, row.forecast or 0, self.money)
            if row.actual:
                self.sheet.write_number(number, ACTUAL, row.actual, self.open_money)
            else:
                self.sheet.write_blank(number, ACTUAL, None, self.open_money)
        self.sheet.write_string(number, COMMENT, row.text, self.open_text)


def read_workbook(content: bytes, mark: str, rows: list[Row]):
    """What was filled in: dict {key: (euros as text or None, text)}; all of it, or nothing.

    :param mark: of the report as it is now; :param rows: of it
    :return: the dict, and a list of Refusals of cells (``sheet``, ``cell``, ``value``): when there
        are any, nothing is to be taken
    :raise Refusal: as :func:`read_sheets`; ``not_ours``, ``twice`` (``sheets``), ``other_report``,
        ``older``, ``moved`` and ``moved_columns`` (``sheet``, ``cell``)
    """
    sheet = _find_sheet(content)
    found, now = _get_text(sheet, 0, KEY).split(";"), mark.split(";")
    if found[:2] != now[:2]:
        raise Refusal("other_report")
    if found != now:
        raise Refusal("older")
    for column, name in enumerate(_NAMES):
        if _get_text(sheet, _NAMES_ROW, column) != name:
            raise _refuse_cell("moved_columns", sheet, _NAMES_ROW, column)
    last = HEAD_ROWS + len(rows)
    for number in range(HEAD_ROWS, max(last, len(sheet.rows))):
        expected = rows[number - HEAD_ROWS].key if number < last else ""
        if _get_text(sheet, number, KEY) != expected:
            raise _refuse_cell("moved", sheet, number, KEY)
    return _read_rows(sheet, rows)


def _find_sheet(content):
    is_workbook = media_type(content) in (ODS, XLSX)
    sheets = read_cells(content) if is_workbook else read_sheets(content)
    found = [sheet for sheet in sheets if _get_text(sheet, 0, KEY).startswith(MARK)]
    if not found:
        raise Refusal("not_ours")
    if is_workbook and len(found) > 1:
        # A copy that was kept beside it: nobody knows which of them is meant.
        raise Refusal("twice", sheets=[sheet.name for sheet in found])
    return found[0]


def _read_rows(sheet, rows):
    values, wrong = {}, []
    for number, row in enumerate(rows, HEAD_ROWS):
        if not row.key:
            continue
        amount, text = None, ""
        try:
            if not row.is_text:
                amount = _read_amount(_get_raw(sheet, number, ACTUAL))
        except Refusal as refusal:
            wrong.append(_refuse_cell(refusal.code, sheet, number, ACTUAL))
        try:
            text = _read_text(_get_raw(sheet, number, COMMENT), row.longest)
        except Refusal as refusal:
            wrong.append(_refuse_cell(refusal.code, sheet, number, COMMENT, longest=row.longest))
        values[row.key] = (amount, text)
    return values, wrong


def _read_amount(cell):
    if is_empty(cell):
        return ""
    if isinstance(cell, Marked):
        raise Refusal(cell.kind)
    if isinstance(cell, float) and math.isfinite(cell):
        if cell >= LARGEST_AMOUNT:
            raise Refusal("too_large")
        if abs(cell - round(cell, 2)) > 1e-6:
            raise Refusal("decimals")
    return f"{read_amount(cell):.2f}"


def _read_text(cell, longest):
    if isinstance(cell, Marked) and cell.kind == "formula":
        raise Refusal("formula")
    text = _show(cell)
    if len(text) > longest:
        raise Refusal("too_long")
    return text


def _show(cell):
    """A cell as one who looks at it would write it.

    >>> _show(2022.0), _show(12.5), _show(Marked("date", "2022-01-31")), _show(None)
    ('2022', '12,5', '31/01/2022', '')
    >>> _show(Marked("percent", 0.255)), _show(" a b ")
    ('25,5 %', 'a b')
    """
    if isinstance(cell, Marked):
        if cell.kind == "percent":
            return f"{_show(round(cell.value * 100, 6))} %"
        year, _dash, rest = (cell.value or "").partition("-")
        day, _space, time = rest[3:].partition(" ")
        written = f"{day}/{rest[:2]}/{year}" if rest else cell.value or ""
        return written if time in ("", "00:00:00") else f"{written} {time}"
    if isinstance(cell, float):
        is_whole = math.isfinite(cell) and cell == int(cell)
        return str(int(cell)) if is_whole else str(cell).replace(".", ",")
    return "" if is_empty(cell) else str(cell).strip()


def _refuse_cell(code, sheet, row, column, **about):
    cell = f"{'ABCDE'[column]}{row + 1}"
    value = _show(_get_raw(sheet, row, column))
    shown = value if len(value) <= 60 else value[:60] + "…"
    return Refusal(code, sheet=sheet.name, cell=cell, value=shown, **about)


def _get_raw(sheet, row, column):
    cells = sheet.rows[row] if row < len(sheet.rows) else ()
    return cells[column] if column < len(cells) else None


def _get_text(sheet, row, column):
    return _show(_get_raw(sheet, row, column))
