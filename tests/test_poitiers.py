# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The Poitiers contract: its files load all or nothing, its year is played by its people."""

import csv
import shutil
import sys
import tempfile
from pathlib import Path

from odoo.tests import TransactionCase, tagged

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from launcher.inside import load, play, verify  # noqa: E402
from launcher.inside.errors import Refused  # noqa: E402


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

    def test_every_amount_says_where_it_comes_from(self):
        load.run(self.env)
        for model, field in (
            ("grant.subsidy", "note"),
            ("grant.action", "description"),
            ("grant.disbursement", "note"),
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

    def test_a_line_of_another_length_is_named(self):
        path = self.folder / "res.partner.csv"
        path.write_text(path.read_text(encoding="utf-8") + "poitiers_2021.x,X\n", encoding="utf-8")
        self.addCleanup(shutil.copy, load.DATA / path.name, path)
        self.assertRefused("res.partner.csv", "line 10", "2 values for 9 columns")

    def test_a_state_cannot_be_imported(self):
        path = self.folder / "grant.funding.csv"
        lines = path.read_text(encoding="utf-8").splitlines()
        path.write_text(
            "\n".join([lines[0] + ",state", *(line + ",received" for line in lines[1:])]) + "\n",
            encoding="utf-8",
        )
        self.addCleanup(shutil.copy, load.DATA / path.name, path)
        self.assertRefused("grant.funding.csv", "line 2")


@tagged("standard", "post_install", "-at_install")
class TestPlay(PoitiersCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        load.run(cls.env)
        play.run(cls.env)

    def test_the_ledger_holds_and_ties_out(self):
        verify.run(self.env)
        contract = self.ref("contract")
        for kind, counter in self.env["grant.envelope"]._counter_kinds.items():
            posted = self.env["grant.entry"]._read_group(
                [("contract_id", "=", contract.id), ("kind", "=", counter)],
                aggregates=["amount:sum"],
            )[0][0]
            self.assertAlmostEqual(contract[kind], posted or 0.0, 2)
        self.assertEqual(contract.allocated_amount, 200000)
        self.assertEqual(contract.committed_amount, 145000 + 50000)

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
            set(tranches.mapped("state")), {"planned", "ready", "certified", "ordered", "paid"}
        )
        self.assertTrue(self.ref("subsidy_astre_en_moi").is_late)
        self.assertTrue(self.ref("envelope_protected").ceiling_warning, "R2: drafts only warn")
        coallia = self.ref("subsidy_coallia")
        sent_back = coallia.deliverable_ids.filtered(lambda piece: piece.state == "to_complete")
        self.assertIn(sent_back.name, coallia.next_blockers)

    def test_a_tampered_entry_is_named(self):
        entry = self.ref("envelope_protected").entry_ids.filtered(lambda e: e.number == 5)
        self.env.cr.execute("SET LOCAL session_replication_role = replica")
        self.env.cr.execute(
            "UPDATE grant_entry SET amount = amount + 0.01 WHERE id = %s", [entry.id]
        )
        self.env.invalidate_all()
        with self.assertRaisesRegex(Refused, "entry 5"):
            verify.run(self.env)
