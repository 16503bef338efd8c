import csv
import doctest
import importlib
import io
import pkgutil
import subprocess
import sys

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, tagged
from odoo.tools import mute_logger

from ... import lib
from ...lib.ledger import chain
from ..common import PDF, GrantsCommon

# What somebody who wants round the guards would put in a context.
CONTEXTS = (
    {},
    {"grant_transition": True},
    {"grant_transition": "TRANSITION"},
    {"grant_transition": {"object": "TRANSITION"}},
    {"bypass": True, "force": True, "force_write": True, "skip_checks": True, "no_check": True},
    {"import_file": True, "install_mode": True, "module": "ctai_grants", "noupdate": True},
    {"tracking_disable": True, "mail_notrack": True, "check_move_validity": False},
)
APPEND_ONLY = (
    "grant.entry", "grant.decision", "grant.deliverable.version", "grant.deliverable.file"
)  # fmt: skip
DOCUMENTS = (
    "grant.contract",
    "grant.envelope",
    "grant.funding",
    "grant.subsidy",
    "grant.action",
    "grant.milestone",
    "grant.deliverable",
    "grant.disbursement",
)


class LedgerCase(GrantsCommon):
    """Two signed subsidies, one of them with a file and a paid tranche: five entries."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy(
            action_ids=[Command.create({"name": "Atelier", "amount": 4000})]
        )
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.tranche = cls.make_tranche(cls.subsidy)
        cls.sign(cls.subsidy)
        cls.piece.with_user(cls.coordinator)._do_submit("bilan.pdf", PDF)
        cls.pay(cls.tranche)
        cls.sign(cls.make_subsidy(amount=0.01, convention_reference="Mémo\nsur deux lignes €"))
        cls.funding = cls.env["grant.funding"].create(
            {"name": "Premier versement", "envelope_id": cls.envelope.id, "amount": 1}
        )
        cls.entries = cls.envelope.entry_ids.sorted("number")
        cls.env.flush_all()

    def verify(self, contract=None):
        """Of the ledger alone: what these tests insert comes from no document, and is named for
        that in test_strays.py."""
        about_documents = ("no such document", "the other documents", "by its decisions")
        return [
            sentence
            for sentence in super().verify(contract)
            if not any(text in sentence for text in about_documents)
        ]

    def get_document(self, model):
        return {
            "grant.contract": self.contract,
            "grant.envelope": self.envelope,
            "grant.funding": self.funding,
            "grant.subsidy": self.subsidy,
            "grant.action": self.subsidy.action_ids,
            "grant.milestone": self.piece.milestone_id,
            "grant.deliverable": self.piece,
            "grant.disbursement": self.tranche,
        }[model]

    def get_lines(self, model):
        return {
            "grant.entry": self.entries[:1],
            "grant.decision": self.subsidy.decision_ids[:1],
            "grant.deliverable.version": self.piece.version_ids[:1],
            "grant.deliverable.file": self.piece.version_ids[:1].file_ids,
        }[model]

    def get_other_value(self, record, name):
        """A value that ``record``'s field does not have."""
        field = record._fields[name]
        match field.type:
            case "selection":
                values = field.get_values(self.env)
                return next(value for value in values if value != record[name])
            case "many2one":
                others = self.env[field.comodel_name].search([], limit=2) - record[name]
                return others[:1].id
            case "monetary" | "integer":
                return record[name] + 1
            case "date" | "datetime":
                return "2021-01-01"
            case "one2many":
                return [Command.create({})]
            case _:
                return "x"

    def snapshot(self):
        """All that money, decisions and files say, straight from the tables."""
        self.env.flush_all()
        rows = []
        for table in [*APPEND_ONLY, "grant.envelope", "grant.subsidy", "grant.disbursement"]:
            self.env.cr.execute(f"SELECT * FROM {table.replace('.', '_')} ORDER BY id")
            rows.append(self.env.cr.fetchall())
        return rows


