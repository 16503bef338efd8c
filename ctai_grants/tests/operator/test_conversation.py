import datetime

from lxml import html

from odoo import fields, http
from odoo.exceptions import AccessError, UserError
from odoo.service.model import call_kw
from odoo.tests import HttpCase, freeze_time, tagged

from ...models.operator.grant_subsidy_messages import LONGEST_MESSAGE, MOST_MESSAGES
from ..common import GrantsCommon


class ConversationCase(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.sign(cls.make_subsidy())
        cls.operator_user.email = "asso@example.org"
        cls.coordinator.email = "coordination@example.org"

    def rpc(self, user, model, method, *args, **kwargs):
        with self.called_by(user):
            return call_kw(self.env(user=user)[model], method, args, kwargs)

    def question(self, text="Une question", user=None):
        return self.subsidy.with_user(user or self.operator_user)._write_to_city(text)

    def answer(self, text="Une réponse", user=None):
        self.ask(self.subsidy, "write_to_operator", user or self.coordinator, text)
        return self.subsidy.exchange_ids[-1:]

    def get_mails(self):
        return self.env["mail.mail"].sudo().search([("subject", "ilike", "a message about")])


@tagged("post_install", "-at_install")
class TestMessages(ConversationCase):
    def test_both_ways(self):
        message = self.question("Bonjour\x00,\r\nmerci\u202e")
        self.assertEqual(message.sudo().text, "Bonjour,\nmerci")
        kind = self.env.ref("ctai_grants.mail_activity_message")
        activity = self.subsidy.activity_ids.filtered(lambda one: one.activity_type_id == kind)
        self.assertEqual(activity.user_id, self.subsidy._get_coordinator())
        self.question("Encore une")
        self.assertEqual(len(self.subsidy.activity_ids.filtered(
            lambda one: one.activity_type_id == kind)), 1)
        self.assertFalse(self.get_mails())
        self.answer()
        mail = self.get_mails()
        self.assertIn(f"/my/subsidies/{self.subsidy.id}/messages", mail.body_html)
        self.assertIn("Une réponse", mail.body_html)
        self.assertIn(self.operator_user.partner_id, mail.recipient_ids)
        self.assertNotIn(self.other_operator_user.partner_id, mail.recipient_ids)
        self.assertFalse(self.subsidy.activity_ids.filtered(
            lambda one: one.activity_type_id == kind))
        self.assertEqual(
            self.subsidy.exchange_ids.mapped("by_city"), [False, False, True]
        )

    def test_who_writes(self):
        for user in (self.other_operator_user, self.prefecture_user, self.coordinator, self.reader,
                     self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.question(user=user)
        for user in (self.reader, *self.portal_users):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.rpc(user, "grant.subsidy", "action_write_to_operator", self.subsidy.ids)
                self.answer(user=user)
        self.assertFalse(self.subsidy.exchange_ids)

    def test_of_another_city(self):
        city = self.env["res.company"].create({"name": "Autre ville"})
        self.finance_officer.write({"company_id": city.id, "company_ids": [(6, 0, city.ids)]})
        with self.assertRaises(AccessError):
            self.subsidy.with_user(self.finance_officer)._do_write_to_operator("Bonjour")

    def test_what_is_no_message(self):
        for text in (None, "", " \n", "\u200b", "…", "a" * (LONGEST_MESSAGE + 1), ["x"]):
            with self.subTest(text=str(text)[:9]), self.assertRaises(UserError):
                self.question(text)
        self.question("a" * LONGEST_MESSAGE)

    def test_twice_and_without_end(self):
        first = self.question()
        self.assertEqual(self.question(), first)
        for number in range(MOST_MESSAGES - 1):
            self.question(f"Question {number}")
        with self.assertRefused("within an hour"):
            self.question("Une de plus")
        self.answer()
        with freeze_time(fields.Datetime.now() + datetime.timedelta(hours=2)):
            self.question("Le lendemain")

    def test_what_is_written_stays(self):
        message = self.question()
        for user in (*self.staff, *self.portal_users):
            for call in (("write", message.ids, {"text": "x"}), ("unlink", message.ids),
                         ("create", [{"subsidy_id": self.subsidy.id, "text": "x"}])):
                with self.subTest(user=user.login, call=call[0]), self.assertRaises(AccessError):
                    self.rpc(user, "grant.message", *call)
        with self.assertRaises(AccessError):
            message.sudo().text = "x"
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                self.rpc(user, "grant.message", "search_read", [])
            with self.assertRaises(AccessError):
                self.rpc(user, "grant.subsidy", "read", self.subsidy.ids, ["exchange_ids"])
        self.assertFalse(self.verify())

    def test_a_mail_makes_no_message(self):
        """Anybody can say that a mail is from the operator: it goes to the coordinator's box."""
        self.answer()
        self.assertEqual(self.get_mails().reply_to, self.subsidy._get_coordinator().email_formatted)


class RecoveryCase(ConversationCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pay(cls.make_tranche(cls.subsidy, amount=5000))
        cls.recovery = cls.env["grant.recovery"].with_user(cls.finance_manager).create(
            {"subsidy_id": cls.subsidy.id, "reason": "condition", "amount": 1000,
             "facts": "Action non réalisée.", "letter": "Nous envisageons…"}
        )

    def notify(self):
        self.recovery.with_user(self.finance_officer)._do_notify("2022-03-01")
        return self.recovery.answer_deadline

    def reply(self, text="Nous avons réalisé l'action.", user=None):
        self.recovery.with_user(user or self.operator_user)._answer(text)


@tagged("post_install", "-at_install")
@freeze_time("2022-03-01 10:00:00")
class TestRecoveryAnswer(RecoveryCase):
    def test_once_and_for_all(self):
        with self.assertRaises(UserError):
            self.reply()
        self.notify()
        self.reply("Nous avons\x07 réalisé l'action.")
        self.assertEqual(self.recovery.observations, "Nous avons réalisé l'action.")
        decision = self.recovery.decision_ids.filtered(lambda one: one.decision == "observed")
        self.assertEqual(decision.user_id, self.operator_user)
        kind = self.env.ref("ctai_grants.mail_activity_observations")
        asked = self.recovery.activity_ids.filtered(lambda one: one.activity_type_id == kind)
        self.assertEqual(
            asked.user_id,
            self.subsidy._get_coordinator() | self.subsidy._get_finance_officer(),
        )
        with self.assertRefused("answered already"):
            self.reply("Autre chose")
        with self.assertRaises(AccessError):
            self.recovery.sudo().portal_answer = "x"
        self.assertFalse(self.verify())

    def test_the_delay(self):
        deadline = self.notify()
        with freeze_time(f"{deadline} 22:00:00"):
            self.assertTrue(self.recovery._is_answerable())
        with freeze_time(f"{deadline + datetime.timedelta(days=1)} 00:10:00"):
            self.assertFalse(self.recovery._is_answerable())
            with self.assertRefused("ended on"):
                self.reply()

    def test_decided(self):
        deadline = self.notify()
        self.reply()
        with freeze_time(f"{deadline + datetime.timedelta(days=1)} 10:00:00"):
            self.recovery.with_user(self.finance_manager)._do_decide("Vu vos observations")
        self.assertFalse(self.recovery.activity_ids)
        with self.assertRaises(UserError):
            self.reply("Trop tard")

    def test_who_answers(self):
        self.notify()
        for user in (self.other_operator_user, self.prefecture_user, *self.staff,
                     self.env.ref("base.public_user")):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.reply(user=user)
        self.assertFalse(self.recovery.observations)


@tagged("post_install", "-at_install")
@freeze_time("2022-03-01 10:00:00")
class TestConversationPages(RecoveryCase, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.portal_users:
            user.password = user.login
        cls.url = f"/my/subsidies/{cls.subsidy.id}"
        cls.recovery_url = f"{cls.url}/recoveries/{cls.recovery.id}"

    def log_in(self, user=None):
        user = user or self.operator_user
        self.authenticate(user.login, user.login)

    def post(self, url, **values):
        return self.url_open(url, data={"csrf_token": http.Request.csrf_token(self), **values})

    def test_write_on_the_page(self):
        self.log_in()
        self.assertIn("Write to the city", self.url_open(self.url).text)
        response = self.post(f"{self.url}/messages", text=" ")
        page = html.fromstring(response.text)
        field = page.get_element_by_id("new_message")
        self.assertIn("new_message_error", field.get("aria-describedby"))
        response = self.post(f"{self.url}/messages", text="<b>Bonjour</b>")
        self.assertIn("Your message is sent", response.text)
        self.assertIn("&lt;b&gt;Bonjour", response.text)
        self.answer("Voici")
        self.env.flush_all()
        self.assertIn("The city has written", self.url_open(self.url).text)
        # What the staff say among themselves is not there.
        talk = "Entre nous"
        self.subsidy.message_post(body=talk)
        self.assertNotIn(talk, self.url_open(f"{self.url}/messages").text)

    def test_not_for_strangers(self):
        self.notify()
        for user in (self.other_operator_user, self.prefecture_user):
            self.log_in(user)
            for url in (f"{self.url}/messages", self.recovery_url):
                self.assertEqual(self.url_open(url).status_code, 404)
                self.assertEqual(self.post(url, text="Bonjour").status_code, 404)
        self.log_in(self.prefecture_user)
        self.assertFalse(self.subsidy.exchange_ids)

    def test_what_is_left_to_pay_back(self):
        self.notify()
        with freeze_time("2022-04-20 10:00:00"):
            self.recovery.with_user(self.finance_manager)._do_decide("Fondé")
            officer = self.recovery.with_user(self.finance_officer)
            officer._do_claim("2022-04-20")
            self.env.flush_all()
            self.log_in()
            self.assertNotIn("Left to pay back", self.url_open(self.url).text)
            officer._do_collect("2022-04-20", "VIR-1", 400)
            self.env.flush_all()
            page = html.fromstring(self.url_open(self.url).text)
        row = page.get_element_by_id(f"recovery_{self.recovery.id}").text_content()
        said = r"claimed on 04/20/2022\. Left to pay back: .*600\.00"
        self.assertRegex(" ".join(row.split()), said)

    def test_answer_on_the_page(self):
        self.log_in()
        self.assertEqual(self.url_open(self.recovery_url).status_code, 404)
        self.notify()
        self.env.flush_all()
        self.assertIn(self.recovery_url, self.url_open(self.url).text)
        response = self.post(self.recovery_url, text="")
        self.assertIn("Write your answer first", response.text)
        response = self.post(self.recovery_url, text="Nous contestons.")
        self.assertIn("Your answer", response.text)
        self.assertEqual(self.recovery.portal_answer, "Nous contestons.")
        self.assertIn("answered already", self.post(self.recovery_url, text="Encore").text)
        # No second answer is promised.
        page = self.url_open(self.url).text
        self.assertIn("You answered on", page)
        self.assertNotIn("You can answer until", page + self.url_open(self.recovery_url).text)

    def test_too_late(self):
        """Nor one within a delay that is over; before, it is in the calendar."""
        deadline = self.notify()
        self.env.flush_all()
        self.log_in()
        self.assertIn("You can answer until", self.url_open(self.url).text)
        calendar = self.url_open(f"{self.url}/calendar.ics").text
        self.assertIn(f"DTSTART;VALUE=DATE:{deadline:%Y%m%d}", calendar)
        with freeze_time(f"{deadline + datetime.timedelta(days=1)} 10:00:00"):
            self.log_in()
            page = self.url_open(self.url).text
            self.assertIn("The delay to answer is over", page)
            self.assertNotIn("You can answer until", page + self.url_open(self.recovery_url).text)
            self.assertNotIn("letter-", self.url_open(f"{self.url}/calendar.ics").text)
