"""Decisions and the like: chained, so that whoever owns the tables leaves traces."""

from odoo import Command
from odoo.tools import SQL

from ..common import PDF, GrantsCommon


class TestLines(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(action_ids=[Command.create({"name": "A", "amount": 10})])
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.sign(cls.subsidy)
        for _version in range(2):
            cls.piece.with_user(cls.coordinator)._do_submit("bilan.pdf", PDF)
        cls.pay(cls.tranche)
        cls.operator.with_user(cls.coordinator).name = "Association renommée"
        cls.env.cr.flush()
        cls.lines = cls.tranche.decision_ids.sorted("id")

    def find(self):
        return self.env["grant.append.only.mixin"]._get_broken_lines()

    def tamper(self, sql, *values, table="grant_decision"):
        self.env.cr.execute(SQL("ALTER TABLE %s DISABLE TRIGGER USER", SQL.identifier(table)))
        self.env.cr.execute(sql, values)
        self.env.cr.execute(SQL("ALTER TABLE %s ENABLE TRIGGER USER", SQL.identifier(table)))
        self.env.invalidate_all()

    def assertNamed(self, document, *parts):
        found = self.find()
        self.assertEqual(len(found), 1, found)
        for part in (document.display_name, *parts):
            self.assertIn(part, found[0])

    def test_all_holds(self):
        self.assertEqual(self.find(), [])
        self.assertEqual(len(self.lines), 3)
        self.assertEqual(self.env["grant.schema"]._get_broken_guards(), [])

    def test_each_value_of_a_decision(self):
        line = self.lines[1]
        for name, field in line._fields.items():
            if not field.column_type or not field.store:
                continue
            other = {"many2one": "3", "datetime": "now()", "integer": "-1"}.get(field.type, "'x'")
            with self.subTest(name=name), self.env.cr.savepoint() as savepoint:
                # No foreign key asks whether there is such a record: those are triggers too.
                self.tamper(
                    f"ALTER TABLE grant_decision DROP CONSTRAINT IF EXISTS grant_decision_{name}"
                    f"_fkey; UPDATE grant_decision SET {name} = {other} WHERE id = {line.id}"
                )
                self.assertIn("grant.decision", [
                    model._name for model in (self.env["grant.decision"],)
                    if model._select_broken_lines()
                ])  # fmt: skip
                savepoint.rollback()

    def test_deleted(self):
        for place, line in enumerate(self.lines, 1):
            with self.subTest(place=place), self.env.cr.savepoint() as savepoint:
                self.tamper("DELETE FROM grant_decision WHERE id = %s", line.id)
                self.assertNamed(self.tranche, f"line {place} ", "deleted")
                savepoint.rollback()
        self.tamper("DELETE FROM grant_decision WHERE disbursement_id = %s", self.tranche.id)
        self.assertNamed(self.tranche, "line 1 ", "deleted")
        # And who deletes the head as well has a tranche whose state nobody decided.
        self.tamper(
            "DELETE FROM grant_chain WHERE name LIKE %s",
            f"grant_decision disbursement_id={self.tranche.id} %",
            table="grant_chain",
        )
        self.assertEqual(self.find(), [])
        self.assertTrue(any(
            self.tranche.display_name in sentence and "by its decisions" in sentence
            for sentence in self.verify()
        ))  # fmt: skip

    def test_added(self):
        """With the triggers on, it is a decision of nobody's; off, its chain does not have it."""
        columns = (
            "decision, subsidy_id, company_id, user_id, decided_at, disbursement_id"
        )
        copy = f"INSERT INTO grant_decision ({columns}) SELECT {columns} FROM grant_decision "
        self.tamper(copy + "WHERE id = %s", self.lines[2].id)
        self.assertNamed(self.tranche, "line 4 ", "not written by the application")

    def test_moved(self):
        first, second = self.lines[:2]
        for number, line in ((0, first), (1, second), (2, first)):
            self.tamper(
                "UPDATE grant_decision SET chain_number = %s WHERE id = %s", number, line.id
            )
        self.assertNamed(self.tranche, "line 1 ", "altered")

    def test_an_altered_line_with_a_hash_that_fits(self):
        first, second, third = self.lines
        for line, text in ((first, "line 2 "), (second, "line 3 "), (third, "line 4 ")):
            with self.subTest(line=line.decision), self.env.cr.savepoint() as savepoint:
                self.tamper("UPDATE grant_decision SET reason = 'x' WHERE id = %s", line.id)
                self.tamper(
                    "UPDATE grant_decision line SET chain_hash = encode(sha256(convert_to("
                    "grant_line_text(to_jsonb(line)), 'UTF8')), 'hex') WHERE id = %s",
                    line.id,
                )
                self.assertNamed(self.tranche, text)
                savepoint.rollback()

    def test_the_other_tables(self):
        for table, column, document in (
            ("grant_deliverable_version", "sha256", self.piece),
            ("grant_identity", "name", self.operator),
            ("grant_seal", "content", None),
        ):
            with self.subTest(table=table), self.env.cr.savepoint() as savepoint:
                value = "'{}'" if column == "content" else "'x'"
                last = f"(SELECT max(id) FROM {table})"
                self.tamper(
                    f"UPDATE {table} SET {column} = {value} WHERE id = {last}", table=table
                )
                found = self.find()
                self.assertEqual(len(found), 1)
                if document:
                    self.assertIn(document.display_name, found[0])
                savepoint.rollback()

    def test_an_organisation_that_goes(self):
        """Its history goes with it, and leaves no chain behind."""
        partner = self._make_organisation("Éphémère", "operator")
        partner.name = "Plus éphémère"
        self.env.flush_all()
        self.assertTrue(partner.grant_identity_ids)
        partner.unlink()
        self.env.flush_all()
        self.assertEqual(self.find(), [])

    def test_heads_are_not_written_from_outside(self):
        with self.assertRaisesRegex(Exception, "append_only"), self.env.cr.savepoint():
            self.env.cr.execute("UPDATE grant_chain SET number = 0")
