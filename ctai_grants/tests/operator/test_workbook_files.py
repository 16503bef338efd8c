import io
import unittest
import zipfile
from pathlib import Path

import openpyxl

from odoo.tests import BaseCase

from ...lib.accounting.spreadsheet import Refusal, read_sheets
from ...lib.operator.cells import read_cells
from ...lib.operator.workbook import ACTUAL, HEAD_ROWS, read_workbook
from ..files import make_archive
from .workbook_files import (
    MARK,
    ROWS,
    has_libreoffice,
    make_excel,
    make_filled,
    make_ods,
    make_ours,
    save_by_libreoffice,
)

WRITTEN = Path(__file__).parent / "workbooks"
FIRST = HEAD_ROWS + 2

#: What is read of FILLED and COMMENTS, and which cells are refused.
AMOUNTS = {0: "1234.50", 1: "1234.50", 2: "125.00", 3: "1234.50", 4: ""}
TEXTS = {0: "2022", 1: "01/03/2022", 2: "2", 3: "0,25", 4: "Été « œuvre »\nà la ligne"}
REFUSED = {
    "D12": ("percent", "50 %"), "D13": ("date", "31/01/2022"), "D14": ("formula", ""),
    "D15": ("bad_amount", "beaucoup"), "D16": ("negative", "-5"), "D17": ("decimals", "12,345"),
    "D18": ("too_large", "1000000000000"), "D19": ("date", "31/01/2022"),
    "E12": ("too_long", "x" * 60 + "…"),
}  # fmt: skip


class TestWrittenByOthers(BaseCase):
    def read_back(self, content):
        return read_workbook(content, MARK, ROWS)

    def assertReadAsFilled(self, content):
        values, wrong = self.read_back(content)
        for number, amount in AMOUNTS.items():
            self.assertEqual(values[f"actual_{number}"][0], amount, number)
        for number, text in TEXTS.items():
            self.assertEqual(values[f"actual_{number}"][1], text, number)
        found = {one.about["cell"]: (one.code, one.about["value"]) for one in wrong}
        self.assertEqual(found, REFUSED)
        self.assertEqual({one.about["sheet"] for one in wrong}, {"Compte rendu"})

    def test_written_by_libreoffice(self):
        for name in ("libreoffice.ods", "libreoffice.xlsx"):
            with self.subTest(name):
                self.assertReadAsFilled((WRITTEN / name).read_bytes())

    @unittest.skipUnless(has_libreoffice(), "CTAI_SOFFICE would name it (no LibreOffice)")
    def test_saved_by_libreoffice_now(self):
        for formats in (["ods"], ["ods", "xlsx"]):
            with self.subTest(formats):
                self.assertReadAsFilled(save_by_libreoffice(make_filled(), *formats))
                values, wrong = self.read_back(save_by_libreoffice(make_ours(), *formats))
                self.assertEqual((set(values.values()), wrong), ({("", ""), (None, "")}, []))

    def test_written_by_excel(self):
        cells = [
            "><v>1234.5</v>", 's="1"><v>1234.5</v>', "><f>1000/8</f><v>125</v>",
            's="1" t="str"><f>"1 234,"&amp;50</f><v>1 234,50 €</v>', None,
            's="2"><v>0.5</v>', 's="3"><v>44592</v>', 't="e"><f>1/0</f><v>#DIV/0!</v>',
            't="inlineStr"><is><t>beaucoup</t></is>', "><v>-5</v>", "><v>12.345</v>",
            "><v>1E12</v>", 's="3"><v>44592</v>',
        ]  # fmt: skip
        comments = ["2022", "01/03/2022", "2", "0,25", "Été « œuvre »\nà la ligne", "x" * 201]
        for inline in (False, True):
            with self.subTest(inline=inline):
                self.assertReadAsFilled(make_excel(cells, comments, inline=inline))

    def test_days_since_1904(self):
        _values, (wrong,) = self.read_back(make_excel(['s="3"><v>43130</v>'], date1904=True))
        self.assertEqual((wrong.code, wrong.about["value"]), ("date", "31/01/2022"))

    def test_numbers_of_excel_are_off_by_their_last_bits(self):
        values, wrong = self.read_back(make_excel(["><v>0.30000000000000004</v>", "><v>1.1E3</v>"]))
        self.assertFalse(wrong)
        self.assertEqual((values["actual_0"][0], values["actual_1"][0]), ("0.30", "1100.00"))

    def test_a_formula_that_was_never_calculated_is_not_nothing(self):
        _values, (wrong,) = self.read_back(make_excel(["><f>1000/8</f>"]))
        self.assertEqual((wrong.code, wrong.about["cell"]), ("formula", "D7"))

    def test_not_a_number(self):
        for written in ("NaN", "INF", "1E400", "x"):
            with self.subTest(written):
                try:
                    _values, wrong = self.read_back(make_excel([f"><v>{written}</v>"]))
                except Refusal as refusal:
                    self.assertEqual(refusal.code, "damaged")
                else:
                    self.assertEqual([one.about["cell"] for one in wrong], ["D7"])


