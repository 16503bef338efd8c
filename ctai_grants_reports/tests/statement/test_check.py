import datetime
import io
import json
import tempfile
from pathlib import Path

import openpyxl

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.commands import CommandMixin

from .common import IssuedCase


@tagged("post_install", "-at_install")
class TestCheck(CommandMixin, IssuedCase):
    """Any older statement file, alone, beside today's ledger."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.statement = cls.issue()

    def check(self, content, name="file"):
        return self.env["grant.statement"]._check_file(io.BytesIO(content), name)

    def edit_json(self, edit):
        content = self.read_json(self.statement)
        edit(content)
        return self.check(json.dumps(content).encode())[0]

    def edit_book(self, sheet, find, value):
        """The workbook with the first cell that says ``find`` changed."""
        book = openpyxl.load_workbook(io.BytesIO(self.read_file(self.statement, "xlsx")),
                                      data_only=True)  # fmt: skip
        cell = next(c for row in book.worksheets[sheet].iter_rows() for c in row if c.value == find)
        cell.value = value
        stream = io.BytesIO()
        book.save(stream)
        return self.check(stream.getvalue())[0]

    def test_unchanged(self):
        self.pay(self.balance, datetime.date(2022, 2, 1))
        for kind in ("json", "xlsx"):
            difference, told = self.check(self.read_file(self.statement, kind))
            self.assertIsNone(difference)
            self.assertIn(self.statement.name, told)

    def test_json_edited(self):
        def amount(content):
            content["ledger"]["rows"][-1][8] = "1.00"

        def figure(content):
            content["blocks"][0]["rows"][0][6] = "1.00"

        def name(content):
            content["lists"][0]["rows"][0][0] = "Une autre"

        def chain(content):
            content["chains"][0]["entries"][-1][4] = "1.00"

        def line(content):
            del content["ledger"]["rows"][-1]

        for edit, words in (
            (amount, "the file was edited"), (figure, "The file was edited"),
            (name, "edited or saved again"), (chain, "file was altered"),
            (line, "The file was edited"),
        ):  # fmt: skip
            with self.subTest(edit=edit.__name__):
                self.assertIn(words, self.edit_json(edit))

    def test_workbook_edited(self):
        self.assertIn("the file was edited", self.edit_book(-1, 4000.10, 5000))
        self.assertIn("edited or saved again", self.edit_book(1, "Association de test", "X"))

    def test_ledger_changed(self):
        files = {kind: self.read_file(self.statement, kind) for kind in ("json", "xlsx")}
        self.change_sql(
            "grant_entry",
            "UPDATE grant_entry SET hash = repeat('a', 64) WHERE kind = 'payment' "
            "AND contract_id = %s",
            self.contract.id,
        )
        for kind, content in files.items():
            with self.subTest(kind=kind):
                difference, _told = self.check(content)
                self.assertIn("the ledger was changed since", difference)
        wrong = self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids)
        self.assertTrue(any(self.statement.name in sentence for sentence in wrong), wrong)

    def test_entry_deleted(self):
        content = self.read_file(self.statement, "xlsx")
        self.change_sql(
            "grant_entry", "DELETE FROM grant_entry WHERE kind = 'payment' AND contract_id = %s",
            self.contract.id,
        )  # fmt: skip
        self.assertIn("not in the ledger any more", self.check(content)[0])

    def test_no_statement(self):
        for content in (b"", b"{}", b"PK\x03\x04", b"\xff" * 40, b"[" * 100_000,
                        self.read_file(self.statement, "csv"),
                        self.read_file(self.statement, "pdf"),
                        self.read_file(self.statement, "json")[:-200]):  # fmt: skip
            with self.subTest(content=content[:8]), self.assertRaises(UserError):
                self.check(content)

    def test_figures_of_a_day(self):
        self.assertIn("figures of a day", self.check(self.make())[1])

    def test_command(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "etat.json"
            path.write_bytes(self.read_file(self.statement, "json"))
            code, said = self.run_command("grants_check_statement", str(path))
            self.assertEqual(code, 0, said)
            self.assertIn(self.statement.name, said)
            content = path.read_bytes()
            path.write_bytes(content.replace(b'"4000.10"', b'"4000.20"'))
            code, said = self.run_command("grants_check_statement", str(path))
            self.assertEqual(code, 1, said)
            path.write_bytes(b"{}")
            self.assertEqual(self.run_command("grants_check_statement", str(path))[0], 2)
            path.unlink()
            self.assertEqual(self.run_command("grants_check_statement", str(path))[0], 2)
