# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""R6 under random sequences: whatever is done to orders and payments, the ledger equals accounting.

What accounting says is summed up here again, apart from the add-on's own queries: match by match,
and event by event. Money counts at the date of its entry; what is undone, on the date of the entry
that reverses it, or on the first open day when its own is closed. Every date is compared.

The sequences are the same each time; CTAI_HYPOTHESIS=N plays N random ones instead.
"""

import datetime
import os
from collections import Counter
from random import Random

from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from odoo import Command
from odoo.exceptions import RedirectWarning, UserError
from odoo.tests import new_test_user, tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.common import GrantsCommon

LENGTH = 20
RANDOM = int(os.environ.get("CTAI_HYPOTHESIS", 0))
DAYS = [datetime.date(2021, 11, 20) + datetime.timedelta(days=n) for n in range(0, 60, 7)]
STEPS = [
    "order", "order_together", "pay", "pay_part", "pay_together", "pay_elsewhere", "unpay",
    "unmatch", "match", "reset_payment", "post_payment", "cancel_payment", "reset_bill",
    "post_bill", "cancel_bill", "delete_bill", "reverse_bill", "reverse_payment",
    "unmatch_reversal", "reduce", "set_off", "undo_set_off", "bank_line", "bank_line_with_fees",
    "bank_return", "pay_in_dollars", "pay_from_branch", "lock", "withdraw",
]  # fmt: skip
# What pays nothing: refused each time.
NEVER = ["refund", "write_off", "general_entry", "bank_line_of_another", "pay_in_closed_period"]
# Without orders and payments there is little to undo.
OFTEN = [
    "order", "pay", "pay_part", "pay_together", "reset_payment", "reset_payment", "post_payment",
    "cancel_payment", "reset_bill", "post_bill", "delete_bill", "reverse_bill", "unmatch",
    "unmatch", "match", "match", "unmatch_reversal", "pay_in_dollars",
]  # fmt: skip


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
        cls.loss = cls.env["account.account"].create(
            {"code": "658X", "name": "Divers", "account_type": "expense"}
        )
        cls.dollar = cls.env.ref("base.USD")
        if cls.dollar == cls.company.currency_id:
            cls.dollar = cls.env.ref("base.EUR")
        cls.dollar.active = True
        for day, rate in ((DAYS[0], 1.1), (DAYS[4], 1.25)):
            cls.env["res.currency.rate"].create(
                {"currency_id": cls.dollar.id, "name": day, "rate": rate}
            )
        cls.branch = cls.env["res.company"].create(
            {"name": "Régie", "parent_id": cls.company.id}
        )
        cls.officer.company_ids |= cls.branch
        cls.branch_journal = cls.env["account.journal"].create(
            {
                "name": "Banque de la régie",
                "code": "TREG",
                "type": "bank",
                "company_id": cls.branch.id,
                "default_account_id": cls.company.grant_payment_journal_id.default_account_id.id,
            }
        )
        lines = cls.branch_journal.outbound_payment_method_line_ids
        lines.payment_account_id = cls.branch_journal.default_account_id

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
            steps = [*STEPS, *NEVER, *OFTEN]
            # What never passed yet is tried more often: it takes others before it.
            weights = [1 if done[name, True] else 8 for name in steps]
            names = ["order", "order", *chance.choices(steps, weights, k=LENGTH)]
            # Rarely by chance alone: a payment that is left over finds a bill again, a set-off is
            # undone.
            rare = ["set_off", "undo_set_off"] if seed % 4 else []
            names[2:2] = ["pay", "unmatch", "match"] if seed % 2 else rare
            self.closed, self.matches, self.expected, self.moved = None, {}, Counter(), {}
            with self.env.cr.savepoint() as savepoint:
                for name in names:
                    passed = self.play(name, chance.randrange(100), chance.choice(DAYS))
                    done[name, passed] += 1
                    if passed:
                        self.follow()
                        self.check()
                savepoint.rollback()
            self.env.invalidate_all()

        play()
        never = [name for name in STEPS if not done[name, True]]
        self.assertFalse(never, f"steps that never passed: {never}")
        passed = [name for name in NEVER if done[name, True]]
        self.assertFalse(passed, f"what pays nothing, and was taken: {passed}")

    def play(self, name, pick, day):
        """Play one step; whether it passed."""
        try:
            with mute_logger("odoo.sql_db"), self.env.cr.savepoint():
                passed = getattr(self, name)(pick, day) is not False
                self.env.flush_all()
        except (UserError, RedirectWarning) as error:
            note(f"{name} {pick} {day}: {error}")
            return False
        note(f"{name} {pick} {day}: {'passed' if passed else 'nothing to do'}")
        return passed

    # --- what is to be in the ledger ---------------------------------------------------------

    def follow(self):
        """Book what the last step did to the matches: new ones, and those that are gone."""
        self.env.invalidate_all()
        matches = dict(self.find_matches())
        gone, new = Counter(), Counter()
        for key, match in self.matches.items():
            if key not in matches:
                gone[match] += 1
        for key, match in matches.items():
            if key not in self.matches:
                new[match] += 1
        # What a bill reset and posted again still has.
        for (tranche, payment, day, cents), times in (gone - new).items():
            self.book_undone(tranche, payment, day, times * cents)
        for (tranche, _payment, day, cents), times in (new - gone).items():
            self.book_paid(tranche, day, times * cents)
        self.matches = matches

    def book_undone(self, tranche, payment, day, cents):
        reversals = self.env["account.move"].search(
            [("reversed_entry_id", "=", payment), ("state", "=", "posted")]
        )
        later = max([day, *reversals.mapped("date")])
        if later == day and self.closed and day <= self.closed:
            later = self.closed + datetime.timedelta(days=1)
        self.expected[tranche, later] -= cents
        if later > day:
            taken, last = self.moved.get((tranche, day), (0, later))
            self.moved[tranche, day] = (taken + cents, max(last, later))

    def book_paid(self, tranche, day, cents):
        """Matched again, it comes back where it was taken away, or when that is open."""
        taken, last = self.moved.get((tranche, day), (0, day))
        back = min(taken, cents)
        if back:
            if self.closed and last <= self.closed:
                last = self.closed + datetime.timedelta(days=1)
            self.moved[tranche, day] = (taken - back, last)
            self.expected[tranche, last] += back
        self.expected[tranche, day] += cents - back

    def find_matches(self):
        """Each match that pays an order: its key, and (tranche, entry, date, cents)."""
        for tranche in self.tranches.sudo():
            for bill in tranche.move_ids.filtered(lambda move: move.state == "posted"):
                for line in bill.line_ids.filtered(
                    lambda line: line.account_id.account_type == "liability_payable"
                ):
                    for match in line.matched_debit_ids:
                        entry = match.debit_move_id.move_id
                        if entry.state == "posted" and self.is_payment(entry):
                            cents = round(100 * match.amount)
                            yield match.id, (tranche.id, entry.id, entry.date, cents)

    @staticmethod
    def is_payment(entry):
        bank = entry.line_ids.filtered(lambda line: line.account_id.account_type == "asset_cash")
        return bool(entry.grant_set_off_id) or sum(bank.mapped("balance")) < 0

    def check(self):
        posted = Counter()
        for entry in self.env["grant.entry"].search([("kind", "=", "payment")]):
            posted[entry.origin_id, entry.date] += round(100 * entry.amount)
        self.assertEqual(
            {key: cents for key, cents in posted.items() if cents},
            {key: cents for key, cents in self.expected.items() if cents},
        )
        for tranche in self.tranches.sudo():
            paid = sum(cents for (ident, _day), cents in posted.items() if ident == tranche.id)
            is_paid = tranche.state == "paid"
            self.assertEqual(is_paid, bool(tranche.paid_date))
            self.assertTrue(not is_paid or tranche.residual_amount == 0)
            if tranche.state in ("ready", "certified"):
                self.assertEqual(paid, 0)
            reduced = round(100 * tranche.reduced_amount)
            self.assertLessEqual(paid + reduced, round(100 * tranche.amount))
            if is_paid:
                self.assertEqual(paid + reduced, round(100 * tranche.amount))
        self.assertFalse(self.verify())

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

    def open_bill(self, pick):
        return self.choose(self.moves(lambda m: m.state == "posted" and m.amount_residual), pick)

    def match_with(self, bill, entry):
        lines = self.open_lines(entry) | self.open_lines(bill)
        lines.filtered(lambda line: line.move_id == bill or line.debit).reconcile()
        return True

    def refund(self, pick, day):
        """A credit note of something else, settled against an order."""
        bill = self.open_bill(pick)
        if not bill:
            return False
        refund = bill.copy({"move_type": "in_refund", "invoice_date": day, "date": day})
        refund.invoice_line_ids.price_unit = 50
        refund._post()
        return self.match_with(bill, refund)

    def reduce(self, pick, day):
        """A credit note of the order itself, of a part of it."""
        bill = self.open_bill(pick)
        if not bill:
            return False
        note = bill._reverse_moves([{"date": day, "invoice_date": day}])
        note.invoice_line_ids.price_unit = bill.amount_residual / (1 + pick % 2)
        note._post()
        return self.match_with(bill, note)

    def write_off(self, pick, day):
        bill = self.open_bill(pick)
        # Of a cent there is nothing to write off.
        return bill.amount_residual > 1 and bool(
            self.register(
                bill, day, amount=bill.amount_residual - 1,
                payment_difference_handling="reconcile", writeoff_account_id=self.loss.id,
            )
        )  # fmt: skip

    def general_entry(self, pick, day):
        bill = self.open_bill(pick)
        if not bill:
            return False
        payable = bill._get_payment_lines().account_id
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": self.company._find_journal("general").id,
                "date": day,
                "line_ids": [
                    Command.create({
                        "account_id": payable.id, "debit": 10, "partner_id": bill.partner_id.id
                    }),
                    Command.create({"account_id": self.loss.id, "credit": 10}),
                ],
            }
        )  # fmt: skip
        entry._post()
        return self.match_with(bill, entry)

    def set_off(self, pick, day):
        """Against a claim of something else on the same operator."""
        bill = self.open_bill(pick)
        if not bill:
            return False
        values = {"name": "Loyer", "price_unit": 60, "tax_ids": [Command.clear()]}
        values["account_id"] = self.loss.id
        claim = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": bill.partner_id.id,
                "journal_id": self.company.grant_sale_journal_id.id,
                "invoice_date": day,
                "date": day,
                "invoice_line_ids": [Command.create(values)],
            }
        )
        claim._post()
        self.env["grant.set.off"].with_user(self.officer).create(
            {
                "debt_move_id": bill.id,
                "claim_move_id": claim.id,
                "date": max(day, bill.date, claim.date),
                "reference": "COMP",
                "reason": "Compensation",
            }
        ).action_record()
        return True

    def undo_set_off(self, pick, _day):
        set_offs = self.env["grant.set.off"].with_user(self.officer)
        set_off = self.choose(set_offs.search([("state", "=", "done")]), pick)
        return bool(set_off) and set_off._do_undo("Contestée") is None

    def make_bank_line(self, bill, day, amount, fees=0, partner=None):
        partner = partner or bill.partner_id
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company.grant_payment_journal_id.id,
                "payment_ref": "VIR",
                "date": day,
                "amount": -amount - fees,
                "partner_id": partner.id,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        line.move_id.button_draft()
        payable = bill._get_payment_lines().account_id
        side = {"debit": amount} if amount > 0 else {"credit": -amount}
        commands = [Command.update(suspense.id, {"account_id": payable.id, **side})]
        if fees:
            commands += [Command.create({"account_id": self.loss.id, "debit": fees})]
        line.move_id.with_context(skip_readonly_check=True).write({"line_ids": commands})
        line.move_id.action_post()
        return line.move_id

    def bank_line(self, pick, day):
        bill = self.open_bill(pick)
        return bool(bill) and self.match_with(bill, self.make_bank_line(bill, day, 1 + pick))

    def bank_line_with_fees(self, pick, day):
        bill = self.open_bill(pick)
        return bool(bill) and self.match_with(bill, self.make_bank_line(bill, day, 1 + pick, 5))

    def bank_line_of_another(self, pick, day):
        bill = self.open_bill(pick)
        if not bill:
            return False
        other = (self.operator | self.other_operator) - bill.partner_id
        return self.match_with(bill, self.make_bank_line(bill, day, 1 + pick, partner=other))

    def bank_return(self, pick, day):
        """A transfer comes back to the bank, and is matched with what left: nothing is paid."""
        bill = self.choose(
            self.moves(lambda m: m.state == "posted" and m._get_payment_moves()), pick
        )
        paid = bill._get_payment_moves().filtered(
            lambda move: move.currency_id == self.company.currency_id and self.is_payment(move)
        )
        move = self.choose(paid.filtered(lambda move: not move.grant_set_off_id), pick)
        if not move:
            return False
        lines = move._get_payment_lines()
        back = self.make_bank_line(bill, day, -sum(lines.mapped("balance")))
        lines.remove_move_reconcile()
        (lines | self.open_lines(back)).reconcile()
        return True

    def pay_in_dollars(self, pick, day):
        bill = self.open_bill(pick)
        return bool(bill) and bool(
            self.register(bill, day, currency_id=self.dollar.id, amount=10 + pick)
        )

    def pay_from_branch(self, pick, day):
        bill = self.open_bill(pick)
        if not bill:
            return False
        both = [self.company.id, self.branch.id]
        payment = (
            self.env["account.payment"]
            .with_user(self.officer)
            .with_context(allowed_company_ids=both[::-1])
            .create(
                {
                    "payment_type": "outbound",
                    "partner_type": "supplier",
                    "partner_id": bill.partner_id.id,
                    "partner_bank_id": bill.partner_bank_id.id,
                    "journal_id": self.branch_journal.id,
                    "company_id": self.branch.id,
                    "destination_account_id": bill._get_payment_lines().account_id.id,
                    "amount": 1 + pick,
                    "date": day,
                }
            )
        )
        payment.action_post()
        return self.match_with(bill.with_context(allowed_company_ids=both), payment.move_id)

    def lock(self, pick, _day):
        """Close a period; it stays closed."""
        day = DAYS[pick % len(DAYS)]
        if self.closed and day <= self.closed:
            return False
        self.company.sudo().fiscalyear_lock_date = day
        self.closed = day
        return True

    def pay_in_closed_period(self, pick, _day):
        tranche = self.tranche(pick, "ordered")
        if not tranche or not self.closed:
            return False
        return tranche._register_payment(self.closed, 0.01, "VIR") is None

    def withdraw(self, pick, _day):
        tranche = self.tranche(pick, "ordered")
        return bool(tranche) and tranche._do_withdraw("Rejet") is None
