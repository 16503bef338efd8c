import datetime
import json
from itertools import accumulate
from random import Random
from unittest.mock import patch

import psycopg2

from odoo.exceptions import UserError
from odoo.service.model import call_kw
from odoo.tests import Form
from odoo.tools import SQL, mute_logger
from odoo.tools.misc import formatLang

from ..common import GrantsCommon


class TestCeilings(GrantsCommon):
    """R1 to the cent, R2: drafts only warn."""

    def money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.company.currency_id)

    def test_envelope_to_the_cent(self):
        self.sign(self.make_subsidy(amount=149999.98))
        over = self.make_subsidy(amount=0.03, partner_id=self.other_operator.id)
        with self.assertRefused(self.envelope.name, self.money(0.02), self.money(0.03)):
            self.sign(over)
        self.assertEqual(over.state, "draft")
        self.assertFalse(over.entry_ids)
        self.assertFalse(over.decision_ids)
        over.amount = 0.02
        self.sign(over)
        self.assertEqual(self.envelope.available_amount, 0)
        with self.assertRefused(self.envelope.name, self.money(0), self.money(0.01)):
            self.sign(self.make_subsidy(amount=0.01))
        self.assertFalse(self.verify())

    def test_cents_that_floats_do_not_have(self):
        """0.1 + 0.2 is not 0.3 in binary: three tenths still fit where three tenths are left."""
        self.sign(self.make_subsidy(amount=149999.7))
        for _tenth in range(3):
            self.sign(self.make_subsidy(amount=0.1))
        self.assertEqual(self.envelope.available_amount, 0)
        self.assertEqual(self.envelope.committed_amount, 150000)

    def test_the_other_envelope_does_not_help(self):
        subsidy = self.make_subsidy(amount=50000.01, envelope_id=self.direct_envelope.id)
        with self.assertRefused(self.direct_envelope.name, self.money(50000), self.money(50000.01)):
            self.sign(subsidy)

    def test_the_refusal_needs_no_query(self):
        """It is worded when the transaction has failed: nothing can be read any more."""
        subsidy = self.make_subsidy(amount=150000.01)
        subsidy.action_grant()
        self.env.flush_all()
        self.env.invalidate_all()
        self.env.registry.clear_all_caches()
        with self.assertRefused(self.envelope.name):
            subsidy.action_sign()

    def test_several_at_once(self):
        """All or nothing: the second one does not fit, the first one is not signed either."""
        subsidies = self.make_subsidy(amount=100000) | self.make_subsidy(amount=50000.01)
        subsidies.action_grant()
        with self.assertRaises(UserError):
            subsidies.action_sign()
        self.assertEqual(set(subsidies.mapped("state")), {"granted"})
        self.assertEqual(self.envelope.committed_amount, 0)

    def test_nothing_is_done_twice(self):
        """A document named twice in one call: its money would be posted twice."""
        contract = self.contract.copy()
        contract.signature_date = "2021-10-21"
        subsidy = self.make_subsidy()
        subsidy.action_grant()
        signed = self.sign(self.make_subsidy())
        tranche = self.make_tranche(signed)
        for user, document, method in (
            (self.finance_manager, contract, "action_put_in_force"),
            (self.coordinator, subsidy, "action_sign"),
            (self.coordinator, tranche, "action_certify"),
        ):
            with self.subTest(method=method), self.assertRefused("twice"):
                call_kw(document.with_user(user), method, [document.ids * 2], {})
        with self.assertRefused("twice"):
            self.ask(signed.browse(signed.ids * 2), "close", self.finance_manager)
        self.assertEqual((contract.state, subsidy.state), ("draft", "granted"))

    def test_nothing_before_the_allocation(self):
        """As at that date, more would be committed than allocated."""
        early = self.make_subsidy(signature_date="2021-10-20")
        with self.assertRefused(self.contract.code, "in force"):
            self.sign(early)
        funding = self.env["grant.funding"].create(
            {"name": "F", "envelope_id": self.envelope.id, "amount": 1}
        )
        with self.assertRefused(self.contract.code, "in force"):
            funding.with_user(self.finance_officer)._do_receive("2021-10-20", 1)
        early.signature_date = self.contract.signature_date
        self.sign(early)
        self.assertFalse(self.verify())

    def test_paying_frees_no_room(self):
        """A ceiling that forgets what is paid is a mistake others made."""
        subsidy = self.sign(self.make_subsidy(amount=150000))
        self.pay(self.make_tranche(subsidy, amount=150000))
        with self.assertRaises(UserError):
            self.sign(self.make_subsidy(amount=0.01))

    def test_cancelling_and_closing_free_what_is_not_paid(self):
        cancelled = self.sign(self.make_subsidy(amount=100000))
        closed = self.sign(self.make_subsidy(amount=50000))
        self.ask(cancelled, "cancel", self.coordinator)
        self.assertEqual(self.envelope.available_amount, 100000)
        self.pay(self.make_tranche(closed, amount=20000.01))
        self.ask(closed, "close", self.finance_manager)
        self.assertEqual(self.envelope.available_amount, 129999.99)
        self.assertEqual(closed.committed_amount, 20000.01)
        # What was given back today was committed until then.
        with self.assertRefused(self.envelope.name, "10/25/2021", self.money(129999.99)):
            self.sign(self.make_subsidy(amount=129999.99))
        self.sign(self.make_subsidy(amount=129999.99, signature_date=datetime.date.today()))
        with self.assertRaises(UserError):
            closed.with_user(self.finance_manager).action_reopen()
        self.assertEqual(closed.state, "closed")
        self.assertFalse(self.verify())

    def test_allocation_cannot_go_below_the_commitments(self):
        self.sign(self.make_subsidy())
        with self.assertRaises(UserError):
            self.contract.with_user(self.finance_manager).action_reset_to_draft()
        # Nor when a document forgets to ask.
        with self.unasked(), self.assertRefused(
            self.envelope.name, self.money(140000), self.money(150000)
        ):
            self.envelope._post_allocation(self.contract, "2021-12-01", -1)

    def test_subsidy_to_the_cent(self):
        """Tranches exceed the subsidy by one cent: the last one is neither ordered nor paid."""
        subsidy = self.sign(self.make_subsidy(amount=1000))
        first = self.make_tranche(subsidy, amount=999.99)
        last = self.make_tranche_beyond(subsidy, amount=0.02)
        self.pay(first)
        self.certify(last)
        with self.assertRefused(
            self.envelope.name, subsidy.code, self.money(0.01), self.money(0.02)
        ):
            last.with_user(self.finance_officer)._do_order("M-2", "2021-12-01")
        # Nor by a document that does not ask.
        with self.unasked(), self.assertRefused(
            self.envelope.name, subsidy.name, self.money(0.01)
        ):
            last._post_payment(0.02, "2021-12-01")
        self.ask(last, "return", self.coordinator)
        self.ask(last, "cancel", self.finance_manager)
        self.pay(self.make_tranche(subsidy, name="Reste", amount=0.01))
        self.assertEqual(subsidy.to_pay_amount, 0)
        self.assertFalse(self.verify())

    def test_orders_not_paid_yet_count(self):
        subsidy = self.sign(self.make_subsidy(amount=1000))
        self.order(self.make_tranche(subsidy, amount=600))
        second = self.make_tranche_beyond(subsidy, amount=400.01)
        self.certify(second)
        with self.assertRefused(self.money(400), self.money(400.01)):
            second.with_user(self.finance_officer)._do_order("M-2", "2021-12-01")

    def test_direct_payments_too(self):
        subsidy = self.sign(self.make_subsidy(amount=1000, envelope_id=self.direct_envelope.id))
        over = self.make_tranche_beyond(subsidy, amount=1000.01)
        self.certify(over)
        with self.assertRefused(self.direct_envelope.name, self.money(1000), self.money(1000.01)):
            over.with_user(self.finance_officer)._do_pay("2021-12-01", "P")
        self.assertEqual(over.state, "certified")

    def test_drafts_only_warn(self):
        """R2: preparing more than there is must be possible, and seen."""
        self.assertFalse(self.envelope.ceiling_warning)
        fits = self.make_subsidy(amount=150000)
        self.assertFalse(self.envelope.ceiling_warning)
        over = self.make_subsidy(amount=0.01)
        self.assertIn(self.money(0.01), self.envelope.ceiling_warning)
        self.assertEqual(over.ceiling_warning, self.envelope.ceiling_warning)
        (fits | over).action_grant()
        self.assertIn(self.money(0.01), self.envelope.ceiling_warning)
        fits.action_sign()
        self.assertIn(self.money(0.01), self.envelope.ceiling_warning)
        with self.assertRaises(UserError):
            over.action_sign()

    def test_a_draft_contract_warns_too(self):
        contract = self.contract.copy()
        self.make_subsidy(envelope_id=contract.envelope_ids[0].id, amount=150000.5)
        self.assertIn(self.money(0.5), contract.envelope_ids[0].ceiling_warning)

    def test_tranches_over_the_subsidy_only_warn(self):
        subsidy = self.make_subsidy(amount=1000)
        tranche = self.make_tranche(subsidy, amount=1000)
        self.assertFalse(subsidy.schedule_warning)
        tranche.amount = 1000.01
        self.assertIn(self.money(0.01), subsidy.schedule_warning)

    def test_amounts_that_are_none(self):
        """Not a number, infinite, beyond a trillion, in tenths of a cent, below zero."""
        draft = self.contract.copy()
        subsidy = self.make_subsidy()
        tranche = self.make_tranche(subsidy)
        funding = self.env["grant.funding"].create(
            {"name": "F", "envelope_id": self.envelope.id, "amount": 1}
        )
        for document in (draft.envelope_ids[0], subsidy, tranche, funding):
            for amount in (float("nan"), float("inf"), 1e12, 1e30, 100.005, 0.001, "nan", "x"):
                with (
                    self.subTest(document=document, amount=amount),
                    self.assertRefused(document._fields["amount"].string, str(amount)),
                ):
                    document.amount = amount
            document.amount = 999999999999.99
            self.assertEqual(document.amount, 999999999999.99)
        for amount in (float("nan"), float("-inf"), 1e15, 0.001, 0, -1):
            with self.subTest(receipt=amount), self.assertRaises(UserError):
                funding.with_user(self.finance_officer)._do_receive("2021-12-01", amount)
        self.assertEqual(funding.state, "expected")
        self.assertFalse(self.envelope.received_amount)

    def test_the_form_warns_before_saving(self):
        with Form(self.env["grant.subsidy"].with_user(self.coordinator)) as form:
            form.name = "Trop"
            form.envelope_id = self.envelope
            form.partner_id = self.operator
            form.amount = 150001
        self.assertIn(self.money(1), form.record.ceiling_warning)


