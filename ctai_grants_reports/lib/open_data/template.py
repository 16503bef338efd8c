"""Empty files of awards, with the columns that their import reads."""

import csv
import io

import xlsxwriter

from .scdl import OFFICIAL

COLUMNS = ("exercice", *OFFICIAL)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def make_csv() -> bytes:
    """As a French spreadsheet opens it: semicolons, and the mark of UTF-8."""
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=";").writerow(COLUMNS)
    return stream.getvalue().encode("utf-8-sig")


def make_xlsx() -> bytes:
    """All cells are text: no SIRET is made a number, and no date turned round."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("subventions")
        text = book.add_format({"num_format": "@"})
        heading = book.add_format({"num_format": "@", "bold": True, "bottom": 1})
        for place, name in enumerate(COLUMNS):
            sheet.set_column(place, place, max(14, len(name) + 2), text)
            sheet.write_string(0, place, name, heading)
        sheet.freeze_panes(1, 0)
    return stream.getvalue()


#: What makes a template, and its media type, by the ending of its name.
MAKERS = {"csv": (make_csv, "text/csv"), "xlsx": (make_xlsx, XLSX)}
