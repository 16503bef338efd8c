from odoo import Command
from odoo.tools import SQL

from ..common import IBANS
from ..treasury.test_pes import DAY, PesCase
from .test_accounting import AccountingCase

# Invented: the first and last four signs are those of the operator's own account.
LOOK_ALIKE = "FR7699999000000000000340115"
OTHER_DAY = "2021-11-21"


class PaidAccountCase(AccountingCase, PesCase):
    """R6: certificate, bill, file, list and payment are of one account."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche, "41")
        cls.batch = cls.tranche.order_batch_id.with_user(cls.finance_officer)
        cls.account = cls.operator.bank_ids
        cls.other_account = cls.other_operator.bank_ids
        # In lists it comes before the one that was certified.
        cls.account.sequence = 20
        currencies = cls.env.ref("base.USD") | cls.env.ref("base.EUR")
        cls.other_currency = currencies - cls.company.currency_id

    def assertNothingSent(self, *parts):
        for make in ("action_make_pes", "action_print", "_make_pdf"):
            with self.subTest(make=make), self.assertRefused("Avance", *parts):
                getattr(self.batch, make)()

    def alter(self, records, **values):
        """Behind Odoo's back, as a script would."""
        self.env.flush_all()
        for name, value in values.items():
            self.env.cr.execute(
                SQL(
                    "UPDATE %s SET %s = %s WHERE id = ANY(%s)",
                    SQL.identifier(records._table),
                    SQL.identifier(name),
                    value,
                    records.ids,
                )
            )
        self.env.invalidate_all()

    def assertShown(self, part):
        """The verifier and the screen of the control both say it."""
        self.assertIn(part, " ".join(self.verify()))
        control = self.env["grant.accounting.control"]
        shown = control.search([("origin_id", "=", self.tranche.id), ("is_otherwise", "=", True)])
        self.assertTrue(shown.is_different)


