import datetime
import threading
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, freeze_time, tagged
from odoo.tools import mute_logger

from ..common import PDF, GrantsCommon, make_siret

DAY = datetime.timedelta(days=1)
# A Thursday.
DUE = datetime.date(2022, 6, 30)


class ReminderCase(GrantsCommon):
    """A signed subsidy whose operator owes a piece by 30 June 2022."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # Not those of a city that is there already.
        (cls.env["res.company"].search([]) - cls.company).grant_reminders = False
        cls.reminders = cls.env["grant.reminder"]
        cls.subsidy = cls.sign(cls.make_subsidy()).with_env(cls.env)
        cls.piece = cls.make_deliverable(cls.subsidy, name="Bilan final").with_env(cls.env)
        cls.operator_user.email = "tresoriere@asso.example"
        cls.company.partner_id.write({"email": "mairie@ville.example"})

    def run_at(self, moment):
        """What the scheduled action mails at a moment (UTC)."""
        known = self.env["mail.mail"].search([])
        with freeze_time(moment), patch.object(
            self.registry["ir.cron"], "_commit_progress", lambda *_, **__: 600
        ):
            self.reminders._cron_remind()
        return self.env["mail.mail"].search([], order="id") - known

    def run_on(self, day):
        return self.run_at(f"{day} 10:00:00")

    def get_activities(self, document, kind):
        return self.env["mail.activity"].search(
            [
                ("res_model", "=", document._name), ("res_id", "=", document.id),
                ("activity_type_id", "=", self.env.ref(f"ctai_grants.mail_activity_{kind}").id),
            ]
        )  # fmt: skip


@tagged("post_install", "-at_install")
class TestWhen(ReminderCase):
    def days_written_to(self, first, last):
        day, found = first, []
        while day <= last:
            if self.run_on(day):
                found.append(day.isoformat())
            day += DAY
        return found

    def test_steps(self):
        """30 and 7 days before, the day after, then weekly; never on days off."""
        found = self.days_written_to(datetime.date(2022, 5, 24), datetime.date(2022, 7, 23))
        self.assertEqual(
            found,
            ["2022-05-31", "2022-06-23", "2022-07-01", "2022-07-08", "2022-07-15", "2022-07-22"],
        )
        self.assertEqual(
            self.piece.reminder_ids.sorted("days").mapped("days"), [-30, -7, 1, 8, 15, 22]
        )
        self.assertEqual(self.piece.due_date, DUE, "it does not move by itself")

    def test_days_off(self):
        """The day after is 14 July, a Thursday: told on Friday; and 20 December, in Réunion."""
        self.piece.milestone_id.date = "2022-07-13"
        found = self.days_written_to(datetime.date(2022, 7, 12), datetime.date(2022, 7, 18))
        self.assertEqual(found, ["2022-07-12", "2022-07-15"])
        self.piece.milestone_id.date = "2022-12-19"
        self.operator.zip = "97400"
        found = self.days_written_to(datetime.date(2022, 12, 19), datetime.date(2022, 12, 21))
        self.assertEqual(found, ["2022-12-19", "2022-12-21"])

    def test_settings(self):
        self.company.write(
            {"grant_reminder_days": "3", "grant_reminder_every": 2, "grant_reminder_times": 1}
        )
        found = self.days_written_to(datetime.date(2022, 6, 20), datetime.date(2022, 7, 20))
        # +3 is a Sunday: the Monday after.
        self.assertEqual(found, ["2022-06-27", "2022-07-01", "2022-07-04"])
        for text in ("a week", "0", "7, -1", "400"):
            with self.subTest(text=text), self.assertRefused("days", exception=ValidationError):
                self.company.grant_reminder_days = text

    def test_switched_off(self):
        self.company.grant_reminders = False
        self.assertFalse(self.run_on("2022-06-23"))

    def test_the_operators_hour(self):
        self.operator.tz = "Indian/Reunion"
        self.assertFalse(self.run_at("2022-06-23 04:59:00"), "nine there is five in London")
        self.assertTrue(self.run_at("2022-06-23 05:01:00"))
        self.assertFalse(self.run_at("2022-06-23 06:01:00"))

    def test_not_in_the_evening(self):
        self.assertFalse(self.run_at("2022-06-23 19:30:00"))
        self.assertTrue(self.run_at("2022-06-24 09:30:00"))

    def test_late_by_weeks(self):
        """An action that was away for a month writes once, and does not make up for it."""
        self.assertEqual(len(self.run_on("2022-07-11")), 1)
        self.assertEqual(self.piece.reminder_ids.days, 8)
        self.assertFalse(self.run_on("2022-07-12"))
        self.assertEqual(len(self.run_on("2022-07-15")), 1)

    def test_what_is_years_late(self):
        """Who installs this on old data does not flood its operators."""
        self.assertFalse(self.run_on("2024-03-05"))

    def test_twice_at_once(self):
        self.assertEqual(len(self.run_on("2022-06-23")), 1)
        self.assertFalse(self.run_on("2022-06-23"))
        with freeze_time("2022-06-24 10:00:00"):
            due = self.reminders._get_due()
            self.assertFalse(due)
        row = self.piece.reminder_ids
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.UniqueViolation):
            with self.env.cr.savepoint():
                row.copy()

    def test_what_another_one_told(self):
        """Between the list and its turn somebody else told it, or it was handed in."""
        with freeze_time("2022-06-23 10:00:00"):
            due = self.reminders._get_due()
            self.assertEqual(len(due), 1)
            self.reminders._remind(due)
            self.reminders._remind(due)
        self.assertEqual(len(self.piece.reminder_ids), 1)
        with freeze_time("2022-07-01 10:00:00"):
            due = self.reminders._get_due()
            self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
            self.reminders._remind(due)
        self.assertEqual(len(self.piece.reminder_ids), 1)

    def test_a_new_due_date_begins_anew(self):
        self.assertTrue(self.run_on("2022-06-23"))
        self.piece.milestone_id.date = "2022-09-30"
        self.assertFalse(self.run_on("2022-07-01"))
        self.assertTrue(self.run_on("2022-08-31"))

    def test_who_owes_nothing(self):
        for what, change in {
            "handed in": lambda: self.piece.with_user(self.operator_user)._do_submit("a.pdf", PDF),
            "waived": lambda: self.piece.with_user(self.coordinator)._do_waive("Autrement"),
            "piece": lambda: self.piece.write({"unreminded_reason": "Prolongé"}),
            "operator": lambda: self.operator.write({"grant_unreminded_reason": "Dissoute"}),
            "closed": lambda: self.set_state("closed"),
        }.items():
            with self.subTest(what=what):
                savepoint = self.env.cr.savepoint()
                change()
                self.assertFalse(self.run_on("2022-07-01"))
                self.assertFalse(self.piece.reminder_ids)
                savepoint.close(rollback=True)
        self.assertTrue(self.run_on("2022-07-01"))

    def set_state(self, state):
        self.env.flush_all()
        self.env.cr.execute("UPDATE grant_subsidy SET state = %s WHERE id = %s",
                            (state, self.subsidy.id))  # fmt: skip
        self.env.invalidate_all()


@tagged("post_install", "-at_install")
class TestWhatAndWhom(ReminderCase):
    def test_one_mail_lists_all(self):
        soon = self.make_deliverable(self.subsidy, name="Budget")
        soon.milestone_id.sudo().date = "2022-07-20"
        far = self.make_deliverable(self.subsidy, name="Très loin")
        far.milestone_id.sudo().date = "2023-01-31"
        mail = self.run_on("2022-07-01")
        self.assertEqual(len(mail), 1)
        self.assertEqual(mail.recipient_ids, self.operator_user.partner_id)
        self.assertIn("“Bilan final” is late", mail.subject)
        self.assertIn(self.company.name, mail.subject)
        for piece in (self.piece, soon):
            self.assertIn(piece.name, mail.body_html)
            self.assertIn(
                f"/my/subsidies/{self.subsidy.id}/deliverables/{piece.id}", mail.body_html
            )
        self.assertNotIn(far.name, mail.body_html)
        self.assertIn("Was due yesterday", mail.body_html)
        self.assertIn(self.coordinator.name, mail.body_html)
        self.assertEqual(mail.reply_to, self.coordinator.email_formatted)
        self.assertEqual(self.piece.reminder_ids.message_id, mail.mail_message_id)
        self.assertEqual(self.piece.reminder_ids.recipients, "tresoriere@asso.example")

    def test_two_operators_two_mails(self):
        theirs = self.sign(self.make_subsidy(partner_id=self.other_operator.id))
        self.make_deliverable(theirs, name="Le leur")
        mails = self.run_on("2022-06-23")
        self.assertEqual(len(mails), 2)
        for mail in mails:
            self.assertNotEqual("Le leur" in mail.body_html, "Bilan final" in mail.body_html)

    def test_what_was_typed_is_text(self):
        self.piece.name = "<script>alert(1)</script>"
        self.assertNotIn("<script", self.run_on("2022-06-23").body_html)

    def test_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.operator_user.lang = "fr_FR"
        self.assertIn("30 juin 2022", self.run_on("2022-06-23").body_html)
        self.piece.milestone_id.date = "2022-07-01"
        self.assertIn("1er juillet 2022", self.run_on("2022-06-24").body_html)

    def test_from_whom(self):
        """The city; who follows the subsidy, where the city has no address."""
        self.assertIn("mairie@ville.example", self.run_on("2022-06-23").email_from)
        self.company.partner_id.email = False
        self.company.invalidate_recordset(["email_formatted"])
        mail = self.run_on("2022-07-01")
        self.assertEqual(mail.email_from, self.coordinator.email_formatted)

    def test_to_whom(self):
        colleague = self._make_portal_user("operator", self.operator, "colleague_")
        mail = self.run_on("2022-05-31")
        self.assertEqual(mail.recipient_ids, (self.operator_user | colleague).partner_id)
        # Who has left.
        colleague.active = False
        self.assertEqual(
            self.run_on("2022-06-23").recipient_ids, self.operator_user.partner_id
        )
        self.operator_user.active = False
        self.operator.email = "asso@asso.example"
        mail = self.run_on("2022-07-01")
        self.assertFalse(mail.recipient_ids)
        self.assertIn("asso@asso.example", mail.email_to)

    def test_nobody_to_write_to(self):
        self.operator_user.email = self.operator.email = False
        self.assertFalse(self.run_on("2022-06-23"))
        self.assertFalse(self.piece.reminder_ids.recipients)
        activity = self.get_activities(self.piece, "nobody")
        self.assertEqual(activity.user_id, self.coordinator)
        self.run_on("2022-07-01")
        self.assertEqual(self.get_activities(self.piece, "nobody"), activity)

    def test_one_odd_operator_stops_nobody(self):
        theirs = self.sign(self.make_subsidy(partner_id=self.other_operator.id))
        self.make_deliverable(theirs, name="Le leur")
        render = self.registry["grant.reminder"]._render

        def fail(model, pieces, operator, *args):
            if operator == self.other_operator:
                raise ValueError("odd")
            return render(model, pieces, operator, *args)

        with patch.object(self.registry["grant.reminder"], "_render", fail), mute_logger(
            "odoo.addons.ctai_grants.models.operator.grant_reminder"
        ):
            mail = self.run_on("2022-06-23")
        self.assertEqual(mail.recipient_ids, self.operator_user.partner_id)
        self.assertEqual(self.run_on("2022-06-23").res_id, theirs.id)

    def test_escalation(self):
        self.run_on("2022-06-23")
        self.assertFalse(self.get_activities(self.piece, "late"))
        self.run_on("2022-07-01")
        activity = self.get_activities(self.piece, "late")
        self.assertEqual(activity.user_id, self.coordinator)
        self.run_on("2022-07-08")
        self.assertEqual(self.get_activities(self.piece, "late"), activity, "one a piece")
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.assertFalse(self.get_activities(self.piece, "late"))

    def test_who_follows_it_when_somebody_left(self):
        self.coordinator.active = False
        self.contract.user_id = self.both_roles
        self.run_on("2022-07-01")
        self.assertEqual(self.get_activities(self.piece, "late").user_id, self.both_roles)


@tagged("post_install", "-at_install")
class TestDecided(ReminderCase):
    def review(self, act):
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        known = self.env["mail.mail"].search([])
        act(self.piece.with_user(self.coordinator))
        return self.env["mail.mail"].search([]) - known

    def test_sent_back(self):
        reason = "La page 2 manque.\nLe total n'est pas signé."
        mail = self.review(lambda piece: piece._do_send_back(reason))
        self.assertEqual(mail.recipient_ids, self.operator_user.partner_id)
        self.assertIn("“Bilan final” is to be completed", mail.subject)
        self.assertIn("La page 2 manque.", mail.body_html)
        self.assertIn(f"/deliverables/{self.piece.id}", mail.body_html)
        # And later reminders say it again.
        self.assertIn("La page 2 manque.", self.run_on("2022-07-01").body_html)

    def test_accepted(self):
        mail = self.review(lambda piece: piece.action_accept())
        self.assertIn("“Bilan final” is accepted", mail.subject)
        self.assertEqual(mail.recipient_ids, self.operator_user.partner_id)

    def test_several_at_once(self):
        other = self.make_deliverable(self.subsidy, name="Budget")
        other.with_user(self.operator_user)._do_submit("budget.pdf", PDF)
        mail = self.review(lambda piece: (piece | other).action_accept())
        self.assertEqual(len(mail), 1)
        self.assertIn("2 documents are accepted", mail.subject)

    def test_waived(self):
        self.assertFalse(self.review(lambda piece: piece._do_waive("Autrement")))


@tagged("post_install", "-at_install")
class TestDeadlines(ReminderCase):
    """What the city has to do by a date is an activity of who does it."""

    def setUp(self):
        super().setUp()
        self.tranche = self.make_tranche(self.subsidy).with_env(self.env)
        self.subsidy.with_user(self.coordinator).notification_date = "2021-11-02"
        self.contract.finance_user_id = self.finance_officer

    def test_payment(self):
        self.assertEqual(self.tranche.payment_deadline, datetime.date(2022, 1, 1))
        self.run_on("2021-12-16")
        self.assertFalse(self.get_activities(self.tranche, "pay"))
        self.run_on("2021-12-17")
        activity = self.get_activities(self.tranche, "pay")
        self.assertEqual(activity.user_id, self.coordinator, "nothing is certified yet")
        self.assertEqual(activity.date_deadline, self.tranche.payment_deadline)
        self.run_on("2021-12-20")
        self.assertEqual(self.get_activities(self.tranche, "pay"), activity)
        self.pay(self.tranche)
        self.run_on("2021-12-21")
        self.assertFalse(self.get_activities(self.tranche, "pay"))
        row = self.reminders.search([("disbursement_id", "=", self.tranche.id)])
        self.assertEqual(row.step, "15 days before")

    def test_payment_of_certified_work(self):
        self.certify(self.tranche)
        self.run_on("2021-12-17")
        self.assertEqual(
            self.get_activities(self.tranche, "pay").user_id, self.finance_officer
        )

    def test_done_is_done(self):
        self.run_on("2021-12-17")
        self.get_activities(self.tranche, "pay").unlink()
        self.run_on("2021-12-20")
        self.assertFalse(self.get_activities(self.tranche, "pay"))

    def test_publication(self):
        """Three months after the signature of a convention above the threshold."""
        large = self.sign(self.make_subsidy(amount=30000)).with_env(self.env)
        small = self.sign(self.make_subsidy(amount=20000, partner_id=self.other_operator.id))
        self.assertEqual(large.publication_deadline, datetime.date(2022, 1, 25))
        self.run_on("2022-01-09")
        self.assertFalse(self.get_activities(large, "publish"))
        self.run_on("2022-01-10")
        self.assertEqual(self.get_activities(large, "publish").user_id, self.coordinator)
        self.assertFalse(self.get_activities(small.with_env(self.env), "publish"))

    def test_publication_counts_by_body_and_year(self):
        """Two of 15 000 € to one body in a year are above the threshold together (loi 2000-321,
        art. 10)."""
        halves = [
            self.sign(self.make_subsidy(amount=15000, partner_id=self.other_operator.id))
            for _half in range(2)
        ]
        self.run_on("2022-01-10")
        for half in halves:
            self.assertTrue(self.get_activities(half.with_env(self.env), "publish"))


@tagged("post_install", "-at_install")
class TestScreens(ReminderCase):
    def preview(self, user):
        action = self.reminders.with_user(user).action_preview()
        return self.env["grant.reminder.preview"].with_user(user).search(action["domain"])

    def test_preview(self):
        known = self.env["mail.mail"].search([])
        with freeze_time("2022-06-23 06:00:00"):
            found = self.preview(self.coordinator)
        self.assertEqual(found.mapped("partner_id"), self.operator)
        self.assertEqual(found.recipients, "tresoriere@asso.example")
        self.assertIn("Bilan final", found.body)
        self.assertIn("From 9 h", found.remark)
        self.assertFalse(self.piece.reminder_ids)
        self.assertFalse(self.env["mail.mail"].search([]) - known)
        with freeze_time("2022-06-23 10:00:00"):
            self.assertEqual(self.preview(self.coordinator).remark, "Within the hour")
        with freeze_time("2022-06-24 10:00:00"), self.assertRaises(AccessError):
            self.preview(self.reader)

    def test_history(self):
        mail = self.run_on("2022-06-23")
        row = self.piece.with_user(self.reader).reminder_ids
        self.assertEqual(row, self.subsidy.with_user(self.reader).reminder_ids)
        self.assertEqual(row.step, "7 days before")
        window = row.action_open_mail()
        shown = self.env[window["res_model"]].with_user(self.reader).browse(window["res_id"])
        self.assertEqual(shown.subject, mail.subject)
        self.assertIn("Bilan final", shown.body)
        for act in (row.unlink, lambda: row.write({"days": 3}), lambda: row.copy()):
            with self.assertRaises(AccessError):
                act()

    def test_switches_on_forms(self):
        form = Form(self.piece.with_user(self.coordinator))
        form.unreminded_reason = "Prolongé par lettre"
        form.save()
        self.assertEqual(self.piece.unreminded_reason, "Prolongé par lettre")
        for user in (self.operator_user, self.reader):
            with self.assertRaises(AccessError):
                self.piece.with_user(user).unreminded_reason = "Non"


@tagged("post_install", "-at_install")
class TestReminderQueries(ReminderCase):
    def make_operators(self, number):
        operators = self.env["res.partner"].create(
            [
                {"name": f"Association {index}", "is_company": True, "grant_role": "operator",
                 "company_registry": make_siret(), "email": f"a{index}@asso.example"}
                for index in range(number)
            ]
        )  # fmt: skip
        for operator in operators:
            subsidy = self.make_subsidy(partner_id=operator.id, amount=10)
            self.sign(subsidy)
            self.make_deliverable(subsidy)

    def count(self):
        """Statements of one batch, caches of records empty."""
        statements = []
        hooks = threading.current_thread().__dict__.setdefault("query_hooks", [])

        def note(_cr, query, *_args):
            statements.append(" ".join(str(query).split())[:120])

        with freeze_time("2022-07-01 10:00:00"):
            due = self.reminders._get_due()
            self._settle()
            hooks.append(note)
            try:
                self.reminders._remind(due)
                self._settle()
            finally:
                hooks.remove(note)
        return len(due), statements

    def test_as_many_statements_for_ten_as_for_a_hundred(self):
        self.make_operators(1)
        self.count()
        self.make_operators(10)
        few, first = self.count()
        self.make_operators(100)
        many, second = self.count()
        self.assertEqual((few, many), (10, 100))
        self.assertEqual(len(first), len(second), "\n".join(second))