class TestGuards(LedgerCase):
    """R1, R3, R5: whoever asks, in whatever way, only the documents' methods write."""

    def setUp(self):
        super().setUp()
        before = self.snapshot()
        self.addCleanup(lambda: self.assertEqual(self.snapshot(), before, "something changed"))

    def assertRefused(self, user, model, method, *args, context=None):
        with (
            self.subTest(user=user.login, model=model, method=method, context=context),
            self.assertRaises(AccessError),
            mute_logger("odoo.addons.base.models.ir_model", "odoo.addons.base.models.ir_rule"),
        ):
            kwargs = {"context": context} if context else {}
            call_kw(self.env[model].with_user(user), method, list(args), kwargs)

    def test_lines_by_rpc(self):
        for model in APPEND_ONLY:
            line = self.get_lines(model)
            copied = line.read(load=None)[0]
            for user in self.staff | self.portal_users | self.env.user:
                for context in CONTEXTS:
                    self.assertRefused(user, model, "create", [copied], context=context)
                    self.assertRefused(
                        user, model, "write", line.ids, {"user_id": user.id}, context=context
                    )
                    self.assertRefused(user, model, "unlink", line.ids, context=context)
                self.assertRefused(user, model, "copy", line.ids)
                self.assertRefused(user, model, "web_save", line.ids, {"user_id": user.id}, {})
                self.assertRefused(user, model, "web_save", [], copied, {})
                self.assertRefused(user, model, "name_create", "x")

    def test_private_methods_by_rpc(self):
        private = {
            "grant.entry": ("_post", "_begin_posting", "_restartable", "_restart", "_append"),
            "grant.decision": ("_record", "_append"),
            "grant.subsidy": ("_transition", "_decide", "_do_close", "_post_commitment"),
            "grant.disbursement": ("_transition", "_do_pay", "_do_order", "_post_payment"),
            "grant.funding": ("_transition", "_do_claim", "_do_receive", "_sync_ledger"),
            "grant.contract": ("_transition", "with_context", "with_user", "sudo", "with_env"),
        }
        for model, methods in private.items():
            for method in methods:
                self.assertRefused(self.administrator, model, method, [1])

    def test_guarded_fields_by_rpc(self):
        for model in DOCUMENTS:
            document = self.get_document(model)
            guarded = document._get_guarded_fields() | document._get_derived_fields()
            self.assertTrue(guarded)
            for name in sorted(guarded):
                values = {name: self.get_other_value(document, name)}
                for context in CONTEXTS:
                    self.assertRefused(
                        self.administrator, model, "write", document.ids, values, context=context
                    )
                for user in self.staff | self.env.user:
                    self.assertRefused(user, model, "write", document.ids, values)
                self.assertRefused(self.administrator, model, "web_save", document.ids, values, {})
                with self.subTest(name=name, su=True), self.assertRaises(AccessError):
                    document.sudo().write(values)

    def test_guarded_fields_through_parents(self):
        """Commands on a parent's lines are writes like others."""
        writes = (
            (self.contract, "envelope_ids", self.envelope, {"allocated_amount": 1e6}),
            (self.contract, "envelope_ids", self.envelope, {"state": "draft"}),
            (self.envelope, "subsidy_ids", self.subsidy, {"committed_amount": 1}),
            (self.subsidy, "disbursement_ids", self.tranche, {"state": "planned"}),
            (self.subsidy, "entry_ids", self.subsidy.entry_ids[0], {"amount": 1}),
            (self.subsidy, "decision_ids", self.subsidy.decision_ids[0], {"reason": "x"}),
        )
        for document, name, line, values in writes:
            commands = [Command.update(line.id, values)], [Command.delete(line.id)]
            for command in commands:
                with self.subTest(name=name, command=command), self.assertRaises(UserError):
                    document.with_user(self.administrator).write({name: command})
        with self.assertRaises(AccessError):
            self.subsidy.with_user(self.administrator).write(
                {"disbursement_ids": [Command.create({"name": "T", "amount": 1, "state": "paid"})]}
            )

    @mute_logger("odoo.sql_db", "odoo.addons.base.models.ir_model")
    def test_import(self):
        """Odoo's import reports, and imports nothing."""
        self.env["ir.model.data"].create(
            [
                {"module": "x", "name": name, "model": record._name, "res_id": record.id}
                for name, record in (
                    ("subsidy", self.subsidy),
                    ("tranche", self.tranche),
                    ("entry", self.entries[0]),
                    ("decision", self.subsidy.decision_ids[0]),
                    ("envelope", self.envelope),
                )
            ]
        )
        imports = (
            ("grant.entry", ["id", "amount"], ["x.entry", "1"]),
            ("grant.entry", [".id", "memo"], [str(self.entries[0].id), "x"]),
            (
                "grant.entry",
                ["envelope_id/.id", "kind", "amount", "date"],
                [str(self.envelope.id), "allocation", "1000000", "2021-12-01"],
            ),
            ("grant.decision", ["id", "reason"], ["x.decision", "x"]),
            ("grant.subsidy", ["id", "state"], ["x.subsidy", "closed"]),
            ("grant.subsidy", [".id", "committed_amount"], [str(self.subsidy.id), "99999"]),
            ("grant.subsidy", ["id", "amount"], ["x.subsidy", "20000"]),
            ("grant.subsidy", ["id", "contract_id"], ["x.subsidy", ""]),
            ("grant.disbursement", ["id", "state"], ["x.tranche", "planned"]),
            ("grant.disbursement", ["id", "certified_by_id"], ["x.tranche", ""]),
            ("grant.disbursement", ["id", "amount"], ["x.tranche", "1"]),
            ("grant.envelope", ["id", "amount"], ["x.envelope", "nan"]),
            ("grant.envelope", ["id", "chain_head"], ["x.envelope", chain.GENESIS]),
            (
                "grant.contract",
                [".id", "envelope_ids/.id", "envelope_ids/allocated_amount"],
                [str(self.contract.id), str(self.envelope.id), "1000000"],
            ),
            (
                "grant.subsidy",
                ["id", "disbursement_ids/.id", "disbursement_ids/state"],
                ["x.subsidy", str(self.tranche.id), "ordered"],
            ),
        )
        for model, header, row in imports:
            for context in CONTEXTS:
                with self.subTest(model=model, header=header, context=context):
                    records = self.env[model].with_user(self.administrator)
                    result = records.with_context(**context).load(header, [row])
                    self.assertFalse(result["ids"])
                    self.assertTrue(result["messages"])

    def test_nothing_posts_without_a_document(self):
        with self.assertRaises(ValueError):
            self.env["grant.entry"]._post(self.env["grant.subsidy"], [])


