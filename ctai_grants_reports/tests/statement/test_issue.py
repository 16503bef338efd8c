import datetime
import hashlib
import io
import zipfile

import openpyxl
import psycopg2

from odoo.exceptions import AccessError, UserError
from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.common import PDF

from ...lib import frozen
from ..common import YEAR_END
from .common import ISSUED, IssuedCase


@tagged("post_install", "-at_install")
class TestIssue(IssuedCase):
    """Issuing: numbered, frozen, rendered once; who may, and what refuses."""

    def test_issued_whole(self):
        statement = self.issue()
        self.assertEqual(statement.state, "issued")
        self.assertTrue(statement.name)
        self.assertEqual(statement.issued_by_id, self.coordinator)
        self.assertEqual({"pdf", "xlsx", "csv", "json"}, set(statement.file_ids.mapped("kind")))
        for file in statement.sudo().file_ids:
            content = file.attachment_id.raw
            self.assertEqual(file.sha256, hashlib.sha256(content).hexdigest())
            self.assertEqual(file.size, len(content))
        line = statement.line_ids.filtered(lambda line: line.subsidy_id)
        self.assertEqual((line.paid, line.committed, line.granted), (4000.10, 10000, 10000))
        self.assertEqual(line.siret, self.operator.company_registry)
        self.assertIn(self.envelope.chain_head, statement.heads)
        self.assertTrue(all(statement.check_ids.mapped("is_held")))
        self.assertEqual(self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids), [])

    def test_same_bytes_from_the_frozen_lines(self):
        statement = self.issue()
        with freeze_time("2022-06-01"):
            self.operator.name = "Un autre nom"
            self.pay(self.balance, datetime.date(2022, 2, 1))
        stated = frozen.read(io.BytesIO(self.read_file(statement, "json")))
        again = io.BytesIO()
        frozen.write(stated, again)
        self.assertEqual(again.getvalue(), self.read_file(statement, "json"))
        digest = hashlib.sha256(again.getvalue()).hexdigest()
        for kind, (name, _mimetype, content) in statement.sudo()._make_files(stated, digest):
            with self.subTest(kind=kind):
                self.assertEqual(content, self.read_file(statement, kind))
                self.assertIn(statement.name, name)

    def test_names_as_they_were(self):
        statement = self.issue()
        with freeze_time("2022-03-01"):
            self.operator.name = "Un autre nom"
        book = openpyxl.load_workbook(io.BytesIO(self.read_file(statement, "xlsx")))
        texts = self.get_texts(book)
        self.assertIn("Association de test", texts)
        self.assertIn(statement.name, texts)
        self.assertNotIn("Un autre nom", texts)

    def test_a_draft_is_live(self):
        statement = self.draft()
        with freeze_time(ISSUED):
            self.assertIn("4,000.10", statement.figures_table)
            self.assertFalse(statement.obstacle)
            self.assertFalse(statement.is_failing)
            self.pay(self.balance, datetime.date(2021, 12, 20))
            statement.invalidate_recordset()
            self.assertIn("6,000.10", statement.figures_table)

    # --- what refuses -----------------------------------------------------------------------

    def test_who_may(self):
        for user in (self.reader, self.prefecture_user, self.operator_user):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.draft(user)
        draft = self.draft()
        with self.assertRaises(AccessError), freeze_time(ISSUED):
            draft.with_user(self.reader).action_issue()
        with freeze_time(ISSUED):
            self.draft(self.finance_officer).action_issue()

    def test_nothing_is_typed_in(self):
        for values in ({"state": "issued"}, {"name": "EF-1"}, {"heads": "x"}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                self.draft(**values)
        draft = self.draft()
        with self.assertRaises(AccessError):
            draft.state = "issued"
        statement = self.issue(draft)
        for values in ({"as_at": "2021-11-30"}, {"date_from": "2021-01-01"}, {"correction": "x"}):
            with self.subTest(values=values), self.assertRaises(UserError):
                statement.write(values)
        with self.assertRaises(UserError):
            statement.unlink()
        for records in (
            statement.line_ids,
            statement.file_ids,
            statement.act_ids,
            statement.check_ids,
        ):
            with self.assertRaises(AccessError):
                records.sudo().unlink()
        with self.assertRaises(AccessError):
            statement.sudo().file_ids[0].attachment_id.raw = b"x"

    def test_the_database_refuses_too(self):
        statement = self.issue()
        self.env.flush_all()
        for query in (
            "UPDATE grant_statement SET as_at = '2021-01-01' WHERE id = %s",
            "UPDATE grant_statement SET state = 'draft' WHERE id = %s",
            "DELETE FROM grant_statement WHERE id = %s",
            "UPDATE grant_statement_line SET paid = 0 WHERE statement_id = %s",
            "DELETE FROM grant_statement_file WHERE statement_id = %s",
        ):
            with self.subTest(query=query), mute_logger("odoo.sql_db"):
                with self.assertRaises(psycopg2.Error), self.env.cr.savepoint():
                    self.env.cr.execute(query, [statement.id])

    def test_dates(self):
        for as_at, words in (("2021-10-01", "before"), ("2999-12-31", "after today")):
            draft = self.draft(as_at=as_at, date_from="2021-01-01")
            with freeze_time(ISSUED):
                self.assertIn(words, draft.obstacle)
                with self.assertRefused(words):
                    draft.action_issue()
            self.assertEqual(draft.state, "draft")

    def test_nothing_to_state(self):
        contract = self.env["grant.contract"].create(
            {"name": "Projet", "code": "DRAFT", "funder_id": self.prefecture.id}
        )
        with freeze_time(ISSUED), self.assertRefused("not in force"):
            self.draft(contract=contract).action_issue()

    def test_one_of_a_date(self):
        self.issue()
        with freeze_time(ISSUED), self.assertRefused("stands"):
            self.draft().action_issue()
        with freeze_time(ISSUED), self.assertRefused("state"):
            self.env["grant.statement"].search(
                [("contract_id", "=", self.contract.id), ("state", "=", "issued")]
            ).with_user(self.coordinator).action_issue()

    # --- controls ---------------------------------------------------------------------------

    def test_a_period_that_has_not_ended(self):
        draft = self.draft()
        with freeze_time("2021-12-31 10:00:00"):
            self.assertTrue(draft.is_failing)
            with self.assertRefused("The period has ended"):
                draft.action_issue()
            with self.assertRaises(AccessError):
                self.ask(draft, "issue_anyway", self.coordinator, "Pressé")
            with self.assertRefused("reason"):
                self.ask(draft, "issue_anyway", self.finance_manager, " ")
            self.ask(draft, "issue_anyway", self.finance_manager, "La préfecture le demande")
        self.assertEqual(draft.state, "issued")
        self.assertEqual(draft.forced_reason, "La préfecture le demande")
        forced = draft.act_ids.filtered(lambda act: act.kind == "forced")
        self.assertEqual(forced.user_id, self.finance_manager)
        book = openpyxl.load_workbook(io.BytesIO(self.read_file(draft, "xlsx")))
        self.assertIn("La préfecture le demande", self.get_texts(book))

    def test_an_amendment_in_preparation(self):
        self.env["grant.amendment"].with_user(self.coordinator).create(
            {"subsidy_id": self.subsidy.id, "number": 1, "amount": 12000}
        )
        with freeze_time(ISSUED), self.assertRefused("No amendment in preparation"):
            self.draft().action_issue()

    def test_accounting_says_otherwise(self):
        draft = self.draft()
        entry = self.env["account.move"].search(
            [("grant_origin_model", "=", "grant.disbursement"),
             ("grant_origin_id", "=", self.advance.id)], limit=1,
        )  # fmt: skip
        self.change_sql(
            "account_move", "UPDATE account_move SET state = 'draft' WHERE id = %s", entry.id
        )
        with freeze_time(ISSUED), self.assertRefused("Payments of the city = accounting"):
            draft.action_issue()

    # --- kept -------------------------------------------------------------------------------

    def test_verified(self):
        statement = self.issue()
        verify = self.env["grant.entry"]._get_altered_files
        self.assertEqual(verify(self.contract.envelope_ids), [])
        file = statement.sudo().file_ids.filtered(lambda f: f.kind == "xlsx")
        content = file.attachment_id.raw
        other = self.env["ir.attachment"].create({"name": "x", "raw": content + b" "})
        self.change_sql(
            "ir_attachment",
            "UPDATE ir_attachment SET store_fname = %s, db_datas = NULL WHERE id = %s",
            other.store_fname,
            file.attachment_id.id,
        )
        self.assertIn(file.name, verify(self.contract.envelope_ids)[0])

    def test_verified_lines_and_state(self):
        statement = self.issue()
        self.change_sql(
            "grant_statement_line",
            "UPDATE grant_statement_line SET paid = 1 WHERE statement_id = %s AND paid <> 0",
            statement.id,
        )
        broken = self.env["grant.append.only.mixin"]._get_broken_lines()
        self.assertTrue(any(statement.name in sentence for sentence in broken), broken)
        altered = self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids)
        self.assertTrue(any("are not those of its file" in sentence for sentence in altered))
        self.change_sql(
            "grant_statement",
            "UPDATE grant_statement SET state = 'acknowledged' WHERE id = %s",
            statement.id,
        )
        altered = self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids)
        self.assertTrue(any("nobody's act" in sentence for sentence in altered))

    def test_guards_of_the_database(self):
        self.assertEqual(self.env["grant.schema"]._get_broken_guards(), [])

    # --- correction -------------------------------------------------------------------------

    def test_correction(self):
        first = self.issue()
        with freeze_time("2022-02-10 10:00:00"):
            self.pay(self.balance, datetime.date(2021, 12, 20))
            action = first.action_correct()
            self.assertEqual(first.action_correct()["res_id"], action["res_id"], "one draft")
            second = first.browse(action["res_id"])
            for nothing in (False, "\u200b"):
                second.correction = nothing
                with self.assertRefused("why it was corrected"):
                    second.action_issue()
            second.correction = "Un paiement de décembre"
            self.assertIn("2,000.00", second.changes_table)
            second.action_issue()
        self.assertEqual((first.state, second.state), ("replaced", "issued"))
        tables = {table["key"]: table for table in self.read_json(second)["lists"]}
        paid = [row for row in tables["changes"]["rows"] if row[2] == "Paid"]
        self.assertEqual({tuple(row[3:6]) for row in paid}, {("4000.10", "6000.10", "2000.00")})
        self.assertEqual([row[7] for row in tables["belated"]["rows"]], ["2000.00"])
        self.assertEqual(self.read_json(second)["about"]["replaces"], first.name)
        # The first one is served as it was.
        self.assertEqual(self.read_json(first)["lists"][0]["rows"][0][11], "4000.10")
        self.assertEqual(self.env["grant.entry"]._get_altered_files(self.contract.envelope_ids), [])

    def test_correction_of_nothing(self):
        with freeze_time(ISSUED), self.assertRefused("state"):
            self.draft().action_correct()
        statement = self.issue()
        with self.assertRaises(AccessError):
            statement.with_user(self.reader).action_correct()

    def test_correction_keeps_its_date(self):
        second = self.env["grant.statement"].browse(self.issue().action_correct()["res_id"])
        with self.assertRaises(UserError):
            second.with_user(self.coordinator).as_at = "2021-11-30"

    # --- the ZIP ----------------------------------------------------------------------------

    def test_archive(self):
        piece = self.make_deliverable(self.subsidy, name="Bilan")
        with freeze_time("2021-12-01 10:00:00"):
            piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
            piece.with_user(self.coordinator).action_accept()
        rib = self.make_deliverable(
            self.subsidy, name="RIB",
            type_id=self.env["grant.deliverable.type"].search([("code", "=", "RIB")]).id,
        )  # fmt: skip
        with freeze_time("2021-12-01 10:00:00"):
            rib.with_user(self.operator_user)._do_submit("rib.pdf", PDF)
            rib.with_user(self.coordinator).action_accept()
        statement = self.issue()
        stream, name = statement.with_user(self.reader)._make_archive()
        self.assertEqual(name, f"{statement.name}.zip")
        with stream, zipfile.ZipFile(stream) as archive:
            names = archive.namelist()
            sums = dict(
                reversed(line.split("  ", 1))
                for line in archive.read("SHA256SUMS").decode().splitlines()
            )
            for path in names:
                if path != "SHA256SUMS":
                    self.assertEqual(sums[path], hashlib.sha256(archive.read(path)).hexdigest())
        self.assertTrue(any(path.endswith("bilan.pdf") for path in names), names)
        self.assertFalse([path for path in names if "rib" in path.lower()])
        self.assertTrue(any(path.endswith("decisions.csv") for path in names))
        with self.assertRaises(AccessError):
            statement.with_user(self.prefecture_user)._make_archive()

    def test_period(self):
        first = self.draft()
        self.assertEqual(first.date_from, self.contract.date_start)
        self.issue(first)
        second = self.draft(as_at="2022-12-31")
        self.assertEqual(second.date_from, YEAR_END + datetime.timedelta(days=1))
        with self.assertRaises(UserError):
            second.date_from = "2023-01-01"
