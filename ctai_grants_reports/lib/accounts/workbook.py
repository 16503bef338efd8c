"""The workbook of a list: one sheet each, totals by formula, text that stays text."""

import datetime
import io
import re

import xlsxwriter
from xlsxwriter.utility import xl_range, xl_rowcol_to_cell

from odoo.addons.ctai_grants.lib.guard.text_sheet import TextSheet

from .sheets import Column, Paper, Sheet, to_cents

MIMETYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# What a person typed stays text.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
    "default_format_properties": {"font_name": "Calibri", "font_size": 10},
}
HEADER = {"bold": True, "text_wrap": True, "valign": "vcenter", "font_color": "#FFFFFF"}
FORMATS = {
    "text": {"text_wrap": True, "valign": "top"},
    "amount": {"num_format": '#,##0.00\\ "€"', "valign": "top"},
    "rate": {"num_format": "0.0\\ %", "valign": "top"},
    "date": {"num_format": "dd/mm/yyyy", "align": "center", "valign": "top"},
}
# They differ in lightness, and in their dashes.
LINES = (("#1F4E79", "solid"), ("#C55A11", "dash"), ("#6AA5D8", "round_dot"))


def write(paper: Paper) -> bytes:
    """The workbook of ``paper``."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, OPTIONS) as book:
        book.set_properties(
            {
                "title": paper.title,
                "author": paper.author,
                "created": datetime.datetime.combine(paper.date, datetime.time()),
            }
        )
        for number, sheet in enumerate(paper.sheets):
            _Page(book, paper, sheet, with_head=not number).fill()
    return stream.getvalue()


def get_sheet_name(title: str) -> str:
    """A name that Excel takes.

    >>> get_sheet_name("Restes à réaliser / 2021: par enveloppe et compte")
    'Restes à réaliser   2021  par e'
    """
    return re.sub(r"[\[\]:*?/\\]", " ", title)[:31].strip(" '")


def _make_series(name: str, first: int, end: int, place: int, colour: str, dash: str) -> dict:
    return {
        "name": [name, first - 1, place],
        "categories": [name, first, 0, end - 1, 0],
        "values": [name, first, place, end - 1, place],
        "line": {"color": colour, "width": 2, "dash_type": dash},
        "marker": {"type": "circle", "size": 4, "fill": {"color": colour}},
    }


class _Page:
    """One sheet being written."""

    def __init__(self, book, paper: Paper, sheet: Sheet, with_head: bool):
        self.book, self.paper, self.sheet, self.with_head = book, paper, sheet, with_head
        self.page = book.add_worksheet(get_sheet_name(sheet.title), TextSheet)
        self.formats = {kind: book.add_format(values) for kind, values in FORMATS.items()}
        self.sums = {
            kind: book.add_format({**values, "bold": True, "top": 1})
            for kind, values in FORMATS.items()
        }

    def fill(self):
        page, columns = self.page, self.sheet.columns
        for place, column in enumerate(columns):
            page.set_column(place, place, column.width)
        page.set_landscape()
        page.set_paper(9)  # A4
        page.fit_to_pages(1, 0)
        page.hide_gridlines(2)
        page.set_footer(f"&L{self.paper.title[:90].replace('&', '&&')}&R&P / &N")
        head = self._write_head() if self.with_head else 0
        self._write_headings(head)
        end = self._write_rows(head + 1)
        if self.sheet.rows:
            page.autofilter(head, 0, end - 1, len(columns) - 1)
            self._write_totals(head + 1, end)
        if self.sheet.chart and self.sheet.rows:
            self._insert_chart(head + 1, end)

    def _write_head(self) -> int:
        bold = self.book.add_format({"bold": True})
        self.page.write_string(
            0, 0, self.paper.title, self.book.add_format({"bold": True, "font_size": 14})
        )
        row = 1
        for label, value in self.paper.about:
            self.page.write_string(row, 0, label, bold)
            self.page.write_string(row, 1, value)
            row += 1
        for note in self.paper.notes:
            self.page.write_string(row, 0, note)
            row += 1
        return row + 1

    def _write_headings(self, row: int):
        self.page.set_row(row, 32)
        self.page.repeat_rows(row)
        self.page.freeze_panes(row + 1, 0)
        for place, column in enumerate(self.sheet.columns):
            align = "right" if column.kind in ("amount", "rate") else "left"
            style = self.book.add_format({**HEADER, "align": align, "bg_color": "#1F4E79"})
            self.page.write_string(row, place, column.label, style)

    def _write_rows(self, row: int) -> int:
        if not self.sheet.rows:
            self.page.write_string(row, 0, self.paper.empty)
        for values in self.sheet.rows:
            for place, column in enumerate(self.sheet.columns):
                self._write(row, place, column, values[place])
            row += 1
        return row

    def _write(self, row: int, place: int, column: Column, value):
        style = self.formats[column.kind]
        if value is None or value is False or value == "":
            self.page.write_blank(row, place, None, style)
        elif column.kind == "amount":
            self.page.write_number(row, place, float(to_cents(value)), style)
        elif column.kind == "rate":
            self.page.write_number(row, place, float(value), style)
        elif column.kind == "date":
            self.page.write_datetime(row, place, value, style)
        else:
            text = "".join(sign for sign in str(value) if sign not in "\ufffe\uffff")
            self.page.write_string(row, place, text[:32_767], style)

    def _write_totals(self, first: int, end: int):
        totals = self.sheet.get_totals()
        if not totals:
            return
        for place in range(len(self.sheet.columns)):
            if place in totals:
                # Of what the filter shows; the value beside it for who does not calculate.
                formula = f"=SUBTOTAL(109,{xl_range(first, place, end - 1, place)})"
                value = float(totals[place])
                self.page.write_formula(end, place, formula, self.sums["amount"], value)
            else:
                label = self.paper.total if not place else ""
                self.page.write_string(end, place, label, self.sums["text"])

    def _insert_chart(self, first: int, end: int):
        chart = self.book.add_chart({"type": "line"})
        name = self.page.get_name()
        for look, place in zip(LINES, self.sheet.chart, strict=False):
            chart.add_series(_make_series(name, first, end, place, *look))
        chart.set_title({"name": self.paper.title, "name_font": {"size": 12}})
        chart.set_y_axis({"num_format": '#,##0\\ "€"', "major_gridlines": {"visible": True}})
        chart.set_x_axis({"label_position": "low", "num_format": "mm/yyyy"})
        chart.set_legend({"position": "bottom"})
        chart.set_size({"width": 900, "height": 340})
        self.page.insert_chart(
            xl_rowcol_to_cell(end + 2, 0), chart, {"description": self.paper.title}
        )
