# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""R6 under random sequences: whatever is done to orders and payments, the ledger equals accounting.

What accounting says is summed up here again, partial reconciliation by partial reconciliation,
apart from the add-on's own query.

The sequences are the same each time; CTAI_HYPOTHESIS=N plays N random ones instead.
"""

import datetime
import os
from collections import Counter
from random import Random

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from odoo.exceptions import UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.common import GrantsCommon

LENGTH = 18
RANDOM = int(os.environ.get("CTAI_HYPOTHESIS", 0))
DAYS = [datetime.date(2021, 11, 20) + datetime.timedelta(days=n) for n in range(0, 60, 7)]
STEPS = [
    "order", "order_together", "pay", "pay_part", "pay_together", "pay_elsewhere", "unpay",
    "unmatch", "match", "reset_payment", "post_payment", "cancel_payment", "reset_bill",
    "post_bill", "cancel_bill", "delete_bill", "reverse_bill", "reverse_payment",
    "unmatch_reversal", "refund",
]  # fmt: skip
# Without orders and payments there is little to undo.
OFTEN = ["order", "pay", "pay_part", "pay_together", "reset_payment", "unmatch"]


@tagged("standard", "post_install", "-at_install")
class TestAccountingMachine(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Whoever may do anything in accounting, and order: each step is tried, whatever it is.
        cls.officer = new_test_user(
            cls.env,
            "test_everything",
            "account.group_account_manager,ctai_grants.group_finance_manager",
        )
        cls.subsidies = [
            cls.sign(cls.make_subsidy(amount=1000)),
            cls.sign(cls.make_subsidy(amount=700, partner_id=cls.other_operator.id)),
        ]
        cls.tranches = cls.env["grant.disbursement"]
        for subsidy, amounts in zip(cls.subsidies, ((400, 400, 400), (700, 0.01)), strict=True):
            # The last one goes beyond the first subsidy.
            for amount in amounts:
                cls.tranches |= cls.make_tranche_beyond(subsidy, amount=amount)
        cls.certify(cls.tranches)
        cls.tranches = cls.tranches.with_user(cls.officer)

    def test_random_sequences(self):
        options = {
            "max_examples": RANDOM or 20,
            "derandomize": not RANDOM,
            "database": None,
            "deadline": None,
            "suppress_health_check": list(HealthCheck),
            # There is nothing to shrink in a seed.
            "phases": (Phase.generate,),
        }
        done = Counter()

        @settings(**options)
        @given(st.integers(0, 2**32 - 1))
        def play(seed):
            # Hypothesis alone likes to repeat itself.
            chance = Random(seed)
            names = ["order", "order", *chance.choices([*STEPS, *OFTEN, *OFTEN], k=LENGTH)]
            with self.env.cr.savepoint() as savepoint:
                for name in names:
                    passed = self.play(name, chance.randrange(100), chance.choice(DAYS))
                    done[name, passed] += 1
                    if passed:
                        self.check()
                savepoint.rollback()
            self.env.invalidate_all()

        play()
        never = [name for name in STEPS if not done[name, True]]
        self.assertFalse(never, f"steps that never passed: {never}")

    def play(self, name, pick, day):
        """Play one step; whether it passed."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                passed = getattr(self, name)(pick, day) is not False
                self.env.flush_all()
        except UserError as error:
            note(f"{name} {pick} {day}: {error}")
            return False
        note(f"{name} {pick} {day}: {'passed' if passed else 'nothing to do'}")
        return passed

    def check(self):
        self.env.invalidate_all()
        expected = Counter()
        for tranche in self.tranches.sudo():
            for move in tranche.move_ids.filtered(lambda m: m.state == "posted"):
                for day, amount in self.paid_by_date(move):
                    expected[tranche.id, day] += amount
        posted = Counter()
        for entry in self.env["grant.entry"].search([("kind", "=", "payment")]):
            posted[entry.origin_id, entry.date] += round(100 * entry.amount)
        self.assertEqual(
            {key: cents for key, cents in posted.items() if cents},
            {key: cents for key, cents in expected.items() if cents},
        )
        for tranche in self.tranches.sudo():
            paid = sum(cents for (ident, _day), cents in posted.items() if ident == tranche.id)
            is_paid = tranche.state == "paid"
            self.assertEqual(is_paid, bool(tranche.paid_date))
            self.assertTrue(not is_paid or tranche.residual_amount == 0)
            if tranche.state in ("ready", "certified"):
                self.assertEqual(paid, 0)
            self.assertLessEqual(paid, round(100 * tranche.amount))
        self.assertFalse(self.verify())

    @staticmethod
    def paid_by_date(move):
        for line in move.line_ids:
            if line.account_id.account_type != "liability_payable":
                continue
            pairs = [(p.debit_move_id.move_id, p.amount) for p in line.matched_debit_ids]
            pairs += [(p.credit_move_id.move_id, p.amount) for p in line.matched_credit_ids]
            for other, amount in pairs:
                if other.state == "posted" and other.reversed_entry_id != move:
                    yield other.date, round(100 * amount)

    # --- the steps --------------------------------------------------------------------------

    def choose(self, records, pick):
        return records[pick % len(records)] if records else records

    def tranche(self, pick, *states):
        return self.choose(self.tranches.filtered(lambda t: t.state in states), pick)

    def moves(self, condition):
        tranches = self.tranches.sudo().move_ids
        return tranches.filtered(condition).with_user(self.officer)

    def bill(self, pick, state):
        return self.choose(self.moves(lambda m: m.state == state), pick)

    def payment(self, pick, state, is_open=False):
        payments = (
            self.env["account.payment"]
            .with_user(self.officer)
            .search([("partner_id", "in", (self.operator | self.other_operator).ids)], order="id")
            .filtered(lambda payment: payment.move_id.state == state)
        )
        if is_open:
            payments = payments.filtered(lambda payment: self.open_lines(payment.move_id))
        return self.choose(payments, pick)

    @staticmethod
    def open_lines(move):
        return move._get_payment_lines().filtered(lambda line: not line.reconciled)

    def number(self):
        return str(1 + self.env["grant.order.batch"].search_count([]) * 10)

    def order(self, pick, day):
        tranche = self.tranche(pick, "certified")
        return tranche and tranche._do_order(self.number(), day)

    def order_together(self, pick, day):
        tranches = self.tranches.filtered(lambda t: t.state == "certified")[: 1 + pick % 3]
        return bool(tranches) and tranches._do_order(self.number(), day)

    def pay(self, pick, day):
        tranche = self.tranche(pick, "ordered")
        return bool(tranche) and tranche._do_pay(day, "VIR")

    def pay_part(self, pick, day):
        tranche = self.tranche(pick, "ordered")
        return bool(tranche) and tranche._register_payment(day, 1 + pick, "VIR")

    def register(self, bills, day, **values):
        wizard = self.env["account.payment.register"].with_user(self.officer)
        values |= {"payment_date": day, "journal_id": self.company.grant_payment_journal_id.id}
        context = {"active_model": "account.move", "active_ids": bills.ids}
        return wizard.with_context(**context).create(values)._create_payments()

    def pay_together(self, _pick, day):
        bills = self.moves(lambda m: m.state == "posted" and m.amount_residual)
        return bool(bills) and bool(self.register(bills, day, group_payment=True))

    def pay_elsewhere(self, pick, day):
        """Together with a bill that is no grant's."""
        bill = self.choose(self.moves(lambda m: m.state == "posted" and m.amount_residual), pick)
        if not bill:
            return False
        other = bill.copy({"invoice_date": day})
        other._post()
        return bool(self.register(bill | other, day, group_payment=True))

    def unpay(self, pick, _day):
        tranche = self.tranche(pick, "paid")
        return bool(tranche) and tranche._do_unpay("Erreur")

    def unmatch(self, pick, _day):
        bill = self.bill(pick, "posted")
        return bool(bill) and bill.line_ids.remove_move_reconcile()

    def match(self, pick, _day):
        """A payment that is left over with a bill of the same operator."""
        payment = self.payment(pick, "posted", is_open=True)
        lines = self.open_lines(payment.move_id)
        bills = self.moves(
            lambda m: (
                m.state == "posted" and m.partner_id == payment.partner_id and m.amount_residual
            )
        )
        if not lines or not bills:
            return False
        (lines | self.open_lines(self.choose(bills, pick))).reconcile()
        return True

    def reset_payment(self, pick, _day):
        payment = self.payment(pick, "posted")
        return bool(payment) and payment.action_draft()

    def post_payment(self, pick, _day):
        payment = self.payment(pick, "draft")
        return bool(payment) and payment.move_id._post()

    def cancel_payment(self, pick, _day):
        payment = self.payment(pick, "draft")
        return bool(payment) and payment.action_cancel()

    def reset_bill(self, pick, _day):
        bill = self.bill(pick, "posted")
        return bool(bill) and bill.button_draft()

    def post_bill(self, pick, _day):
        bill = self.bill(pick, "draft")
        return bool(bill) and bool(bill._post())

    def cancel_bill(self, pick, _day):
        bill = self.bill(pick, "posted")
        return bool(bill) and bill.button_cancel()

    def delete_bill(self, pick, _day):
        bill = self.bill(pick, "draft")
        return bool(bill) and bill.with_context(force_delete=True).unlink()

    def reverse_bill(self, pick, day):
        bill = self.bill(pick, "posted")
        return bool(bill) and bool(
            bill._reverse_moves([{"date": day, "invoice_date": day}], cancel=bool(pick % 3))
        )

    def reverse_payment(self, pick, day):
        payment = self.payment(pick, "posted")
        return bool(payment) and bool(payment.move_id._reverse_moves([{"date": day}], cancel=True))

    def unmatch_reversal(self, pick, _day):
        reversals = self.moves(lambda m: m.state == "posted").reversal_move_ids
        reversal = self.choose(reversals.filtered(lambda m: m.state == "posted"), pick)
        return bool(reversal) and reversal.line_ids.remove_move_reconcile()

    def refund(self, pick, day):
        """A credit note of something else, settled against an order."""
        bill = self.choose(self.moves(lambda m: m.state == "posted" and m.amount_residual), pick)
        if not bill:
            return False
        refund = bill.copy({"move_type": "in_refund", "invoice_date": day, "date": day})
        refund.invoice_line_ids.price_unit = 50
        refund._post()
        (refund._get_payment_lines() | bill._get_payment_lines()).reconcile()
        return True
