"""The workbook of a statement, written row by row: memory does not grow with the ledger."""

import datetime
import itertools
import re
import tempfile
import textwrap
from collections.abc import Mapping, Sequence
from typing import BinaryIO

import xlsxwriter
from xlsxwriter.utility import xl_range_abs, xl_rowcol_to_cell

from odoo.addons.ctai_grants.lib.guard.text_sheet import as_text

from .sheet import Sheet
from .statement import (
    LEDGER_AMOUNT,
    LEDGER_CHAIN,
    LEDGER_KIND,
    SUMMARY_CHAIN,
    Column,
    Statement,
    Table,
    Total,
)

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
#: Lines of the ledger that fit below the header of a sheet.
MAX_LINES = 1_048_575
MAX_TEXT = 32_767
# What XML 1.0 cannot carry and xlsxwriter does not escape.
UNWRITABLE = "\ufffe\uffff"
CHART_ROWS = 17
# Points: of a row, and of each more line of text in it.
ROW_HEIGHT, LINE_HEIGHT = 15, 13
LEFT = {"align": "left", "indent": 1}
ALIGNMENTS = {
    "amount": {"align": "right"},
    "rate": {"align": "right"},
    "integer": {"align": "right"},
    "date": {"align": "center"},
    "datetime": {"align": "center"},
}
KINDS = ("text", "siret", "hash", "integer", "amount", "rate", "date", "datetime")
PROPERTIES = {
    "text": {"text_wrap": True},
    "siret": {"num_format": "@"},
    "hash": {"font_name": "Consolas", "font_size": 8},
    "integer": {"num_format": "0"},
    "rate": {"num_format": "0.0\\ %"},
    "date": {"num_format": "dd/mm/yyyy"},
    "datetime": {"num_format": "dd/mm/yyyy\\ hh:mm"},
}
HEADER = {
    "bold": True, "text_wrap": True, "valign": "vcenter", "bottom": 1, "font_color": "#FFFFFF",
    "bg_color": "#1F4E79",
}  # fmt: skip
# What a person typed stays text.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "default_format_properties": {"font_name": "Calibri", "font_size": 10},
}
COLOURS = ("#1F4E79", "#C55A11", "#548235", "#7F6000", "#5B2C83", "#00707A", "#8B1A1A", "#404040")


def serial(day: datetime.date) -> float:
    """Excel's number for a date, or for a date and time.

    >>> serial(datetime.date(2021, 12, 31)), serial(datetime.datetime(2021, 12, 31, 18))
    (44561, 44561.75)
    """
    # The day that Excel counts from: 30 December 1899.
    number = day.toordinal() - 693594
    if isinstance(day, datetime.datetime):
        return number + (day.hour * 3600 + day.minute * 60 + day.second) / 86400
    return number


def sheet_name(title: str) -> str:
    """
    >>> sheet_name("Pièces / justificatifs: liste")
    'Pièces   justificatifs  liste'
    """
    # What Excel refuses in the name of a sheet, its length included.
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31].strip(" '")


def header_text(text: str) -> str:
    """Text for a page's header, where ``&`` begins a command and 255 characters are the limit.

    >>> header_text("Ville & État")
    'Ville && État'
    """
    return text[:90].replace("&", "&&")


def count_lines(text: str | None, width: int) -> int:
    """Lines that a text takes in a column, ``width`` digits wide; letters are narrower.

    >>> count_lines("Langue et emploi dans le bâtiment", 20), count_lines("", 20)
    (2, 1)
    """
    if not text or (len(text) <= width and "\n" not in text):
        return 1
    letters = int(1.1 * width)
    return sum(len(textwrap.wrap(line, letters)) or 1 for line in text.split("\n"))


def writable(text: str) -> str:
    """Text that fits in a cell, where signs beyond the first 65 536 count twice.

    >>> len(writable("x" * 40_000)), len(writable("\N{BAR CHART}" * 20_000))
    (32767, 16384)
    """
    text = as_text(text)
    if len(text) > MAX_TEXT // 2 and len(units := text.encode("utf-16-le")) > 2 * MAX_TEXT:
        text = units[: 2 * MAX_TEXT - 2].decode("utf-16-le", "ignore") + "…"
    for character in UNWRITABLE:
        if character in text:
            text = text.replace(character, "")
    return text


def write(statement: Statement, stream: BinaryIO) -> None:
    """Write the statement's workbook to ``stream``.

    :raise TieOutError: the ledger's lines do not add up to the summary; nothing is usable then
    """
    # A folder of our own: nothing is left of a workbook that is given up half-way.
    with tempfile.TemporaryDirectory() as folder:
        _Workbook(statement, stream, folder).fill()


