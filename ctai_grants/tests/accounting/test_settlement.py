"""What counts as paid: money out of a bank account, or a set-off recorded as such; nothing else."""

import datetime
from unittest.mock import patch

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.tests import Form
from odoo.tools import mute_logger
from odoo.tools.safe_eval import safe_eval

from ..common import SIRETS, make_siret
from .test_accounting import LATER, ORDERED, PAID, AccountingCase
from .test_own_cost import NOVEMBER, OwnCostCase

HARD_LOCK = datetime.date(2021, 12, 31)
OPEN = datetime.date(2022, 1, 1)


class SettlementCase(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche)

    def reconcile(self, bill, other):
        lines = bill._get_payment_lines() | other._get_payment_lines()
        lines.filtered(lambda line: not line.reconciled).with_user(self.accountant).reconcile()

    def entry(self, *lines, date=PAID, partner=None):
        """A general entry: pairs of account and debit."""
        partner = partner or self.operator
        journal = self.company._find_journal("general")
        values = {
            "move_type": "entry",
            "journal_id": journal.id,
            "date": date,
            "line_ids": [
                Command.create(
                    {
                        "account_id": account.id,
                        "debit": max(amount, 0),
                        "credit": max(-amount, 0),
                        "partner_id": partner.id,
                    }
                )
                for account, amount in lines
            ],
        }
        entry = self.env["account.move"].with_user(self.accountant).create(values)
        entry.action_post()
        return entry

    def account(self, code, kind):
        accounts = self.env["account.account"]
        values = {"code": code, "name": code, "account_type": kind}
        return accounts.search([("code", "=", code)]) or accounts.create(
            {**values, "company_ids": self.company.ids}
        )

    def statement(self, amount, *others, date=LATER, partner=None, **values):
        """A line of the bank's statement; what the bank does not keep on others (pairs of account
        and amount), it books on the operator's account."""
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company.grant_payment_journal_id.id,
                "payment_ref": "VIR 2021-12",
                "date": date,
                "amount": amount,
                "partner_id": (self.operator if partner is None else partner).id,
                **values,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        rest = -amount - sum(part for _account, part in others)
        line.move_id.button_draft()
        commands = [
            Command.update(
                suspense.id,
                {
                    "account_id": self.payable.id,
                    "debit": max(rest, 0),
                    "credit": max(-rest, 0),
                },
            ),
            *(
                Command.create({"account_id": account.id, "debit": part, "name": "Frais"})
                for account, part in others
            ),
        ]
        line.move_id.with_context(skip_readonly_check=True).write({"line_ids": commands})
        line.move_id.action_post()
        return line

    @property
    def payable(self):
        return self.bill(self.tranche)._get_payment_lines().account_id


