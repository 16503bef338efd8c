import datetime
from decimal import Decimal

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.service.model import call_kw
from odoo.tests import Form, TransactionCase, freeze_time
from odoo.tools import mute_logger

from ...lib.closing import due
from ..common import PDF, GrantsCommon


class TestDueArithmetic(TransactionCase):
    """What the convention leaves to the operator, in cents."""

    def due(self, rule, granted, budget, eligible, income=0):
        amounts = [Decimal(str(amount)) for amount in (granted, budget, eligible, income)]
        return float(due.amount_due(rule, *amounts))

    def test_rules(self):
        for rule, expected in (
            ("fixed", 1000),
            ("pro_rata", 800),
            ("cost", 1000),
            ("deficit", 700),
        ):
            with self.subTest(rule=rule):
                self.assertEqual(self.due(rule, 1000, 2000, 1600, 900), expected)

    def test_bounds(self):
        """Never below zero, never above what was granted."""
        for rule in ("fixed", "pro_rata", "cost", "deficit"):
            with self.subTest(rule=rule):
                self.assertEqual(self.due(rule, 1000, 2000, 5000), 1000)
                self.assertEqual(self.due(rule, 0, 2000, 100), 0)
        self.assertEqual(self.due("pro_rata", 1000, 2000, 0), 0)
        self.assertEqual(self.due("cost", 1000, 2000, 0), 0)
        self.assertEqual(self.due("deficit", 1000, 2000, 500, 800), 0)

    def test_rounding_of_the_pro_rata(self):
        for granted, budget, eligible, expected in (
            (10000, 3, 1, 3333.33),
            (10000, 3, 2, 6666.67),
            (0.01, 2, 1, 0.01),  # half a cent is one
            (0.05, 2, 1, 0.03),
            (1.15, 100, 50, 0.58),
            (999999999999, 999999999999, 999999999998.99, 999999999998.99),
            (10000, 7, 6.99, 9985.71),
        ):
            with self.subTest(granted=granted, budget=budget, eligible=eligible):
                self.assertEqual(self.due("pro_rata", granted, budget, eligible), expected)

    def test_surplus(self):
        kept = due.surplus_kept
        self.assertEqual(kept(Decimal(1000), 5, Decimal(300)), 50)
        self.assertEqual(kept(Decimal(1000), 50, Decimal(300)), 300)
        self.assertEqual(kept(Decimal(1000), 0, Decimal(300)), 0)
        self.assertEqual(kept(Decimal(1000), 100, Decimal(0)), 0)
        self.assertEqual(kept(Decimal("0.10"), 5, Decimal(300)), Decimal("0.01"))

    def test_days_left(self):
        def part(breach):
            return due.pro_rata_of_days(
                Decimal(365),
                datetime.date(2022, 1, 1),
                datetime.date(2022, 12, 31),
                datetime.date.fromisoformat(breach),
            )

        for breach, expected in (
            ("2022-01-01", 365),
            ("2021-06-01", 365),
            ("2022-01-02", 364),
            ("2022-12-31", 1),
            ("2023-01-01", 0),
            ("2030-01-01", 0),
        ):
            with self.subTest(breach=breach):
                self.assertEqual(part(breach), expected)


class DueCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Delays are counted from today here, whatever day of the week that is.
        cls.company.grant_working_day_deadlines = False

    @classmethod
    def make_paid_subsidy(cls, paid=8000, balance=2000, **values):
        """A signed subsidy of 10 000 €, part of it paid, a balance planned."""
        subsidy = cls.make_subsidy(**{"due_rule": "pro_rata", **values})
        tranche = cls.make_tranche(subsidy, amount=paid, kind="advance")
        if balance:
            cls.make_tranche(
                subsidy, name="Solde", kind="balance", amount=balance, due_date="2022-12-31"
            )
        cls.sign(subsidy)
        cls.pay(tranche)
        return subsidy

    @classmethod
    def make_report(cls, subsidy, **values):
        return (
            cls.env["grant.financial.report"]
            # Not by who accepts it.
            .with_user(cls.both_roles)
            .create(
                {
                    "subsidy_id": subsidy.id,
                    "exercise_start": "2021-10-25",
                    "exercise_end": "2022-06-30",
                    "budget_amount": 20000,
                    "actual_amount": 20000,
                    "eligible_amount": 20000,
                    **({} if "version_id" in values else {
                        "version_id": cls.make_report_file(subsidy).id
                    }),
                    **values,
                }
            )
            .with_user(cls.coordinator)
        )

    def accept(self, subsidy, **values):
        report = self.make_report(subsidy, **values)
        report.action_accept()
        return report

    def balance_of(self, subsidy):
        return subsidy.disbursement_ids.filtered(lambda tranche: tranche.kind == "balance")

    @classmethod
    def make_recovery(cls, subsidy, user=None, **values):
        return (
            cls.env["grant.recovery"]
            .with_user(user or cls.coordinator)
            .create(
                {
                    "subsidy_id": subsidy.id,
                    "reason": "condition",
                    "facts": "L'atelier n'a pas eu lieu.",
                    "amount": 1000,
                    **values,
                }
            )
        )

    def notify(self, recovery, date=None):
        recovery.with_user(self.coordinator).action_write_letter()
        recovery.with_user(self.finance_officer)._do_notify(date or datetime.date.today())
        return recovery

    def decide(self, recovery, days=16, on=None, **values):
        """Notify, and decide when the delay is over: on that day, today."""
        on = on or datetime.date.today()
        with freeze_time(on - datetime.timedelta(days=days)):
            self.notify(recovery)
        with freeze_time(on):
            recovery.with_user(self.finance_manager)._do_decide("Fondé", **values)
        return recovery

    def collect(self, recovery, date=None):
        date = date or datetime.date.today()
        recovery.with_user(self.finance_officer)._do_claim(date)
        recovery.with_user(self.finance_officer)._do_collect(date, "VIR-1")
        return recovery


