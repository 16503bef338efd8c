# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The Poitiers contract: its files load all or nothing, its year is played by its people."""

import csv
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from odoo import tools
from odoo.cli.command import find_command
from odoo.tests import TransactionCase, tagged

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "data") not in sys.path:
    sys.path.insert(0, str(ROOT / "data"))

from poitiers_2021 import Refused, load, play  # noqa: E402


class PoitiersCase(TransactionCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.folder = Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        shutil.copytree(load.DATA, cls.folder, dirs_exist_ok=True)

    def ref(self, name):
        return self.env.ref(f"poitiers_2021.{name}")

    def rewrite(self, name, line, column, value):
        """Change one value of a file; lines count from 1, the header's."""
        path = self.folder / name
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.reader(stream))
        rows[line - 1][rows[0].index(column)] = value
        with open(path, "w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows(rows)
        self.addCleanup(shutil.copy, load.DATA / name, path)


@tagged("standard", "post_install", "-at_install")
class TestLoad(PoitiersCase):
    def test_what_is_public_is_there(self):
        load.run(self.env)
        contract = self.ref("contract")
        self.assertEqual(str(contract.signature_date), "2021-10-21")
        self.assertEqual(
            {(e.payment_path, e.amount) for e in contract.envelope_ids},
            {("city", 150000.0), ("direct", 50000.0)},
        )
        operators = contract.subsidy_ids.filtered(lambda s: s.kind == "operator").partner_id
        self.assertEqual(
            set(operators.mapped("name")),
            {
                "Coallia",
                "Audacia",
                "Indigo Formation",
                "L'Astre en Moi",
                "Ufolep de la Vienne",
                "Centre d'animation de Beaulieu",
                "Toit du Monde",
            },
        )
        self.assertEqual(len(self.ref("subsidy_toit_du_monde").action_ids), 7)
        self.assertEqual(self.env.company.company_registry, "21860194600013")

    def test_every_login_that_is_told_works(self):
        load.run(self.env)
        lines = (load.DATA / "logins.txt").read_text(encoding="utf-8").splitlines()[1:]
        for login, password in (line.split()[-2:] for line in lines):
            with self.subTest(login=login):
                user = self.env["res.users"].search([("login", "=", login)])
                given = {"type": "password", "login": login, "password": password}
                user.with_user(user)._check_credentials(given, {"interactive": True})

    def test_a_company_without_entries_becomes_a_french_city(self):
        company = self.env["res.company"].create({"name": "Nobody's yet"})
        load._set_up_company(company)
        self.assertEqual(company.chart_template, "fr")
        self.assertEqual(company.currency_id, self.env.ref("base.EUR"))
        self.assertEqual(company.country_id, self.env.ref("base.fr"))

    def test_every_amount_of_the_files_says_where_it_comes_from(self):
        for path in load.DATA.glob("*.csv"):
            with open(path, encoding="utf-8", newline="") as stream:
                for row in csv.DictReader(stream):
                    if "amount" in row:
                        with self.subTest(file=path.name, id=row["id"]):
                            told = " ".join(value for name, value in row.items() if name != "id")
                            self.assertRegex(told, "[Mm]ontant (inventé|public)")

    def test_every_amount_says_where_it_comes_from(self):
        load.run(self.env)
        for model, field in (
            ("grant.subsidy", "note"),
            ("grant.action", "description"),
            ("grant.funding", "name"),
        ):
            for record in self.env[model].search([]):
                with self.subTest(record=record.display_name):
                    self.assertIn("inventé", record[field])
        for envelope in self.ref("contract").envelope_ids:
            self.assertIn("Montant public", envelope.note)

    def test_loading_twice_changes_nothing(self):
        load.run(self.env)
        play.run(self.env)
        models = [self.env[model] for model in load.MODELS] + [self.env["grant.entry"]]
        before = [self._snapshot(model) for model in models]
        load.run(self.env)
        play.run(self.env)
        for model, snapshot in zip(models, before, strict=True):
            for old, new in zip(snapshot, self._snapshot(model), strict=True):
                changed = {name: (old[name], new[name]) for name in old if old[name] != new[name]}
                self.assertFalse(changed, f"{model._name} {old['id']}")

    def _snapshot(self, model):
        self.env.cr.flush()  # what was tracked is posted at the end of a transaction
        self.env.invalidate_all()
        names = [
            name
            for name, field in model._fields.items()
            if field.store and name not in ("write_date", "write_uid", "password")
        ]
        return model.with_context(active_test=False).search([], order="id").read(names, load="")

    def test_what_is_not_loaded_cannot_be_played(self):
        with self.assertRaisesRegex(Refused, "not loaded"):
            play.run(self.env)

    def assertRefused(self, *parts):
        contracts = self.env["grant.contract"].search_count([])
        with self.assertRaises(Refused) as refused, self.env.cr.savepoint():
            load.run(self.env, self.folder)
        for part in parts:
            self.assertIn(part, str(refused.exception))
        self.assertEqual(self.env["grant.contract"].search_count([]), contracts)

    def test_a_bad_date_is_named(self):
        self.rewrite("grant.subsidy.csv", 4, "date_start", "31/02/2021")
        self.assertRefused("grant.subsidy.csv", "line 4", "31/02/2021")

    def test_an_unknown_external_id_is_named(self):
        self.rewrite("grant.action.csv", 3, "subsidy_id/id", "poitiers_2021.nobody")
        self.assertRefused("grant.action.csv", "line 3", "nobody")

    def test_an_amount_that_is_no_number_is_named(self):
        self.rewrite("grant.funding.csv", 2, "amount", "beaucoup")
        self.assertRefused("grant.funding.csv", "line 2", "beaucoup")

    def test_a_negative_amount_is_refused(self):
        self.rewrite("grant.subsidy.csv", 3, "amount", "-1")
        self.assertRefused("grant.subsidy.csv", "line 3")

    def edit(self, name, change):
        """Pass the bytes of a file through ``change``."""
        path = self.folder / name
        path.write_bytes(change(path.read_bytes()))
        self.addCleanup(shutil.copy, load.DATA / name, path)

    def test_a_line_of_another_length_is_named(self):
        self.edit("res.partner.csv", lambda text: text + b"poitiers_2021.x,X\n")
        self.assertRefused("res.partner.csv", "line 10", "2 values, 12 columns")

    def test_an_id_given_twice_is_named(self):
        self.rewrite("grant.funding.csv", 3, "id", "poitiers_2021.funding_1")
        self.assertRefused("grant.funding.csv", "line 3", "funding_1", "line 2")

    def test_an_id_of_another_module_is_refused(self):
        """Or the files could change any record of the database."""
        self.rewrite("res.partner.csv", 2, "id", "base.main_partner")
        self.assertRefused("res.partner.csv", "line 2", "base.main_partner")

    def test_another_separator_is_refused(self):
        self.edit("grant.envelope.csv", lambda text: text.replace(b",", b";"))
        self.assertRefused("grant.envelope.csv", "line 1", "commas")

    def test_another_encoding_is_refused(self):
        self.edit("grant.subsidy.csv", lambda text: text.decode().encode("cp1252"))
        self.assertRefused("grant.subsidy.csv", "line 2", "UTF-8")

    def test_a_missing_id_column_is_named(self):
        self.edit("grant.funding.csv", lambda text: text.replace(b"id,", b"code,", 1))
        self.assertRefused("grant.funding.csv", "line 1", "id")

    def test_a_missing_column_is_named(self):
        def drop_amount(text):
            rows = [line.split(b",") for line in text.splitlines()]
            return b"\n".join(b",".join(row[:3] + row[4:]) for row in rows)

        self.edit("grant.funding.csv", drop_amount)
        self.assertRefused("grant.funding.csv", "line 2", "amount")

    def test_an_unknown_column_is_named(self):
        self.edit("grant.action.csv", lambda text: text.replace(b"places", b"plazas", 1))
        self.assertRefused("grant.action.csv", "line 1", "plazas")

    def test_an_empty_or_absent_file_is_named(self):
        self.edit("grant.action.csv", lambda text: b"")
        self.assertRefused("grant.action.csv", "line 1")
        (self.folder / "grant.action.csv").unlink()
        self.assertRefused("grant.action.csv", "cannot be read")

    def test_a_quote_left_open_is_named(self):
        self.edit("grant.funding.csv", lambda text: text + b'poitiers_2021.x,"X\n')
        self.assertRefused("grant.funding.csv", "line 4")

    def test_a_state_cannot_be_imported(self):
        def add_state(text):
            head, *lines = text.splitlines()
            return b"\n".join([head + b",state", *(line + b",received" for line in lines)])

        self.edit("grant.funding.csv", add_state)
        self.assertRefused("grant.funding.csv", "line 2")


@tagged("standard", "post_install", "-at_install")
class TestPlay(PoitiersCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        load.run(cls.env)
        play.run(cls.env)
        # Sealed as at the end of a transaction: each test ends with a rollback.
        cls.env.cr.flush()

    def verify(self):
        """Return what `odoo grants_verify` finds."""
        return find_command("grants_verify")()._verify(self.env)[0]

    def test_the_ledger_holds_and_ties_out(self):
        self.assertFalse(self.verify())
        contract = self.ref("contract")
        for kind, counter in self.env["grant.envelope"]._get_money_counters().items():
            posted = self.env["grant.entry"]._read_group(
                [("contract_id", "=", contract.id), ("kind", "=", counter)],
                aggregates=["amount:sum"],
            )[0][0]
            self.assertAlmostEqual(contract[kind], posted or 0.0, 2)
        self.assertEqual(contract.allocated_amount, 200000)
        # Signed: 145 000 and 50 000; Indigo Formation spent 13 500 of 18 000.
        self.assertEqual(contract.committed_amount, 145000 + 50000 - 4500)
        self.assertEqual(contract.recovered_amount, 900)

    def test_every_amount_played_says_it_is_invented(self):
        for tranche in self.ref("contract").subsidy_ids.disbursement_ids:
            self.assertIn("inventé", tranche.note)
        reports = self.ref("contract").subsidy_ids.report_ids
        for report in reports.filtered("submitted_at"):
            self.assertIn("inventés", report.achieved)
        versions = self.ref("contract").subsidy_ids.deliverable_ids.version_ids
        # What the server made of a report has the name that it gives.
        for version in versions - reports.filtered("submitted_at").version_id:
            self.assertIn("démo", version.name)

    def test_accounting_dates_are_those_of_the_contract(self):
        contract = self.ref("contract")
        for entry in contract.envelope_ids.entry_ids:
            self.assertTrue(contract.date_start <= entry.date <= contract.date_end, entry.memo)

    def test_who_is_written_to(self):
        """Operators, of what became of their pieces, at invented addresses; nobody else."""
        people = self.ref("contract").subsidy_ids.partner_id.child_ids
        staff = self.env.ref("ctai_grants.user_coordinator").partner_id
        staff |= self.env.ref("ctai_grants.user_finance_officer").partner_id
        mails = self.env["mail.mail"].search([("recipient_ids", "in", (people | staff).ids)])
        written = mails.recipient_ids
        self.assertTrue(written)
        self.assertFalse(written & staff)
        self.assertTrue(all(p.email.endswith("@example.org") for p in written))
        self.assertLessEqual(set(mails.mapped("model")), {"grant.subsidy"})

    def test_the_people_are_who_they_should_be(self):
        for tranche in self.ref("contract").subsidy_ids.disbursement_ids:
            if tranche.state in ("ordered", "paid"):
                with self.subTest(tranche=tranche.display_name):
                    self.assertTrue(tranche.certified_by_id)
                    self.assertNotEqual(tranche.certified_by_id, tranche.ordered_by_id)
        versions = self.ref("subsidy_coallia").deliverable_ids.version_ids
        self.assertEqual(versions.user_id.partner_id.parent_id, self.ref("coallia"))

    def test_a_contract_in_mid_course(self):
        tranches = self.ref("contract").subsidy_ids.disbursement_ids
        self.assertEqual(
            set(tranches.mapped("state")),
            {"planned", "ready", "certified", "ordered", "paid", "cancelled"},
        )
        pieces = self.ref("contract").subsidy_ids.deliverable_ids
        self.assertEqual(
            set(pieces.mapped("state")),
            {"expected", "submitted", "accepted", "to_complete", "waived"},
        )
        late = pieces.filtered(lambda piece: piece.is_late and piece.state == "expected")
        # That of Ufolep was given until the end of 2022 by an amendment.
        late_one = late.filtered(lambda p: p.subsidy_id == self.ref("subsidy_astre_en_moi"))
        self.assertEqual(len(late_one), 1)
        self.assertGreater(min((late - late_one).mapped("due_date")).isoformat(), "2022-12-31")
        self.assertEqual(max(pieces.version_ids.mapped("number")), 2)
        self.assertTrue(self.ref("envelope_protected").ceiling_warning, "R2: drafts only warn")
        coallia = self.ref("subsidy_coallia")
        sent_back = coallia.deliverable_ids.filtered(lambda piece: piece.state == "to_complete")
        self.assertIn(sent_back.name, str(coallia.next_obstacles))

    def test_what_operators_do_online_is_there(self):
        """A report online and one by workbook, a draft, a virus, an account that differs."""
        reports = self.ref("contract").subsidy_ids.report_ids.filtered("submitted_at")
        self.assertEqual(
            reports.subsidy_id, self.ref("subsidy_toit_du_monde") | self.ref("subsidy_audacia")
        )
        self.assertEqual(set(reports.mapped("hand_in")), {"submitted"})
        pieces = self.ref("contract").subsidy_ids.deliverable_ids
        [draft] = pieces.draft_ids
        self.assertTrue(draft.file_ids and draft.comment)
        files = pieces.version_ids.file_ids
        self.assertEqual(len(files.filtered("infected_by")), 1)
        self.assertNotIn("waiting", files.mapped("scan"), "there is no scanner to wait for")
        warned = self.ref("contract").subsidy_ids.filtered(lambda one: one._get_rib_warning())
        self.assertEqual(warned, self.ref("subsidy_ufolep_vienne"))
        asked = self.ref("contract").subsidy_ids.date_request_ids
        self.assertIn("asked", asked.mapped("state"))

    def test_pieces_are_of_the_years_of_the_contract(self):
        contract = self.ref("contract")
        for version in contract.subsidy_ids.deliverable_ids.version_ids:
            day = version.submitted_at.date()
            self.assertTrue(contract.date_start <= day <= contract.date_end, version.name)

    def test_a_tampered_entry_is_named(self):
        entry = self.ref("envelope_protected").entry_ids.filtered(lambda e: e.number == 5)
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE grant_entry SET amount = amount + 0.01 WHERE id = %s", [entry.id]
        )
        self.env.invalidate_all()
        self.assertIn("entry 5", self.verify()[0])

    def test_another_file_in_the_store_is_named(self):
        version = self.ref("subsidy_coallia").deliverable_ids.version_ids[-1]
        attachment = version.file_ids.attachment_id.sudo()
        path = Path(attachment._full_path(attachment.store_fname))
        self.addCleanup(path.write_bytes, path.read_bytes())
        path.write_bytes(b"%PDF-1.7 something else")
        self.env.invalidate_all()
        self.assertIn("not the one handed in", self.verify()[0])


@tagged("standard", "post_install", "-at_install")
class TestRun(TransactionCase):
    """A step as the launcher calls it: a failure is one sentence."""

    def run_step(self, *words):
        env = {name: value for name, value in os.environ.items() if name != "CTAI_DEBUG"}
        done = subprocess.run(
            [sys.executable, "-m", "poitiers_2021", *words],
            cwd=ROOT / "data",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=env,
            timeout=120,
        )
        self.assertNotIn("Traceback", done.stderr)
        return done.returncode, (done.stderr.splitlines() or [""])[-1]

    def test_what_is_not_there_is_told_in_one_sentence(self):
        config = str(Path(tempfile.mkdtemp()) / "odoo.conf")
        self.addCleanup(shutil.rmtree, Path(config).parent)
        words = ("play", "-c", config, "-d", "no_such_database")
        code, told = self.run_step(*words)
        self.assertTrue(code)
        self.assertIn(config, told)
        self._write_config(config)
        code, told = self.run_step(*words)
        self.assertEqual(code, 1)
        self.assertIn("no_such_database", told)

    def _write_config(self, path):
        options = ("db_host", "db_port", "db_user", "db_password", "data_dir")
        lines = [f"{name} = {tools.config[name]}" for name in options if tools.config[name]]
        Path(path).write_text("\n".join(["[options]", *lines, ""]), encoding="utf-8")