class TestNewDocuments(LedgerCase):
    """R1, R4, R5: a document starts at the start, however it is created."""

    def test_born_guarded(self):
        """Neither values, nor a context, nor a user's own default start a document elsewhere."""
        required = {
            "grant.contract": {"name": "C", "funder_id": self.prefecture.id},
            "grant.funding": {"name": "F", "envelope_id": self.envelope.id, "amount": 1},
            "grant.subsidy": {
                "name": "S",
                "envelope_id": self.envelope.id,
                "partner_id": self.operator.id,
                "amount": 1,
            },
            "grant.milestone": {"name": "M", "subsidy_id": self.subsidy.id, "date": "2022-01-01"},
            "grant.deliverable": {"name": "D", "milestone_id": self.piece.milestone_id.id},
            # Of a draft: it is ready when nothing blocks it.
            "grant.disbursement": {"name": "T", "subsidy_id": self.make_subsidy().id, "amount": 1},
        }
        for model, values in required.items():
            records = self.env[model].with_user(self.administrator)
            # What lists lines has no default.
            fields_ = records._fields
            guarded = sorted(
                name
                for name in records._get_guarded_fields()
                if fields_[name].type != "one2many"
            )
            normal = records.create({**values, "code": "FIX-0"} if "code" in records else values)
            first = {name: normal[name] for name in guarded}
            for number, name in enumerate(guarded, 1):
                code = {"code": f"FIX-{number}"} if "code" in records else {}
                other = self.get_other_value(normal, name)
                with self.subTest(model=model, name=name), self.assertRaises(AccessError):
                    records.create({**values, **code, name: other})
                with self.subTest(model=model, default=name):
                    self.env["ir.default"].set(model, name, other)
                    sneaking = records.with_context(**{f"default_{name}": other})
                    sneaked = sneaking.create({**values, **code})
                    self.assertEqual({n: sneaked[n] for n in guarded}, first)
                    with self.assertRaises(AccessError):
                        sneaking.create({**values, **code, name: other})

    def test_copied_fields_are_not_chosen(self):
        """A document is where its parent is, whatever its creation says (R7)."""
        sneaked = (
            self.env["grant.subsidy"]
            .with_user(self.administrator)
            .with_context(default_contract_id=False, default_currency_id=False)
            .create(
                {
                    "name": "S",
                    "envelope_id": self.envelope.id,
                    "partner_id": self.operator.id,
                    "amount": 1,
                    "contract_id": False,
                    "company_id": False,
                }
            )
        )
        self.assertEqual(sneaked.contract_id, self.contract)
        self.assertEqual(sneaked.company_id, self.company)
        self.assertTrue(sneaked.currency_id)

    def test_amounts_in_another_currency(self):
        other = self.env["res.currency"].create({"name": "XAB", "symbol": "x"})
        values = {"name": "S", "envelope_id": self.envelope.id, "amount": 1}
        for model, amounts in (("grant.subsidy", {"partner_id": self.operator.id}),
                               ("grant.funding", {})):  # fmt: skip
            documents = self.env[model].with_user(self.administrator)
            amounts = {**values, **amounts}
            documents.create({**amounts, "currency_id": self.company.currency_id.id})
            with self.subTest(model=model), self.assertRaisesRegex(AccessError, "Currency"):
                documents.create({**amounts, "currency_id": other.id})
            names = [f"{name}/.id" if name.endswith("_id") else name for name in amounts]
            result = documents.load(
                [*names, "currency_id/.id"], [[*map(str, amounts.values()), str(other.id)]]
            )
            self.assertFalse(result["ids"])
            self.assertIn("Currency", result["messages"][0]["message"])

    def test_copies_carry_no_money(self):
        subsidy = self.subsidy.copy()
        self.assertEqual(subsidy.state, "draft")
        self.assertFalse(subsidy.entry_ids)
        # The schedule comes along, as a plan.
        self.assertEqual(len(subsidy.disbursement_ids), len(self.subsidy.disbursement_ids))
        self.assertLessEqual(set(subsidy.disbursement_ids.mapped("state")), {"planned", "ready"})
        for name in (
            *subsidy._get_counters(),
            # What another act of the council or of the operator settled.
            *("decision_number", "decision_date", "executory_date", "convention_reference"),
            *("signature_date", "cer_date", "request_date"),
        ):
            self.assertFalse(subsidy[name], name)
        tranche = self.tranche.with_user(self.finance_manager).copy()
        self.assertIn(tranche.state, ("planned", "ready"))
        # Whoever certified, ordered and paid: of the original.
        for name in tranche._get_guarded_fields() - {"state"}:
            self.assertFalse(tranche[name], name)
        contract = self.contract.copy()
        self.assertEqual(contract.state, "draft")
        for name in (
            "force_date", "signature_date", "decision_number", "decision_date", "date_start",
            "date_end",
        ):  # fmt: skip
            self.assertFalse(contract[name], name)
        self.assertEqual(set(contract.envelope_ids.mapped("chain_head")), {chain.GENESIS})
        self.assertFalse(any(contract.envelope_ids.mapped("allocated_amount")))
        for document in (self.subsidy, self.tranche):
            with self.assertRaises(AccessError):
                document.copy({"state": document.state})


