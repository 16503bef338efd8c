import datetime
import re

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time

from ..common import GrantsCommon
from .test_due import DueCase


class TestReportOfNothing(DueCase):
    def test_refused(self):
        subsidy = self.make_paid_subsidy()
        for values, words in (
            (dict.fromkeys(("budget_amount", "actual_amount", "eligible_amount"), 0), "zero"),
            ({"budget_amount": 0, "actual_amount": 0, "eligible_amount": 0}, "pro rata"),
            ({"version_id": False}, "Signed Report"),
            ({"acceptance_date": "2022-06-29"}, "before its end"),
            ({"exercise_end": "2099-12-31"}, "before its end"),
            ({"exercise_start": "2020-01-01", "exercise_end": "2021-10-24"}, "subsidy starts"),
        ):
            with self.subTest(values=values):
                report = self.make_report(subsidy, **values)
                with self.assertRefused(words, report.display_name):
                    report.action_accept()
                self.assertEqual(report.state, "draft")
                report.unlink()
        self.assertFalse(subsidy.justified_amount)
        with self.assertRefused("today"):
            self.make_report(subsidy, acceptance_date="2100-01-01")

    def test_a_lump_sum_for_nothing(self):
        """It would be due whatever was spent."""
        report = self.make_report(
            self.make_paid_subsidy(due_rule="fixed"), actual_amount=0, eligible_amount=0
        )
        with self.assertRefused("zero"):
            report.action_accept()

    def test_handed_in_before_the_end(self):
        subsidy = self.make_paid_subsidy()
        with freeze_time("2022-06-29 12:00:00"):
            version = self.make_report_file(subsidy)
        report = self.make_report(subsidy, version_id=version.id)
        with self.assertRefused("handed in on 06/29/2022"):
            report.action_accept()