class TestMoved(BaseCase):
    def change(self, change):
        book = openpyxl.load_workbook(io.BytesIO(make_ours()))
        change(book)
        stream = io.BytesIO()
        book.save(stream)
        return stream.getvalue()

    def refuse(self, change):
        with self.assertRaises(Refusal) as caught:
            read_workbook(self.change(change), MARK, ROWS)
        return caught.exception

    def test_columns(self):
        for change, cell in (
            (lambda book: book.active.insert_cols(ACTUAL + 1), f"D{HEAD_ROWS - 1}"),
            (lambda book: book.active.delete_cols(ACTUAL), f"C{HEAD_ROWS - 1}"),
        ):
            refusal = self.refuse(change)
            self.assertEqual((refusal.code, refusal.about["cell"]), ("moved_columns", cell))

    def test_two_sheets(self):
        refusal = self.refuse(lambda book: book.copy_worksheet(book.active))
        self.assertEqual(refusal.code, "twice")
        self.assertEqual(refusal.about["sheets"], ["Compte rendu", "Compte rendu Copy"])

    def test_sheets_beside_it(self):
        def add_notes(book):
            book.create_sheet("Brouillon", 0)["D7"] = 5

        values, wrong = read_workbook(self.change(add_notes), MARK, ROWS)
        self.assertEqual((values["actual_0"], wrong), (("", ""), []))

    def test_rows(self):
        refusal = self.refuse(lambda book: book.active.delete_rows(FIRST))
        self.assertEqual((refusal.code, refusal.about["cell"]), ("moved", f"A{FIRST}"))


class TestRepeatedCells(BaseCase):
    """As LibreOffice writes what is the same in neighbouring cells, or covered by a larger one."""

    CELL = '<table:table-cell office:value-type="%s" %s>%s</table:table-cell>'

    def read_row(self, *cells):
        row = f"<table:table-row>{''.join(cells)}</table:table-row>"
        return read_cells(make_ods(row))[0].rows[0]

    def test_values(self):
        repeated = 'table:number-columns-repeated="2" office:value="%s"'
        words = "<text:p>a<text:s text:c='2'/>b</text:p><text:p>c</text:p>"
        self.assertEqual(
            self.read_row(
                self.CELL % ("currency", repeated % 5, "<text:p>5 €</text:p>"),
                self.CELL % ("percentage", repeated % 0.5, "<text:p>50 %</text:p>"),
                '<table:table-cell table:number-columns-repeated="2"/>',
                self.CELL % ("string", "", words),
                self.CELL % ("date", 'office:date-value="2022-01-31"', "<text:p>lundi</text:p>"),
            ),
            [
                5, 5, ("percent", 0.5), ("percent", 0.5), "", "", "a  b\nc",
                ("date", "2022-01-31"),
            ],
        )  # fmt: skip

    def test_covered(self):
        wide = 'table:number-columns-spanned="2" office:value="5"'
        covered = '<table:covered-table-cell office:value-type="float" office:value="7"/>'
        last = self.CELL % ("float", 'office:value="9"', "")
        row = self.read_row(self.CELL % ("float", wide, ""), covered, last)
        self.assertEqual((row[0], row[2]), (5, 9))


class TestBombs(BaseCase):
    """A small file that says much is refused within limits of memory and time, and ends nothing."""

    def test_a_text_repeated(self):
        cell = TestRepeatedCells.CELL % (
            "string", 'table:number-columns-repeated="100000"', f"<text:p>{'x' * 10**6}</text:p>"
        )  # fmt: skip
        content = make_ods(f"<table:table-row>{cell}</table:table-row>")
        self.assertLess(len(content), 10_000)
        for read in (read_cells, read_sheets):
            with self.subTest(read.__name__), self.assertRaises(Refusal) as caught:
                list(read(content))
            self.assertEqual(caught.exception.code, "too_large")

    def test_a_text_shared(self):
        cells = "".join(f'<c r="A{row}" t="s"><v>0</v></c>' for row in range(1, 20_001))
        rows = f"<row>{cells}</row>"
        content = make_excel([])
        content = self.replace(content, "xl/worksheets/sheet1.xml", "</sheetData>", rows)
        content = self.replace(
            content, "xl/sharedStrings.xml", "<si>", f"<si><t>{'x' * 10**6}</t></si>"
        )
        with self.assertRaises(Refusal) as caught:
            read_cells(content)
        self.assertEqual(caught.exception.code, "too_large")

    def replace(self, content, name, before, text):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            parts = {one: archive.read(one).decode() for one in archive.namelist()}
        parts[name] = parts[name].replace(before, text + before, 1)
        return make_archive(parts)

    def test_an_entity_of_entities(self):
        row = "<table:table-row><table:table-cell><text:p>&f;</text:p></table:table-cell>"
        kinds = "".join(
            f"<!ENTITY {name} '{f'&{before};' * 10}'>"
            for before, name in zip("abcde", "bcdef", strict=True)
        )
        content = self.replace(
            make_ods(f"{row}</table:table-row>"), "content.xml", "<office:document-content",
            f"<!DOCTYPE x [<!ENTITY a '{'x' * 1000}'>{kinds}]>",
        )  # fmt: skip
        with self.assertRaises(Refusal):
            read_cells(content)