class TestDatabaseGuards(LedgerCase):
    """R1, R3: the database refuses too, whoever writes."""

    def setUp(self):
        super().setUp()
        # On the class itself it would hide the tests from both runners.
        muted = mute_logger("odoo.sql_db")
        muted.__enter__()
        self.addCleanup(muted.__exit__)

    def assertSqlRefused(self, query, *params, error=psycopg2.errors.CheckViolation):
        with self.subTest(query=query), self.assertRaises(error):
            self.env.cr.execute(query, params or None)

    def test_lines(self):
        for table in ("grant_entry", "grant_decision", "grant_deliverable_version"):
            self.env.cr.execute(f"SELECT count(*) FROM {table}")
            self.assertTrue(self.env.cr.fetchone()[0], table)
            self.assertSqlRefused(f"UPDATE {table} SET user_id = user_id")
            self.assertSqlRefused(f"DELETE FROM {table}")
            self.assertSqlRefused(f"TRUNCATE {table} CASCADE")
        for parent in ("grant_envelope", "grant_subsidy", "grant_contract", "res_users"):
            self.assertSqlRefused(f"TRUNCATE {parent} CASCADE")
        self.assertSqlRefused(
            "INSERT INTO grant_entry (id, envelope_id, date, kind, amount, origin_model, "
            "origin_id, user_id) VALUES (%s, %s, '2021-12-01', 'receipt', 1, 'x', 1, 1) "
            "ON CONFLICT (id) DO UPDATE SET amount = 1",
            self.entries[0].id,
            self.envelope.id,
        )
        self.assertSqlRefused(
            "MERGE INTO grant_entry USING (VALUES (1)) AS other (x) ON true "
            "WHEN MATCHED THEN DELETE"
        )

    def test_counters(self):
        tables = (("grant_envelope", self.envelope), ("grant_subsidy", self.subsidy))
        for table, document in tables:
            for name in document._get_counters():
                value = "'x'" if name == "chain_head" else f"{name} - 1"
                query = f"UPDATE {table} SET {name} = {value}"
                self.assertSqlRefused(query)
                self.assertSqlRefused(
                    f"WITH changed AS ({query} RETURNING 1) SELECT count(*) FROM changed"
                )
            columns = ", ".join(
                column
                for column, field in document._fields.items()
                if field.store and field.column_type and column not in ("id", "code")
            )
            # A row born with counters would have a ceiling without an allocation.
            self.assertSqlRefused(
                f"INSERT INTO {table} (code, {columns}) SELECT 'born', {columns} FROM {table} "
                "WHERE id = %s",
                document.id,
            )
        # Not ForeignKeyViolation: PostgreSQL 18 has a code of its own for RESTRICT.
        self.assertSqlRefused("DELETE FROM grant_envelope", error=psycopg2.IntegrityError)

    def test_inserts_obey(self):
        """An entry written in SQL is numbered, chained, placed and counted like others."""

        def insert(kind, amount, subsidy=None, envelope=self.envelope):
            self.env.cr.execute(
                """INSERT INTO grant_entry (envelope_id, subsidy_id, date, kind, amount, number,
                       contract_id, company_id, currency_id, partner_id, origin_model, origin_id,
                       user_id, previous_hash, hash, posted_at)
                   VALUES (%s, %s, '2021-12-01', %s, %s, 99, 0, 0, 0, 0, 'x', 1, %s, 'x', 'x',
                           '1999-01-01')
                   RETURNING number, contract_id, previous_hash, partner_id""",
                [envelope.id, subsidy and subsidy.id, kind, amount, self.env.uid],
            )
            return self.env.cr.fetchone()

        last = self.entries[-1]
        self.assertEqual(
            insert("recovery", "0.01", self.subsidy),
            (last.number + 1, self.contract.id, last.hash, self.operator.id),
        )
        self.env.invalidate_all()
        self.assertEqual(self.subsidy.recovered_amount, 0.01)
        self.assertFalse(self.verify())
        other = self.make_subsidy(envelope_id=self.direct_envelope.id)
        refused = (
            ("commitment", "140000.00", self.subsidy, self.envelope),
            ("allocation", "-140000.00", None, self.envelope),
            ("payment", "9000.02", self.subsidy, self.envelope),
            ("commitment", "-9000.02", self.subsidy, self.envelope),
            ("commitment", "1", other, self.envelope),
            ("payment", "1", other, self.direct_envelope),
            ("payment", "1", None, self.envelope),
            ("receipt", "0", None, self.envelope),
            ("receipt", "0.001", None, self.envelope),
            ("receipt", "NaN", None, self.envelope),
            ("allocation", "NaN", None, self.envelope),
            ("allocation", "1000000000000", None, self.envelope),
            ("receipt", "-1", None, self.envelope),
            ("justification", "-1", self.subsidy, self.envelope),
        )
        for line in refused:
            with self.subTest(line=line), self.assertRaises(psycopg2.errors.CheckViolation):
                insert(*line)
        for line in (
            ("allocation", "Infinity", None, self.envelope),
            ("receipt", "1e15", None, self.envelope),
        ):
            with self.subTest(line=line), self.assertRaises(psycopg2.DataError):
                insert(*line)
        draft = self.contract.copy().envelope_ids[0]
        self.env.flush_all()
        with self.assertRaises(psycopg2.errors.CheckViolation):
            insert("allocation", "1", None, draft)
        for line in (("gift", "1"), ("allocation", "1", self.subsidy)):
            with self.subTest(line=line), self.assertRaises(psycopg2.errors.CheckViolation):
                insert(*line)
        self.assertFalse(self.verify())

    def test_two_people(self):
        self.assertSqlRefused(
            "UPDATE grant_disbursement SET ordered_by_id = certified_by_id WHERE id = %s",
            self.tranche.id,
        )


