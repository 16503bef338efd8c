import datetime

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, UserError
from odoo.tools import mute_logger

from ..common import GrantsCommon


class TestContract(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager_contract = cls.contract.with_user(cls.finance_manager)
        dates = cls.contract.read(["signature_date", "date_start", "date_end"], load=None)[0]
        del dates["id"]
        copied = cls.contract.copy({"code": "TEST-2022", **dates})
        cls.draft = copied.with_user(cls.finance_manager)

    def receive(self, amount=100, funding=None):
        funding = funding or self.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": self.envelope.id, "amount": amount}
        )
        funding.with_user(self.finance_officer)._do_receive(
            datetime.date(2021, 12, 1), amount, "VIR-1"
        )
        return funding

    # ------------------------------------------------------------------
    # In force
    # ------------------------------------------------------------------

    def test_in_force(self):
        self.assertEqual(self.contract.state, "in_force")
        self.assertEqual(set(self.contract.envelope_ids.mapped("state")), {"in_force"})
        self.assertEqual(self.contract.allocated_amount, 200000)
        for envelope, amount in ((self.envelope, 150000), (self.direct_envelope, 50000)):
            entry = envelope.entry_ids
            self.assertEqual(entry.mapped("kind"), ["allocation"])
            self.assertEqual(entry.amount, amount)
            self.assertEqual(entry.date, self.contract.signature_date)
            self.assertEqual(entry.user_id, self.finance_manager)
            self.assertEqual(
                (entry.origin_model, entry.origin_id), ("grant.contract", self.contract.id)
            )

    def test_not_yet(self):
        tomorrow = fields.Date.today() + datetime.timedelta(days=1)
        nothing = [
            Command.update(envelope.id, {"amount": 0}) for envelope in self.draft.envelope_ids
        ]
        for values, text in (
            ({"signature_date": False}, "Signature Date"),
            ({"signature_date": tomorrow}, "and today is"),
            ({"envelope_ids": nothing}, "Add an envelope"),
        ):
            with self.subTest(values=values), self.assertRefused(text):
                self.draft.write(values)
                self.draft.action_put_in_force()
        self.assertEqual(self.draft.state, "draft")
        self.assertFalse(self.draft.envelope_ids.entry_ids)

    def test_once(self):
        with self.assertRaises(UserError):
            self.manager_contract.action_put_in_force()
        self.assertEqual(self.contract.allocated_amount, 200000)

    def test_nothing_is_signed_before(self):
        subsidy = self.make_subsidy(envelope_id=self.draft.envelope_ids[0].id)
        with self.assertRefused("not in force"):
            self.sign(subsidy)

    def test_by_whom(self):
        for user in (self.reader, self.coordinator, self.finance_officer, *self.portal_users):
            for method in ("action_put_in_force", "action_reset_to_draft", "action_close"):
                with self.subTest(user=user.login, method=method), self.assertRaises(AccessError):
                    getattr((self.contract | self.draft).with_user(user), method)()
            with self.assertRaises(AccessError):
                self.contract.with_user(user).action_reopen()

    def test_frozen(self):
        other = self.prefecture.copy()
        for document, values in (
            (self.contract, {"code": "X"}),
            (self.contract, {"funder_id": other.id}),
            (self.contract, {"signature_date": "2021-10-22"}),
            (self.contract, {"active": False}),
            (self.contract, {"envelope_ids": [Command.delete(self.envelope.id)]}),
            (
                self.contract,
                {"envelope_ids": [Command.create({"name": "C", "code": "C", "amount": 1})]},
            ),
            (self.envelope, {"amount": 150001}),
            (self.envelope, {"payment_path": "direct"}),
            (self.envelope, {"code": "X"}),
            (self.envelope, {"contract_id": self.draft.id}),
            (self.draft.envelope_ids[0], {"contract_id": self.contract.id}),
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                document.with_user(self.administrator).write(values)
        # What a file says again is no change.
        self.contract.write({"code": self.contract.code, "funder_id": self.prefecture.id})
        self.envelope.write({"amount": 150000.0, "name": "Another name"})

    def test_back_to_draft(self):
        self.manager_contract.action_reset_to_draft()
        self.assertEqual(self.contract.state, "draft")
        self.assertEqual(self.contract.allocated_amount, 0)
        self.assertEqual(self.envelope.entry_ids.mapped("amount"), [-150000, 150000])
        for document, values in (
            (self.envelope, {"contract_id": self.draft.id}),
            (self.contract, {"active": False}),
        ):
            with self.subTest(values=values), self.assertRaises(UserError):
                document.write(values)
        with self.assertRaises(UserError):
            self.envelope.unlink()
        with self.assertRaises(UserError):
            self.contract.unlink()
        self.envelope.amount = 140000
        self.manager_contract.action_put_in_force()
        self.assertEqual(self.envelope.allocated_amount, 140000)
        self.assertFalse(self.verify())

    def test_not_back_to_draft(self):
        with self.env.cr.savepoint() as savepoint:
            self.sign(self.make_subsidy())
            with self.assertRaises(UserError):
                self.manager_contract.action_reset_to_draft()
            savepoint.rollback()
        self.receive()
        with self.assertRaises(UserError):
            self.manager_contract.action_reset_to_draft()

    def test_closed(self):
        subsidy = self.make_subsidy()
        granted = self.make_subsidy()
        granted.action_grant()
        with self.assertRefused(granted.code):
            self.manager_contract.action_close()
        granted.action_reset_to_draft()
        signed = self.sign(self.make_subsidy())
        with self.assertRefused(signed.code):
            self.manager_contract.action_close()
        with self.assertRaises(UserError):
            signed.active = False
        self.ask(signed, "close", self.finance_manager)
        # Fully paid: reopening it posts nothing, so that the ledger would not object.
        paid = self.sign(self.make_subsidy(amount=10))
        self.pay(self.make_tranche(paid, amount=10))
        self.ask(paid, "close", self.finance_manager)
        funding = self.receive()
        self.manager_contract.action_close()
        with self.assertRefused("not in force"):
            self.sign(subsidy)
        with self.assertRefused("not in force"):
            self.receive()
        with self.assertRefused("not in force"):
            funding.with_user(self.finance_manager).action_cancel_receipt()
        for closed in (signed, paid):
            with self.assertRefused(self.contract.name, "Closed"):
                closed.with_user(self.finance_manager).action_reopen()
        self.manager_contract.action_reopen()
        signed.with_user(self.finance_manager).action_reopen()
        self.assertEqual(signed.state, "signed")
        self.assertFalse(self.verify())

    @mute_logger("odoo.sql_db")
    def test_bad_input(self):
        with self.assertRaises(psycopg2.IntegrityError):
            self.contract.copy({"code": self.contract.code})
        with self.assertRaises(psycopg2.IntegrityError):
            self.draft.date_end = "2021-10-20"
            self.env.flush_all()
        with self.assertRaises(psycopg2.IntegrityError):
            self.draft.envelope_ids[0].amount = -0.01
            self.env.flush_all()
        with self.assertRaises(psycopg2.IntegrityError):
            self.draft.envelope_ids[0].code = self.draft.envelope_ids[1].code
            self.env.flush_all()

    def test_codes_that_look_the_same(self):
        for code in ("a", " A", "A ", "a\t", "A", "A\u00a0", "\u202fa", "\u200bA", "A\ufeff"):
            with (
                self.subTest(code=code),
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.UniqueViolation),
                self.env.cr.savepoint(),
            ):
                self.draft.envelope_ids[1].code = code
                self.env.flush_all()
        self.draft.envelope_ids[1].code = "A2"

    def test_a_draft_can_go(self):
        self.draft.with_user(self.coordinator).unlink()
        self.assertFalse(self.draft.exists())

    # ------------------------------------------------------------------
    # State instalments
    # ------------------------------------------------------------------

    def test_receipt(self):
        funding = self.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": self.envelope.id, "amount": 100}
        )
        claim = self.env["grant.funding.claim"].with_user(self.finance_officer)
        claim.create({"funding_ids": funding.ids, "claim_date": "2021-11-20"}).action_confirm()
        self.assertEqual(funding.claim_date, datetime.date(2021, 11, 20))
        invoice = funding.move_ids
        self.assertEqual((invoice.move_type, invoice.state), ("out_invoice", "posted"))
        self.assertEqual((invoice.partner_id, invoice.amount_total), (self.prefecture, 100))
        self.assertEqual(invoice.invoice_line_ids.account_id.code, "74718")
        with self.assertRaises(UserError):
            funding.with_user(self.finance_officer)._do_claim("2021-11-20")
        with self.assertRaises(UserError):
            funding.amount = 200
        wizard = self.env["grant.funding.receive"].with_user(self.finance_officer)
        wizard.create(
            {"funding_id": funding.id, "amount": 99.99, "received_date": "2021-12-01"}
        ).action_confirm()
        self.assertEqual((funding.state, funding.received_amount), ("claimed", 99.99))
        self.assertEqual(self.envelope.received_amount, 99.99)
        with self.assertRefused("0.01", "0.02"):
            funding.with_user(self.finance_officer)._do_receive("2021-12-02", 0.02)
        rest = wizard.create({"funding_id": funding.id, "received_date": "2021-12-02"})
        self.assertEqual(rest.amount, 0.01)
        rest.action_confirm()
        self.assertEqual(funding.state, "received")
        self.assertEqual(funding.received_date, datetime.date(2021, 12, 2))
        entry = self.envelope.entry_ids[:1]
        self.assertEqual(
            (entry.kind, entry.amount, entry.date), ("receipt", 0.01, datetime.date(2021, 12, 2))
        )
        self.assertEqual(entry.user_id, self.finance_officer)
        with self.assertRaises(UserError):
            self.receive(funding=funding)
        with self.assertRaises(UserError):
            funding.unlink()

    def test_cancelled_receipt(self):
        funding = self.receive(100.1)
        for user in (self.reader, self.coordinator, self.finance_officer):
            with self.assertRaises(AccessError):
                funding.with_user(user).action_cancel_receipt()
        funding.with_user(self.finance_manager).action_cancel_receipt()
        self.assertEqual(funding.state, "claimed")
        self.assertEqual(funding.received_amount, 0)
        self.assertEqual(self.envelope.received_amount, 0)
        receipts = self.envelope.entry_ids.filtered(lambda entry: entry.kind == "receipt")
        self.assertEqual(receipts.mapped("amount"), [-100.1, 100.1])
        self.assertEqual(len(set(receipts.mapped("date"))), 1)
        with self.assertRaises(UserError):
            funding.with_user(self.finance_manager).action_cancel_receipt()
        for user in (self.reader, self.coordinator, self.finance_officer):
            with self.assertRaises(AccessError):
                funding.with_user(user).action_cancel_claim()
        funding.with_user(self.finance_manager).action_cancel_claim()
        self.assertEqual((funding.state, funding.claim_date), ("expected", False))
        with self.assertRefused("ledger"):
            funding.unlink()
        with self.assertRefused("cannot be changed"):
            funding.envelope_id = self.contract.copy().envelope_ids[0]
        self.receive(100.1, funding)
        self.assertEqual(self.envelope.received_amount, 100.1)
        self.assertFalse(self.verify())

    def test_state_money(self):
        """What the State still owes, what the city advanced; the direct envelope is neither."""
        self.assertEqual((self.contract.owed_amount, self.contract.advanced_amount), (150000, 0))
        self.pay(self.make_tranche(self.sign(self.make_subsidy(amount=400)), amount=400))
        self.assertEqual(self.contract.advanced_amount, 400)
        self.receive(150)
        self.assertEqual((self.contract.owed_amount, self.contract.advanced_amount), (149850, 250))

    def test_the_claim_follows_accounting(self):
        funding = self.receive()
        invoice = funding.move_ids
        invoice.line_ids.remove_move_reconcile()
        self.assertEqual((funding.state, self.envelope.received_amount), ("claimed", 0))
        self.assertFalse(self.verify())
        invoice.button_draft()
        self.assertEqual((funding.state, funding.claim_date), ("expected", False))
        with self.assertRefused("in accounting already"):
            funding.with_user(self.finance_officer)._do_claim("2021-11-20")
        with self.assertRefused("accounting", "deleted"):
            self.env["grant.funding"].browse(funding.id).with_user(self.coordinator).unlink()
        invoice.invoice_line_ids.price_unit = 90
        with self.assertRefused("does not say the same"):
            invoice.with_user(self.finance_officer).action_post()
        invoice.invoice_line_ids.price_unit = 100
        with self.assertRaises(AccessError):
            invoice.with_user(self.coordinator).action_post()
        invoice.with_user(self.finance_officer).action_post()
        self.assertEqual(funding.state, "claimed")

    def test_receipt_by_whom_and_when(self):
        funding = self.env["grant.funding"].create(
            {"name": "Versement", "envelope_id": self.envelope.id, "amount": 100}
        )
        for user in (self.reader, self.coordinator, *self.portal_users):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                funding.with_user(user)._do_receive("2021-12-01", 1)
        tomorrow = fields.Date.today() + datetime.timedelta(days=1)
        with self.assertRaises(UserError):
            funding.with_user(self.finance_officer)._do_receive(tomorrow, 1)
        self.assertEqual(funding.state, "expected")

    def test_no_receipt_on_a_direct_envelope(self):
        with self.assertRefused(self.direct_envelope.name):
            self.env["grant.funding"].create(
                {"name": "Versement", "envelope_id": self.direct_envelope.id, "amount": 100}
            )
