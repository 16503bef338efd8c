from odoo.tests import HttpCase, freeze_time, tagged
from odoo.tools import SQL

from ..common import PDF
from .test_indicators import IndicatorCase
from .test_reminders import ReminderCase


@tagged("post_install", "-at_install")
class TestFigureReminders(IndicatorCase, ReminderCase):
    """Periods of a quarter: the first one ends on 31 December 2021."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["grant.deliverable"].search([]).unreminded_reason = "Not of this test"
        cls.asked = cls.make_asked().with_env(cls.env)
        cls.asked.deliverable_ids.unreminded_reason = "Not of this test"

    def told(self):
        return self.asked.reminder_ids.filtered(lambda row: row.kind == "figures").sorted("id")

    def enter(self, day="2022-01-05"):
        with freeze_time(f"{day} 12:00:00"):
            for line in self.asked.indicator_target_ids:
                self.assertFalse(self.tell(line, 1))

    def test_from_the_day_after_then_weekly_until_entered(self):
        self.assertFalse(self.run_on("2021-12-31"))
        mail = self.run_on("2022-01-03")
        self.assertEqual(len(mail), 1)
        self.assertIn("figures of your indicators are awaited", mail.subject)
        awaited = "2 figures to enter, the first of a period that ended on December 31, 2021"
        self.assertIn(awaited, mail.body_html)
        self.assertIn(f"/my/subsidies/{self.asked.id}/figures", mail.body_html)
        self.assertFalse(self.run_on("2022-01-03"), "never twice")
        self.assertFalse(self.run_on("2022-01-06"))
        self.assertTrue(self.run_on("2022-01-10"))
        self.assertEqual(self.told().mapped("days"), [1, 8])
        self.assertTrue(self.get_activities(self.asked, "figures"))
        self.enter("2022-01-11")
        self.assertFalse(self.get_activities(self.asked, "figures"))
        self.assertFalse(self.run_on("2022-01-17"))
        # The next quarter has steps of its own.
        self.assertTrue(self.run_on("2022-04-01"))

    def test_one_mail_with_the_pieces(self):
        piece = self.make_deliverable(self.asked, name="Bilan").with_env(self.env)
        piece.milestone_id.date = "2022-01-10"
        mail = self.run_on("2022-01-03")
        self.assertEqual(len(mail), 1)
        self.assertIn("Bilan", mail.body_html)
        self.assertIn("2 figures to enter", mail.body_html)
        self.assertEqual(len(piece.reminder_ids), 1)
        self.assertEqual(len(self.told()), 1)
        with freeze_time("2022-01-04 10:00:00"):
            piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.enter()
        self.assertFalse(self.run_on("2022-01-11"))

    def test_withdrawn_is_awaited_again(self):
        self.enter()
        with freeze_time("2022-01-06 12:00:00"):
            self.tell(self.line(self.asked, self.people), None, known=1)
        mail = self.run_on("2022-01-10")
        self.assertIn("1 figure to enter", mail.body_html)

    def test_who_is_not_written_to(self):
        self.operator.grant_unreminded_reason = "En liquidation"
        self.assertFalse(self.run_on("2022-01-03"))
        self.operator.grant_unreminded_reason = False
        self.company.grant_reminders = False
        self.assertFalse(self.run_on("2022-01-03"))

    def test_nobody_to_write_to(self):
        self.operator_user.email = self.operator.email = False
        self.assertFalse(self.run_on("2022-01-03"))
        self.assertEqual(
            self.get_activities(self.asked, "figures").summary, "Nobody to write to"
        )
        self.assertFalse(self.told().recipients)

    def test_the_preview(self):
        with freeze_time("2022-01-03 10:00:00"):
            mails = self.env["grant.reminder.preview"].with_user(self.coordinator)._make()
        (mail,) = mails.sudo().filtered(lambda mail: mail.partner_id == self.operator)
        self.assertEqual(mail.pieces, "Indicators")

    def test_the_same_as_the_page_says(self):
        """Two roads: in SQL for all, of one subsidy for its page."""
        self.enter()
        for day in ("2022-01-01", "2022-04-01", "2022-07-02", "2023-02-01"):
            with freeze_time(f"{day} 12:00:00"):
                own = SQL("subsidy.id = ANY(%s)", self.asked.ids)
                rows = self.env["grant.indicator.target"]._get_awaited(self.company, own)
                awaited = self.asked._get_awaited_figures()
                self.assertEqual(sum(number for _s, _end, number in rows), len(awaited), day)
                if rows:
                    self.assertEqual(rows[0][1], min(period.end for _line, period in awaited))


@tagged("post_install", "-at_install")
@freeze_time("2022-02-10 12:00:00")
class TestFigureStep(IndicatorCase, HttpCase):
    def test_home(self):
        for user in self.portal_users:
            user.password = user.login
        asked = self.make_asked()
        url = f"/my/subsidies/{asked.id}/figures"
        self.authenticate(self.operator_user.login, self.operator_user.login)
        for page in ("/my", f"/my/subsidies/{asked.id}"):
            self.assertIn(
                "Enter the figures of your indicators: 2 figures to enter", self.url_open(page).text
            )
        self.assertIn(f'href="{url}"', self.url_open("/my").text)
        for line in asked.indicator_target_ids:
            self.tell(line, 1)
        self.assertNotIn("Enter the figures", self.url_open("/my").text)
        self.authenticate(self.other_operator_user.login, self.other_operator_user.login)
        self.assertNotIn(url, self.url_open("/my").text)