class TestWhatPays(SettlementCase):
    def test_a_refund_of_something_else(self):
        bill = self.bill(self.tranche)
        credit = bill.copy({"move_type": "in_refund", "invoice_date": PAID, "date": PAID})
        credit.action_post()
        with self.assertRefused(self.tranche.name, credit.name, "set-off"):
            self.reconcile(bill, credit)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_a_general_entry(self):
        expense = self.account("658T", "expense")
        entry = self.entry((self.payable, 1000), (expense, -1000))
        with self.assertRefused(self.tranche.name, entry.name, "moves no money"):
            self.reconcile(self.bill(self.tranche), entry)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_a_general_entry_on_the_bank(self):
        """The treasury's journal may be a general one: what counts is the account."""
        bank = self.company.grant_payment_journal_id.default_account_id
        entry = self.entry((self.payable, 1000), (bank, -1000))
        self.reconcile(self.bill(self.tranche), entry)
        self.assertAgree(self.tranche, 1000, "paid")

    def test_a_debt_handed_over(self):
        """Only 400 left the bank; the rest is what the city owes somebody else."""
        bank = self.company.grant_payment_journal_id.default_account_id
        entry = self.entry((self.payable, 1000), (self.payable, -600), (bank, -400))
        debit = entry.line_ids.filtered("debit")
        with self.assertRefused(self.money(400), self.money(1000)):
            (debit | self.bill(self.tranche)._get_payment_lines()).reconcile()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_a_payment_with_a_write_off(self):
        loss = self.account("658T", "income_other")
        with self.assertRefused(self.money(900), self.money(1000), "credit note"):
            self.register(
                self.bill(self.tranche), 900, payment_difference_handling="reconcile",
                writeoff_account_id=loss.id,
            )  # fmt: skip
        self.assertAgree(self.tranche, 0, "ordered")

    def test_more_than_the_order(self):
        bill = self.tranche.move_ids.sudo()
        register = self.env["account.payment.register"].with_user(self.accountant)
        register = register.with_context(active_model="account.move", active_ids=bill.ids)
        journal = self.company._get_grant_journal("payment")
        wizard = register.create(
            {"journal_id": journal.id, "payment_date": PAID, "amount": bill.amount_total + 0.01}
        )
        with self.assertRefused(bill.name, "left to settle"):
            wizard.action_create_payments()
        wizard.amount = bill.amount_total
        wizard.action_create_payments()
        self.assertEqual(self.tranche.state, "paid")

    def test_a_payment_becomes_none(self):
        """Its bank account is exchanged for another one, once it is matched."""
        payment = self.register(self.bill(self.tranche))
        bank = payment.move_id.line_ids.filtered("credit")
        with self.assertRefused("moves no money"), self.env.cr.savepoint():
            bank.account_id = self.account("658T", "expense")
            self.env.flush_all()
        self.assertAgree(self.tranche, 1000, "paid")

    def test_what_it_went_through(self):
        """Neither the type of its accounts, by which it is money, nor its match is changed."""
        payment = self.register(self.bill(self.tranche))
        for account in payment.move_id.line_ids.account_id:
            with self.assertRefused(account.display_name, self.bill(self.tranche).name):
                account.account_type = "liability_non_current"
        match = payment.move_id.line_ids.matched_credit_ids
        with self.assertRefused(self.bill(self.tranche).name, "Unmatch"):
            match.amount = 5
        self.assertAgree(self.tranche, 1000, "paid")

    def test_paid_in_part_and_reduced(self):
        """A credit note of the order itself takes off what will not be paid; the ledger says what
        was."""
        self.register(self.bill(self.tranche), 400)
        self.reduce(600)
        self.assertAgree(self.tranche, 400, "paid")
        self.assertEqual(self.tranche.reduced_amount, 600)
        self.assertEqual(self.tranche.paid_date, PAID)
        self.assertIn("reduced", self.tranche.decision_ids.mapped("decision"))
        self.assertEqual(self.subsidy.to_pay_amount, 2600)
        # And what was taken off may be planned again.
        self.make_tranche(self.subsidy, amount=1900)
        with self.assertRefused(self.subsidy.display_name):
            self.make_tranche(self.subsidy, amount=0.01)

    def test_a_credit_note_of_what_is_paid(self):
        """What was paid comes back by a recovery: paid on a credit note, no line of the ledger
        would say so."""
        self.register(self.bill(self.tranche), 400)
        bill = self.bill(self.tranche)
        for amounts in ((600.01,), (300, 300.01)):
            notes = bill.browse()
            for amount in amounts:
                note = bill._reverse_moves([{"date": LATER, "invoice_date": LATER}])
                note.invoice_line_ids.price_unit = amount
                notes |= note
            with self.subTest(amounts=amounts), self.assertRefused(
                bill.name, self.money(600), self.money(sum(amounts)), "recovery"
            ):
                notes.action_post()
        self.reduce(600)
        self.assertAgree(self.tranche, 400, "paid")
        with self.assertRefused(bill.name, self.money(0)):
            self.reduce(1)
        self.assertAgree(self.tranche, 400, "paid")

    def test_amended_after_a_reduction(self):
        """What a credit note took off counts for nothing: neither planned again, nor paid."""
        self.register(self.bill(self.tranche), 400)
        self.reduce(600)
        for amount in (0, 1900):
            if amount:
                self.make_tranche(self.subsidy, amount=amount)
            amendment = self.env["grant.amendment"].with_user(self.coordinator).create(
                {"subsidy_id": self.subsidy.id, "reason": "Report"}
            )
            obstacles = amendment._get_schedule_obstacles()
            with self.subTest(planned_again=amount):
                self.assertEqual(obstacles, [])

    def test_a_report_while_it_is_paid_in_part(self):
        """What is on its way is what is not paid yet of it."""
        # All else is cancelled: what the report leaves is what is left of this order.
        self.ask(self.second, "cancel", self.finance_manager)
        rest = self.make_tranche(self.subsidy, amount=2000)
        self.register(self.bill(self.tranche), 400)
        report = self.env["grant.financial.report"].with_user(self.both_roles).create(
            {
                "subsidy_id": self.subsidy.id, "budget_amount": 3000, "actual_amount": 3000,
                "eligible_amount": 3000, "exercise_start": "2021-10-25",
                "exercise_end": "2022-06-30", "version_id": self.make_report_file(self.subsidy).id,
            }
        )  # fmt: skip
        self.assertEqual(report.left_amount, 2600)
        self.assertFalse(report._get_excess())
        report.with_user(self.coordinator).action_accept()
        self.assertEqual(rest.amount, 2000)
        self.assertAgree(self.tranche, 400, "ordered")

    def reduce(self, amount):
        bill = self.bill(self.tranche)
        note = bill._reverse_moves([{"date": LATER, "invoice_date": LATER}])
        note.invoice_line_ids.price_unit = amount
        note.action_post()
        self.reconcile(bill, note)
        return note

    def test_unpaid_after_a_reduction(self):
        """The payment is taken back, and the credit note stays."""
        self.register(self.bill(self.tranche), 400)
        self.reduce(600)
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual((self.tranche.residual_amount, self.tranche.reduced_amount), (400, 600))

    def test_reduced_to_nothing(self):
        self.reduce(400)
        self.reduce(600)
        self.assertAgree(self.tranche, 0, "certified")
        self.assertEqual(self.tranche.reduced_amount, 0)

    def test_part_payment_undone(self):
        self.tranche.with_user(self.finance_officer)._register_payment(PAID, 250, "VIR-1")
        with self.assertRaises(AccessError):
            self.ask(self.tranche, "unpay", self.finance_officer)
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertAgree(self.tranche, 0, "ordered")
        with self.assertRefused(self.tranche.name):
            self.ask(self.tranche, "unpay", self.finance_manager, "Encore")

    def test_the_verifier_sees_what_the_poster_is_told(self):
        """Written past the ORM: a match with what is no payment is a difference."""
        payment = self.register(self.bill(self.tranche))
        expense = self.account("658T", "expense")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move_line SET account_id = %s WHERE move_id = %s AND credit > 0",
            [expense.id, payment.move_id.id],
        )
        self.env.invalidate_all()
        self.assertTrue(self.verify())