#: What is written as a number, and how it becomes one; the rest is text.
CONVERTERS = {"amount": float, "rate": float, "integer": int, "date": serial, "datetime": serial}


class _Workbook:
    """One workbook being written; rows go in order, as constant memory demands."""

    def __init__(self, statement: Statement, stream: BinaryIO, folder: str):
        self.statement = statement
        self.book = xlsxwriter.Workbook(stream, {**OPTIONS, "tmpdir": folder})
        self.book.set_properties(
            {
                "title": statement.title,
                "subject": statement.running_head,
                "author": statement.author,
                "created": statement.made_at,
            }
        )
        self._make_formats()

    def _make_formats(self):
        add = self.book.add_format
        self.formats, self.totals = {}, {}
        for kind in KINDS:
            properties = self._get_properties(kind)
            self.formats[kind] = add(properties)
            self.totals[kind] = add({**properties, "bold": True, "top": 1, "bg_color": "#F2F2F2"})
        self.headers = {kind: add({**HEADER, **ALIGNMENTS.get(kind, LEFT)}) for kind in KINDS}
        self.title = add({"bold": True, "font_size": 16, "font_color": "#1F4E79"})
        self.subtitle = add({"bold": True, "font_size": 12, "font_color": "#1F4E79"})
        self.bold = add({"bold": True, "valign": "top"})
        self.plain = add({"valign": "top"})
        self.dense = {**self.formats, "text": add({"valign": "top", **LEFT})}

    def _get_properties(self, kind: str):
        properties = {"valign": "top", **ALIGNMENTS.get(kind, LEFT), **PROPERTIES.get(kind, {})}
        if kind == "amount":
            properties["num_format"] = f'#,##0.00\\ "{self.statement.currency}"'
        return properties

    def fill(self):
        self._write_summary()
        for table in self.statement.lists:
            self._write_list(table)
        self._write_list(self.statement.ledger, dense=True)
        self.book.set_custom_property("statement", self.statement.about.get("number") or "")
        # Only now is anything in the stream: an error before leaves it empty.
        self.book.close()

    # --- sheets -----------------------------------------------------------------------------

    def _add_sheet(self, title: str, columns: Sequence[Column]):
        sheet = self.book.add_worksheet(sheet_name(title), Sheet)
        for index, column in enumerate(columns):
            sheet.set_column(index, index, column.width)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
        head = header_text(self.statement.running_head)
        sheet.set_header(f"&L{head}&R{header_text(self.statement.title)}")
        sheet.set_footer(f"&L{header_text(title)}&R&P / &N")
        sheet.hide_gridlines(2)
        return sheet

    def _write_list(self, table: Table, dense: bool = False):
        """A sheet with one header, frozen and printed on each page, filtered, totals below.

        :param dense: one line a row, for the thousands of lines of a ledger
        """
        columns = table.columns
        sheet = self._add_sheet(table.title, columns)
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 0)
        self._write_header(sheet, 0, columns)
        end = self._write_rows(sheet, 1, table, self.dense if dense else self.formats)
        sheet.autofilter(0, 0, max(end - 1, 1), len(columns) - 1)
        if end == 1:
            self._write_text(sheet, 1, 0, self.statement.empty, self.plain)
        # A row apart: the filter would take them for lines.
        for row, total in enumerate(table.totals, end + 1):
            self._write_total(sheet, row, columns, total, 1, end - 1)
        self._ignore_text_numbers(sheet, columns, end)
        last = end + len(table.totals) if table.totals else max(end - 1, 1)
        sheet.print_area(0, 0, last, len(columns) - 1)
        if end > 1:
            self._name(table.key, sheet, 1, 0, end - 1, len(columns) - 1)
        if table.key == "months" and end > 1:
            self._insert_curves(sheet, last + 2, table, end - 1)

    def _name(self, name: str, sheet, *cells: int):
        """Name these cells, in no language: formulas and programs find them again by that."""
        if name:
            quoted = sheet.name.replace("'", "''")
            self.book.define_name(f"statement_{name}", f"='{quoted}'!{xl_range_abs(*cells)}")

    def _ignore_text_numbers(self, sheet, columns: Sequence[Column], end: int):
        """No warning in the corner of each SIRET: it is text on purpose."""
        for index, column in enumerate(columns):
            if column.kind == "siret":
                cells = xl_range_abs(1, index, end, index)
                sheet.ignore_errors({"number_stored_as_text": cells.replace("$", "")})

    def _write_summary(self):
        statement = self.statement
        sheet = self._add_sheet(statement.summary_title, statement.blocks[0].columns)
        row = self._write_cover(sheet)
        series = []
        for block in statement.blocks:
            start, row = row + 2, self._write_block(sheet, row + 1, block, with_ledger=True)
            lines = range(start + 1, row - len(block.totals))
            series += [(start, line, block.columns) for line in lines]
        for note in statement.notes:
            row += 1
            self._write_text(sheet, row, 0, note, self.plain)
        if series:
            self._insert_chart(sheet, row + 2, series)
            row += CHART_ROWS
        end = self._write_block(sheet, row + 2, statement.positions)
        sheet.print_area(0, 0, end, len(statement.blocks[0].columns) - 1)

    def _write_cover(self, sheet) -> int:
        """What the statement is about; return the row after it."""
        self._write_text(sheet, 0, 0, self.statement.title, self.title)
        for row, (label, value) in enumerate(self.statement.cover, 2):
            self._write_text(sheet, row, 0, label, self.bold)
            self._write_text(sheet, row, 1, value, self.plain)
        return 2 + len(self.statement.cover)

    def _write_block(self, sheet, row: int, block: Table, with_ledger=False) -> int:
        """A titled table of the summary; return the row after it."""
        self._write_text(sheet, row, 0, block.title, self.subtitle)
        self._write_header(sheet, row + 1, block.columns)
        first = row + 2
        end = self._write_rows(sheet, first, block, self.formats, with_ledger)
        if end > first:
            self._name(block.key, sheet, first, 0, end - 1, len(block.columns) - 1)
        for row, total in enumerate(block.totals, end):
            self._write_total(sheet, row, block.columns, total, first, end - 1)
            for index, column in enumerate(block.columns):
                if column.flow:
                    self._name(f"{block.key}_{column.flow}", sheet, row, index, row, index)
        return end + len(block.totals)

    def _insert_chart(self, sheet, row: int, series):
        """Allocated, committed, paid, justified: a group of columns each, a colour an envelope."""
        chart = self.book.add_chart({"type": "column"})
        for place, colour in zip(series, itertools.cycle(COLOURS), strict=False):
            chart.add_series(_get_series(sheet.name, *place, colour))
        title = self.statement.chart_title
        chart.set_title({"name": title, "name_font": {"size": 12}, "overlay": False})
        self._insert(sheet, row, chart, title)

    def _insert_curves(self, sheet, row: int, table: Table, last: int):
        """What was committed, received and paid by the end of each month, a line each."""
        chart = self.book.add_chart({"type": "line"})
        amounts = [i for i, column in enumerate(table.columns) if column.kind == "amount"]
        for index, colour in zip(amounts, itertools.cycle(COLOURS), strict=False):
            chart.add_series(
                {
                    "name": [sheet.name, 0, index],
                    "categories": [sheet.name, 1, 0, last, 0],
                    "values": [sheet.name, 1, index, last, index],
                    "line": {"color": colour, "width": 2},
                    "marker": {"type": "automatic", "size": 5},
                }
            )
        chart.set_title({"name": table.title, "name_font": {"size": 12}, "overlay": False})
        chart.set_x_axis({"date_axis": True, "num_format": "mm/yyyy", "major_unit_type": "months"})
        self._insert(sheet, row, chart, table.title)

    def _insert(self, sheet, row: int, chart, title: str):
        # In the currency: a figure alone could be thousands.
        currency = self.statement.currency
        chart.set_y_axis(
            {"num_format": f'#,##0\\ "{currency}"', "major_gridlines": {"visible": True}}
        )
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 900, "height": 20 * (CHART_ROWS - 2)})
        sheet.insert_chart(row, 0, chart, {"description": title, "object_position": 3})

    # --- cells ------------------------------------------------------------------------------

    def _write_text(self, sheet, row: int, col: int, text: str, cell_format):
        sheet.write_string(row, col, writable(text), cell_format)

    def _write_header(self, sheet, row: int, columns: Sequence[Column]):
        sheet.set_row(row, 30)
        for index, column in enumerate(columns):
            self._write_text(sheet, row, index, column.label, self.headers[column.kind])

    def _write_rows(self, sheet, row: int, table: Table, formats, with_ledger=False) -> int:
        """Write a table's rows from ``row`` on; return the row after them.

        :param with_ledger: the sums are formulas over the ledger's sheet
        """
        columns = table.columns
        formulas = [i for i, c in enumerate(columns) if c.terms or (with_ledger and c.flow)]
        cells = [
            (index, CONVERTERS.get(column.kind, writable), formats[column.kind])
            for index, column in enumerate(columns) if index not in formulas
        ]  # fmt: skip
        if formats is self.dense:
            return sheet.write_lines(row, cells, table.read())
        texts = [i for i, c in enumerate(columns) if c.kind == "text"]
        for values in table.read():
            if texts:
                # Before its cells: rows go to disk one after the other.
                self._set_height(sheet, row, [(values[i], columns[i].width) for i in texts])
            for index, convert, cell_format in cells:
                _write_value(sheet, row, index, values[index], convert, cell_format)
            for index in formulas:
                formula = self._get_formula(columns, index, row)
                self._write_formula(sheet, row, index, formula, formats, columns, values[index])
            row += 1
        return row

    def _set_height(self, sheet, row: int, texts):
        """Make room for wrapped text: not every program does by itself."""
        lines = max(count_lines(text, width) for text, width in texts)
        if lines > 1:
            sheet.set_row(row, ROW_HEIGHT + LINE_HEIGHT * (lines - 1))

    def _write_total(self, sheet, row: int, columns, total: Total, first: int, last: int):
        """Sums of the rows from ``first`` to ``last``; in the summary and below the lists."""
        texts = {0: total.label}
        if total.only:
            texts[total.only[0]] = total.only[1]
        for index, column in enumerate(columns):
            if index not in total.values:
                self._write_text(sheet, row, index, texts.get(index, ""), self.totals["text"])
                continue
            if column.base:
                formula = self._get_formula(columns, index, row)
            else:
                formula = _get_sum(total, index, row, first, last)
            value = total.values[index]
            self._write_formula(sheet, row, index, formula, self.totals, columns, value)

    def _write_formula(self, sheet, row, index, formula, formats, columns, value):
        # The value beside the formula: a viewer that does not calculate shows this.
        cached = "" if value is None else float(value)
        sheet.write_formula(row, index, formula, formats[columns[index].kind], cached)

    def _get_formula(self, columns: Sequence[Column], index: int, row: int) -> str:
        """Formula of a sum over the ledger, or of what is derived in the row."""
        column = columns[index]
        if column.flow:
            return self._get_ledger_sum(column.flow, row)
        cells = {
            column.flow: xl_rowcol_to_cell(row, number)
            for number, column in enumerate(columns)
            if column.flow
        }
        terms = _join(column.terms, cells)
        if not column.base:
            return f"={terms}"
        base = _join(column.base, cells)
        return f'=IF({base}=0,"",({terms})/({base}))'

    def _get_ledger_sum(self, flow: str, row: int) -> str:
        statement = self.statement
        if not statement.ledger_size:
            return "=0"
        name = sheet_name(statement.ledger.title).replace("'", "''")
        amounts, chains, kinds = (
            f"'{name}'!{xl_range_abs(1, index, statement.ledger_size, index)}"
            for index in (LEDGER_AMOUNT, LEDGER_CHAIN, LEDGER_KIND)
        )
        chain = xl_rowcol_to_cell(row, SUMMARY_CHAIN)
        kind = statement.kinds[flow].replace('"', '""')
        return f'=SUMIFS({amounts},{chains},{chain},{kinds},"{kind}")'


