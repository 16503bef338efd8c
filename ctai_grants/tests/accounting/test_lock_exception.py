"""A lock that one user may pass: what that one books has its date, what others undo has an open
one; the ledger's dates are accounting's."""

from odoo import fields
from odoo.exceptions import UserError

from .test_accounting import LATER, ORDERED, PAID, AccountingCase
from .test_settlement import HARD_LOCK, OPEN


class TestLockException(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certify(cls.tranche | cls.second)
        cls.company.sudo().fiscalyear_lock_date = HARD_LOCK
        cls.exception = cls.let_pass(cls.finance_officer)

    @classmethod
    def let_pass(cls, user):
        return cls.env["account.lock_exception"].create(
            {
                "company_id": cls.company.id,
                "user_id": user.id,
                "lock_date_field": "fiscalyear_lock_date",
                "lock_date": False,
                "reason": "Journée complémentaire",
            }
        )

    def let_another_pass(self, user):
        """And no more the one who could."""
        self.exception.action_revoke()
        self.exception = self.let_pass(user)
        self.env.invalidate_all()

    def order_by(self, user, tranche):
        tranche.with_user(user)._do_order(f"M-{tranche.id}", ORDERED)

    def assertDates(self, tranche):
        """Payments are in the ledger at the accounting dates of what made and unmade them."""
        bill = tranche.with_env(self.env)._get_live_move()
        self.assertEqual(bill.date, tranche.order_date)

    def test_order_and_payment(self):
        self.order_by(self.finance_officer, self.tranche)
        self.assertDates(self.tranche)
        with self.assertRefused(self.second.name, "closed period", "01/01/2022"):
            self.order_by(self.finance_manager, self.second)
        with self.assertRefused(self.tranche.name, "closed period", "01/01/2022"):
            self.tranche.with_user(self.finance_manager)._do_pay(PAID, "VIR")
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000)])
        self.assertAgree(self.tranche, 1000, "paid")

    def test_undone_by_another(self):
        self.order_by(self.finance_officer, self.tranche)
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (OPEN, -1000)])
        reversal = self.bill(self.tranche).env["account.move"].sudo().search(
            [("reversed_entry_id.origin_payment_id", "!=", False)], order="id desc", limit=1
        )
        self.assertEqual(reversal.date, OPEN)
        self.assertAgree(self.tranche, 0, "ordered")
        # Nor is the order undone in its period by somebody else.
        with self.assertRaises(UserError), self.env.cr.savepoint():
            self.bill(self.tranche).with_user(self.finance_manager).button_draft()
        self.ask(self.tranche, "withdraw", self.finance_manager, "Erreur")
        note = self.tranche.move_ids.sudo().reversal_move_ids
        self.assertEqual((note.date, note.state), (OPEN, "posted"))
        self.assertAgree(self.tranche, 0, "certified")

    def test_undone_by_the_same(self):
        self.order_by(self.finance_officer, self.tranche)
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        self.let_another_pass(self.finance_manager)
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (PAID, -1000)])
        self.assertAgree(self.tranche, 0, "ordered")
        self.ask(self.tranche, "withdraw", self.finance_manager, "Erreur")
        self.assertFalse(self.tranche.move_ids.sudo().reversal_move_ids)
        self.assertAgree(self.tranche, 0, "certified")

    def test_by_turns(self):
        """Unmatched by who may not pass the lock, matched again and unmatched by who may."""
        self.order_by(self.finance_officer, self.tranche)
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        bill = self.bill(self.tranche)
        payment = bill.sudo()._get_payment_moves()
        lines = bill._get_payment_lines() | payment._get_payment_lines().with_env(bill.env)
        for user, booked, paid in (
            (self.accountant, (OPEN, -1000), 0),
            (self.finance_officer, (OPEN, 1000), 1000),
            (self.finance_officer, (PAID, -1000), 0),
            (self.accountant, (PAID, 1000), 1000),
            (self.accountant, (OPEN, -1000), 0),
            (self.finance_officer, (OPEN, 1000), 1000),
        ):
            ours = lines.with_user(user)
            if paid:
                ours.reconcile()
            else:
                ours.remove_move_reconcile()
            with self.subTest(user=user.login, booked=booked):
                self.assertEqual(self.payments(self.tranche)[-1], booked)
                self.assertAgree(self.tranche, paid, "paid" if paid else "ordered")

    def test_reversed_on_another_day(self):
        self.order_by(self.finance_officer, self.tranche)
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        payment = self.bill(self.tranche).sudo()._get_payment_moves()
        with self.assertRefused("closed period", "01/01/2022"), self.env.cr.savepoint():
            payment.with_user(self.accountant)._reverse_moves([{"date": LATER}], cancel=True)
        payment.with_user(self.finance_officer)._reverse_moves([{"date": LATER}], cancel=True)
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (LATER, -1000)])
        self.assertAgree(self.tranche, 0, "ordered")

    def test_it_expires(self):
        self.order_by(self.finance_officer, self.tranche)
        self.exception.end_datetime = fields.Datetime.subtract(fields.Datetime.now(), hours=1)
        self.env.invalidate_all()
        with self.assertRefused(self.tranche.name, "closed period"):
            self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        self.tranche.with_user(self.finance_officer)._do_pay(OPEN, "VIR")
        self.assertEqual(self.payments(self.tranche), [(OPEN, 1000)])