class TestMatchesByHand(SettlementCase):
    """Who keeps invoices makes matches by RPC, and Odoo adds nothing up there."""

    def pay_by_hand(self, amount, **values):
        payment = self.env["account.payment"].with_user(self.accountant).create(
            {
                "payment_type": "outbound", "partner_type": "supplier", "amount": amount,
                "partner_id": self.operator.id, "date": PAID,
                "journal_id": self.company.grant_payment_journal_id.id, **values,
            }
        )  # fmt: skip
        payment.action_post()
        return payment.move_id

    def match(self, debit, credit, amount):
        return self.env["account.partial.reconcile"].with_user(self.accountant).create(
            {
                "debit_move_id": debit.id, "credit_move_id": credit.id, "amount": amount,
                "debit_amount_currency": amount, "credit_amount_currency": amount,
            }
        )  # fmt: skip

    def assertNoMatch(self, debit, credit, amount):
        with self.assertRefused(self.tranche.name, self.money(amount)):
            self.match(debit, credit, amount)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_more_than_was_paid(self):
        order = self.bill(self.tranche)._get_payment_lines()
        paid = self.pay_by_hand(1)._get_payment_lines()
        self.assertNoMatch(paid, order, 1000)
        self.match(paid, order, 1)
        self.assertAgree(self.tranche, 1, "ordered")

    def test_from_before(self):
        """Both books say the same of such a match: the verifier names it."""
        order = self.bill(self.tranche)._get_payment_lines()
        paid = self.pay_by_hand(1)
        partials = self.registry["account.partial.reconcile"]
        with patch.object(partials, "_check_grant_amounts", lambda _partials: None):
            self.match(paid._get_payment_lines(), order, 1000)
        (wrong,) = self.verify()
        for part in (self.tranche.display_name, paid.name, self.money(1), self.money(1000)):
            self.assertIn(part, wrong)

    def test_one_payment_for_two_orders(self):
        self.order(self.second)
        paid = self.pay_by_hand(1000)._get_payment_lines()
        self.match(paid, self.bill(self.second)._get_payment_lines(), 700)
        self.assertNoMatch(paid, self.bill(self.tranche)._get_payment_lines(), 300.01)

    def test_more_than_was_ordered(self):
        order = self.bill(self.tranche)._get_payment_lines()
        paid = self.pay_by_hand(2000)._get_payment_lines()
        self.assertNoMatch(paid, order, 1000.01)

    def test_what_is_no_debit_or_of_another_account(self):
        order = self.bill(self.tranche)._get_payment_lines()
        paid = self.pay_by_hand(1000)
        bank = paid.line_ids - paid._get_payment_lines()
        self.assertNoMatch(bank, order, 1000)
        self.assertNoMatch(order, bank, 1000)
        self.assertNoMatch(order, paid._get_payment_lines(), 1000)

    def test_a_match_of_others_becomes_one_of_ours(self):
        order = self.bill(self.tranche)._get_payment_lines()
        paid = self.pay_by_hand(1000)._get_payment_lines()
        other = self.entry((self.payable, -1000), (self.account("658T", "expense"), 1000))
        match = self.match(paid, other._get_payment_lines(), 1000)
        with self.assertRefused(self.bill(self.tranche).name, "Unmatch"):
            match.credit_move_id = order
        self.assertAgree(self.tranche, 0, "ordered")