class TestBill(PaidAccountCase):
    def test_frozen(self):
        """Nobody changes what a posted bill says, whatever the context says."""
        bill = self.tranche._get_live_move()
        journal = bill.journal_id.copy()
        values = {
            "partner_bank_id": self.other_account.id, "partner_id": self.other_operator.id,
            "commercial_partner_id": self.other_operator.id, "invoice_date": OTHER_DAY,
            "date": OTHER_DAY, "invoice_date_due": "2031-01-01", "ref": "42",
            "payment_reference": "else", "journal_id": journal.id, "amount_total": 1,
            "amount_residual": 0, "currency_id": self.other_currency.id,
            "origin_payment_id": self.env["account.payment"].sudo().create(
                {"amount": 1, "partner_id": self.operator.id}
            ).id,
        }  # fmt: skip
        for user in (self.finance_officer, self.finance_manager, self.accountant, self.env.user):
            mine = bill.with_user(user).with_context(skip_readonly_check=True)
            for name, value in values.items():
                with self.subTest(user=user.login, name=name), self.assertRefused(bill.name):
                    mine.write({name: value})
        # The same again, as an import does, is no change.
        bill.write({"partner_bank_id": self.account.id, "ref": "41"})

    def test_frozen_lines(self):
        line = self.tranche._get_live_move()._get_payment_lines().with_user(self.accountant)
        for name, value in (("date_maturity", "2031-01-01"), ("amount_residual", 0)):
            with self.subTest(name=name), self.assertRefused("cannot be changed"):
                line.with_context(skip_readonly_check=True).write({name: value})

    def test_frozen_by_way_of_others(self):
        """Fields that what is paid is computed from, lines put beside, lines taken away."""
        bill = self.tranche._get_live_move().with_user(self.finance_officer)
        line = bill.invoice_line_ids
        for records, values in (
            (bill, {"bank_partner_id": self.other_operator.id}),
            (line, {"date": OTHER_DAY}),
            (line, {"currency_rate": 2}),
        ):
            with self.subTest(values=values), self.assertRefused(bill.name):
                records.write(values)
                self.env.flush_all()
        keys = {"force_delete": True, "check_move_validity": False, "dynamic_unlink": True}
        lines = line.with_context(**keys)
        with self.assertRefused(bill.name, "cannot be changed"):
            lines.create({"move_id": bill.id, "account_id": line.account_id.id, "debit": 100})
        with self.assertRefused():
            lines.unlink()
        self.assertEqual(bill.partner_bank_id, self.account)

    def test_payment_frozen(self):
        """Once matched, a payment stays what it was, whoever keeps the accounts."""
        self.tranche.with_user(self.finance_officer)._do_pay(DAY)
        payment = self.tranche._get_live_move()._get_payment_moves().origin_payment_id
        self.assertTrue(payment)
        for values in (
            {"partner_bank_id": self.other_account.id}, {"amount": 1}, {"date": "2021-11-30"},
            {"partner_id": self.other_operator.id}, {"payment_type": "inbound"},
        ):  # fmt: skip
            with self.subTest(values=values), self.assertRefused(payment.name, "cannot be changed"):
                payment.with_user(self.finance_officer).write(values)
        payment.with_user(self.finance_officer).write({"partner_bank_id": self.account.id})
        # Whom it paid stands on its lines too, which Odoo lets change once they are matched.
        line = payment.move_id._get_payment_lines().with_user(self.finance_officer)
        for partner in (self.other_operator, self.env["res.partner"]):
            with self.subTest(partner=partner.name), self.assertRefused(payment.name, "Avance"):
                line.partner_id = partner
        self.assertEqual(line.partner_id, self.operator)
        self.assertFalse(self.verify())

    def test_posted_again(self):
        """What was written in a draft is looked at when it is posted, or in the same breath."""
        bill = self.bill(self.tranche)
        bill.button_draft()
        self.account.copy({"partner_id": self.operator.id, "acc_number": LOOK_ALIKE})
        for values, part in (
            ({"partner_bank_id": self.other_account.id}, "another organisation"),
            ({"partner_bank_id": self.operator.bank_ids[-1].id}, "not verified"),
            ({"partner_bank_id": False}, "none"),
            ({"invoice_date_due": "2031-01-01"}, "Due Date"),
            ({"invoice_date": OTHER_DAY, "date": OTHER_DAY}, "Date"),
            ({"ref": "42"}, "Reference"),
            ({"payment_reference": "else"}, "Payment Reference"),
            ({"amount_total": 1}, "Total"),
        ):
            with self.subTest(values=values), self.assertRefused(bill.name, part):
                bill.with_user(self.finance_officer).write(values)
                bill.with_user(self.finance_officer).action_post()
            with self.subTest(at_once=values), self.assertRefused(bill.name, part):
                bill.with_user(self.finance_officer).write({**values, "state": "posted"})
        bill.with_user(self.finance_officer).action_post()
        self.assertAgree(self.tranche, 0, "ordered")

    def test_a_claim_too(self):
        funding = self.env["grant.funding"].create(
            {"envelope_id": self.envelope.id, "name": "1er acompte", "amount": 500}
        )
        funding.with_user(self.finance_officer)._do_claim(DAY)
        claim = self.bill(funding)
        for name, value in (
            ("partner_bank_id", self.other_account.id), ("invoice_date_due", "2031-01-01"),
            ("partner_id", self.other_operator.id),
        ):  # fmt: skip
            with self.subTest(name=name), self.assertRefused("cannot be changed"):
                claim.with_context(skip_readonly_check=True).write({name: value})
        claim.button_draft()
        with self.assertRefused("Recipient Bank"):
            claim.partner_bank_id = self.other_account
            claim.with_user(self.finance_officer).action_post()