class TestEveryDay(GrantsCommon):
    """Every ceiling at the end of every day: in the database, and another way in the verifier."""

    def verify(self, contract=None):
        """Of the ledger alone: what these tests insert comes from no document, and is named for
        that in test_strays.py."""
        about_documents = ("no such document", "the other documents", "by its decisions")
        return [
            sentence
            for sentence in super().verify(contract)
            if not any(text in sentence for text in about_documents)
        ]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy(amount=1000, signature_date="2021-11-01"))
        # Entries are put straight into the table here, and come from no document that posts them.
        entries = cls.registry["grant.entry"]
        cls.startClassPatcher(patch.object(entries, "_get_strays", lambda *_: []))

    def insert(self, *lines, subsidy=None):
        """Straight into the table: (kind, amount, date), all in one statement."""
        subsidy = subsidy or self.subsidy
        self.env.flush_all()
        values = [
            (subsidy.envelope_id.id, subsidy.id * (kind != "allocation") or None, day, kind, amount)
            for kind, amount, day in lines
        ]
        self.env.cr.execute(
            SQL(
                """INSERT INTO grant_entry (envelope_id, subsidy_id, date, kind, amount,
                                            origin_model, origin_id, user_id)
                   SELECT line.*, 'grant.subsidy', %s, %s
                     FROM (VALUES %s) line (envelope, subsidy, date, kind, amount)""",
                subsidy.id,
                self.env.uid,
                SQL(", ").join(
                    SQL("(%s::int, %s::int, %s::date, %s, %s::numeric)", *row) for row in values
                ),
            )
        )
        self.env.invalidate_all()

    def get_refusal(self, *lines):
        """What the database refuses these lines for: (rule, kind, date, left, asked)."""
        with (
            self.assertRaises(psycopg2.errors.CheckViolation) as caught,
            mute_logger("odoo.sql_db"),
            self.env.cr.savepoint(),
        ):
            self.insert(*lines)
        about = json.loads(caught.exception.diag.message_detail)
        rule = caught.exception.diag.constraint_name.removeprefix("grant_ledger_")
        text = self.env["base"]._sql_error_to_message(caught.exception)
        self.assertIn("Protection", text)
        self.assertNotIn("%", text)
        return (rule, about["kind"], about["date"], about["left"], about["asked"])

    def test_paid_back_before_it_was_paid(self):
        self.insert(("payment", 1000, "2021-12-01"))
        self.assertEqual(
            self.get_refusal(("recovery", 400, "2021-11-30")),
            ("paid_ceiling", "recovery", "2021-11-30", 0, 400),
        )
        self.insert(("recovery", 400, "2021-12-01"), ("recovery", 100, "2021-12-10"))
        self.assertEqual(
            self.get_refusal(("recovery", 500.01, "2021-12-20")),
            ("paid_ceiling", "recovery", None, 500, 500.01),
        )

    def test_a_payment_that_was_paid_back_is_not_cancelled(self):
        self.insert(("payment", 600, "2021-12-01"), ("payment", 400, "2021-12-05"))
        self.insert(("recovery", 700, "2021-12-10"))
        self.assertEqual(
            self.get_refusal(("payment", -400, "2021-12-05")),
            ("paid_ceiling", "payment", None, 300, 400),
        )
        # Together with the repayment that it made.
        self.insert(("payment", -400, "2021-12-05"), ("recovery", -100, "2021-12-10"))
        self.assertFalse(self.verify())

    def test_paid_again_before_it_was_paid_back(self):
        self.insert(("payment", 1000, "2021-12-01"), ("recovery", 400, "2021-12-10"))
        self.assertEqual(
            self.get_refusal(("payment", 400, "2021-12-09")),
            ("committed_ceiling", "payment", "2021-12-09", 0, 400),
        )
        self.insert(("payment", 400, "2021-12-10"))
        self.assertEqual(
            self.get_refusal(("recovery", -400, "2021-12-10")),
            ("committed_ceiling", "recovery", None, 0, 400),
        )
        self.assertFalse(self.verify())

    def test_committed_by_date(self):
        self.assertEqual(
            self.get_refusal(("payment", 1, "2021-10-31")),
            ("committed_ceiling", "payment", "2021-10-31", 0, 1),
        )
        self.insert(("payment", 900, "2021-12-01"), ("recovery", 500, "2021-12-10"))
        self.assertEqual(
            self.get_refusal(("commitment", -200, "2021-12-05")),
            ("committed_ceiling", "commitment", "2021-12-05", 100, 200),
        )
        self.insert(("commitment", -200, "2021-12-10"))
        self.assertFalse(self.verify())

    def test_allocated_by_date(self):
        self.insert(("commitment", 149000, "2021-11-05"))
        self.insert(("commitment", -149000, "2021-12-05"))
        self.assertEqual(
            self.get_refusal(("commitment", 0.01, "2021-12-04")),
            ("allocated_ceiling", "commitment", "2021-12-04", 0, 0.01),
        )
        self.assertEqual(
            self.get_refusal(("allocation", -0.01, "2021-10-21")),
            ("allocated_ceiling", "allocation", "2021-11-05", 0, 0.01),
        )
        self.insert(("commitment", 149000, "2021-12-05"))
        self.assertFalse(self.verify())

    def test_allocated_on_random_days(self):
        """What the database takes, in whatever order, is what leaves room on each day."""
        chance = Random(1)
        self.insert(("allocation", -148000, "2021-11-01"))
        days = [datetime.date(2021, 11, day) for day in range(1, 9)]
        moves = dict.fromkeys(days, 0) | {days[0]: 1000}
        taken = 0
        for _turn in range(150):
            kind = chance.choice(("allocation", *["commitment"] * 3))
            amount, day = chance.choice((-300, -100, 300, 600, 900)), chance.choice(days)
            after = {**moves, day: moves[day] + (amount if kind == "allocation" else -amount)}
            line = (kind, amount, day)
            # Of what makes a day worse, none may be left below zero; the subsidy has its own rule.
            committed = kind == "commitment"
            fits = min(accumulate(after.values())) >= 0 or after[day] > moves[day]
            if committed and amount < 0 and not self.covers(amount, day):
                continue
            with self.subTest(line=line):
                if fits:
                    self.insert(line)
                    moves, taken = after, taken + 1
                else:
                    self.assertEqual(self.get_refusal(line)[:2], ("allocated_ceiling", kind))
        self.assertTrue(20 < taken < 120, taken)
        self.assertFalse(self.verify())

    def covers(self, amount, day):
        """Whether this subsidy has that much committed on ``day`` and on each day after."""
        return self.subsidy._get_room_since(day) + amount >= 0

    def test_what_nets_together_is_posted_together(self):
        self.insert(("commitment", 149000, "2021-11-05"), ("payment", 150000, "2021-11-06"))
        for lines in (
            (("commitment", -500, "2021-11-07"), ("commitment", 500, "2021-11-07")),
            (("commitment", 500, "2021-11-07"), ("commitment", -500, "2021-11-07")),
        ):
            self.insert(*lines)
        self.assertEqual(
            self.get_refusal(
                ("commitment", -500, "2021-11-07"), ("commitment", 500, "2021-11-08")
            ),
            ("committed_ceiling", "commitment", "2021-11-07", 0, 500),
        )
        self.assertFalse(self.verify())

    def test_data_from_before(self):
        """What is wrong already is named, and can be mended in part; it is not made worse."""
        self.env.flush_all()
        self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER grant_entry_count")
        self.insert(("recovery", 300, "2021-11-20"), ("payment", 1000, "2021-12-01"))
        self.env.cr.execute("ALTER TABLE grant_entry ENABLE TRIGGER grant_entry_count")
        # Counted by hand, as the functions of before counted it.
        for table in ("grant_envelope", "grant_subsidy"):
            self.env.cr.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            self.env.cr.execute(
                f"UPDATE {table} SET paid_amount = 1000, recovered_amount = 300 WHERE id = %s",
                [(self.subsidy.envelope_id if "envelope" in table else self.subsidy).id],
            )
            self.env.cr.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
        self.env.cr.execute("ALTER TABLE grant_envelope DISABLE TRIGGER USER")
        self.env.cr.execute(
            "UPDATE grant_envelope SET entry_count = number, chain_head = hash"
            " FROM grant_entry last WHERE last.envelope_id = grant_envelope.id AND number ="
            " (SELECT max(number) FROM grant_entry WHERE envelope_id = grant_envelope.id)"
        )
        self.env.cr.execute("ALTER TABLE grant_envelope ENABLE TRIGGER USER")
        self.env.invalidate_all()
        (wrong,) = self.verify()
        self.assertIn(self.subsidy.code, wrong)
        self.assertIn("11/20/2021", wrong)
        self.insert(("payment", 100, "2021-11-20"), ("recovery", 10, "2021-12-01"))
        self.assertEqual(
            self.get_refusal(("recovery", 1, "2021-11-21")),
            ("paid_ceiling", "recovery", "2021-11-21", -200, 1),
        )
        self.insert(("recovery", -200, "2021-11-20"))
        self.assertFalse(self.verify())