class TestBank(SettlementCase):
    def test_statement_line(self):
        line = self.statement(-1000)
        self.reconcile(self.bill(self.tranche), line.move_id)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(LATER, 1000)])
        # Taken back: what the bank wrote stays there, open, and is shown.
        self.ask(self.tranche, "unpay", self.finance_manager, "Autre opérateur")
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(line.move_id.state, "posted")
        self.assertOpen(line.move_id, 1000)

    def assertOpen(self, move, amount):
        control = self.env["grant.accounting.control"].with_user(self.finance_officer)
        # Remainders, of an account that is reconciled, as another transaction would see them.
        self.env.flush_all()
        items = control.search([("kind", "=", "open")])
        item = items.filtered(lambda item: item.origin_id == move.id)
        self.assertEqual(item.mapped("accounting_amount"), [-amount])
        self.assertTrue(item.is_different)
        self.assertEqual(item.document, move.display_name)
        self.assertEqual(item.action_open_document()["res_id"], move.id)

    def test_fees(self):
        fees = self.account("627T", "expense")
        line = self.statement(-1005, (fees, 5))
        self.reconcile(self.bill(self.tranche), line.move_id)
        self.assertAgree(self.tranche, 1000, "paid")

    def test_another_operator(self):
        for partner in (self.other_operator, self.env["res.partner"]):
            line = self.statement(-1000, partner=partner)
            with self.assertRefused(self.operator.name, line.move_id.name), self.env.cr.savepoint():
                self.reconcile(self.bill(self.tranche), line.move_id)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_before_the_order(self):
        line = self.statement(-1000, date=ORDERED - datetime.timedelta(days=1))
        with self.assertRefused("before its order"):
            self.reconcile(self.bill(self.tranche), line.move_id)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_another_account_of_the_operator(self):
        line = self.statement(-1000, account_number="FR76 3000 6000 0112 3456 7890 189")
        with self.assertRefused("pays the account"):
            self.reconcile(self.bill(self.tranche), line.move_id)
        line = self.statement(-1000, account_number=self.operator.bank_ids.acc_number)
        self.reconcile(self.bill(self.tranche), line.move_id)
        self.assertAgree(self.tranche, 1000, "paid")

    def test_a_returned_transfer(self):
        self.register(self.bill(self.tranche))
        back = self.statement(1000)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertOpen(back.move_id, -1000)

    def test_a_returned_transfer_of_the_same_body(self):
        """On another establishment of it, or on nobody."""
        branch = self._make_organisation("Antenne", "operator")
        branch.company_registry = make_siret(int(SIRETS[0][:8]), nic=2)
        self.assertEqual(branch.grant_body, self.operator.grant_body)
        for partner in (branch, self.env["res.partner"]):
            self.assertOpen(self.statement(300, partner=partner).move_id, -300)
        stranger = self._make_organisation("Fournisseur", False)
        back = self.statement(300, partner=stranger)
        self.env.flush_all()
        items = self.env["grant.accounting.control"].search([("kind", "=", "open")])
        self.assertNotIn(back.move_id.id, items.mapped("origin_id"))

    def test_a_suspense_line(self):
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company.grant_payment_journal_id.id,
                "payment_ref": "?",
                "date": LATER,
                "amount": -12,
            }
        )
        self.assertOpen(line.move_id, 12)

    def test_an_account_removed_while_the_order_waits(self):
        account = self.operator.bank_ids
        for values in ({"allow_out_payment": False}, {"active": False}):
            with self.env.cr.savepoint() as savepoint:
                account.with_user(self.finance_manager).write(values)
                with self.assertRefused(self.tranche.name), self.env.cr.savepoint():
                    self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
                with self.assertRefused(self.tranche.name), self.env.cr.savepoint():
                    self.register(self.bill(self.tranche), partner_bank_id=account.id)
                self.assertAgree(self.tranche, 0, "ordered")
                savepoint.rollback()
            self.env.invalidate_all()

    def test_returned_on_another_day(self):
        """A payment reversed later was one until then."""
        payment = self.register(self.bill(self.tranche))
        payment.move_id._reverse_moves([{"date": LATER}], cancel=True)
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (LATER, -1000)])
        # And paid again, on the day on which it is.
        self.register(self.bill(self.tranche), date=LATER)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche)[2:], [(LATER, 1000)])

    def test_a_reversal_undone(self):
        payment = self.register(self.bill(self.tranche))
        reversal = payment.move_id._reverse_moves([{"date": LATER}], cancel=True)
        reversal.line_ids.remove_move_reconcile()
        self.reconcile(self.bill(self.tranche), payment.move_id)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche)[2:], [(LATER, 1000)])

    def test_another_company(self):
        """Of a branch, it is the same body; of another company, it is not."""
        other = self.env["res.company"].create({"name": "Autre commune"})
        branch = self.env["res.company"].create({"name": "Régie", "parent_id": self.company.id})
        self.env.user.company_ids |= other | branch
        account = self.company.grant_payment_journal_id.default_account_id
        for company in (branch, other):
            company_env = self.env(context={
                **self.env.context, "allowed_company_ids": [company.id, self.company.id]
            })  # fmt: skip
            if company == other:
                account = account.copy({"code": "515Y", "company_ids": [(6, 0, other.ids)]})
                payable = self.payable.with_env(self.env).copy(
                    {"code": "401Y", "company_ids": [(6, 0, other.ids)]}
                )
            else:
                payable = self.payable
            journal = company_env["account.journal"].create(
                {"name": "Divers", "code": "DIV", "type": "general", "company_id": company.id}
            )
            entry = company_env["account.move"].create(
                {
                    "journal_id": journal.id,
                    "date": PAID,
                    "line_ids": [
                        Command.create({
                            "account_id": payable.id, "debit": 600, "partner_id": self.operator.id
                        }),
                        Command.create({"account_id": account.id, "credit": 600}),
                    ],
                }
            )  # fmt: skip
            entry.action_post()
            bill = self.bill(self.tranche).with_user(self.env.user)
            lines = bill.with_env(company_env)._get_payment_lines() | entry.line_ids[:1]
            if company == other:
                with self.assertRaises(UserError), self.env.cr.savepoint():
                    lines.reconcile()
            else:
                lines.reconcile()
            self.assertAgree(self.tranche, 600, "ordered")

    def test_another_currency(self):
        franc = self.env.ref("base.CHF")
        self.assertNotEqual(franc, self.company.currency_id)
        franc.active = True
        for day, rate in ((ORDERED, 1.1), (PAID, 1.25)):
            self.env["res.currency.rate"].create(
                {"currency_id": franc.id, "name": day, "rate": rate, "company_id": self.company.id}
            )
        self.register(self.bill(self.tranche), 1250, currency_id=franc.id)
        self.assertAgree(self.tranche, 1000, "paid")
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 0, "ordered")