class TestSent(PaidAccountCase):
    def test_all_the_same(self):
        content = self.make_file(self.tranche.order_batch_id)[0].raw
        self.assertIn(IBANS[0].encode(), content)
        self.assertTrue(self.batch._make_pdf()[1])
        self.assertFalse(self.verify())
        self.tranche.with_user(self.finance_officer)._do_pay("2021-12-03", "P-1")
        payment = self.tranche._get_live_move()._get_payment_moves().origin_payment_id
        self.assertEqual(payment.partner_bank_id, self.account)
        self.assertAgree(self.tranche, 1000, "paid")

    def test_not_verified_any_more(self):
        self.account.allow_out_payment = False
        self.assertNothingSent("0115", "not verified any more", "return the tranche")
        self.account.allow_out_payment = True
        self.batch.action_make_pes()

    def test_archived(self):
        self.account.active = False
        self.assertNothingSent("0115", "archived", "return the tranche")

    def test_an_account_that_orders_name(self):
        """It stays what it is: another one is entered beside it."""
        for values in ({"acc_number": IBANS[1]}, {"partner_id": self.other_operator.id}):
            with self.subTest(values=values), self.assertRefused("0115", "Archive it"):
                self.account.write({**values, "allow_out_payment": False})
        self.account.write({"acc_number": IBANS[0][:4] + " " + IBANS[0][4:]})

    def test_behind_our_back(self):
        for records, values, part, shown in (
            (self.account, {"sanitized_acc_number": LOOK_ALIKE}, "0115", "bank account"),
            (self.account, {"partner_id": self.other_operator.id}, "0115", "bank account"),
            (self.tranche.move_ids, {"partner_bank_id": self.other_account.id}, "0212", "bank"),
            (self.tranche.move_ids, {"partner_id": self.other_operator.id}, "Partner",
             "organisation"),
            (self.tranche.move_ids, {"amount_total": 1}, "Total", "amount"),
            (self.tranche.move_ids, {"date": OTHER_DAY}, "Date", "date"),
        ):  # fmt: skip
            self.env.flush_all()
            point = self.env.cr.savepoint()
            with self.subTest(values=values):
                self.alter(records, **values)
                self.assertNothingSent(part)
                self.assertShown(shown)
            point.rollback()
            self.env.invalidate_all()
        self.assertFalse(self.verify())

    def test_paid_elsewhere(self):
        self.operator.bank_ids = [
            Command.create({"acc_number": IBANS[1], "allow_out_payment": True, "sequence": 1})
        ]
        elsewhere = self.operator.bank_ids - self.account
        with self.assertRefused("0115", "0212"):
            self.register(self.bill(self.tranche), partner_bank_id=elsewhere.id)
        self.tranche.with_user(self.finance_officer)._do_pay("2021-12-03", "P-1")
        payment = self.tranche._get_live_move()._get_payment_moves().origin_payment_id
        self.assertEqual(payment.partner_bank_id, self.account)
        self.alter(payment, partner_bank_id=elsewhere.id)
        self.assertShown("paid to another bank account")


