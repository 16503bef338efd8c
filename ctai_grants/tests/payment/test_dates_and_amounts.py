import datetime

from odoo import Command
from odoo.exceptions import UserError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import freeze_time

from .test_disbursement_flow import DAY, TranchesCase

BLANK = (" ", "\n\t ", "\u00a0", "\u200b", "\ufeff", "\u2060\u200d", "\u3164", "…", "—", "", False)
BILLION = 1_000_000_000


def days(number):
    return DAY + datetime.timedelta(days=number)


class TestDates(TranchesCase):
    def test_order_before_its_certificate(self):
        """The day of the city: at 23:30 in London it is the next one."""
        self.company.partner_id.tz = "Europe/Paris"
        self.certify(self.tranche, moment="2021-11-29 23:30:00")
        with self.assertRefused("Avance", "11/29/2021", "11/30/2021", "certificate"):
            self.tranche.with_user(self.finance_officer)._do_order("M-1", "2021-11-29")
        self.tranche.with_user(self.finance_officer)._do_order("M-1", "2021-11-30")

    def test_posted_again_before_its_certificate(self):
        self.order(self.tranche)
        bill = self.tranche.with_env(self.env)._get_live_move()
        bill.button_draft()
        self.ask(self.tranche, "return", self.coordinator)
        self.certify(self.tranche, moment="2021-11-25 12:00:00")
        with self.assertRefused("Avance", "certificate"):
            bill.with_user(self.finance_officer).action_post()

    def test_payment_before_its_order(self):
        self.certify(self.tranche)
        officer = self.tranche.with_user(self.finance_officer)
        officer._do_order("M-1", DAY)
        with self.assertRefused("Avance", "before its order"):
            officer._do_pay(days(-1), "P-1")
        with self.assertRefused("Avance", "before its order"):
            officer._register_payment(days(-1), 10, "P-1")
        wizard = self.env["account.payment.register"].with_context(
            active_model="account.move", active_ids=officer._get_live_move().ids
        )
        values = {
            "payment_date": days(-1), "journal_id": self.company.grant_payment_journal_id.id
        }  # fmt: skip
        with self.assertRefused("Avance", "before its order"):
            wizard.create(values)._create_payments()
        officer._do_pay(DAY, "P-1")
        self.assertEqual(self.tranche.state, "paid")

    def test_state_payment_before_the_award(self):
        """Signed first, as some are, and awarded after that."""
        late = self.make_subsidy(
            envelope_id=self.direct_envelope.id, decision_date="2021-11-15", amount=1000
        )
        tranche = self.make_tranche(late)
        self.sign(late)
        self.certify(tranche, moment="2021-11-15 06:00:00")
        officer = tranche.with_user(self.finance_officer)
        with self.assertRefused("Avance", "award", "11/15/2021"):
            officer._do_pay("2021-11-14", "P-1")
        wizard = officer.env["grant.disbursement.pay"].create(
            {"disbursement_id": tranche.id, "paid_date": "2021-11-14"}
        )
        with self.assertRefused("award"):
            call_kw(wizard, "action_confirm", [wizard.ids], {})
        with freeze_time("2021-11-20"):
            officer._do_pay("2021-11-15", "P-1")