class TestClosedPeriod(SettlementCase):
    def lock(self, date=HARD_LOCK):
        self.company.sudo().hard_lock_date = date
        self.env.invalidate_all()

    def test_dates_are_not_moved(self):
        self.certify(self.second)
        self.lock()
        officer = self.finance_officer
        with self.assertRefused(self.second.name, "12/31/2021", "01/01/2022"):
            self.second.with_user(officer)._do_order("M-2", ORDERED)
        with self.assertRefused(self.tranche.name, "12/31/2021", "01/01/2022"):
            self.tranche.with_user(officer)._do_pay(PAID, "VIR")
        with self.assertRefused(self.tranche.name, "12/31/2021", "01/01/2022"):
            self.register(self.bill(self.tranche))
        self.assertFalse(self.second.order_batch_id)
        self.assertAgree(self.tranche, 0, "ordered")
        self.tranche.with_user(officer)._do_pay(OPEN, "VIR")
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(OPEN, 1000)])

    def test_unpaid_through_us(self):
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        payment = self.bill(self.tranche)._get_payment_moves()
        self.lock()
        self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertEqual(payment.reversal_move_ids.date, OPEN)
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (OPEN, -1000)])
        self.tranche.with_user(self.finance_officer)._do_pay(datetime.date(2022, 1, 20), "VIR-2")
        self.assertAgree(self.tranche, 1000, "paid")

    def test_unmatched_by_hand_and_matched_again(self):
        payment = self.register(self.bill(self.tranche))
        self.lock()
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (OPEN, -1000)])
        self.reconcile(self.bill(self.tranche), payment.move_id)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche)[2:], [(OPEN, 1000)])
        # The lock moves on, and both stay what they were.
        self.lock(datetime.date(2022, 6, 30))
        self.assertAgree(self.tranche, 1000, "paid")
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        self.assertEqual(self.payments(self.tranche)[3:], [(datetime.date(2022, 7, 1), -1000)])
        self.assertAgree(self.tranche, 0, "ordered")

    def test_reversed_by_hand(self):
        payment = self.register(self.bill(self.tranche))
        self.lock()
        with self.assertRefused("12/31/2021", "01/01/2022"), self.env.cr.savepoint():
            payment.move_id._reverse_moves([{"date": LATER}], cancel=True)
        self.assertAgree(self.tranche, 1000, "paid")
        day = datetime.date(2022, 2, 3)
        payment.move_id._reverse_moves([{"date": day}], cancel=True)
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (day, -1000)])

    def test_a_lock_that_lies_ahead(self):
        self.tranche.with_user(self.finance_officer)._do_pay(PAID, "VIR")
        ahead = self.company._grant_today() + datetime.timedelta(days=400)
        self.company.sudo().fiscalyear_lock_date = ahead
        with self.assertRefused("12/03/2021", "has not come yet"), self.env.cr.savepoint():
            self.ask(self.tranche, "unpay", self.finance_manager, "Rejet")
        self.assertAgree(self.tranche, 1000, "paid")

    def test_an_order_taken_back(self):
        self.lock()
        self.ask(self.tranche, "withdraw", self.finance_officer, "Rejet")
        self.assertAgree(self.tranche, 0, "certified")
        bill = self.tranche.move_ids
        self.assertEqual((bill.state, bill.date), ("posted", ORDERED))
        self.assertEqual(bill.reversal_move_ids.date, OPEN)
        self.tranche.with_user(self.finance_officer)._do_order("M-9", OPEN)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_an_order_that_is_secured(self):
        """Odoo lets no entry of a secured journal be a draft again: its credit note takes it
        back, and it is ordered again."""
        journal = self.company.grant_purchase_journal_id
        self.company.grant_purchase_journal_id = journal.copy(
            {"code": "THAC", "restrict_mode_hash_table": True}
        )
        self.order(self.second)
        bill = self.bill(self.second)
        self.assertTrue(bill.inalterable_hash)
        self.ask(self.second, "withdraw", self.finance_officer, "Rejeté par le comptable")
        self.assertAgree(self.second, 0, "certified")
        self.assertEqual((bill.state, bill.reversal_move_ids.state), ("posted", "posted"))
        self.second.with_user(self.finance_officer)._do_order("M-9", LATER)
        self.assertAgree(self.second, 0, "ordered")

    def test_a_bill_posted_again(self):
        bill = self.bill(self.tranche)
        bill.button_draft()
        # Odoo closes no year with drafts in it; of purchases alone it does.
        self.company.sudo().purchase_lock_date = HARD_LOCK
        with self.assertRefused("12/31/2021", "01/01/2022"):
            bill.with_user(self.finance_officer).action_post()

    def test_instalments(self):
        funding = self.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": self.envelope.id, "amount": 100}
        )
        funding.with_user(self.finance_officer)._do_receive(PAID, 100)
        self.lock()
        funding.with_user(self.finance_manager).action_cancel_receipt()
        entries = funding.envelope_id.entry_ids.filtered(lambda e: e.kind == "receipt")
        self.assertEqual(
            [(e.date, e.amount) for e in entries.sorted("number")], [(PAID, 100), (OPEN, -100)]
        )
        funding.with_user(self.finance_manager).action_cancel_claim()
        self.assertEqual(funding.move_ids.reversal_move_ids.date, OPEN)
        with self.assertRefused("Versement", "12/31/2021"):
            funding.with_user(self.finance_officer)._do_claim(LATER)
        self.assertFalse(self.verify())


