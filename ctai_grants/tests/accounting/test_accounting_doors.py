"""What accounting undoes by its own doors holds to the same rules as our buttons."""

from odoo.exceptions import AccessError, UserError
from odoo.tests import new_test_user

from .test_accounting import LATER
from .test_settlement import SettlementCase


class TestAClosedSubsidy(SettlementCase):
    """What was paid of a closed subsidy is taken back once it is open again, whatever the door."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy.report_required = False

    def close(self):
        self.ask(self.second, "cancel", self.finance_manager)
        self.ask(self.subsidy, "close", self.finance_manager)
        self.env.invalidate_all()

    def assertAllRefused(self, doors):
        for door in doors:
            with self.subTest(door=door), self.assertRefused(
                self.tranche.name, self.subsidy.display_name, "Closed", "reopen"
            ), self.env.cr.savepoint():
                door()
                self.env.flush_all()
            self.assertAgree(self.tranche, 1000, "paid")
            self.assertEqual(self.subsidy.state, "closed")

    def test_paid_by_a_payment(self):
        payment = self.register(self.bill(self.tranche))
        bill = self.bill(self.tranche)
        self.close()
        self.assertAllRefused([
            bill.button_draft,
            bill.button_cancel,
            lambda: bill._reverse_moves([{"date": LATER, "invoice_date": LATER}], cancel=True),
            bill.line_ids.remove_move_reconcile,
            payment.action_draft,
            payment.action_cancel,
            payment.unlink,
            payment.move_id.button_draft,
            payment.move_id.button_cancel,
            lambda: payment.move_id._reverse_moves([{"date": LATER}], cancel=True),
            payment.move_id._unlink_or_reverse,
            lambda: self.ask(self.tranche, "unpay", self.finance_manager),
        ])
        (forbids,) = self.tranche._get_reason_preview("unpay")
        self.assertTrue(forbids["alert"])
        self.subsidy.with_user(self.finance_manager).action_reopen()
        self.assertFalse(self.tranche._get_reason_preview("unpay"))
        payment.action_draft()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_paid_by_a_line_of_the_bank(self):
        line = self.statement(-1000)
        self.reconcile(self.bill(self.tranche), line.move_id)
        self.close()
        self.assertAllRefused([line.action_undo_reconciliation, line.unlink])

    def test_on_a_direct_envelope(self):
        direct = self.make_subsidy(envelope_id=self.direct_envelope.id, report_required=False)
        tranche = self.make_tranche(direct)
        self.sign(direct)
        self.pay(tranche)
        self.ask(direct, "close", self.finance_manager)
        with self.assertRefused(tranche.name, direct.display_name, "Closed", "reopen"):
            self.ask(tranche, "unpay", self.finance_manager)


class TestAReducedOrder(SettlementCase):
    """An order is not taken away under the credit note that reduces it."""

    def reduce(self, bill, amount):
        note = bill._reverse_moves([{"date": LATER, "invoice_date": LATER}])
        note.invoice_line_ids.price_unit = amount
        note.action_post()
        self.reconcile(bill, note)
        return note

    def assertStays(self, bill, note, *doors):
        for door in doors:
            with self.subTest(door=door), self.assertRefused(
                bill.name, note.name
            ), self.env.cr.savepoint():
                door()
                self.env.flush_all()
            self.assertEqual((bill.state, note.state), ("posted", "posted"))

    def test_in_part(self):
        bill = self.bill(self.tranche)
        note = self.reduce(bill, 600)
        self.assertStays(
            bill, note, bill.button_draft, bill.button_cancel,
            lambda: bill._reverse_moves([{"date": LATER, "invoice_date": LATER}], cancel=True),
            lambda: self.ask(self.tranche, "withdraw", self.finance_officer),
        )
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.tranche.reduced_amount, 600)
        # First the credit note, then the order.
        note.button_draft()
        note.button_cancel()
        self.assertEqual(self.tranche.reduced_amount, 0)
        self.ask(self.tranche, "withdraw", self.finance_officer)
        self.assertAgree(self.tranche, 0, "certified")

    def test_taken_back_as_a_whole(self):
        bill = self.bill(self.tranche)
        note = self.reduce(bill, 1000)
        self.assertAgree(self.tranche, 0, "certified")
        self.assertStays(bill, note, bill.button_draft, bill.button_cancel)

    def test_a_draft_of_it(self):
        """Posted once the order is gone, it would say that the operator owes its amount."""
        bill = self.bill(self.tranche)
        note = self.reduce(bill, 600)
        note.button_draft()
        bill.button_cancel()
        with self.assertRefused(note.name, bill.name):
            note.action_post()


class TestARejectedPayment(SettlementCase):
    """A payment that Odoo calls rejected, cancelled or a draft pays nothing."""

    def test_rejected(self):
        payment = self.register(self.bill(self.tranche))
        for values in (
            {"state": "rejected"}, {"state": "canceled"}, {"state": "draft"},
        ):
            with self.subTest(values=values), self.assertRefused(
                payment.name, self.bill(self.tranche).name, "tranche"
            ):
                payment.write(values)
        with self.assertRefused(payment.name, self.bill(self.tranche).name, "tranche"):
            payment.action_reject()
        self.assertAgree(self.tranche, 1000, "paid")
        # Of what is none any more, Odoo may say what it likes.
        payment.action_draft()
        self.assertAgree(self.tranche, 0, "ordered")
        payment.action_post()
        self.assertAgree(self.tranche, 1000, "paid")
        payment.action_cancel()
        self.assertAgree(self.tranche, 0, "ordered")
        payment.action_reject()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_matched_later(self):
        """What was rejected before it is matched."""
        payment = self.register(self.bill(self.tranche))
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        payment.action_reject()
        with self.assertRefused(self.tranche.name, payment.name), self.env.cr.savepoint():
            self.reconcile(self.bill(self.tranche), payment.move_id)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_what_it_went_through(self):
        payment = self.register(self.bill(self.tranche))
        account = self.account("471T", "asset_current")
        with self.assertRefused(payment.name, self.bill(self.tranche).name):
            payment.outstanding_account_id = account
        with self.assertRaises(UserError), self.env.cr.savepoint():
            payment.move_id = False
        self.assertAgree(self.tranche, 1000, "paid")

    def test_its_entry_is_cancelled(self):
        payment = self.register(self.bill(self.tranche))
        payment.move_id.button_cancel()
        self.assertEqual(payment.state, "canceled")
        self.assertAgree(self.tranche, 0, "ordered")


class TestWhoRecordsTheBank(SettlementCase):
    """No role of grants writes what the bank says; finance officers match it (README)."""

    def test_lines_of_the_bank(self):
        values = {
            "journal_id": self.company.grant_payment_journal_id.id, "payment_ref": "VIR",
            "date": LATER, "amount": -1000, "partner_id": self.operator.id,
        }  # fmt: skip
        for user in self.staff:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.env["account.bank.statement.line"].with_user(user).create(values)
        bookkeeper = new_test_user(self.env, "test_bookkeeper", "account.group_account_user")
        line = self.env["account.bank.statement.line"].with_user(bookkeeper).create(values)
        _liquidity, suspense, _other = line._seek_for_lines()
        line.move_id.button_draft()
        suspense.account_id = self.payable
        line.move_id.action_post()
        bill = self.bill(self.tranche).with_user(self.finance_officer)
        open_lines = line.move_id.with_user(self.finance_officer)._get_payment_lines()
        (bill._get_payment_lines() | open_lines).reconcile()
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(LATER, 1000)])
