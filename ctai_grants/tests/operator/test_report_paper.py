import datetime

import psycopg2

from odoo.tests import freeze_time, tagged
from odoo.tools import mute_logger

from ..common import PDF
from .test_reminders import ReminderCase
from .test_report_hand_in import HandInCase


@freeze_time("2022-07-15 12:00:00")
class TestPaper(HandInCase):
    """A report handed in online and the piece that is its paper are reviewed as one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        kind = cls.env.ref("ctai_grants.deliverable_type_financial_report")
        cls.piece = cls.make_deliverable(cls.subsidy, name="CRF", type_id=kind.id)

    def hand_in(self):
        report = self.begin()
        self.save(report)
        report._do_hand_in()
        return report.with_user(self.coordinator)

    def assert_given_back(self, report, state, hand_in):
        self.assertEqual((self.piece.state, report.hand_in), (state, hand_in))
        self.assertFalse(report.version_id or report.attested)
        with self.assertRefused("“Signed Report” is empty"):
            report.action_accept()

    def test_not_reviewed_alone(self):
        report = self.hand_in()
        piece = self.piece.with_user(self.coordinator)
        for act in (piece.action_accept, lambda: piece._do_send_back("Page 3"),
                    lambda: piece._do_waive("Inutile")):  # fmt: skip
            with self.assertRefused("CRF", report.display_name):
                act()
        report.action_accept()
        self.assertEqual((piece.state, report.state), ("accepted", "accepted"))
        self.assertFalse(self.verify())

    def test_taken_back(self):
        report = self.hand_in()
        self.piece.with_user(self.operator_user)._do_take_back()
        self.assert_given_back(report, "expected", "to_fill")
        own = report.with_user(self.operator_user).sudo()
        self.save(own)
        own._do_hand_in()
        self.assertEqual((self.piece.state, report.version_id.number), ("submitted", 2))

    def test_purged(self):
        report = self.hand_in()
        self.piece.with_user(self.coordinator)._do_purge("Des noms")
        self.assert_given_back(report, "to_complete", "to_complete")
        self.assertEqual(report.answer, "Des noms")

    def test_sent_back_once_reopened(self):
        report = self.hand_in()
        report.action_accept()
        self.ask(report, "reopen_report", self.finance_manager)
        report._do_send_back("Une facture manque")
        self.assertEqual(self.piece.state, "to_complete")
        own = report.with_user(self.operator_user).sudo()
        self.save(own, _641=9000)
        own._do_hand_in()
        self.assertEqual(report.version_id, self.piece.last_version_id)

    def test_who_signs(self):
        """What the coordinator enters in the operator's place takes a signed paper."""
        report = self.begin(user=self.coordinator)
        self.save(report)
        report.with_user(self.coordinator)._do_hand_in()
        with self.assertRefused("“Signed Report” is empty"):
            report.with_user(self.both_roles).action_accept()

    def test_not_over_what_the_city_entered(self):
        subsidy = self.make_paid_subsidy()
        report = self.make_report(subsidy)
        before = report.actual_amount
        with self.assertRefused("has entered the figures"):
            self.begin("report", subsidy=subsidy)
        self.assertEqual(report.actual_amount, before)

    def test_not_deleted(self):
        report = self.begin()
        self.save(report)
        with self.assertRefused("being filled in"):
            report.with_user(self.coordinator).unlink()

    def test_no_sooner_end(self):
        with freeze_time("2022-06-15"):
            asked = self.env["grant.date.request"].with_user(self.operator_user)._ask_dates(
                self.subsidy.with_user(self.operator_user).sudo(),
                datetime.date(2022, 9, 30), "Plus tard",
            )  # fmt: skip
            self.set_dates(self.subsidy, date_end="2022-12-31")
            with self.assertRefused("already"):
                asked.with_user(self.coordinator)._do_agree("Oui")

    @mute_logger("odoo.sql_db")
    def test_what_balances(self):
        accounts = self.env["grant.budget.account"]
        for heading, is_balancing in (("75", True), ("own", False)):
            with self.subTest(heading=heading), self.assertRaises(psycopg2.IntegrityError):
                accounts.create({
                    "code": "zz", "name": "x", "heading": heading, "is_balancing": is_balancing,
                })  # fmt: skip


@tagged("post_install", "-at_install")
class TestToldOfDecisions(ReminderCase):
    def get_mails(self, act):
        known = self.env["mail.mail"].search([])
        act()
        return self.env["mail.mail"].search([]) - known

    def test_asked_for_again(self):
        """Of what was never handed in, nothing was read."""
        piece = self.piece.with_user(self.coordinator)
        piece._do_waive("Pas besoin")
        self.assertFalse(self.get_mails(lambda: piece._do_reopen("Finalement si")))

    def test_purged(self):
        self.piece.with_user(self.operator_user)._do_submit("liste.pdf", PDF)
        mails = self.get_mails(lambda: self.piece.with_user(self.coordinator)._do_purge("Des noms"))
        self.assertIn("Des noms", mails.body_html)
        # Read by who reads the subsidy, and by nobody for being a colleague.
        self.assertEqual((mails.model, mails.res_id), ("grant.subsidy", self.subsidy.id))