class TestCertified(PaidAccountCase):
    def test_look_alike(self):
        """The same first and last signs are not the same account."""
        self.certify(self.second)
        self.account.active = False
        self.operator.bank_ids = [
            Command.create({"acc_number": LOOK_ALIKE, "allow_out_payment": True})
        ]
        self.assertEqual(
            self.operator.bank_ids._get_masked_number(), self.account._get_masked_number()
        )
        with self.assertRefused("Avance", "0115"):
            self.second.with_user(self.finance_officer)._do_order("42", DAY)

    def test_archived_or_not_verified(self):
        """Between the certificate and the order: said of the account that was certified."""
        self.certify(self.second)
        for values, part in (
            ({"active": False}, "archived"), ({"allow_out_payment": False}, "not verified any more")
        ):  # fmt: skip
            before = {name: self.account[name] for name in values}
            self.account.write(values)
            with self.subTest(values=values), self.assertRefused("0115", "none", part):
                self.second.with_user(self.finance_officer)._do_order("42", DAY)
            self.account.write(before)
        self.second.with_user(self.finance_officer)._do_order("42", DAY)

    def test_merged_away(self):
        """That the ledger names the organisation is said, and not that its account stays."""
        other = self.operator.copy({"company_registry": False, "rna": False})
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRefused("in the grant ledger", self.operator.name):
            merge._merge((self.operator | other).ids, other)

    def test_another_bank(self):
        """The BIC is sent too: it is the one that was certified, wherever it was changed."""
        bank = self.env["res.bank"].create({"name": "Banque", "bic": "PSSTFRPPXXX"})
        other = self.env["res.bank"].create({"name": "Autre", "bic": "AGRIFRPP"})
        self.account.bank_id = bank
        self.certify(self.second)
        self.assertEqual(self.second._get_certified_account().bic, "PSSTFRPP")
        for record, values in ((self.account, {"bank_id": other.id}), (bank, {"bic": "AGRIFRPP"})):
            before = {name: record[name] for name in values}
            record.write(values)
            with self.subTest(record=record._name), self.assertRefused("PSSTFRPP", "AGRIFRPP"):
                self.second.with_user(self.finance_officer)._do_order("42", DAY)
            record.write(before)
        bank.bic = "psst fr pp"
        self.second.with_user(self.finance_officer)._do_order("42", DAY)
        self.assertFalse(self.verify())
        self.account.bank_id = other
        batch = self.second.order_batch_id.with_user(self.finance_officer)
        with self.assertRefused("PSSTFRPP", "AGRIFRPP"):
            batch.action_make_pes()
        self.assertIn("another bank account", " ".join(self.verify()))

    def test_several_verified(self):
        """Of several that are verified, the one certified is paid, not the first of them."""
        self.certify(self.second)
        self.operator.bank_ids = [
            Command.create({"acc_number": IBANS[1], "allow_out_payment": True, "sequence": 1})
        ]
        self.env.invalidate_all()
        self.assertNotEqual(self.operator._get_grant_bank(), self.account)
        self.second.with_user(self.finance_officer)._do_order("42", DAY)
        self.assertEqual(self.second._get_live_move().partner_bank_id, self.account)
        self.second.order_batch_id.with_user(self.finance_officer).action_make_pes()

    def test_done_without(self):
        """No account certified: the operator's verified one is paid, and nobody else's."""
        self.account.allow_out_payment = False
        self.override(self.second, "bank")
        self.certify(self.second)
        self.second.with_user(self.finance_officer)._do_order("42", DAY)
        bill = self.bill(self.second)
        self.assertFalse(bill.partner_bank_id)
        bill.button_draft()
        bill.partner_bank_id = self.account
        with self.assertRefused("not verified any more"):
            bill.with_user(self.finance_officer).action_post()
        self.account.allow_out_payment = True
        self.assertFalse(self.verify())


class TestOldCertificate(PaidAccountCase):
    """Certified by a version that kept a few digits of the account and its holder."""

    def setUp(self):
        super().setUp()
        self.certificate = self.tranche._get_certified_account()
        self.alter(self.certificate, fingerprint=None, bic=None)
        self.alter(self.account, write_date="2021-10-01 12:00:00")

    def test_the_same_since(self):
        self.batch._make_pdf()
        self.tranche.with_user(self.finance_officer)._do_pay(DAY)
        self.assertEqual(self.verify(), [])

    def test_changed_since(self):
        """The first and last digits of another account are those that were certified."""
        self.alter(self.account, acc_number=LOOK_ALIKE, sanitized_acc_number=LOOK_ALIKE,
                   write_date="2021-12-01 12:00:00")  # fmt: skip
        self.assertNothingSent("certify again", "cannot be told")

    def test_a_double(self):
        double = self.account.create(
            {
                "acc_number": LOOK_ALIKE, "partner_id": self.operator.id,
                "allow_out_payment": True, "active": False,
            }
        )  # fmt: skip
        self.alter(double, write_date="2021-10-01 12:00:00")
        self.assertNothingSent("certify again", "has a double")

    def test_certified_again(self):
        """Before the order, the sentence says what to do; certified again, it is ordered."""
        self.certify(self.second, moment="2021-11-20 06:00:00")
        self.alter(self.second._get_certified_account(), fingerprint=None, bic=None)
        self.alter(self.account, write_date="2021-12-01 12:00:00")
        second = self.second.with_user(self.finance_officer)
        with self.assertRefused(self.second.name, "certify again", "return it"):
            second._do_order("42", DAY)
        self.ask(self.second, "return", self.finance_officer)
        self.certify(self.second, moment="2021-11-20 06:00:00")
        second._do_order("42", DAY)
        self.assertEqual(self.second.state, "ordered")