class TestSetOff(SettlementCase):
    def claim(self, amount=300, **values):
        """What the operator owes the city for something else."""
        move = self.env["account.move"].create(
            {
                "move_type": "out_invoice",
                "partner_id": self.operator.id,
                "journal_id": self.company.grant_sale_journal_id.id,
                "invoice_date": PAID,
                "invoice_line_ids": [
                    Command.create(
                        {
                            "name": "Loyer",
                            "price_unit": amount,
                            "tax_ids": [Command.clear()],
                            "account_id": self.account("752T", "income").id,
                        }
                    )
                ],
                **values,
            }
        )
        move.action_post()
        return move

    def set_off(self, claim, amount=300, user=None, **values):
        values = {
            "debt_move_id": self.bill(self.tranche).id,
            "claim_move_id": claim.id,
            "amount": amount,
            "date": LATER,
            "reference": "COMP-1",
            "reason": "Compensation légale, art. 1347 du code civil",
            **values,
        }
        return self.env["grant.set.off"].with_user(user or self.finance_manager).create(values)

    def test_an_order_paid_in_part_by_what_is_owed(self):
        claim = self.claim()
        set_off = self.set_off(claim)
        set_off.action_record()
        self.assertEqual((set_off.state, claim.payment_state), ("done", "paid"))
        self.assertAgree(self.tranche, 300, "ordered")
        self.register(self.bill(self.tranche), 700)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(
            sorted(self.payments(self.tranche)), [(PAID, 700), (LATER, 300)]
        )
        decision = set_off.decision_ids
        self.assertEqual((decision.decision, decision.user_id), ("set_off", self.finance_manager))
        self.assertEqual(decision.subsidy_id, self.subsidy)

    def test_who_may(self):
        claim = self.claim()
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.set_off(claim, user=self.finance_officer)
        set_off = self.set_off(claim)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            set_off.with_user(self.finance_officer).action_record()
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            set_off.state = "done"

    def test_only_what_is_left_between_the_two(self):
        claim = self.claim()
        for values, parts in (
            ({"amount": 300.01}, (self.money(300), claim.name)),
            ({"date": ORDERED}, ("both are there",)),
            ({"date": self.company._grant_today() + datetime.timedelta(days=1)}, ("future",)),
            ({"claim_move_id": self.claim(partner_id=self.other_operator.id).id}, ("same two",)),
            ({"reason": " \u200b"}, ("Reason",)),
            ({"reference": " "}, ("Reference",)),
            ({"claim_move_id": self.bill(self.tranche).id}, ("choose a bill",)),
        ):  # fmt: skip
            with self.subTest(values=values), self.env.cr.savepoint() as savepoint:
                with self.assertRefused(*parts):
                    self.set_off(claim, **values).action_record()
                savepoint.rollback()
            self.env.invalidate_all()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_neither_is_ours(self):
        other = self.bill(self.tranche).copy({"invoice_date": PAID})
        other.action_post()
        with self.assertRefused("comes from a subsidy"):
            self.set_off(self.claim(), debt_move_id=other.id).action_record()

    def test_two_establishments_of_one_body(self):
        """One SIREN is one debtor and creditor; the form proposes its open debts, and no others."""
        place = self.env["res.partner"].create(
            {
                "name": "Association de test, antenne",
                "is_company": True,
                "country_id": self.env.ref("base.fr").id,
                "company_registry": make_siret(int(SIRETS[0][:8]), nic=2),
            }
        )
        self.assertEqual(place.grant_body, self.operator.grant_body)
        claim, strange = self.claim(partner_id=place.id), self.claim(
            partner_id=self.other_operator.id
        )
        bill = self.bill(self.tranche)
        form = Form(self.env["grant.set.off"].with_user(self.finance_manager))
        self.assertLessEqual(claim | strange, self.find(form, "claim_move_id"))
        self.assertIn(bill.with_env(self.env), self.find(form, "debt_move_id"))
        form.debt_move_id = bill.with_env(self.env)
        self.assertIn(claim, self.find(form, "claim_move_id"))
        self.assertNotIn(strange, self.find(form, "claim_move_id"))
        # From the claim to the debt, as from the form of a recovery.
        form = Form(
            self.env["grant.set.off"]
            .with_user(self.finance_manager)
            .with_context(default_claim_move_id=claim.id)
        )
        self.assertEqual(form.partner_id, place)
        self.assertIn(bill.with_env(self.env), self.find(form, "debt_move_id"))
        form = Form(
            self.env["grant.set.off"]
            .with_user(self.finance_manager)
            .with_context(default_claim_move_id=strange.id)
        )
        self.assertNotIn(bill.with_env(self.env), self.find(form, "debt_move_id"))
        set_off = self.set_off(claim)
        set_off.action_record()
        self.assertEqual(claim.payment_state, "paid")
        self.assertEqual(set_off.move_id.line_ids.partner_id, self.operator | place)
        self.assertAgree(self.tranche, 300, "ordered")

    def find(self, form, name):
        """What the form proposes for a field, by its domain as the client evaluates it."""
        domain = self.env["grant.set.off"].fields_get([name])[name]["domain"]
        names = ("debt_body", "claim_body")
        values = {name: form[name] for name in names} | {"company_id": form.company_id.id}
        return self.env["account.move"].search(safe_eval(domain, values))

    def test_undone_with_a_reason(self):
        claim = self.claim()
        set_off = self.set_off(claim)
        set_off.action_record()
        bill = self.bill(self.tranche)
        for undo in (
            lambda: bill.line_ids.remove_move_reconcile(),
            lambda: bill.button_draft(),
            lambda: set_off.move_id.with_user(self.accountant).button_draft(),
            lambda: set_off.move_id._reverse_moves([{"date": LATER}], cancel=True),
            lambda: claim.line_ids.remove_move_reconcile(),
            lambda: claim.button_draft(),
        ):
            with self.assertRefused("COMP-1", "undo"), self.env.cr.savepoint():
                undo()
        with self.assertRaises(UserError), self.env.cr.savepoint():
            set_off.amount = 200
        with self.assertRaises(UserError), self.env.cr.savepoint():
            set_off.unlink()
        self.assertAgree(self.tranche, 300, "ordered")
        self.ask(set_off, "undo_set_off", self.finance_manager, "Créance contestée")
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual((set_off.state, claim.amount_residual), ("undone", 300))
        self.assertEqual(set_off.decision_ids.sorted("id")[-1:].reason, "Créance contestée")

    def test_its_entry_is_called_what_it_is(self):
        """A claim, or a set-off, is no order."""
        set_off = self.set_off(self.claim())
        set_off.action_record()
        with self.assertRefused("set-off “COMP-1 – ", "Undo the set-off"):
            set_off.move_id.ref = "X"
        with self.assertRefused("is an order of a grant"):
            self.bill(self.tranche).ref = "X"

    def test_what_it_set_off_is_not_deleted(self):
        """Undone, it is kept, with both debts."""
        claim = self.claim()
        set_off = self.set_off(claim)
        set_off.action_record()
        set_off._do_undo("Contestée")
        for move in (self.bill(self.tranche), claim):
            move.button_draft()
            with self.assertRefused(move.name, "COMP-1", "Cancel"), self.env.cr.savepoint():
                move.with_context(force_delete=True).unlink()
            move.button_cancel()
        self.assertFalse(self.verify())

    def test_undone_after_a_lock(self):
        set_off = self.set_off(self.claim())
        set_off.action_record()
        self.company.sudo().hard_lock_date = HARD_LOCK
        (shown,) = set_off._get_reason_preview("undo_set_off")
        self.assertIn("01/01/2022", shown["title"])
        self.assertEqual([amount for _name, amount in shown["rows"]], [300, 300])
        self.ask(set_off, "undo_set_off", self.finance_manager, "Créance contestée")
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(LATER, 300), (OPEN, -300)])

    def test_the_mark_is_not_typed_in(self):
        set_off = self.set_off(self.claim())
        entry = self.entry((self.payable, 5), (self.account("658T", "expense"), -5))
        for values in ({"grant_set_off_id": set_off.id},):
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                entry.write(values)
            with self.assertRaises(AccessError), self.env.cr.savepoint():
                entry.copy(values)