class TestAmounts(TranchesCase):
    def test_a_tranche_too_much(self):
        """Of 10 000 €, 8 000 are planned already."""
        planned = self.subsidy._get_planned_amount()
        left = self.subsidy.amount - planned
        values = {"name": "De trop", "subsidy_id": self.subsidy.id}
        model = self.env["grant.disbursement"]
        for user in (self.finance_manager, self.administrator, self.env.user):
            for amount in (BILLION, left + 0.01):
                vals = {**values, "amount": amount}
                with self.subTest(user=user.login), self.assertRefused(self.subsidy.code, "add up"):
                    call_kw(model.with_user(user), "create", [vals], {})
        with self.assertRefused("add up"):
            call_kw(
                model.with_user(self.finance_manager),
                "create",
                [{**values, "amount": left + 0.01}],
                {"context": {"grant_transition": "x"}},
            )
        with self.assertRefused("add up"):
            self.subsidy.with_user(self.finance_manager).write(
                {"disbursement_ids": [Command.create({"name": "De trop", "amount": left + 0.01})]}
            )
        self.make_tranche(self.subsidy, amount=left)

    def test_its_amount_changed(self):
        for amount in (BILLION, 0.01):
            with self.subTest(amount=amount), self.assertRaises(UserError):
                self.tranche.with_user(self.finance_manager).amount = amount

    def test_moved_from_a_draft(self):
        draft = self.make_subsidy(amount=BILLION / 1e5)
        moved = self.make_tranche(draft, amount=BILLION / 1e5)
        with self.assertRefused("add up"):
            moved.with_user(self.finance_manager).subsidy_id = self.subsidy
        with self.assertRaises(UserError):
            moved.with_user(self.coordinator).subsidy_id = self.subsidy

    def test_planned_again(self):
        self.ask(self.tranche, "cancel", self.finance_manager)
        left = self.subsidy.amount - self.subsidy._get_planned_amount()
        self.make_tranche(self.subsidy, amount=left)
        with self.assertRefused("add up"):
            self.tranche.with_user(self.finance_manager).action_replan()

    def test_no_amount(self):
        """A tick is no euro, in documents, windows and settings."""
        self.order(self.tranche)
        for model, values, user in (
            ("grant.disbursement", {"name": "T", "subsidy_id": self.subsidy.id},
             self.finance_manager),
            ("grant.funding.receive", {"funding_id": self.make_funding().id}, self.finance_officer),
            ("grant.amendment", {"subsidy_id": self.subsidy.id}, self.coordinator),
        ):  # fmt: skip
            vals = {**values, "amount": True}
            with self.subTest(model=model), self.assertRefused(
                "not an amount", exception=ValidationError
            ):
                call_kw(self.env[model].with_user(user), "create", [vals], {})
        with self.assertRefused("not an amount", exception=ValidationError):
            self.company.grant_order_limit = True
        with self.assertRefused("not an amount", exception=ValidationError):
            self.tranche.with_user(self.finance_officer)._register_payment(days(1), True, "P")

    def make_funding(self):
        return self.env["grant.funding"].create(
            {"envelope_id": self.envelope.id, "name": "1er acompte", "amount": 500}
        )


class TestImport(TranchesCase):
    # By itself: an import that fails has the registry forget the column of our analytic plan.
    def test_a_tranche_too_much(self):
        loaded = self.env["grant.disbursement"].with_user(self.finance_manager).load(
            ["name", "subsidy_id/.id", "amount"], [["De trop", self.subsidy.id, str(BILLION)]]
        )
        self.assertFalse(loaded["ids"])
        self.assertIn("add up", str(loaded["messages"]))


class TestReasons(TranchesCase):
    def test_blank(self):
        """Nobody reads anything in it: neither the window nor the method takes it."""
        self.certify(self.tranche)
        condition = self.conditioned.condition_ids.filtered(lambda row: row.state == "unmet")
        for documents, action, method, user in (
            (self.tranche, "return", "_do_return", self.coordinator),
            (self.tranche, "cancel", "_do_cancel", self.finance_manager),
            (condition, "override", "_do_override", self.finance_manager),
            (self.subsidy, "cancel", "_do_cancel", self.coordinator),
            (self.subsidy, "close", "_do_close", self.finance_manager),
            (self.piece, "waive", "_do_waive", self.coordinator),
        ):
            for reason in BLANK:
                with self.subTest(action=action, reason=reason):
                    with self.assertRefused("reason"):
                        getattr(documents.with_user(user), method)(reason)
                    if reason:
                        with self.assertRefused(documents.display_name, "reason"):
                            self.ask(documents, action, user, reason)
        self.assertEqual(self.tranche.state, "certified")

    def test_words(self):
        self.certify(self.tranche)
        self.ask(self.tranche, "return", self.coordinator, " \u00a0 Pièce manquante\u200b \n")
        self.assertIn("Pièce manquante", self.tranche.decision_ids[0].reason)

    def test_numbers_and_references(self):
        """Nor is it the number of an order, or of a convention."""
        self.certify(self.tranche)
        for blank in BLANK:
            with self.subTest(blank=blank), self.assertRefused("number"):
                self.tranche.with_user(self.finance_officer)._do_order(blank, DAY)
        self.ask(self.tranche, "return", self.coordinator, "Autre convention")
        self.company.grant_convention_threshold = 1
        self.subsidy.convention_reference = "\u200b"
        self.assertIn(
            "convention",
            self.conditioned.condition_ids.filtered(lambda row: row.state == "unmet").mapped(
                "code"
            ),
        )
