import csv
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from odoo.sql_db import db_connect
from odoo.tools import mute_logger

from .. import archive
from .commands import CommandMixin
from .common import PDF, GrantsCommon

README = Path(__file__).resolve().parents[2] / "README.md"


class TestGrantsUninstall(CommandMixin, GrantsCommon):
    """`odoo grants_uninstall`: what it asks for, and what it writes. That it then uninstalls is
    tested on a database of its own (tests/test_giving_up.py)."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy(convention_reference='=1+1;"\n,é'))
        piece = cls.make_deliverable(cls.subsidy)
        cls.version = piece.with_user(cls.operator_user)._do_submit("bilan.pdf", PDF)

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory())) / "out"

    def write_out(self):
        written = archive.Archive(self.folder, {"by": "Jeanne Martin", "reason": "Fin"})
        return written.write_out(self.env(su=True))

    def read_rows(self, name):
        with (self.folder / name).open(newline="", encoding="utf-8") as stream:
            return list(csv.DictReader(stream))

    def test_everything_is_written(self):
        digest = self.write_out()
        sums = (self.folder / "SHA256SUMS").read_bytes()
        self.assertEqual(digest, hashlib.sha256(sums).hexdigest())
        listed = dict(reversed(line.split("  ", 1)) for line in sums.decode().splitlines())
        there = {p.relative_to(self.folder).as_posix() for p in self.folder.rglob("*.*")}
        self.assertLessEqual(there - {"SHA256SUMS"}, listed.keys())
        for name, said in listed.items():
            found = hashlib.sha256((self.folder / name).read_bytes()).hexdigest()
            self.assertEqual(found, said, name)
        for table, records in (
            ("grant_subsidy", self.subsidy), ("grant_decision", self.subsidy.decision_ids),
            ("grant_contract", self.contract), ("grant_deliverable_version", self.version),
            ("res_partner", self.operator), ("res_users", self.coordinator),
        ):  # fmt: skip
            ids = {int(row["id"]) for row in self.read_rows(f"tables/{table}.csv")}
            self.assertLessEqual(set(records.ids), ids, table)
        about = json.loads((self.folder / "about.json").read_text())
        self.assertEqual((about["by"], about["reason"]), ("Jeanne Martin", "Fin"))
        self.assertEqual(about["entries"], len(self.read_rows("ledger.csv")))
        self.assertEqual(about["wrong"], [])
        # The same code that compares older copies reads both.
        for name in ("ledger.csv", "heads.csv"):
            with (self.folder / name).open("rb") as stream:
                difference, _told = self.env["grant.entry"]._verify_against(stream, name)
            self.assertIsNone(difference)

    def test_the_code_of_the_readme_checks_it(self):
        self.write_out()
        (code,) = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=self.folder, capture_output=True, text=True
        )
        self.assertFalse(done.stderr)
        chains = [head for head in self.read_rows("heads.csv") if "envelope " in head["chain"]]
        self.assertTrue(chains)
        for head in chains:
            envelope_id = head["chain"].split()[1]
            self.assertIn(f"'{envelope_id}': '{head['head']}'", done.stdout)
        memos = [row["memo"] for row in self.read_rows("ledger.csv")]
        self.assertIn(self.subsidy.convention_reference, memos)

    def test_files(self):
        self.write_out()
        # sudo: as the command reads it
        attachment = self.version.sudo().file_ids.attachment_id
        (row,) = [r for r in self.read_rows("files.csv") if r["id"] == str(attachment.id)]
        self.assertEqual((self.folder / "files" / row["id"]).read_bytes(), PDF)
        self.assertEqual(row["sha256"], self.version.sha256)

    def test_what_is_wrong_is_said(self):
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute("UPDATE grant_entry SET amount = amount + 0.01 WHERE subsidy_id = %s",
                            [self.subsidy.id])  # fmt: skip
        self.env.invalidate_all()
        self.write_out()
        wrong = json.loads((self.folder / "about.json").read_text())["wrong"]
        self.assertTrue(any("was altered" in sentence for sentence in wrong))

    def test_somebody_is_writing(self):
        with closing(db_connect(self.env.cr.dbname).cursor()) as other:
            other.execute("LOCK TABLE grant_entry IN ROW EXCLUSIVE MODE")
            self.env.cr.execute("SET LOCAL lock_timeout = '50ms'")
            with mute_logger("odoo.sql_db"), self.assertRefused("stop the server first"):
                self.write_out()
            other.rollback()

    def test_a_file_that_is_gone(self):
        attachment = self.version.sudo().file_ids.attachment_id
        self.env.flush_all()
        self.env.cr.execute("UPDATE ir_attachment SET store_fname = '00/gone' WHERE id = %s",
                            [attachment.id])  # fmt: skip
        self.env.invalidate_all()
        with self.assertRefused(str(self.folder), "gone", "Nothing is uninstalled"):
            self.write_out()

    def test_usage(self):
        name = self.env.cr.dbname
        full = {"--output": str(self.folder), "--confirm": name, "--by": "J", "--reason": "Fin"}
        for wrong, told in (
            ({"--confirm": "other"}, name), ({"--by": " "}, "--by"), ({"--reason": "…"}, "--reason")
        ):  # fmt: skip
            words = [word for pair in {**full, **wrong}.items() for word in pair]
            code, said = self.run_command("grants_uninstall", *words)
            self.assertEqual(code, 2, said)
            self.assertIn(told, said)
            self.assertFalse(self.folder.exists())
        for missing in full:
            words = [word for pair in full.items() if pair[0] != missing for word in pair]
            code, said = self.run_command("grants_uninstall", *words)
            self.assertEqual(code, 2, said)
            self.assertIn(missing, said)

    def test_a_folder_with_something_in_it(self):
        self.folder.mkdir()
        (self.folder / "mine").touch()
        words = ("--confirm", self.env.cr.dbname, "--by", "J", "--reason", "Fin")
        code, said = self.run_command("grants_uninstall", "--output", str(self.folder), *words)
        self.assertEqual(code, 1, said)
        self.assertIn("not empty", said)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mine"])
