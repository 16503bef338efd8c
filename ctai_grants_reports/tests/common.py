import csv
import datetime
import io
import zipfile
from decimal import Decimal

import openpyxl

from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.common import GrantsCommon

YEAR_END = datetime.date(2021, 12, 31)
#: Sheets by their place in the workbook, and files by their first digit less one.
(SUMMARY, OPERATORS, TRANCHES, MONTHS, OWN_COSTS, REPORTS, INDICATORS, AMENDMENTS, PIECES,
 LEDGER) = range(10)  # fmt: skip


def day(text):
    return datetime.date.fromisoformat(text)


class StatementCase(GrantsCommon):
    """Makes statements, opens them again, and sums the ledger by another road."""

    def make(self, as_at=YEAR_END, file_format="xlsx", user=None, contract=None, lang=None):
        contract = (contract or self.contract).with_user(user or self.coordinator)
        if lang:
            contract = contract.with_context(lang=lang)
        data = contract.env["grant.statement.data"]
        stream, self.name, self.mimetype = data._make(contract, as_at, file_format)
        with stream:
            return stream.read()

    def open(self, as_at=YEAR_END, values=True, **options):
        content = io.BytesIO(self.make(as_at, **options))
        return openpyxl.load_workbook(content, data_only=values)

    def read_zip(self, as_at=YEAR_END, **options):
        archive = zipfile.ZipFile(io.BytesIO(self.make(as_at, "csv", **options)))
        self.assertIsNone(archive.testzip())
        return {name: archive.read(name) for name in archive.namelist()}

    def read_csv(self, files, number):
        """Rows of the file of a sheet, as lists of texts."""
        name = next(name for name in files if name.startswith(f"{number + 1}-"))
        text = files[name].decode("utf-8-sig")
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=";"))

    def get_ledger_sums(self, envelope, as_at):
        """The ledger's sums by plain SQL, in the database's own decimals."""
        return self.sum_ledger("kind", "envelope_id = %s AND date <= %s", envelope.id, as_at)

    def sum_ledger(self, key, where, *values):
        self.env.flush_all()
        query = f"SELECT {key}, sum(amount)::text FROM grant_entry WHERE {where} GROUP BY 1"
        self.env.cr.execute(query, values)
        return {found: Decimal(total) for found, total in self.env.cr.fetchall()}

    def get_block(self, book, envelope):
        """Label: value of the line of an envelope in the summary, and of the total below it."""
        sheet = book.worksheets[SUMMARY]
        rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
        for number, row in enumerate(rows):
            if row[1] == envelope.id and len([v for v in row if v is not None]) > 8:
                header = next(r for r in reversed(rows[:number]) if r[0] == "Envelope")
                lines = (row, rows[number + 1])
                return [dict(zip(header, line, strict=True)) for line in lines]
        raise AssertionError(f"{envelope.name} is not in the summary")

    def get_rows(self, book, number):
        sheet = book.worksheets[number]
        header, *rows = ([cell.value for cell in row] for row in sheet.iter_rows())
        return [dict(zip(header, row, strict=True)) for row in rows if any(row)]

    def get_texts(self, book):
        """Every text of a workbook."""
        return {
            cell.value
            for sheet in book.worksheets
            for row in sheet.iter_rows()
            for cell in row
            if isinstance(cell.value, str)
        }

    # --- what a document is said to be ------------------------------------------------------

    def get_tranche(self, name, as_at, **options):
        """The row of a tranche as at a date."""
        rows = self.get_rows(self.open(as_at, **options), TRANCHES)
        return next(row for row in rows if row["Tranche"] == name)

    def tell_tranche(self, name, *dates):
        """State of a tranche as at each of these dates."""
        return [self.get_tranche(name, day(date))["State"] for date in dates]

    def tell_subsidy(self, code, *dates):
        """State of a subsidy as at each of these dates, None when it is not listed."""
        states = []
        for date in dates:
            rows = self.get_rows(self.open(day(date)), OPERATORS)
            states.append(next((row["State"] for row in rows if row["Subsidy"] == code), None))
        return states

    def get_pieces(self, name, as_at=YEAR_END):
        rows = self.get_rows(self.open(as_at), PIECES)
        return [row for row in rows if row["Piece"] == name]

    @staticmethod
    def frozen(moment):
        """A block in which it is that time, in Greenwich."""
        return freeze_time(moment)

    def on(self, date, step, *args, **kwargs):
        """Take a step on a day of the past."""
        with freeze_time(f"{date} 15:00"):
            return step(*args, **kwargs)