class TestFinancialReport(DueCase):
    def test_what_was_withdrawn_blocks_no_tranche(self):
        """What is paid back for a breach is not paid again: the plan is reduced by it too."""
        subsidy = self.make_paid_subsidy(paid=6000, balance=4000, due_rule="cost")
        self.collect(self.decide(self.make_recovery(subsidy, reason="cer", amount=1000)))
        report = self.accept(subsidy, budget_amount=10000, actual_amount=9000, eligible_amount=9000)
        self.assertEqual(report.due_amount, 9000)
        balance = self.balance_of(subsidy)
        self.assertEqual(balance.amount, 3000)
        self.assertEqual(balance.state, "ready")

    def test_all_spent(self):
        """Everything is due: the balance waited for the report, and is ready."""
        subsidy = self.make_paid_subsidy()
        balance = self.balance_of(subsidy)
        self.assertTrue(subsidy.report_required)
        self.assertEqual(balance.state, "planned")
        self.assertIn("financial report", balance.blockers)
        self.accept(subsidy)
        self.assertEqual(balance.state, "ready")
        self.assertEqual(subsidy.justified_amount, 10000)
        self.assertEqual((subsidy.committed_amount, balance.amount), (10000, 2000))
        self.pay(balance)
        self.assertEqual(subsidy.unjustified_amount, 0)
        self.assertFalse(subsidy.recovery_ids)
        self.assertFalse(self.verify())

    def test_less_than_planned(self):
        """90 % spent: the balance is reduced by a decision, the rest released."""
        subsidy = self.make_paid_subsidy()
        balance = self.balance_of(subsidy)
        self.accept(subsidy, eligible_amount=18000)
        self.assertEqual((balance.amount, balance.state), (1000, "ready"))
        decision = balance.decision_ids.filtered(lambda d: d.decision == "reduced")
        self.assertEqual(decision.user_id, self.coordinator)
        self.assertEqual(subsidy.committed_amount, 9000)
        self.assertEqual(subsidy.justified_amount, 9000)
        self.pay(balance)
        self.assertEqual((subsidy.to_pay_amount, subsidy.unjustified_amount), (0, 0))

    def test_nothing_left(self):
        """Exactly what was paid is due: the balance is cancelled, nothing is to be paid back."""
        subsidy = self.make_paid_subsidy()
        self.accept(subsidy, eligible_amount=16000)
        self.assertEqual(self.balance_of(subsidy).state, "cancelled")
        self.assertEqual((subsidy.committed_amount, subsidy.to_pay_amount), (8000, 0))
        self.assertFalse(subsidy.recovery_ids)

    def test_paid_beyond(self):
        subsidy = self.make_paid_subsidy()
        report = self.accept(subsidy, eligible_amount=10000)
        self.assertEqual(report.to_recover_amount, 3000)
        recovery = subsidy.recovery_ids
        self.assertEqual((recovery.amount, recovery.state), (3000, "identified"))
        self.assertEqual(recovery.report_id, report)
        self.assertIn("5,000", recovery.facts)
        self.assertEqual(subsidy.committed_amount, 8000, "what is held stays promised")
        self.assertEqual(subsidy.unjustified_amount, 3000)
        self.collect(self.decide(recovery))
        self.assertEqual((subsidy.recovered_amount, subsidy.unjustified_amount), (3000, 0))
        self.assertEqual((recovery.state, recovery.residual_amount), ("collected", 0))
        self.assertFalse(self.verify())
        self.ask(subsidy, "close", self.finance_manager)
        self.assertEqual(subsidy.committed_amount, 5000)

    def test_surplus_kept(self):
        subsidy = self.make_paid_subsidy(surplus_percent=5)
        report = self.accept(subsidy, eligible_amount=10000)
        self.assertEqual((report.kept_amount, report.to_recover_amount), (500, 2500))
        self.assertEqual(subsidy.recovery_ids.amount, 2500)
        self.collect(self.decide(subsidy.recovery_ids))
        # What is kept by right is not spending.
        self.assertEqual(subsidy.unjustified_amount, 500)
        self.assertEqual(report.to_recover_amount, 0)

    def test_lump_sum(self):
        """All is due, but only what was spent is justified."""
        subsidy = self.make_paid_subsidy(due_rule="fixed")
        self.assertFalse(subsidy.report_required)
        report = self.accept(subsidy, eligible_amount=7000, actual_amount=7000, budget_amount=0)
        self.assertEqual(report.due_amount, 10000)
        self.assertEqual(subsidy.justified_amount, 7000)
        self.assertEqual(self.balance_of(subsidy).amount, 2000)

    def test_nothing_was_done(self):
        """All is asked back: not in passing, but with what it does on the screen and a reason."""
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy, eligible_amount=0, actual_amount=0)
        with self.assertRefused(report.display_name, self.company.currency_id.format(8000)):
            report.action_accept()
        for blank in (False, " "):
            with self.assertRefused("in words"):
                self.ask(report, "accept_report", self.coordinator, blank)
        self.assertEqual(report.state, "draft")
        version = report.version_id
        report.version_id = False
        with self.assertRefused("Signed Report"):
            self.ask(report, "accept_report", self.coordinator)
        report.version_id = version
        window = self.open(report, "accept_report")
        self.assertTrue(window.needs_reason)
        self.assertIn("becomes due back", window.preview)
        self.assertIn("A recovery is created", window.preview)
        self.ask(report, "accept_report", self.coordinator, "Action abandonnée")
        self.assertIn("Action abandonnée", report.decision_ids[0].reason)
        self.assertEqual((report.due_amount, report.to_recover_amount), (0, 8000))
        self.assertEqual(subsidy.justified_amount, 0)
        self.assertEqual(subsidy.recovery_ids.amount, 8000)

    def test_nothing_was_eligible(self):
        """Spent, and nothing of it for the action: the same."""
        report = self.make_report(self.make_paid_subsidy(), eligible_amount=0)
        with self.assertRefused(report.display_name, "reason"):
            report.action_accept()

    def test_preview(self):
        """What is shown is what is done; where something is due, it takes no reason."""
        subsidy = self.make_paid_subsidy(paid=4000, balance=6000)
        report = self.make_report(subsidy, eligible_amount=12000)
        sections = {part["title"]: part["rows"] for part in report._get_acceptance_preview()}
        self.assertEqual(sections["Tranches"], [
            ("“Solde” is reduced, to", 2000),
            ("“Solde” becomes ready to be certified", None),
        ])  # fmt: skip
        back = f"Given back to envelope “{self.envelope.display_name}”"
        self.assertEqual(sections[back], [("No longer committed", 4000)])
        self.assertNotIn("Recoveries", sections)
        window = self.open(report, "accept_report")
        self.assertFalse(window.needs_reason)
        window.action_confirm()
        self.assertEqual((report.state, subsidy.committed_amount), ("accepted", 6000))
        balance = self.balance_of(subsidy)
        self.assertEqual((balance.amount, balance.state), (2000, "ready"))
        # What was shown has changed since: not done.
        self.ask(report, "reopen_report", self.finance_manager)
        window = self.open(report, "accept_report")
        report.eligible_amount = 6000
        with self.assertRefused("has changed"):
            window.action_confirm()
        sections = {part["title"]: part["rows"] for part in report._get_acceptance_preview()}
        self.assertEqual(sections["Recoveries"], [("A recovery is created", 1000)])
        self.assertEqual(sections["Tranches"], [("“Solde” is cancelled", -2000)])

    def test_preview_of_a_cancelled_tranche(self):
        subsidy = self.make_paid_subsidy(paid=4000, balance=6000)
        self.accept(subsidy, eligible_amount=20000)
        balance = self.balance_of(subsidy)
        self.certify(balance, moment="2022-09-01 12:00:00")
        preview = self.open(balance, "cancel", self.finance_manager).preview
        for part in ("Not paid any more", "Still committed", "Was certified", "Owed by the"):
            self.assertIn(part, preview)

    def open(self, document, action, user=None):
        return self.env["grant.reason"].with_user(user or self.coordinator).create(
            {"res_model": document._name, "res_ids": document.ids, "action": action}
        )

    def test_corrected(self):
        """Accepted again after a reopening: the difference is posted, in both directions."""
        subsidy = self.make_paid_subsidy()
        report = self.accept(subsidy, eligible_amount=10000)
        first = subsidy.recovery_ids
        self.ask(report, "reopen_report", self.finance_manager)
        self.assertEqual(subsidy.justified_amount, 5000, "what it posted stays for now")
        report.eligible_amount = 12000
        report.action_accept()
        self.assertEqual(subsidy.justified_amount, 6000)
        self.assertEqual((first.state, first.amount), ("waived", 3000))
        self.assertEqual((subsidy.recovery_ids - first).amount, 2000)
        self.ask(report, "reopen_report", self.finance_manager)
        report.eligible_amount = 20000
        report.action_accept()
        self.assertEqual((subsidy.justified_amount, subsidy.committed_amount), (10000, 10000))
        self.assertEqual(set(subsidy.recovery_ids.mapped("state")), {"waived"})
        justified = subsidy.entry_ids.filtered(lambda entry: entry.kind == "justification")
        self.assertEqual(sorted(justified.mapped("amount")), [1000, 4000, 5000])
        self.assertEqual(
            report.decision_ids.sorted("id").mapped("decision"),
            ["accepted", "reopened", "accepted", "reopened", "accepted"],
        )
        self.assertFalse(self.verify())

    def test_same_figures_again(self):
        """Nothing happens twice."""
        subsidy = self.make_paid_subsidy()
        report = self.accept(subsidy, eligible_amount=10000)
        entries, recovery = subsidy.entry_ids, subsidy.recovery_ids
        self.ask(report, "reopen_report", self.finance_manager)
        report.action_accept()
        self.assertEqual((subsidy.entry_ids, subsidy.recovery_ids), (entries, recovery))
        self.assertEqual(recovery.state, "identified")

    def test_corrected_after_the_letter(self):
        """The operator was told of more than is left: the letter's recovery is waived first."""
        subsidy = self.make_paid_subsidy()
        report = self.accept(subsidy, eligible_amount=10000)
        recovery = self.notify(subsidy.recovery_ids)
        self.ask(report, "reopen_report", self.finance_manager)
        report.eligible_amount = 12000
        with self.assertRefused("waive", recovery.name), self.env.cr.savepoint():
            report.action_accept()
        self.ask(recovery, "waive_recovery", self.finance_manager)
        report.action_accept()
        self.assertEqual((subsidy.recovery_ids - recovery).amount, 2000)

    def test_a_tranche_on_its_way(self):
        subsidy = self.make_paid_subsidy(report_required=False)
        balance = self.balance_of(subsidy)
        balance.with_user(self.coordinator).action_certify()
        with self.assertRefused(balance.name, "on its way"), self.env.cr.savepoint():
            self.accept(subsidy, eligible_amount=18000)
        self.assertFalse(subsidy.justified_amount)
        self.ask(balance, "return", self.coordinator)
        self.accept(subsidy, eligible_amount=18000)
        self.assertEqual(balance.amount, 1000)

    def test_the_balance_cannot_grow_again(self):
        """Neither whatever its amount became, nor with the room that a repayment makes."""
        subsidy = self.make_paid_subsidy()
        self.accept(subsidy, eligible_amount=18000)
        balance = self.balance_of(subsidy)
        balance._transition(amount=1000.01)
        with self.assertRefused("1,000.00"):
            balance.with_user(self.coordinator).action_certify()
        subsidy = self.make_paid_subsidy(partner_id=self.other_operator.id)
        self.accept(subsidy, eligible_amount=10000)
        self.collect(self.decide(subsidy.recovery_ids))
        self.assertEqual(subsidy.to_pay_amount, 3000)
        again = self.make_tranche(subsidy, amount=0.01)
        with self.assertRefused("0.00"):
            again.with_user(self.coordinator).action_certify()

    def test_override_pays_the_balance_before_the_report(self):
        subsidy = self.make_paid_subsidy()
        balance = self.balance_of(subsidy)
        self.override(balance, "report", "Urgence")
        self.pay(balance)
        self.accept(subsidy, eligible_amount=10000)
        self.assertEqual(subsidy.recovery_ids.amount, 5000)

    def test_calculation_is_shown(self):
        subsidy = self.make_paid_subsidy(surplus_percent=5)
        report = self.make_report(subsidy, eligible_amount=10000)
        lines = {line["label"]: line for line in report._get_due_lines()}
        self.assertEqual(
            {label: line["amount"] for label, line in lines.items()},
            {
                "Amount granted": 10000,
                "Amount due": 5000,
                "Paid so far": 8000,
                "Surplus kept": 500,
                "To pay back": 2500,
            },
        )
        self.assertIn("20,000", lines["Amount due"]["formula"])
        self.assertIn("2,500.00", report.due_table)
        report.budget_amount = 0
        amounts = {line["label"]: line["amount"] for line in report._get_due_lines()}
        self.assertIsNone(amounts["Amount due"])
        self.assertIsNone(amounts["Left to pay"])

    def test_form(self):
        """Entered from the subsidy's button, the calculation following what is typed."""
        subsidy = self.make_paid_subsidy()
        action = subsidy.with_user(self.coordinator).action_view_report()
        reports = self.env["grant.financial.report"].with_user(self.coordinator)
        with Form(reports.with_context(**action["context"])) as form:
            form.budget_amount = 20000
            form.actual_amount = 18000
            form.eligible_amount = 18000
            self.assertIn("9,000.00", form.due_table)
        self.assertEqual(form.record.exercise_end, datetime.date(2022, 6, 30))

    # ------------------------------------------------------------------
    # What is refused
    # ------------------------------------------------------------------

    def test_zero_budget(self):
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy, budget_amount=0)
        with self.assertRefused("budget"):
            report.action_accept()

    @mute_logger("odoo.sql_db")
    def test_bad_figures(self):
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy)
        for values in (
            {"budget_amount": -1},
            {"other_income": -0.01},
            {"exercise_end": "2021-01-01"},
            {"actual_amount": -1, "eligible_amount": -1},
        ):
            with self.subTest(values=values), self.assertRaises(psycopg2.IntegrityError):
                with self.env.cr.savepoint():
                    report.write(values)
                    self.env.flush_all()
        for values in (
            {"eligible_amount": 20000.01},
            {"other_income": float("nan")},
            {"eligible_amount": 0.001},
        ):
            with self.subTest(values=values), self.assertRaises(ValidationError):
                report.write(values)
        with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
            self.make_report(subsidy)

    def test_another_subsidy(self):
        subsidy = self.make_paid_subsidy()
        piece = self.make_deliverable(subsidy, partner_id=False)
        other = self.sign(self.make_subsidy())
        version = piece.with_user(self.coordinator)._do_submit("crf.pdf", PDF)
        with self.assertRaises(ValidationError):
            self.make_report(other, version_id=version.id)
        own_cost = self.make_subsidy(kind="own_cost", partner_id=self.company.partner_id.id)
        with self.assertRaises(ValidationError):
            self.make_report(own_cost, version_id=False)

    def test_accepted_is_frozen(self):
        subsidy = self.make_paid_subsidy()
        report = self.accept(subsidy)
        for values in (
            {"eligible_amount": 1},
            {"budget_amount": 1},
            {"exercise_end": "2023-01-01"},
            {"subsidy_id": self.sign(self.make_subsidy()).id},
        ):
            with self.subTest(values=values), self.assertRefused("cannot be changed"):
                report.write(values)
        for values in ({"state": "draft"}, {"granted_amount": 1}):
            with self.subTest(values=values), self.assertRaises(AccessError):
                report.with_user(self.administrator).write(values)
        with self.assertRefused("cannot be deleted"):
            report.unlink()
        report.eligible_amount = 20000  # the same again is harmless

    def test_rule_is_frozen_by_the_signature(self):
        subsidy = self.make_subsidy(due_rule="cost", surplus_percent=2)
        self.assertTrue(subsidy.report_required)
        subsidy.surplus_percent = 3
        self.sign(subsidy)
        for values in ({"due_rule": "fixed"}, {"surplus_percent": 50}, {"report_required": False}):
            with self.subTest(values=values), self.assertRefused("cannot be changed"):
                subsidy.write(values)

    def test_who(self):
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy)
        for user in (self.reader, self.finance_officer, self.finance_manager):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                report.with_user(user).action_accept()
        report.action_accept()
        for user in (self.reader, self.finance_officer, self.coordinator):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.ask(report, "reopen_report", user)
        with self.assertRaises(AccessError):
            call_kw(
                self.env["grant.financial.report"].with_user(self.administrator),
                "create",
                [{"subsidy_id": subsidy.id, "state": "accepted", "exercise_start": "2021-01-01",
                  "exercise_end": "2021-12-31"}],
                {},
            )  # fmt: skip

    def test_acceptance_date(self):
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy, acceptance_date="2022-07-01")
        report.action_accept()
        entry = subsidy.entry_ids.filtered(lambda entry: entry.kind == "justification")
        self.assertEqual(entry.date, datetime.date(2022, 7, 1))
        subsidy = self.make_paid_subsidy(partner_id=self.other_operator.id)
        tomorrow = datetime.date.today() + datetime.timedelta(days=1)
        with self.assertRefused("and today is"), self.env.cr.savepoint():
            self.accept(subsidy, acceptance_date=tomorrow)