class TestAnalyticAccount(AccountingCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche)

    def test_frozen_once_money_is_on_it(self):
        account = self.envelope.analytic_account_id
        other = account.copy({"name": "Autre"})
        for user in (self.coordinator, self.finance_manager, self.administrator):
            for value in (False, other.id):
                with self.assertRefused(self.envelope.name, account.name), self.env.cr.savepoint():
                    self.envelope.with_user(user).analytic_account_id = value
        with self.assertRaises(psycopg2.Error), mute_logger("odoo.sql_db"), self.env.cr.savepoint():
            account.sudo().unlink()
            self.env.flush_all()

    def test_changed_by_an_act(self):
        account = self.envelope.analytic_account_id
        other = account.copy({"name": "Autre"})
        wizards = self.env["grant.envelope.account"]
        values = {"envelope_id": self.envelope.id, "account_id": other.id, "reason": "Erreur"}
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            wizards.with_user(self.finance_officer).create(values).action_confirm()
        with self.assertRefused("reason"), self.env.cr.savepoint():
            wizards.with_user(self.finance_manager).create(
                {**values, "reason": "\u200b"}
            ).action_confirm()
        wizards.with_user(self.finance_manager).create(values).action_confirm()
        self.assertEqual(self.envelope.analytic_account_id, other)
        self.assertIn("Erreur", self.envelope.message_ids[:1].body)


