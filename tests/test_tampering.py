# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What whoever owns the tables writes into a document is named by `odoo grants_verify`.

A year of the Poitiers contract is played; then each stored value of each kind of document is
altered by SQL, one at a time.
"""

import datetime
import sys
from pathlib import Path

import psycopg2

from odoo import Command
from odoo.cli.command import find_command
from odoo.tests import TransactionCase, tagged
from odoo.tools import SQL, mute_logger

from odoo.addons.ctai_grants_reports.tests.open_data.test_awards_file import make_text

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "data") not in sys.path:
    sys.path.insert(0, str(ROOT / "data"))

from poitiers_2021 import load, play  # noqa: E402

LOG = {"id", "create_uid", "create_date", "write_uid", "write_date"}
# What `verify` does not see, and why not.
UNSEEN = {
    "fields of Odoo's add-ons, that come and go with them": {
        "grant.contract": {"access_token"},
        "grant.subsidy": {"access_token"},
    },
    "formatted notes, which nothing rests on": {
        "grant.contract": {"note"},
        "grant.subsidy": {"note"},
    },
    "the order of lists": {
        name: {"sequence"} for name in (
            "grant.action", "grant.amendment.line", "grant.annual.review.paragraph",
            "grant.condition", "grant.disbursement", "grant.envelope", "grant.evaluation.line",
            "grant.indicator.target", "grant.milestone")
    },
    "links that the database empties when what they name is deleted: who looks after it, the "
    "template it was made from, the journal (the entry has its own)": {
        "grant.amendment": {"user_id"},
        "grant.annual.review": {"user_id"},
        "grant.evaluation": {"user_id"},
        "grant.contract": {"user_id", "finance_user_id"},
        "grant.set.off": {"journal_id"},
        "grant.subsidy": {"user_id", "template_id"},
    },
}  # fmt: skip
# What is seen even when the seal was rewritten to fit: it is said twice, by document and ledger,
# decisions or accounting. Of a document in this state.
SAID_TWICE = {
    "grant.contract": ("in_force", ["force_date", "signature_date", "state"]),
    "grant.envelope": ("in_force", ["amount", "state", "entry_count", "chain_head"]),
    "grant.subsidy": ("signed", ["amount", "signature_date", "state"]),
    "grant.disbursement": ("paid", ["amount", "paid_date", "state", "subsidy_id", "envelope_id"]),
    "grant.recovery": (
        "collected",
        ["amount", "collected_amount", "collected_date", "claim_date", "state", "subsidy_id"],
    ),
    "grant.financial.report": ("accepted", ["eligible_amount", "acceptance_date", "state"]),
    "grant.funding": (
        "received",
        ["amount", "received_amount", "received_date", "claim_date", "state", "envelope_id"],
    ),
    "grant.amendment": ("signed", ["amount", "amount_before", "state"]),
    "grant.deliverable": ("accepted", ["state"]),
    "grant.set.off": ("draft", ["state"]),
}


@tagged("standard", "post_install", "-at_install")
class TestTampering(TransactionCase):
    maxDiff = None


    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        load.run(cls.env)
        play.run(cls.env)
        moves = cls.env["account.move"].search([("state", "=", "posted")])
        cls.env["grant.set.off"].create(
            {
                "debt_move_id": moves.filtered(lambda move: move.move_type == "in_invoice")[0].id,
                "claim_move_id": moves.filtered(lambda move: move.move_type == "out_invoice")[0].id,
                "amount": 1, "date": "2022-01-10", "reference": "C-1", "reason": "Compensation",
            }
        )  # fmt: skip
        cls.play_report()
        cls.play_import()
        operator = cls.env.ref("poitiers_2021.coallia")
        cls.env["grant.operator.year"].create({"partner_id": operator.id, "year": 2021})
        cls.env["grant.heads.receiver"]._add(cls.env.company, "mail", "registre@example.org")
        cls.env.cr.flush()
        cls.envelopes = cls.env["grant.envelope"].search([])

    @classmethod
    def play_report(cls):
        """What operators enter themselves, and a budget."""
        coordinator = cls.env.ref("ctai_grants.user_coordinator")
        signed = cls.env["grant.subsidy"].search([("state", "=", "signed")])
        subsidy = signed.filtered(lambda s: s.kind == "operator" and not s.report_ids)[0]
        draft = subsidy.copy({"name": "Projet"})
        charges = cls.env["grant.budget.account"].search([("side", "=", "expense")], limit=1)
        draft.budget_line_ids = [Command.create({"account_id": charges.id, "amount": 100})]
        cls.env["grant.financial.report"].with_user(coordinator)._begin(subsidy, "report")
        later = subsidy.date_end + datetime.timedelta(days=90)
        asks = cls.env["grant.date.request"].with_user(coordinator)
        asks._ask_dates(subsidy, later, "Retard")

    @classmethod
    def play_import(cls):
        """Awards of another file: read, not imported yet."""
        operator = cls.env.ref("poitiers_2021.coallia")
        row = {
            "idAttribuant": cls.env.company.company_registry,
            "idBeneficiaire": operator.company_registry,
        }
        coordinator = cls.env.ref("ctai_grants.user_coordinator")
        imports = cls.env["grant.award.import"].with_user(coordinator)
        envelope = cls.env["grant.envelope"].search([("payment_path", "=", "city")], limit=1)
        imports._import(envelope, "attributions.csv", make_text([row]).encode())

    def verify(self):
        return find_command("grants_verify")()._verify(self.env)[0]

    def get_models(self):
        names = sorted(self.registry.descendants(["grant.sealed.mixin"], "_inherit"))
        return [self.env[n] for n in names if not self.env[n]._abstract and self.env[n]._is_sealed]

    def get_columns(self, model):
        return sorted(
            name
            for name, field in model._fields.items()
            if field.store and field.column_type and name not in LOG
        )

    def get_other(self, document, name):
        """Another value, as the table has them."""
        field = document._fields[name]
        value = document[name]
        match field.type:
            case "monetary" | "float" | "integer" | "many2one_reference":
                return (value or 0) + 1
            case "boolean":
                return not value
            case "date":
                return (value or datetime.date(2021, 1, 1)) + datetime.timedelta(days=1)
            case "datetime":
                return (value or datetime.datetime(2021, 1, 1)) + datetime.timedelta(days=1)
            case "selection":
                return next(key for key in field.get_values(self.env) if key != value)
            case "many2one":
                domain = [("id", "!=", value.id)]
                comodel = self.env[field.comodel_name].with_context(active_test=False)
                return comodel.search(domain, limit=1).id or None
        return f"{value or ''}x"

    def alter(self, document, name):
        """Write another value by SQL; whether the database let us."""
        table, column = SQL.identifier(document._table), SQL.identifier(name)
        value = self.get_other(document, name)
        try:
            with self.env.cr.savepoint():
                self.env.execute_query(
                    SQL("UPDATE %s SET %s = %s WHERE id = %s RETURNING id", table, column, value,
                        document.id)
                )  # fmt: skip
        except psycopg2.IntegrityError:
            return False
        self.env.invalidate_all()
        return True

    def is_seen(self, document, name):
        label = document._fields[name]._description_string(self.env)
        found = self.env["grant.seal"]._get_altered(document.browse())
        # Counters and heads are the ledger's.
        found = found or self.env["grant.entry"]._verify(self.envelopes)
        return any(label in sentence for sentence in found) or (found and name == "chain_head")

    @mute_logger("odoo.sql_db")
    def test_each_stored_value(self):
        """Of a document of each kind and state; what is not seen is listed above, and no more."""
        unseen, counts = {}, {"seen": 0, "refused": 0}
        documents_of = {
            model: model.with_context(active_test=False).search([]) for model in self.get_models()
        }
        self.assertFalse([model._name for model, found in documents_of.items() if not found])
        for model, documents in documents_of.items():
            by_state = documents.grouped("state") if "state" in model._fields else {"": documents}
            for document in (documents[0] for documents in by_state.values()):
                for name in self.get_columns(model):
                    with self.subTest(document=document, field=name):
                        savepoint = self.env.cr.savepoint()
                        if not self.alter(document, name):
                            counts["refused"] += 1
                        elif self.is_seen(document, name):
                            counts["seen"] += 1
                        else:
                            unseen.setdefault(model._name, set()).add(name)
                        savepoint.close(rollback=True)
                        self.env.invalidate_all()
        print(f"{counts['seen']} values altered and named, {counts['refused']} refused")
        expected = {}
        for models in UNSEEN.values():
            for model, names in models.items():
                expected.setdefault(model, set()).update(names)
        self.assertEqual(unseen, expected)
        self.assertEqual(self.verify(), [])

    @mute_logger("odoo.sql_db")
    def test_what_is_said_twice(self):
        for name, (state, names) in SAID_TWICE.items():
            document = self.env[name].search([("state", "=", state)], limit=1)
            self.assertTrue(document, f"{name}: none is {state}")
            for field in names:
                with self.subTest(document=document, field=field):
                    savepoint = self.env.cr.savepoint()
                    self.env.cr.execute(f"ALTER TABLE {document._table} DISABLE TRIGGER USER")
                    if self.alter(document, field):
                        self.assertTrue(self.env["grant.entry"]._verify(self.envelopes))
                    savepoint.close(rollback=True)
                    self.env.invalidate_all()