class TestClosing(DueCase):
    def test_subsidy_waits_for_its_report(self):
        subsidy = self.make_paid_subsidy()
        with self.assertRefused("financial report"):
            self.ask(subsidy, "close", self.finance_manager)
        for user in (self.coordinator, self.finance_officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.ask(subsidy, "waive_report", user)
        self.ask(subsidy, "waive_report", self.finance_manager, "Association dissoute")
        self.assertFalse(subsidy.report_required)
        decision = subsidy.decision_ids.filtered(lambda d: d.condition == "report")
        self.assertEqual(
            (decision.decision, decision.reason), ("overridden", "Association dissoute")
        )
        with self.assertRefused("no financial report"):
            self.ask(subsidy, "waive_report", self.finance_manager)
        self.ask(subsidy, "close", self.finance_manager)
        self.assertEqual(subsidy.state, "closed")

    def test_subsidy_waits_for_its_recoveries(self):
        subsidy = self.make_paid_subsidy(due_rule="fixed")
        recovery = self.make_recovery(subsidy)
        with self.assertRefused(recovery.name):
            self.ask(subsidy, "close", self.finance_manager)
        self.ask(recovery, "waive_recovery", self.finance_manager)
        self.ask(subsidy, "close", self.finance_manager)
        with self.assertRefused("Closed"):
            self.make_recovery(subsidy)

    def test_reopened_to_what_is_due(self):
        subsidy = self.make_paid_subsidy()
        self.accept(subsidy, eligible_amount=16000)
        self.ask(subsidy, "close", self.finance_manager)
        self.assertEqual(subsidy.committed_amount, 8000)
        subsidy.with_user(self.finance_manager).action_reopen()
        self.assertEqual(subsidy.committed_amount, 8000)
        self.assertFalse(self.verify())

    def test_contract_says_everything_at_once(self):
        subsidy = self.make_paid_subsidy()
        self.order(self.make_tranche_beyond(subsidy, name="En route", amount=1000), "M-2")
        recovery = self.make_recovery(subsidy)
        self.env["grant.funding"].create(
            {"name": "Première part", "envelope_id": self.envelope.id, "amount": 75000}
        )
        contract = self.contract.with_user(self.finance_manager)
        with self.assertRefused(subsidy.code, recovery.name, "En route", "Première part"):
            contract.action_close()
        self.assertEqual(contract.state, "in_force")
        with mute_logger("odoo.sql_db"):
            self.env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER grant_entry_append_only")
            self.env.cr.execute(
                "UPDATE grant_entry SET memo = 'x' WHERE envelope_id = %s", [self.envelope.id]
            )
        with self.assertRefused("En route", "entry 1"):
            contract.action_close()
