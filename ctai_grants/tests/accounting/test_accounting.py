import datetime

import psycopg2

from odoo import Command
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import Form, new_test_user
from odoo.tools import mute_logger
from odoo.tools.misc import formatLang

from ..common import PDF, GrantsCommon

ORDERED = datetime.date(2021, 11, 20)
PAID = datetime.date(2021, 12, 3)
LATER = datetime.date(2021, 12, 17)


class AccountingCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy(amount=3000))
        cls.tranche = cls.make_tranche(cls.subsidy, amount=1000).with_env(cls.env)
        cls.second = cls.make_tranche(cls.subsidy, amount=700).with_env(cls.env)
        # Who keeps the accounts, and has no role in grants.
        cls.accountant = new_test_user(
            cls.env, "test_accountant", "account.group_account_manager,base.group_user"
        )

    def bill(self, tranche):
        return tranche._get_live_move().with_user(self.accountant)

    def register(self, bills, amount=None, date=PAID, **values):
        """Pay bills with Odoo's own assistant, as the accountant would."""
        values |= {"payment_date": date, "journal_id": self.company.grant_payment_journal_id.id}
        if amount:
            values["amount"] = amount
        wizard = self.env["account.payment.register"].with_user(self.accountant)
        return (
            wizard.with_context(active_model="account.move", active_ids=bills.ids)
            .create(values)
            ._create_payments()
        )

    def money(self, amount):
        return formatLang(self.env, amount, currency_obj=self.company.currency_id)

    def payments(self, tranche):
        """Date and amount of the payments in the ledger, oldest first."""
        entries = tranche.subsidy_id.entry_ids.filtered(
            lambda entry: entry.kind == "payment" and entry.origin_id == tranche.id
        )
        return [(entry.date, entry.amount) for entry in entries.sorted("number")]

    def assertAgree(self, tranche, paid, state):
        self.env.invalidate_all()
        self.assertEqual(sum(amount for _date, amount in self.payments(tranche)), paid)
        self.assertEqual(tranche.state, state)
        self.assertFalse(self.verify())
        control = self.env["grant.accounting.control"].search(
            [("origin_id", "=", tranche.id), ("is_different", "=", True)]
        )
        self.assertFalse(control)


