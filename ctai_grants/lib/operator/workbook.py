"""A report as a workbook: filled with what is known, all locked but the cells to fill, and read
back cell by cell. Whose it is and which version stands in a column that is hidden, so that another
one, an older one, or rows that were moved are recognised."""

import io
from typing import NamedTuple

import xlsxwriter

from ..accounting.spreadsheet import Refusal, is_empty, parse_amount, read_sheets

MARK = "ctai-report"
#: Rows above the first line.
HEAD_ROWS = 5
# Columns: the key (hidden), what the line is, forecast, actual, comment.
KEY, LABEL, FORECAST, ACTUAL, COMMENT = range(5)


class Row(NamedTuple):
    """One row of the workbook: of amounts, of a text, or a title (without key)."""

    key: str
    label: str
    forecast: float | None = None
    actual: float | None = None
    text: str = ""
    is_text: bool = False


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
        sheet = book.add_worksheet(words.sheet)
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
    :return: the dict, and a list of Refusals of cells (``sheet``, ``cell``): when there are any,
        nothing is to be taken
    :raise Refusal: as :func:`read_sheets`; ``not_ours``, ``other_report``, ``older``,
        ``moved`` (``cell``)
    """
    sheet = next((s for s in read_sheets(content) if _get_cell(s, 0, KEY).startswith(MARK)), None)
    if not sheet:
        raise Refusal("not_ours")
    found, now = _get_cell(sheet, 0, KEY).split(";"), mark.split(";")
    if found[:2] != now[:2]:
        raise Refusal("other_report")
    if found != now:
        raise Refusal("older")
    last = HEAD_ROWS + len(rows)
    for number in range(HEAD_ROWS, max(last, len(sheet.rows))):
        expected = rows[number - HEAD_ROWS].key if number < last else ""
        if _get_cell(sheet, number, KEY) != expected:
            raise Refusal("moved", sheet=sheet.name, cell=f"A{number + 1}")
    return _read_rows(sheet, rows)


def _read_rows(sheet, rows):
    values, wrong = {}, []
    for number, row in enumerate(rows, HEAD_ROWS):
        if not row.key:
            continue
        amount = None
        if not row.is_text:
            cell = _get_raw(sheet, number, ACTUAL)
            try:
                amount = _read_amount(cell)
            except Refusal as refusal:
                place = {"sheet": sheet.name, "cell": f"D{number + 1}", "value": cell}
                wrong.append(Refusal(refusal.code, **place))
        values[row.key] = (amount, _get_cell(sheet, number, COMMENT))
    return values, wrong


def _read_amount(cell):
    if is_empty(cell):
        return ""
    amount = parse_amount(cell)
    if amount < 0:
        raise Refusal("negative")
    return str(amount)


def _get_raw(sheet, row, column):
    cells = sheet.rows[row] if row < len(sheet.rows) else ()
    return cells[column] if column < len(cells) else None


def _get_cell(sheet, row, column):
    cell = _get_raw(sheet, row, column)
    return "" if is_empty(cell) else str(cell)
