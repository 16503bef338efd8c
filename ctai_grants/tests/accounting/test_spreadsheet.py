import datetime
import io
import zipfile

import xlsxwriter

from odoo.tests import BaseCase

from ...lib.accounting.spreadsheet import Refusal, read_sheets

CONTENT = """<office:document-content
 xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body><office:spreadsheet>
 <table:table table:name="a">%s<table:named-expressions/></table:table>
 </office:spreadsheet></office:body></office:document-content>"""
ROW = "<table:table-row %s>%s</table:table-row>"
CELL = """<table:table-cell %s office:value-type="float" office:value="1"><text:p>1</text:p>
 </table:table-cell>"""
FILL = '<table:table-cell table:number-columns-repeated="%d"/>'
KIND = "application/vnd.oasis.opendocument.spreadsheet"


def make_xlsx(*cells):
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for row, column in ((0, 0), *cells):
            sheet.write_number(row, column, 1)
    return stream.getvalue()


def make_ods(rows):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("mimetype", KIND)
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", CONTENT % rows)
    return stream.getvalue()


class TestCells(BaseCase):
    def test_each_kind_as_it_is(self):
        """Read in a process apart, what a cell holds arrives as it was, and rows of many parts."""
        kinds = {
            "dd/mm/yyyy": datetime.date(2022, 1, 31),
            "dd/mm/yyyy hh:mm": datetime.datetime(2022, 1, 31, 10, 5),
            "hh:mm": datetime.time(10, 5),
        }
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
            book.add_worksheet("Vide")
            sheet = book.add_worksheet("Données")
            for row, (form, value) in enumerate(kinds.items()):
                sheet.write_datetime(row, 1, value, book.add_format({"num_format": form}))
            sheet.write_number(3, 1, 1.5, book.add_format({"num_format": "[h]:mm"}))
            sheet.write_boolean(4, 1, True)
            for row, value in enumerate((12.5, "été", "=1"), 5):
                (sheet.write_number if value == 12.5 else sheet.write_string)(row, 1, value)
            sheet.write_string(2500, 0, "fin")
        empty, full = read_sheets(stream.getvalue())
        self.assertEqual((empty.name, empty.rows), ("Vide", []))
        self.assertEqual(full.name, "Données")
        duration = datetime.timedelta(days=1, hours=12)
        values = [*kinds.values(), duration, True, 12.5, "été", "=1"]
        self.assertEqual([row[1] for row in full.rows[:8]], values)
        self.assertEqual((len(full.rows), full.rows[2500]), (2501, ["fin", ""]))

    def test_each_where_it_is(self):
        """Also where nothing is before it."""
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
            for column in (2, 0):
                book.add_worksheet().write_number(1, column, 1)
        far, near = read_sheets(stream.getvalue())
        self.assertEqual(far.rows, [["", "", ""], ["", "", 1.0]])
        self.assertEqual(near.rows, [[""], [1.0]])


class TestFarCells(BaseCase):
    """What makes its reader take more memory than the server has is refused before it is read, by
    whatever reads spreadsheets."""

    def test_far_apart(self):
        for content in (
            make_xlsx((1_048_575, 16383)),
            make_xlsx((199_998, 1000)),
            make_xlsx((1_048_575, 0)),
            make_ods(ROW % ('table:number-rows-repeated="100000000"', CELL % "")),
        ):
            with self.assertRaises(Refusal) as caught:
                list(read_sheets(content))
            self.assertEqual(caught.exception.code, "too_large")

    def test_a_text_of_many_cells(self):
        """Stored once, and read as many times: a small file would fill the server's memory, or that
        of the process apart."""
        for count in (10_000, 40_000):
            stream = io.BytesIO()
            with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
                sheet = book.add_worksheet()
                for number in range(count):
                    sheet.write_string(*divmod(number, 50), "x" * 32_000)
            with self.subTest(count), self.assertRaises(Refusal) as caught:
                list(read_sheets(stream.getvalue()))
            self.assertEqual(caught.exception.code, "too_large")

    def test_hidden(self):
        """Nobody sees its sheet, its reader makes room for it all the same."""
        stream = io.BytesIO()
        with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
            book.add_worksheet().write_number(0, 0, 1)
            hidden = book.add_worksheet()
            hidden.write_number(199_000, 60, 1)
            hidden.write_number(0, 0, 1)
            hidden.hide()
        with self.assertRaises(Refusal) as caught:
            list(read_sheets(stream.getvalue()))
        self.assertEqual(caught.exception.code, "too_large")

    def test_beyond_the_last_cell(self):
        """No spreadsheet has cells there, and none are read."""
        for rows, cells in (
            (ROW % ("", CELL % 'table:number-columns-repeated="200000000"'), 16384),
            (ROW % ("", FILL % 100_000_000 + CELL % ""), 0),
            (ROW % ('table:number-rows-repeated="100000000"', FILL % 1) + ROW % ("", CELL % ""), 0),
        ):
            (sheet,) = read_sheets(make_ods(rows))
            self.assertEqual(sum(len(row) for row in sheet.rows), cells)

    def test_cells_of_another_rows_name(self):
        stream = io.BytesIO(make_xlsx())
        with zipfile.ZipFile(stream) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheet = "xl/worksheets/sheet1.xml"
        # In a row that says it is the first; and in a part that is not called a sheet.
        parts[sheet] = parts[sheet].replace(b'<c r="A1">', b'<c r="A1"/><c r="XFD1048576">')
        for name in (sheet, "xl/picture.png"):
            moved = {name if part == sheet else part: text for part, text in parts.items()}
            relations = "xl/_rels/workbook.xml.rels"
            target = name.removeprefix("xl/").encode()
            moved[relations] = moved[relations].replace(b"worksheets/sheet1.xml", target)
            again = io.BytesIO()
            with zipfile.ZipFile(again, "w") as archive:
                for part, text in moved.items():
                    archive.writestr(part, text)
            with self.subTest(name), self.assertRaises(Refusal) as caught:
                list(read_sheets(again.getvalue()))
            self.assertEqual(caught.exception.code, "too_large")

    def test_filled_up_to_the_end(self):
        """LibreOffice says of a sheet that the rest of it is empty."""
        rows = ROW % ("", CELL % "" + FILL % 16383)
        rows += ROW % ('table:number-rows-repeated="1048575"', FILL % 16384)
        (sheet,) = read_sheets(make_ods(rows))
        self.assertEqual(sheet.rows, [[1.0]])

    def test_within(self):
        (sheet,) = read_sheets(make_xlsx((20_000, 30)))
        self.assertEqual((len(sheet.rows), len(sheet.rows[-1])), (20_001, 31))
