import io

import openpyxl

from odoo.tests import freeze_time

from ...lib.operator.workbook import ACTUAL, COMMENT, FORECAST, HEAD_ROWS, KEY
from .test_report_hand_in import HandInCase


@freeze_time("2022-07-15 12:00:00")
class TestWorkbook(HandInCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.report = cls.begin_as_operator(cls.subsidy)

    @classmethod
    def begin_as_operator(cls, subsidy):
        subsidy = subsidy.with_user(cls.operator_user).sudo()
        return cls.env["grant.financial.report"].with_user(cls.operator_user)._begin(
            subsidy, "report"
        )

    def open(self, report=None):
        _name, content = (report or self.report)._make_workbook()
        return openpyxl.load_workbook(io.BytesIO(content))

    def row(self, book, key):
        return next(row for row in book.active.iter_rows() if row[KEY].value == key)

    def fill_in(self, book, amounts=None, texts=None):
        for code, (amount, comment) in (amounts or {}).items():
            row = self.row(book, f"actual_{self.of(self.report, code).id}")
            row[ACTUAL].value, row[COMMENT].value = amount, comment
        for name, text in (texts or {}).items():
            self.row(book, name)[COMMENT].value = text
        return book

    def take(self, book, report=None):
        stream = io.BytesIO()
        book.save(stream)
        (report or self.report)._take_workbook(stream.getvalue())

    def test_there_and_back(self):
        book = self.fill_in(
            self.open(),
            {"641": (10000.5, "Poste vacant"), "622": ("3 000,00 €", None), "601": (0, None)},
            {"achieved": "Douze ateliers"},
        )
        self.assertEqual(
            self.row(book, f"actual_{self.of(self.report, '641').id}")[FORECAST].value, 12000
        )
        self.take(book)
        pay = self.of(self.report, "641")
        self.assertEqual((pay.actual, pay.comment), (10000.5, "Poste vacant"))
        self.assertEqual(self.of(self.report, "622").actual, 3000)
        self.assertEqual(self.report.achieved, "Douze ateliers")
        self.assertEqual(self.report.revision, 1)

    def test_only_what_is_filled_in_is_open(self):
        sheet = self.open().active
        self.assertTrue(sheet.protection.sheet)
        self.assertTrue(sheet.column_dimensions["A"].hidden)
        is_open = {
            cell.column - 1
            for row in sheet.iter_rows(min_row=HEAD_ROWS + 1)
            for cell in row
            if not cell.protection.locked
        }
        self.assertEqual(is_open, {ACTUAL, COMMENT})

    def test_nothing_is_half_read(self):
        book = self.fill_in(
            self.open(), {"641": (10000, "x"), "622": ("beaucoup", None), "601": (-5, None)}
        )
        with self.assertRefused("Sheet “Report”, cell D", "“beaucoup”", "not negative"):
            self.take(book)
        self.assertEqual(self.report.actual_amount, 0)
        self.assertEqual(self.report.revision, 0)

    def test_what_was_expected(self):
        book = self.fill_in(self.open(), {"641": (12.345, "x" * 201), "622": (True, None)})
        rate = self.row(book, f"actual_{self.of(self.report, '601').id}")[ACTUAL]
        rate.value, rate.number_format = 0.5, "0%"
        with self.assertRefused(
            "Sheet “Report”, cell D", "“12,345”: This has more than two decimals", "200 characters",
            "“50 %”: This is a percentage", "This is no amount",
        ):  # fmt: skip
            self.take(book)
        self.assertEqual(self.report.revision, 0)

    def test_a_copy_beside_it(self):
        book = self.open()
        book.copy_worksheet(book.active)
        with self.assertRefused("“Report”, “Report Copy” are both the report"):
            self.take(book)

    def test_another_one_is_recognised(self):
        other = self.begin_as_operator(self.make_budgeted())
        with self.assertRefused("workbook of another subsidy"):
            self.take(self.open(other))
        book = self.open()
        self.save(self.report)
        with self.assertRefused("saved after you downloaded"):
            self.take(book)
        with self.assertRefused("not the workbook of this page"):
            self.take(openpyxl.Workbook())
        with self.assertRefused("no spreadsheet"):
            self.report._take_workbook(b"%PDF-1.7 not a workbook")

    def test_moved_rows_are_recognised(self):
        for change in ("insert_rows", "delete_rows"):
            book = self.open()
            getattr(book.active, change)(HEAD_ROWS + 3)
            with self.subTest(change), self.assertRefused("rows were moved"):
                self.take(book)
        book = self.open()
        first, second = (book.active.cell(HEAD_ROWS + place, KEY + 1) for place in (2, 3))
        first.value, second.value = second.value, first.value
        with self.assertRefused("rows were moved"):
            self.take(book)

    def test_texts_are_no_formulas(self):
        self.save(self.report, achieved="=HYPERLINK(1)")
        book = self.open()
        cell = self.row(book, "achieved")[COMMENT]
        self.assertEqual((cell.data_type, cell.value), ("s", "=HYPERLINK(1)"))

    def test_handed_in_it_is_taken_no_more(self):
        book = self.open()
        self.save(self.report)
        self.report._do_hand_in()
        with self.assertRefused("Handed In"):
            self.take(book)
