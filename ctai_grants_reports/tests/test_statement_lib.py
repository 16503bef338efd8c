import csv
import datetime
import doctest
import io
import tempfile
import tracemalloc
import zipfile
from decimal import Decimal
from functools import partial

import openpyxl
import xlsxwriter

from odoo.tests import BaseCase

from odoo.addons.ctai_grants.lib.ledger.chain import GENESIS, HASHED_FIELDS, entry_hash, first_break

from ..lib import csv_files, statement, xlsx
from ..lib.sheet import Sheet
from ..lib.statement import Column, Statement, Table, TieOutError, add_up, checked

COLUMNS = [Column(label) for label in "abcdefghijkl"]
COLUMNS[0], COLUMNS[1] = Column("Chain", "integer"), Column("Number", "integer")
COLUMNS[2] = Column("Date", "date")
COLUMNS[8] = Column("Amount", "amount")


def make_lines(size):
    """A ledger of ``size`` payments of one euro, made as it is read."""
    day = datetime.date(2021, 11, 1)
    for number in range(1, size + 1):
        yield (
            1, number, day, "Payment", "A", "Opérateur", "S-1", "Action", Decimal("1.00"),
            f"Tranche {number}", "=cmd", f"{number:064x}",
        )  # fmt: skip


def make_chain(size):
    """The same ledger as its chain."""
    previous = GENESIS
    for number in range(1, size + 1):
        entry = {**dict.fromkeys(HASHED_FIELDS, ""), "number": number, "memo": 'a;\n=b,"c"'}
        digest = entry_hash(previous, entry)
        yield {**entry, "previous_hash": previous, "hash": digest}
        previous = digest


def make_statement(size, expected=None):
    columns = [
        Column("Envelope"),
        Column("Chain", "integer"),
        *(Column(flow, "amount", flow=flow) for flow in statement.FLOWS),
    ]
    paid = Decimal(size)
    rows = [("A", 1, 0 * paid, 0 * paid, paid, 0 * paid, 0 * paid, 0 * paid)]
    sums = {(1, "Payment"): paid if expected is None else expected}
    return Statement(
        name="statement",
        title="Statement & more",
        author="City",
        running_head="Contract",
        currency="€",
        made_at=datetime.datetime(2021, 12, 31, 12),
        cover=[("Contract", "=cmd|' /C calc'!A0")],
        blocks=[Table("City", columns, partial(iter, rows), [add_up("Total", columns, rows)])],
        notes=["A note."],
        positions=Table("Position", columns[:2], partial(iter, [("A", 1)])),
        summary_title="Summary",
        chart_title="Use",
        empty="Nothing.",
        lists=[],
        ledger=Table("Ledger", COLUMNS, lambda: checked(make_lines(size), sums, size)),
        ledger_size=size,
        kinds={flow: flow.title() for flow in statement.FLOWS},
        chains=[("A", None, partial(make_chain, size))],
    )


class TestStatementLib(BaseCase):
    def test_doctests(self):
        for module in (statement, xlsx, csv_files):
            result = doctest.testmod(module, optionflags=doctest.ELLIPSIS)
            self.assertTrue(result.attempted, module.__name__)
            self.assertFalse(result.failed, module.__name__)

    def test_every_renderer_refuses_lines_that_do_not_add_up(self):
        for renderer in (xlsx, csv_files):
            with self.assertRaises(TieOutError):
                renderer.write(make_statement(3, expected=Decimal("3.01")), io.BytesIO())

    def test_lines_missing_at_the_end_are_noticed(self):
        line = next(make_lines(1))
        with self.assertRaises(TieOutError):
            list(checked([line[:8] + (Decimal("0.00"),) + line[9:]], {}, 2))

    def test_csv_refuses_a_broken_chain(self):
        whole = make_statement(3)
        broken = [{**entry, "amount": "9.99"} for entry in make_chain(3)]
        object.__setattr__(whole, "chains", [("Envelope A", None, partial(iter, broken))])
        with self.assertRaisesRegex(TieOutError, "Envelope A: entry 1 was altered"):
            csv_files.write(whole, io.BytesIO())

    def test_ledger_csv_keeps_line_breaks_and_quotes(self):
        stream = io.BytesIO()
        csv_files.write(make_statement(3), stream)
        text = zipfile.ZipFile(stream).read("ledger.csv").decode("utf-8")
        self.assertTrue(text.startswith(",".join(csv_files.LEDGER_FIELDS) + "\r\n"))
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        self.assertEqual(rows[0]["memo"], 'a;\n=b,"c"')
        self.assertIsNone(first_break(rows, rows[-1]["hash"]))

    def test_texts_that_no_workbook_can_hold(self):
        self.assertEqual(xlsx.writable("a\ufffeb\uffff"), "ab")
        self.assertEqual(len(xlsx.sheet_name("é" * 40)), 31)

    def test_lines_are_written_as_the_library_writes_cells(self):
        """Byte by byte, whatever a person typed."""
        texts = ["plain", "", None, " ends ", "\tx\n", "a & b < c > d", "_x0041_", "_x", "\x00\x1f",
                 "\x1c", "=1+1", "<r>&</r>", "<r>".ljust(32_763) + "</r>", "\ufffe", "é" * 40_000,
                 "\N{BAR CHART}" * 20_000, "\u00a0x"]  # fmt: skip
        rows = [(text, Decimal("-1234.50"), 7, datetime.date(2021, 12, 31)) for text in texts]
        rows.append(("last", None, 0, datetime.date(1900, 1, 1)))
        sheets = [self._write_sheet(rows, by_line) for by_line in (True, False)]
        self.assertEqual(*sheets)
        self.assertIn(b"&lt;r&gt;", sheets[0])
        cells = openpyxl.load_workbook(io.BytesIO(self.book)).worksheets[0]
        self.assertEqual((cells["A13"].value, cells["B13"].value), (" <r>&</r>", -1234.5))

    def _write_sheet(self, rows, by_line):
        stream = io.BytesIO()
        convert = (xlsx.writable, float, int, xlsx.serial)
        with xlsxwriter.Workbook(stream, xlsx.OPTIONS) as book:
            sheet = book.add_worksheet("A", Sheet)
            styles = [book.add_format({"num_format": style}) for style in ("@", "0.00", "0", "d")]
            columns = list(zip(range(4), convert, styles, strict=True))
            sheet.write_string(0, 0, "Head")
            if by_line:
                self.assertEqual(sheet.write_lines(1, columns, rows), len(rows) + 1)
            else:
                for row, values in enumerate(rows, 1):
                    for (column, change, style), value in zip(columns, values, strict=True):
                        xlsx._write_value(sheet, row, column, value, change, style)
            sheet.write_string(len(rows) + 2, 2, "Total")
        self.book = stream.getvalue()
        return zipfile.ZipFile(stream).read("xl/worksheets/sheet1.xml")

    def test_memory_does_not_grow_with_the_ledger(self):
        """Ten times the lines, the same memory: what grows is on disk."""
        for renderer in (xlsx, csv_files):
            peaks = [self._get_peak(renderer, size) for size in (2_000, 20_000)]
            self.assertLess(peaks[1], peaks[0] + 500_000, renderer.__name__)

    def _get_peak(self, renderer, size):
        with tempfile.TemporaryFile() as stream:
            tracemalloc.start()
            try:
                renderer.write(make_statement(size), stream)
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
