import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

import openpyxl
import pikepdf
from lxml import etree

from odoo.tests import freeze_time, tagged

from .common import ISSUED, IssuedCase

HOSTILE = (
    '=cmd|"/c calc"!A1', "+33 5", "@SUM(A1)", '"Guillemets" <b>&amp;</b>', "a" * 300,
    "مؤسسة \u202e txet", "团结 😀", "-- '; DROP",
)  # fmt: skip
OFFICE = os.environ.get("CTAI_SOFFICE") or shutil.which("soffice") or ""


@tagged("post_install", "-at_install")
class TestStatementFiles(IssuedCase):
    """The files of an issued statement, with the strangest names, in other programs' hands."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for number, name in enumerate(HOSTILE):
            operator = cls._make_organisation(name, "operator")
            subsidy = cls.make_subsidy(code=f"H-{number}", amount=10, partner_id=operator.id)
            cls.sign(subsidy)
        cls.statement = cls.issue()

    def test_nothing_runs(self):
        book = openpyxl.load_workbook(io.BytesIO(self.read_file(self.statement, "xlsx")))
        texts = {
            cell.value: cell.data_type
            for sheet in book.worksheets
            for row in sheet.iter_rows()
            for cell in row
        }
        for name in HOSTILE:
            with self.subTest(name=name[:20]):
                self.assertEqual(texts.get(name), "s")
        formulas = {value for value, kind in texts.items() if kind == "f"}
        self.assertTrue(all(not value.startswith("=cmd") for value in formulas))

    def test_a_strict_reader(self):
        """Every part of the workbook is XML without entities, and what it names is there."""
        archive = zipfile.ZipFile(io.BytesIO(self.read_file(self.statement, "xlsx")))
        parser = etree.XMLParser(resolve_entities=False, no_network=True)
        names = set(archive.namelist())
        for name in names:
            root = etree.fromstring(archive.read(name), parser)
            if name.endswith(".rels"):
                folder = Path(name).parent.parent
                for relation in root:
                    target = relation.get("Target")
                    path = target.lstrip("/") if target.startswith("/") else os.path.normpath(
                        folder / target
                    )  # fmt: skip
                    self.assertIn(path, names)
        book = openpyxl.load_workbook(io.BytesIO(self.read_file(self.statement, "xlsx")))
        self.assertLessEqual({"statement_ledger", "statement_heads", "statement_city_payment"},
                             set(book.defined_names))  # fmt: skip
        for sheet in book.worksheets:
            self.assertTrue(sheet.print_area, sheet.title)
        self.assertTrue(all(sheet.print_title_rows for sheet in book.worksheets[1:]))
        charts = sum(len(sheet._charts) for sheet in book.worksheets)
        self.assertEqual(charts, 2, "envelopes, and over time")

    def test_document(self):
        with pikepdf.open(io.BytesIO(self.read_file(self.statement, "pdf"))) as document:
            metadata = str(document.open_metadata())
            self.assertIn("/StructTreeRoot", document.Root)
            self.assertIn(self.statement.company_id.name, str(document.docinfo.get("/Author", "")))
        for sign in ("pdfaid", "pdfuaid"):
            self.assertIn(sign, metadata)

    def test_opens_in_libreoffice(self):
        if not os.path.exists(OFFICE):
            self.skipTest("CTAI_SOFFICE would name it (no LibreOffice)")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "statement.xlsx"
            path.write_bytes(self.read_file(self.statement, "xlsx"))
            subprocess.run(
                [OFFICE, f"-env:UserInstallation=file://{folder}/profile", "--headless",
                 "--convert-to", "csv:Text - txt - csv (StarCalc):59,34,76,1", "--outdir", folder,
                 str(path)],
                check=True, capture_output=True, timeout=180,
                # Odoo limits the memory of its own process, and with it that of this one.
                preexec_fn=_unlimit,
            )  # fmt: skip
            text = (Path(folder) / "statement.csv").read_text("utf-8")
        self.assertIn(self.statement.name, text)
        # Calculated anew: what the formulas come to.
        line = next(row for row in text.splitlines() if row.startswith('"A – Protection"'))
        self.assertIn("4,000.10", line.replace("\u202f", ","))
        self.assertNotIn("#REF", text)
        self.assertNotIn("Err:", text)

    def test_another_logo_later(self):
        """A logo that is no picture, or none at all, holds nothing up."""
        self.company.logo = False
        second = self.draft(as_at="2021-12-30")
        with freeze_time(ISSUED):
            second.action_issue()
        self.assertTrue(self.read_file(second, "pdf").startswith(b"%PDF"))


def _unlimit():
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