class TestOrder(AccountingCase):
    def test_bill(self):
        self.operator.legal_form = "association"
        self.order(self.tranche, "M-7")
        bill = self.tranche.move_ids
        self.assertEqual((bill.move_type, bill.state, bill.ref), ("in_invoice", "posted", "M-7"))
        self.assertEqual((bill.partner_id, bill.amount_total), (self.operator, 1000))
        self.assertEqual((bill.invoice_date, bill.date), (ORDERED, ORDERED))
        self.assertEqual(bill.partner_bank_id, self.operator._get_grant_bank())
        line = bill.invoice_line_ids
        # The books of 2021 are under M14, those of 2024 under M57.
        self.assertEqual(line.account_id.code, "6574")
        self.assertFalse(line.tax_ids)
        self.assertEqual(
            line.analytic_distribution, {str(self.envelope.analytic_account_id.id): 100}
        )
        self.assertEqual(self.tranche.ordered_by_id, self.finance_officer)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_account_by_legal_form_and_year(self):
        for form, year, code in (
            ("association", 2023, "6574"),
            ("association", 2024, "65748"),
            ("rup", 2024, "65748"),
            (False, 2024, "65748"),
            ("company", 2024, "65742"),
            ("public", 2024, "65738"),
        ):
            self.operator.legal_form = form
            account = self.tranche._get_bill_account(datetime.date(year, 5, 1))
            self.assertEqual(account.code, code, (form, year))
        self.env["grant.account"].search([("purpose", "=", "company")]).unlink()
        self.operator.legal_form = "company"
        self.certify(self.tranche)
        with self.assertRefused("Subsidy to a company", "M14", "Settings"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", ORDERED)
        self.assertEqual(self.tranche.state, "certified")

    def test_setting_up_touches_nothing_that_exists(self):
        accounts = self.env["grant.account"].search([("company_id", "=", self.company.id)])
        mine = accounts[0].account_id.copy({"code": "65749", "name": "À nous"})
        accounts[0].account_id = mine
        accounts[1].unlink()
        before = self.env["account.account"].search([]).read(["code", "name", "account_type"])
        self.assertFalse(self.company._set_up_grant_accounting(), "The account is still there")
        self.assertEqual(accounts[0].account_id, mine)
        after = self.env["account.account"].search([]).read(["code", "name", "account_type"])
        self.assertEqual(after, before)
        self.assertEqual(
            self.env["grant.account"].search_count([("company_id", "=", self.company.id)]),
            len(accounts),
        )

    def test_not_set_up(self):
        self.certify(self.tranche)
        self.company.grant_purchase_journal_id = False
        with self.assertRefused("Journal of Orders", "Settings"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", ORDERED)

    def test_limit(self):
        self.company.grant_order_limit = 999.99
        self.certify(self.tranche | self.second)
        with self.assertRefused("finance manager", self.money(999.99)):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", ORDERED)
        self.second.with_user(self.finance_officer)._do_order("M-2", ORDERED)
        self.tranche.with_user(self.finance_manager)._do_order("M-1", ORDERED)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_limit_to_the_cent(self):
        """An officer orders an amount of exactly the limit; a cent above takes the manager."""
        self.company.grant_order_limit = 1000
        above = self.make_tranche(self.subsidy, amount=1000.01).with_env(self.env)
        self.certify(self.tranche | above)

        def order(tranche, user):
            """What the window does, over RPC."""
            windows = self.env["grant.disbursement.order"].with_user(user)
            values = {"disbursement_ids": tranche.ids, "order_number": f"M-{tranche.id}"}
            values["order_date"] = ORDERED
            call_kw(windows, "action_confirm", [windows.create(values).ids], {})

        for tranches in (above, self.tranche | above):
            with (
                self.subTest(tranches=tranches),
                self.assertRefused("finance manager", self.money(1000)),
                self.env.cr.savepoint(),
            ):
                tranches.with_user(self.finance_officer)._do_order("1", ORDERED)
        with self.assertRefused("finance manager"), self.env.cr.savepoint():
            order(above, self.finance_officer)
        order(self.tranche, self.finance_officer)
        order(above, self.finance_manager)
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertAgree(above, 0, "ordered")
        # Nor by posting the bill again.
        self.bill(above).button_draft()
        with self.assertRefused("finance manager"), self.env.cr.savepoint():
            above.move_ids.with_user(self.finance_officer).action_post()
        self.bill(self.tranche).button_draft()
        self.tranche.move_ids.with_user(self.finance_officer).action_post()
        above.move_ids.with_user(self.finance_manager).action_post()
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertAgree(above, 0, "ordered")

    def test_only_what_was_accepted_is_attached(self):
        """The order carries the last version of each piece accepted: not what was sent back, what
        nobody judged, nor what was waived; likewise what the treasury gets."""
        subsidy = self.make_subsidy(amount=500)
        pieces = {
            name: self.make_deliverable(subsidy, name=name).with_env(self.env)
            for name in ("accepted", "pending", "sent_back", "waived", "reopened", "unrelated")
        }
        required = [piece.id for name, piece in pieces.items() if name != "unrelated"]
        tranche = self.make_tranche(subsidy, amount=500, deliverable_ids=required)
        tranche = tranche.with_env(self.env)
        self.sign(subsidy)

        def hand_in(name, number):
            content = PDF + f"{name} {number}".encode()
            pieces[name].with_user(self.operator_user)._do_submit(f"{name}_{number}.pdf", content)
            return content

        coordinator = self.coordinator
        hand_in("accepted", 1)
        self.ask(pieces["accepted"], "send_back", coordinator)
        content = hand_in("accepted", 2)
        for name in ("pending", "sent_back", "waived", "reopened", "unrelated"):
            hand_in(name, 1)
        for name in ("accepted", "reopened", "unrelated"):
            pieces[name].with_user(coordinator).action_accept()
        self.ask(pieces["waived"], "waive", coordinator)
        self.ask(pieces["sent_back"], "send_back", coordinator)
        for name in ("pending", "sent_back"):
            self.override(tranche, "deliverable", piece=pieces[name])
        self.certify(tranche)
        # Judged again after the certificate: what replaces it is not accepted.
        self.ask(pieces["reopened"], "reopen", coordinator)
        hand_in("reopened", 2)
        tranche.with_user(self.finance_officer)._do_order("12", ORDERED)
        bill = tranche._get_live_move()
        attached = self.env["ir.attachment"].search(
            [("res_model", "=", "account.move"), ("res_id", "=", bill.id)]
        )
        self.assertEqual(attached.mapped("name"), ["accepted_2.pdf"])
        self.assertEqual(attached.raw, content)
        # The file in the proof is another record: who keeps accounts does not touch it.
        version = pieces["accepted"].last_version_id
        self.assertNotEqual(attached, version.sudo().file_ids.attachment_id)
        piece = tranche.order_batch_id._get_pes_piece(tranche, bill)
        self.assertEqual([file.content for file in piece.files], [content])

    def test_named_twice(self):
        """One tranche twice in a list would be ordered once, without a word."""
        wizards = self.env["grant.disbursement.order"].with_user(self.finance_officer)
        tranche = self.tranche.id
        for context, vals in (
            ({}, {"disbursement_ids": [Command.set([tranche, tranche])]}),
            ({}, {"disbursement_ids": [Command.link(tranche), Command.link(tranche)]}),
            ({"default_disbursement_ids": [tranche, tranche]}, {}),
        ):
            with self.subTest(vals=vals), self.assertRefused("named twice", "Avance"):
                wizards.with_context(**context).create([{**vals, "order_number": "41"}])

    def test_order_without_a_form(self):
        """Over RPC no onchange proposes the next numbers: the record does."""
        self.certify(self.tranche)
        wizards = self.env["grant.disbursement.order"].with_user(self.finance_officer)
        values = {"disbursement_ids": [(6, 0, self.tranche.ids)], "order_date": str(ORDERED)}
        made = call_kw(wizards, "create", [[values]], {})
        self.assertEqual(wizards.browse(made).mapped("order_number"), ["1"])
        self.assertTrue(call_kw(wizards, "action_confirm", [made], {}))
        self.assertEqual((self.tranche.state, self.tranche.order_number), ("ordered", "1"))

    def test_numbers_that_the_form_proposes(self):
        self.order(self.tranche, "7")
        self.certify(self.second)
        wizards = self.env["grant.disbursement.order"].with_user(self.finance_officer)
        form = Form(wizards.with_context(default_disbursement_ids=self.second.ids))
        form.order_date = ORDERED
        self.assertEqual((form.order_number, form.batch_number), ("8", 2))
        # Another date suggests others; what was typed stays.
        form.order_date = "2022-01-05"
        self.assertEqual((form.order_number, form.batch_number), ("1", 1))
        form.order_number = "77"
        form.order_date = ORDERED
        self.assertEqual((form.order_number, form.batch_number), ("77", 2))
        form.batch_number = 5
        form.order_date = "2022-01-05"
        self.assertEqual((form.order_number, form.batch_number), ("77", 5))
        self.assertEqual((form.save().order_number, form.save().batch_number), ("77", 5))

    def test_a_draft_that_blocks_the_numbers_of_a_year(self):
        """A payment of 2022 set back to draft and dated 2021 gives its number to that year."""
        journal = self.company.grant_payment_journal_id
        payment = self.env["account.payment"].create(
            {
                "payment_type": "outbound", "partner_id": self.other_operator.id, "amount": 5,
                "date": "2022-01-10", "journal_id": journal.id,
            }
        )  # fmt: skip
        payment.action_post()
        payment.action_draft()
        payment.date = "2021-12-20"
        self.order(self.tranche, "7")
        with self.assertRefused(payment.move_id.name, journal.name, "2021"):
            self.tranche.with_user(self.finance_officer)._do_pay(datetime.date(2021, 11, 25))
        payment.date = "2022-01-10"
        self.tranche.with_user(self.finance_officer)._do_pay(datetime.date(2021, 11, 25))
        self.assertEqual(self.tranche.state, "paid")

    def test_batch(self):
        other = self.sign(self.make_subsidy(amount=500, partner_id=self.other_operator.id))
        third = self.make_tranche(other, amount=500).with_env(self.env)
        tranches = self.tranche | self.second | third
        self.certify(tranches)
        wizard = (
            self.env["grant.disbursement.order"]
            .with_user(self.finance_officer)
            .create({"disbursement_ids": tranches.ids, "order_number": "008"})
        )
        self.assertEqual((wizard.count, wizard.amount), (3, 2200))
        wizard.order_date = ORDERED
        wizard.order_number = "008"
        action = wizard.action_confirm()
        batch = self.env["grant.order.batch"].browse(action["res_id"])
        self.assertEqual((batch.exercise, batch.number, batch.amount), (2021, 1, 2200))
        self.assertEqual(batch.disbursement_ids, tranches)
        self.assertEqual(tranches.mapped("order_number"), ["008", "009", "010"])
        self.assertEqual(tranches.move_ids.mapped("ref"), ["008", "009", "010"])
        self.assertEqual(
            self.env["grant.order.batch"]._get_next_order_number(self.company, 2021), "011"
        )
        self.assertEqual(self.env["grant.order.batch"]._get_next_number(self.company, 2021), 2)
        self.assertEqual(self.env["grant.order.batch"]._get_next_number(self.company, 2022), 1)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            batch.sudo().unlink()
        for values in ({"number": 9}, {"disbursement_ids": [Command.clear()]}):
            with self.assertRaises(UserError), self.env.cr.savepoint():
                batch.with_user(self.administrator).write(values)

    def test_all_or_nothing(self):
        self.certify(self.tranche)
        self.certify(self.second, self.finance_officer_too())
        with self.assertRefused("somebody else"):
            (self.tranche | self.second).with_user(self.both_roles)._do_order("1", ORDERED)
        self.env.invalidate_all()
        self.assertEqual((self.tranche | self.second).mapped("state"), ["certified"] * 2)
        self.assertFalse(self.tranche.move_ids)

    def finance_officer_too(self):
        return self.both_roles

    def test_same_number_twice(self):
        self.order(self.tranche, "M-1")
        self.certify(self.second)
        with (
            mute_logger("odoo.sql_db"),
            self.assertRaisesRegex(psycopg2.errors.UniqueViolation, "order_number_uniq"),
            self.env.cr.savepoint(),
        ):
            self.second.with_user(self.finance_officer)._do_order("M-1", ORDERED)
        # Another financial year begins anew.
        self.second.with_user(self.finance_officer)._do_order("M-1", datetime.date(2022, 1, 5))

    def test_several_need_digits(self):
        self.certify(self.tranche | self.second)
        with self.assertRefused("digits"):
            (self.tranche | self.second).with_user(self.finance_officer)._do_order("M-1", ORDERED)


class TestLedgerFollows(AccountingCase):
    """R6: the ledger equals accounting after each thing accounting can do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche)
        cls.order(cls.second)

    def test_paid_at_once(self):
        self.register(self.bill(self.tranche))
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000)])
        self.assertEqual(self.tranche.paid_date, PAID)
        self.assertEqual(self.tranche.paid_by_id, self.accountant)

    def test_paid_in_parts(self):
        self.register(self.bill(self.tranche), 400)
        self.assertAgree(self.tranche, 400, "ordered")
        self.assertEqual(self.tranche.residual_amount, 600)
        last = self.register(self.bill(self.tranche), 600, LATER)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(PAID, 400), (LATER, 600)])
        self.assertEqual(self.tranche.paid_date, LATER)
        last.action_draft()
        self.assertAgree(self.tranche, 400, "ordered")
        self.assertFalse(self.tranche.paid_date)

    def test_two_bills_in_one_payment(self):
        bills = self.bill(self.tranche) | self.bill(self.second)
        payment = self.register(bills, group_payment=True)
        self.assertEqual(len(payment), 1)
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertAgree(self.second, 700, "paid")
        # One of them is un-matched: the other stays paid.
        self.bill(self.second).line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertAgree(self.second, 0, "ordered")

    def test_together_with_a_bill_of_no_grant(self):
        other = self.bill(self.tranche).copy({"invoice_date": ORDERED})
        self.assertFalse(other.grant_origin_id, "A copy is a bill like any other")
        other.action_post()
        self.register(self.bill(self.tranche) | other, group_payment=True)
        self.assertAgree(self.tranche, 1000, "paid")

    def test_unmatched(self):
        self.register(self.bill(self.tranche))
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 0, "ordered")
        self.assertEqual(self.payments(self.tranche), [(PAID, 1000), (PAID, -1000)])

    def test_payment_cancelled_and_deleted(self):
        payment = self.register(self.bill(self.tranche))
        payment.action_draft()
        self.assertAgree(self.tranche, 0, "ordered")
        payment.action_cancel()
        payment.unlink()
        self.assertAgree(self.tranche, 0, "ordered")
        self.register(self.bill(self.tranche))
        self.assertAgree(self.tranche, 1000, "paid")

    def test_bill_reset_and_posted_again(self):
        self.register(self.bill(self.tranche))
        bill = self.bill(self.tranche)
        number = self.tranche.order_number
        bill.button_draft()
        self.assertAgree(self.tranche, 0, "certified")
        self.assertEqual(self.tranche.order_number, number)
        # Not by the accountant: ordering takes the role.
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            bill.action_post()
        bill.with_user(self.finance_officer).action_post()
        # Its payment was still matched with it.
        self.assertAgree(self.tranche, 1000, "paid")

    def test_draft_bill_blocks_another_order(self):
        self.bill(self.tranche).button_draft()
        with self.assertRefused("in accounting already"):
            self.tranche.with_user(self.finance_officer)._do_order("M-99", ORDERED)

    def test_bill_cancelled_then_ordered_again(self):
        self.bill(self.tranche).button_cancel()
        self.assertAgree(self.tranche, 0, "certified")
        self.assertFalse(self.tranche.order_number)
        self.assertFalse(self.tranche.order_batch_id)
        self.tranche.with_user(self.finance_officer)._do_order("M-99", ORDERED)
        self.register(self.bill(self.tranche))
        self.assertAgree(self.tranche, 1000, "paid")

    def test_bill_deleted(self):
        bill = self.bill(self.tranche)
        bill.button_draft()
        bill.unlink()
        self.assertAgree(self.tranche, 0, "certified")
        self.tranche.with_user(self.finance_officer)._do_order("M-99", ORDERED)
        self.assertAgree(self.tranche, 0, "ordered")

    def reverse(self, bill, cancel=True):
        return bill._reverse_moves([{"date": LATER, "invoice_date": LATER}], cancel=cancel)

    def test_bill_reversed(self):
        self.reverse(self.bill(self.tranche))
        self.assertAgree(self.tranche, 0, "certified")
        self.tranche.with_user(self.finance_officer)._do_order("M-99", ORDERED)
        self.assertAgree(self.tranche, 0, "ordered")

    def test_reversal_undone(self):
        bill = self.bill(self.tranche)
        reversal = self.reverse(bill)
        reversal.line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_not_ordered_twice(self):
        reversal = self.reverse(self.bill(self.tranche))
        self.tranche.with_user(self.finance_officer)._do_order("M-99", ORDERED)
        with self.assertRefused("twice"):
            reversal.line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_bank_statement(self):
        bill = self.bill(self.tranche)
        line = self.env["account.bank.statement.line"].create(
            {
                "journal_id": self.company.grant_payment_journal_id.id,
                "payment_ref": "VIR 2021-12",
                "date": LATER,
                "amount": -1000,
                "partner_id": self.operator.id,
            }
        )
        _liquidity, suspense, _other = line._seek_for_lines()
        payable = bill._get_payment_lines()
        line.move_id.button_draft()
        suspense.write({"account_id": payable.account_id.id})
        line.move_id.action_post()
        (suspense | payable).reconcile()
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.payments(self.tranche), [(LATER, 1000)])
        line.action_undo_reconciliation()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_paid_through_us(self):
        officer = self.finance_officer
        self.tranche.with_user(officer)._register_payment(PAID, 250, "VIR-1")
        self.assertAgree(self.tranche, 250, "ordered")
        for amount in (750.01, 0, -1):
            with self.assertRefused(self.money(750)):
                self.tranche.with_user(officer)._register_payment(PAID, amount)
        self.tranche.with_user(officer)._do_pay(LATER, "VIR-2")
        self.assertAgree(self.tranche, 1000, "paid")
        self.assertEqual(self.tranche.payment_reference, "VIR-2")
        self.ask(self.tranche, "unpay", self.finance_manager, "Erreur de la trésorerie")
        self.assertAgree(self.tranche, 0, "ordered")
        unpaid = self.tranche.decision_ids.filtered(lambda d: d.decision == "unpaid")
        self.assertEqual(unpaid.reason, "Erreur de la trésorerie")
        memos = self.subsidy.entry_ids.filtered(lambda e: e.amount < 0).mapped("memo")
        self.assertEqual(set(memos), {"Erreur de la trésorerie"})
        # The reason is that of what was taken back, not of what is paid after all.
        known = self.subsidy.entry_ids
        self.tranche.with_user(officer)._do_pay(LATER, "VIR-3")
        again = self.subsidy.entry_ids - known
        memo = f"Order {self.tranche.order_number}, {self.tranche.name}"
        self.assertEqual(again.mapped("memo"), [memo])
        # Nor of what somebody undoes in accounting, without a word.
        known = self.subsidy.entry_ids
        self.bill(self.tranche).line_ids.remove_move_reconcile()
        undone = self.subsidy.entry_ids - known
        self.assertEqual(set(undone.mapped("memo")), {memo})

    def test_a_closed_contract_keeps_its_payments(self):
        """The ledger refuses, so accounting does too: they stay equal."""
        self.register(self.bill(self.tranche))
        self.contract.envelope_ids._transition(state="closed")
        self.contract._transition(state="closed")
        with self.assertRefused("not in force"):
            self.bill(self.tranche).line_ids.remove_move_reconcile()
        self.assertAgree(self.tranche, 1000, "paid")

    def test_nothing_else_is_touched(self):
        before = self.env["grant.entry"].search_count([])
        bill = self.bill(self.tranche).copy({"invoice_date": ORDERED})
        bill.action_post()
        self.register(bill)
        bill.button_draft()
        self.assertEqual(self.env["grant.entry"].search_count([]), before)


class TestBillByHand(AccountingCase):
    """A bill changed by hand is refused, or the order falls back: never out of step."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche)

    def test_posted(self):
        bill = self.bill(self.tranche)
        other_account = bill.invoice_line_ids.account_id.copy({"code": "657480"})
        for values in (
            {"account_id": other_account.id},
            {"partner_id": self.other_operator.id},
            {"analytic_distribution": False},
            {"price_unit": 900},
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                with self.env.cr.savepoint():
                    bill.invoice_line_ids.write(values)
        with self.assertRaises(UserError), self.env.cr.savepoint():
            bill.write({"partner_id": self.other_operator.id})
        # What an order does not say may change.
        bill.invoice_line_ids.name = "Autre libellé"
        self.assertAgree(self.tranche, 0, "ordered")

    def test_draft(self):
        bill = self.bill(self.tranche).with_user(self.finance_officer)
        bill.button_draft()
        other_account = bill.invoice_line_ids.account_id.sudo().copy({"code": "657480"})
        for values, field in (
            ({"invoice_line_ids": [Command.update(bill.invoice_line_ids.id, {"price_unit": 900})]},
             "Total"),
            ({"partner_id": self.other_operator.id}, "Partner"),
            ({"invoice_line_ids": [
                Command.update(bill.invoice_line_ids.id, {"account_id": other_account.id})
            ]}, "Invoice lines"),
        ):  # fmt: skip
            with self.subTest(values=values), self.assertRefused("does not say the same", field):
                bill.write(values)
                bill.action_post()
        self.assertEqual(self.tranche.state, "certified")

    def test_the_certifier_posts(self):
        bill = self.bill(self.tranche)
        bill.button_draft()
        self.ask(self.tranche, "return", self.coordinator)
        self.certify(self.tranche, self.both_roles)
        with self.assertRefused("somebody else"):
            bill.with_user(self.both_roles).action_post()
        bill.with_user(self.finance_officer).action_post()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_origin_is_not_typed_in(self):
        bill = self.bill(self.tranche)
        values = {"grant_origin_model": "grant.disbursement", "grant_origin_id": self.second.id}
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            bill.write({"grant_origin_id": self.second.id})
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            bill.copy(values)
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            self.env["account.move"].with_user(self.accountant).with_context(
                default_grant_origin_model="grant.disbursement",
                default_grant_origin_id=self.second.id,
            ).create({"move_type": "in_invoice", "partner_id": self.operator.id})


class TestControl(AccountingCase):
    def test_a_difference_shows(self):
        """Somebody writes behind the ORM's back: verifier and control screen name the tranche."""
        self.order(self.tranche)
        payment = self.register(self.bill(self.tranche))
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE account_move SET date = %s WHERE id = %s", [LATER, payment.move_id.id]
        )
        self.env.invalidate_all()
        wrong = self.verify()
        self.assertEqual(len(wrong), 2)
        self.assertIn(self.tranche.display_name, wrong[0])
        control = self.env["grant.accounting.control"].search([("is_different", "=", True)])
        self.assertEqual(control.document, self.tranche.display_name)
        self.assertEqual(control.action_open_document()["res_id"], self.tranche.id)
        self.assertEqual((control.ledger_amount, control.accounting_amount), (1000, 1000))


    def test_all_kinds(self):
        self.order(self.tranche)
        self.register(self.bill(self.tranche))
        funding = self.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": self.envelope.id, "amount": 100}
        )
        funding.with_user(self.finance_officer)._do_receive(PAID, 40)
        ours = [("company_id", "=", self.company.id)]
        lines = self.env["grant.accounting.control"].search(ours)
        self.assertEqual(
            sorted((line.kind, line.ledger_amount, line.accounting_amount) for line in lines),
            [("payment", 1000, 1000), ("receipt", 40, 40)],
        )
        self.assertFalse(any(lines.mapped("is_different")))


class TestPaymentClock(AccountingCase):
    def test_deadline(self):
        self.assertFalse(self.tranche.payment_deadline)
        self.subsidy.notification_date = "2021-11-02"
        self.assertEqual(self.tranche.payment_deadline, datetime.date(2022, 1, 1))
        self.tranche._transition(due_date="2022-06-30")
        self.assertEqual(self.tranche.payment_deadline, datetime.date(2022, 6, 30))
        self.company.grant_payment_days = 30
        self.tranche._transition(due_date="2021-11-15")
        self.assertEqual(self.tranche.payment_deadline, datetime.date(2021, 12, 2))

    def test_interest(self):
        self.company.grant_late_interest_rate = 7.3
        self.subsidy.notification_date = datetime.date.today() - datetime.timedelta(days=70)
        self.assertEqual(self.tranche.days_left, -10)
        self.assertEqual(self.tranche.late_interest, 2.0)
        self.order(self.tranche)
        self.tranche.with_user(self.finance_officer)._register_payment(PAID, 500)
        self.assertEqual(self.tranche.late_interest, 1.0)
        self.tranche.with_user(self.finance_officer)._do_pay(PAID)
        self.assertEqual((self.tranche.days_left, self.tranche.late_interest), (0, 0))