def _write_value(sheet, row: int, index: int, value, convert, cell_format):
    if value is None or value == "":
        return
    if convert is writable:
        sheet.write_string(row, index, writable(value), cell_format)
    else:
        sheet.write_number(row, index, convert(value), cell_format)


def _get_series(name: str, header: int, line: int, columns: Sequence[Column], colour: str):
    """Line of an envelope, under the header of its block, in a colour of its own."""
    flows = [column.flow for column in columns]
    first, last = flows.index("allocation"), flows.index("justification")
    return {
        "name": [name, line, 0],
        "categories": [name, header, first, header, last],
        "values": [name, line, first, line, last],
        "fill": {"color": colour},
        "gap": 80,
    }


def _get_sum(total: Total, index: int, row: int, first: int, last: int) -> str:
    cells = xl_range_abs(first, index, last, index)
    if not total.only:
        return f"=SUM({cells})"
    column = total.only[0]
    wanted = xl_rowcol_to_cell(row, column)
    return f"=SUMIFS({cells},{xl_range_abs(first, column, last, column)},{wanted})"


def _join(terms, cells: Mapping[str, str]) -> str:
    """
    >>> _join((("payment", 1), ("recovery", -1)), {"payment": "D2", "recovery": "F2"})
    'D2-F2'
    """
    signed = "".join(f"{'+' if sign > 0 else '-'}{cells[flow]}" for flow, sign in terms)
    return signed.removeprefix("+")
