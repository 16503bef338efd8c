"""A table as a file: CSV for a French spreadsheet, or XLSX. Texts stay texts, and no formulas."""

import csv
import io

import xlsxwriter

from ..guard.text_sheet import TextSheet

# A spreadsheet takes cells that begin so for formulas, in some locales the wide forms too.
_DANGEROUS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def make_csv(headings, rows) -> bytes:
    r"""With semicolons, decimal commas and a mark of its encoding, as Excel opens it.

    >>> make_csv(["A", "B"], [["=1", 2.5], [12.0, None]]).decode("utf-8-sig")
    "A;B\r\n'=1;2,5\r\n12;\r\n"
    """
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=";")
    writer.writerows([[_show(cell) for cell in row] for row in (headings, *rows)])
    return stream.getvalue().encode("utf-8-sig")


def _show(cell):
    if isinstance(cell, str):
        return f"'{cell}" if cell.startswith(_DANGEROUS) else cell
    if cell is None:
        return ""
    return str(int(cell) if cell == int(cell) else cell).replace(".", ",")


def make_xlsx(name, headings, rows) -> bytes:
    """One sheet of that name, its headings in bold and kept in view."""
    stream = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(stream, options) as book:
        sheet = book.add_worksheet(name[:31], TextSheet)
        sheet.write_row(0, 0, headings, book.add_format({"bold": True}))
        for number, row in enumerate(rows, 1):
            for column, cell in enumerate(row):
                if isinstance(cell, str):
                    sheet.write_string(number, column, cell)
                elif cell is not None:
                    sheet.write_number(number, column, cell)
        sheet.freeze_panes(1, 0)
        sheet.autofilter(0, 0, max(1, len(rows)), len(headings) - 1)
        sheet.autofit()
    return stream.getvalue()