class TestChain(LedgerCase):
    """R3: what is altered behind Odoo's back shows, and the verifier names the entry."""

    def tamper(self, query, *params, table="grant_entry"):
        """Change a table as somebody with the database's keys would: without its triggers."""
        self.env.flush_all()
        self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        self.env.cr.execute(query, params or None)
        self.env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.invalidate_all()

    def assertFound(self, text):
        found = self.verify()
        self.assertEqual(len(found), 1, found)
        self.assertIn(text, found[0])
        self.assertIn(self.envelope.display_name, found[0])

    def test_untouched(self):
        self.assertEqual(self.entries.mapped("number"), [1, 2, 3, 4, 5])
        self.assertFalse(self.verify())

    def test_altered_values(self):
        number = 2
        entry = self.entries[number - 1]
        changes = (
            ("amount", "3999.99"),
            ("amount", "-4000"),
            ("date", "2021-11-26"),
            ("memo", "x"),
            ("memo", None),
            ("kind", "payment"),
            ("partner_id", self.other_operator.id),
            ("user_id", self.reader.id),
            ("origin_id", entry.origin_id + 1),
            ("origin_model", "grant.contract"),
            ("action_id", None),
            ("posted_at", "2021-11-26 10:00:00"),
        )
        for name, value in changes:
            with self.subTest(name=name, value=value), self.env.cr.savepoint() as savepoint:
                self.tamper(f"UPDATE grant_entry SET {name} = %s WHERE id = %s", value, entry.id)
                self.assertIn(f"entry {number} was altered", self.verify()[0])
                savepoint.rollback()

    def test_altered_amount_also_differs_from_the_counters(self):
        self.tamper("UPDATE grant_entry SET amount = 900 WHERE id = %s", self.entries[3].id)
        found = self.verify()
        self.assertIn("entry 4 was altered", found[0])
        self.assertTrue(any("counter" in sentence for sentence in found[1:]), found)

    def test_altered_with_a_hash_that_fits(self):
        """Whoever knows the recipe can make one entry consistent: the next one tells."""
        for number, text in (
            (2, "entry 3 does not follow the hash of the entry before it"),
            (5, "the chain ends at entry 5, which is not the head of the envelope"),
        ):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                entry = self.entries[number - 1]
                self.tamper("UPDATE grant_entry SET memo = 'x' WHERE id = %s", entry.id)
                self.tamper(
                    "UPDATE grant_entry entry SET hash = encode(sha256(convert_to("
                    "grant_entry_text(previous_hash, entry), 'UTF8')), 'hex') WHERE id = %s",
                    entry.id,
                )
                self.assertFound(text)
                savepoint.rollback()

    def test_order(self):
        second, third = self.entries[1:3]
        self.tamper("UPDATE grant_entry SET number = 0 WHERE id = %s", second.id)
        self.tamper("UPDATE grant_entry SET number = 2 WHERE id = %s", third.id)
        self.tamper("UPDATE grant_entry SET number = 3 WHERE id = %s", second.id)
        self.assertFound("entry 2 does not follow")

    def test_deletions(self):
        for number, text in (
            (1, "entry 1 is missing (found number 2)"),
            (3, "entry 3 is missing (found number 4)"),
            (5, "the chain ends at entry 4"),
        ):
            with self.subTest(number=number), self.env.cr.savepoint() as savepoint:
                self.tamper("DELETE FROM grant_entry WHERE id = %s", self.entries[number - 1].id)
                found = self.verify()
                self.assertIn(text, found[0])
                self.assertTrue(any("counter" in sentence for sentence in found[1:]), found)
                savepoint.rollback()
        self.tamper("DELETE FROM grant_entry WHERE envelope_id = %s", self.envelope.id)
        self.assertIn("the chain ends at entry 0", self.verify()[0])

    def test_inserted_behind(self):
        self.tamper(
            """INSERT INTO grant_entry SELECT * FROM jsonb_populate_record(NULL::grant_entry,
                   (SELECT to_jsonb(entry) FROM grant_entry entry WHERE id = %s)
                   || jsonb_build_object('id', -1, 'number', 6))""",
            self.entries[-1].id,
        )
        self.assertIn("entry 6 does not follow", self.verify()[0])

    def test_moved_elsewhere(self):
        """What the hash does not cover: contract, company, currency, the subsidy's envelope."""
        other = self.contract.copy()
        currency = self.env["res.currency"].create({"name": "XTS", "symbol": "¤"})
        company = self.env["res.company"].create({"name": "Autre ville"})
        for name, value in (
            ("contract_id", other.id),
            ("currency_id", currency.id),
            ("company_id", company.id),
        ):
            with self.subTest(name=name), self.env.cr.savepoint() as savepoint:
                self.tamper(
                    f"UPDATE grant_entry SET {name} = %s WHERE id = %s", value, self.entries[3].id
                )
                self.assertFound("entry 4 does not belong")
                savepoint.rollback()
        self.env.cr.execute(
            "UPDATE grant_subsidy SET envelope_id = %s WHERE id = %s",
            [self.direct_envelope.id, self.subsidy.id],
        )
        self.env.invalidate_all()
        self.assertFound("entry 2 does not belong")

    def test_counters(self):
        for table, document, name in (
            ("grant_envelope", self.envelope, "paid_amount"),
            ("grant_subsidy", self.subsidy, "committed_amount"),
        ):
            with self.subTest(table=table), self.env.cr.savepoint() as savepoint:
                self.tamper(
                    f"UPDATE {table} SET {name} = {name} + 0.01 WHERE id = %s",
                    document.id,
                    table=table,
                )
                (found,) = self.verify()
                self.assertIn(document.display_name, found)
                self.assertIn(document._fields[name].string, found)
                savepoint.rollback()

    def test_verified_without_odoo(self):
        """Rows in a CSV file, an interpreter that has never seen Odoo, and lib/chain.py."""
        rows = list(self.env["grant.entry"]._get_chain_rows(self.envelope))
        exported = io.StringIO()
        writer = csv.DictWriter(exported, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
        script = (
            "import csv, importlib.util, io, sys\n"
            "spec = importlib.util.spec_from_file_location('chain', sys.argv[1])\n"
            "chain = importlib.util.module_from_spec(spec)\n"
            "spec.loader.exec_module(chain)\n"
            "text = io.TextIOWrapper(sys.stdin.buffer, encoding='utf-8', newline='')\n"
            "print(chain.first_break(csv.DictReader(text), sys.argv[2]))\n"
            "assert not any(name.startswith('odoo') for name in sys.modules)\n"
        )

        def verify(text):
            done = subprocess.run(
                [sys.executable, "-I", "-S", "-c", script, chain.__file__, rows[-1]["hash"]],
                input=text.encode(),
                capture_output=True,
                check=True,
            )
            return done.stdout.decode().strip()

        self.assertEqual(verify(exported.getvalue()), "None")
        forged = exported.getvalue().replace("1000.00", "1000.01")
        self.assertEqual(verify(forged), "entry 4 was altered: its hash does not match its content")

    def test_doctests(self):
        attempted = 0
        for module in pkgutil.walk_packages(lib.__path__, f"{lib.__name__}."):
            results = doctest.testmod(importlib.import_module(module.name))
            self.assertFalse(results.failed, module.name)
            attempted += results.attempted
        self.assertTrue(attempted)


@tagged("post_install", "-at_install")
class TestLedgerOverHttp(HttpCase, LedgerCase):
    """The same refusals through the web client's own address, logged in as each role."""

    def call(self, model, method, *args, **context):
        return self.make_jsonrpc_request(
            f"/web/dataset/call_kw/{model}/{method}",
            {"model": model, "method": method, "args": args, "kwargs": {"context": context}},
        )

    @mute_logger("odoo.http", "odoo.sql_db")
    def test_by_rpc(self):
        entry, tranche, subsidy = self.entries[0], self.tranche, self.subsidy
        before = self.snapshot()
        attempts = (
            ("grant.entry", "write", entry.ids, {"amount": 1}),
            ("grant.entry", "unlink", entry.ids),
            ("grant.entry", "create", [{"amount": 1, "kind": "allocation"}]),
            ("grant.entry", "_post", [], []),
            ("grant.subsidy", "write", subsidy.ids, {"state": "closed"}),
            ("grant.subsidy", "write", subsidy.ids, {"committed_amount": 1}),
            ("grant.subsidy", "write", subsidy.ids, {"amount": 1}),
            ("grant.subsidy", "_do_close", subsidy.ids, "x"),
            ("grant.subsidy", "action_sign", subsidy.ids),
            ("grant.disbursement", "write", tranche.ids, {"state": "planned"}),
            ("grant.disbursement", "write", tranche.ids, {"amount": 1}),
            ("grant.disbursement", "write", tranche.ids, {"certified_by_id": False}),
            ("grant.disbursement", "_do_unpay", tranche.ids, "x"),
            ("grant.disbursement", "unlink", tranche.ids),
            ("grant.envelope", "write", self.envelope.ids, {"amount": 1000000}),
            ("grant.envelope", "unlink", self.envelope.ids),
            ("grant.contract", "unlink", self.contract.ids),
            ("grant.contract", "write", self.contract.ids, {"active": False}),
            ("grant.contract", "action_put_in_force", self.contract.ids),
        )
        for user in self.staff | self.portal_users:
            user.password = user.login
            self.authenticate(user.login, user.login)
            for model, method, *args in attempts:
                with self.subTest(user=user.login, model=model, method=method):
                    with self.assertRaises(Exception) as caught:
                        self.call(model, method, *args, grant_transition=True, force=True)
                    self.assertRegex(str(caught.exception), r"\.(Access|User|Validation)Error$")
        self.env.invalidate_all()
        self.assertEqual(self.snapshot(), before)
        self.assertFalse(self.verify())

    @mute_logger("odoo.http", "odoo.sql_db")
    def test_constraints_in_their_own_words(self):
        """Refused in the database when the request ends: our sentence, nothing before it; what is
        of others is said as Odoo says it."""
        draft = self.make_subsidy()
        self.coordinator.password = self.coordinator.login
        self.authenticate(self.coordinator.login, self.coordinator.login)
        path = "/web/dataset/call_kw/grant.subsidy/write"
        for values, sentence in (
            ({"amount": -1}, "The amount of a subsidy cannot be negative."),
            (
                {"commitment_number": "123"},
                "The number of a State commitment (EJ) has ten digits, zeros at its head included.",
            ),
            ({"name": False}, "The operation cannot be completed: Missing required value"),
        ):
            with self.subTest(values=values):
                params = {"model": "grant.subsidy", "method": "write", "kwargs": {}}
                params["args"] = [draft.ids, values]
                told = self.url_open(path, json={"params": params}).json()["error"]["data"]
                self.assertEqual(told["name"], "odoo.exceptions.ValidationError")
                self.assertEqual(told["message"][: len(sentence)], sentence)
        self.env.invalidate_all()
        self.assertTrue(draft.amount > 0 and draft.name and not draft.commitment_number)