class TestAnalyticAccountOfOwnCosts(OwnCostCase):
    def change(self, account, reason="Erreur"):
        self.envelope.with_user(self.finance_manager)._do_change_account(account, reason)

    def test_nobody_empties_it(self):
        self.book(2500)
        for user in (self.coordinator, self.finance_officer, self.finance_manager):
            with self.assertRefused("Change the Analytic Account"), self.env.cr.savepoint():
                self.envelope.with_user(user).analytic_account_id = False
        self.assertPaid({NOVEMBER: 2500})

    def test_changed_with_a_reason(self):
        move = self.book(2500)
        other = self.envelope.analytic_account_id.copy({"name": "Autre"})
        self.change(other)
        self.assertPaid({})
        decision = self.cost.decision_ids.filtered(lambda d: d.decision == "cost_account")
        self.assertIn("Erreur", decision.reason)
        self.assertEqual((decision.user_id, self.cost.state), (self.finance_manager, "signed"))
        move.line_ids[:1].sudo().analytic_distribution = {str(other.id): 100}
        self.assertPaid({NOVEMBER: 2500})

    def test_not_of_a_closed_period(self):
        self.book(2500)
        other = self.envelope.analytic_account_id.copy({"name": "Autre"})
        self.company.sudo().hard_lock_date = HARD_LOCK
        with self.assertRefused(self.envelope.display_name, "12/31/2021"):
            self.change(other)
        self.assertPaid({NOVEMBER: 2500})
