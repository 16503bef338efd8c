import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

import openpyxl

from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.commands import CommandMixin
from odoo.addons.ctai_grants.tests.common import GrantsCommon


@tagged("post_install", "-at_install")
class TestGrantsStatement(CommandMixin, GrantsCommon):
    """`odoo grants_statement`: its files, its exit codes."""

    def setUp(self):
        super().setUp()
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def state(self, *words, contract=None, as_at="2021-12-31"):
        """Run the command; return its exit code and what it said."""
        words = ("--as-at", as_at, "--output", str(self.folder / "new"), *words)
        return self.run_command(
            "grants_statement", "--contract", contract or self.contract.code, *words
        )

    def written(self):
        return sorted(path.name for path in self.folder.rglob("*") if path.is_file())

    def test_files(self):
        code, said = self.state()
        self.assertEqual(code, 0, said)
        names = ["statement_TEST-2021_2021-12-31.xlsx", "statement_TEST-2021_2021-12-31_csv.zip"]
        self.assertEqual(self.written(), names)
        self.assertEqual(sorted(Path(line).name for line in said.splitlines()), names)
        book = openpyxl.load_workbook(self.folder / "new" / names[0], data_only=True)
        self.assertEqual(book.worksheets[0]["A1"].value, "Financial statement as at 31/12/2021")

    def test_in_french(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.assertEqual(self.state("--lang", "fr")[0], 0)
        self.assertIn("etat_financier_TEST-2021_2021-12-31.xlsx", self.written())
        self.assertIn("Il n'y a pas de contrat X.", self.state("--lang", "fr", contract="X")[1])

    def test_unknown_contract(self):
        code, said = self.state(contract="X")
        self.assertEqual(code, 1)
        self.assertIn("There is no contract X.", said)
        self.assertIn(self.contract.code, said)

    def test_code_of_several_companies(self):
        company = self.env["res.company"].create({"name": "Une autre ville"})
        self.contract.sudo().with_company(company).copy(
            {"code": self.contract.code, "company_id": company.id}
        )
        code, said = self.state()
        self.assertEqual(code, 1)
        self.assertIn("Several companies have a contract", said)

    def test_dates(self):
        for as_at, expected in (("31/12/2021", 2), ("2021-12-32", 2), ("2999-12-31", 1)):
            with self.subTest(as_at=as_at):
                self.assertEqual(self.state(as_at=as_at)[0], expected)
        code, said = self.state(as_at="2021-10-20")
        self.assertEqual(code, 1)
        self.assertIn("there is nothing to state", said)
        self.assertEqual(self.written(), [])

    def test_a_file_is_whole_or_not_there(self):
        self.state()
        before = {name: (self.folder / "new" / name).read_bytes() for name in self.written()}
        full = OSError(28, "No space left on device")
        with patch("os.replace", side_effect=full):
            code, said = self.state()
        self.assertEqual(code, 1)
        self.assertIn("No space left on device", said)
        after = {name: (self.folder / "new" / name).read_bytes() for name in self.written()}
        self.assertEqual(after, before)

    def test_program(self):
        words = ("-d", self.env.cr.dbname, "--contract", "NOT-THERE", "--as-at", "2021-12-31")
        code, said = self.run_program("grants_statement", *words)
        self.assertEqual(code, 1, said)
        self.assertIn("There is no contract NOT-THERE", said)