class TestClosing(DueCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_paid_subsidy(
            action_ids=[
                Command.create({"name": "Cours", "amount": 6000}),
                Command.create({"name": "Sorties", "amount": 4000}),
            ],
        )  # fmt: skip

    def window(self, subsidy, action, user=None):
        """The window as the user sees it."""
        opened = getattr(subsidy.with_user(user or self.finance_manager), f"action_{action}")()
        return Form(
            self.env["grant.reason"]
            .with_user(user or self.finance_manager)
            .with_context(**opened["context"])
        )

    def text(self, window):
        words = re.sub(r"<[^>]+>", " ", str(window.preview)).replace("\xa0", " ")
        return re.sub(r"\s+", " ", words)

    def test_what_is_owed_is_not_released(self):
        """15 000 € owed were released by one confirm."""
        self.accept(self.subsidy)
        self.assertEqual(self.subsidy.still_owed_amount, 2000)
        for attempt in (
            lambda: self.ask(self.subsidy, "close", self.finance_manager),
            lambda: self.subsidy.with_user(self.finance_manager)._do_close("Terminé"),
        ):
            with self.assertRefused("2,000.00", self.operator.name, "still owed"):
                attempt()
        self.assertEqual((self.subsidy.state, self.subsidy.committed_amount), ("signed", 10000))
        self.assertNotIn("cancelled", self.subsidy.disbursement_ids.mapped("state"))

    def test_closed_all_the_same(self):
        self.accept(self.subsidy)
        for user in (self.coordinator, self.finance_officer):
            with self.assertRaises(AccessError):
                self.ask(self.subsidy, "close_unpaid", user)
        with self.assertRefused("in words"):
            self.ask(self.subsidy, "close_unpaid", self.finance_manager, " \u200b")
        self.ask(self.subsidy, "close_unpaid", self.finance_manager, "L'association renonce")
        overridden, closed = self.subsidy.decision_ids.sorted("id").filtered(
            lambda decision: decision.decision in ("overridden", "closed")
        )
        self.assertEqual((overridden.decision, overridden.condition), ("overridden", "due"))
        self.assertEqual(overridden.user_id, self.finance_manager)
        self.assertIn("2,000.00", overridden.reason)
        self.assertIn("L'association renonce", overridden.reason)
        self.assertEqual(closed.decision, "closed")
        self.assertEqual((self.subsidy.state, self.subsidy.committed_amount), ("closed", 8000))
        self.assertFalse(self.verify())

    def test_nothing_is_owed(self):
        with self.assertRefused("nothing is owed"):
            self.ask(self.subsidy, "close_unpaid", self.finance_manager)
        # What forbids closing otherwise, that does not override.
        self.accept(self.subsidy)
        self.certify(self.balance_of(self.subsidy))
        with self.assertRefused("is certified"):
            self.ask(self.subsidy, "close_unpaid", self.finance_manager)

    def test_shown_before(self):
        self.make_deliverable(self.subsidy, name="Bilan qualitatif")
        window = self.window(self.subsidy, "close")
        text = self.text(window)
        for part in (
            "Given back to envelope", "Of no action in particular", "2,000.00",
            "Tranches that it cancels", "Solde", "Pieces still awaited", "Bilan qualitatif",
            "What forbids it", "financial report is not accepted",
        ):  # fmt: skip
            self.assertIn(part, text)
        self.accept(self.subsidy)
        text = self.text(self.window(self.subsidy, "close"))
        for part in ("Still owed to the operator", "still owed to"):
            self.assertIn(part, text)
        text = self.text(self.window(self.subsidy, "close_unpaid"))
        self.assertNotIn("What forbids it", text)

    def test_shown_is_what_is_done(self):
        """What changed since it was shown is shown again before it is done."""
        subsidy = self.sign(self.make_subsidy())
        tranche = self.make_tranche(subsidy, amount=10000)
        window = self.window(subsidy, "close")
        self.assertIn("10,000.00", self.text(window))
        window.reason = "Terminé"
        self.ask(tranche, "cancel", self.finance_manager)
        with self.assertRefused("has changed since"):
            window.save().action_confirm()
        self.assertEqual(subsidy.state, "signed")
        self.ask(subsidy, "close", self.finance_manager)

    def test_certified_is_not_cancelled(self):
        subsidy = self.sign(self.make_subsidy())
        tranche = self.make_tranche(subsidy, amount=1000)
        self.certify(tranche)
        for action, user in (("cancel", self.coordinator), ("close", self.finance_manager)):
            with self.subTest(action=action), self.assertRefused(tranche.name, "is certified"):
                self.ask(subsidy, action, user)
        self.ask(tranche, "return", self.coordinator)
        self.ask(subsidy, "cancel", self.coordinator)

    def test_cancelling_what_is_owed(self):
        """Nothing is paid, and the accepted report says that all of it is due."""
        subsidy = self.make_subsidy(due_rule="pro_rata")
        self.make_tranche(subsidy, amount=10000)
        self.sign(subsidy)
        self.accept(subsidy)
        with self.assertRefused("10,000.00", "still owed"):
            self.ask(subsidy, "cancel", self.coordinator)

    def test_a_whole_release_is_by_action(self):
        subsidy = self.sign(self.make_subsidy(
            action_ids=[
                Command.create({"name": "Cours", "amount": 6000}),
                Command.create({"name": "Sorties", "amount": 3000}),
            ],
        ))  # fmt: skip
        text = self.text(self.window(subsidy, "cancel", self.coordinator))
        for part in ("Cours", "6,000.00", "Sorties", "3,000.00", "1,000.00", "Total"):
            self.assertIn(part, text)
        self.ask(subsidy, "cancel", self.coordinator)
        sums = dict(self.env["grant.entry"]._read_group(
            [("subsidy_id", "=", subsidy.id)], ["action_id"], ["amount:sum"]
        ))  # fmt: skip
        self.assertEqual(set(sums.values()), {0})
        self.assertFalse(self.verify())

    def test_waiver_shows_what_is_given_up(self):
        recovery = self.make_recovery(self.subsidy, amount=1234)
        window = self.window(recovery, "waive")
        self.assertIn("1,234.00", self.text(window))


class TestBreachDate(GrantsCommon):
    def test_not_in_the_future(self):
        self.assertIn("breach_date", self.env["grant.recovery"]._get_legal_dates())
        tomorrow = datetime.date.today() + datetime.timedelta(days=2)
        with self.assertRefused("today"):
            self.env["grant.recovery"].new({"breach_date": tomorrow})._check_legal_dates()
