import datetime
from email.message import EmailMessage
from unittest.mock import patch

import psycopg2

from odoo.exceptions import AccessError, ConcurrencyError, ValidationError
from odoo.tests import freeze_time, tagged
from odoo.tools import html2plaintext, mute_logger

from ..common import PDF, GrantsCommon

CRON = "_commit_progress"


class LetterCase(GrantsCommon):
    """A paid tranche of a signed subsidy, whose operator has a person with an address."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.letters = cls.env["grant.letter"]
        cls.operator_user.email = "tresoriere@asso.example"
        cls.company.partner_id.email = "mairie@ville.example"
        draft = cls.make_subsidy()
        cls.tranche = cls.make_tranche(draft, amount=4000).with_env(cls.env)
        cls.subsidy = cls.sign(draft).with_env(cls.env)

    def run_queue(self):
        """What the scheduled action gives to Odoo's mails."""
        known = self.env["mail.mail"].search([])
        with patch.object(self.registry["ir.cron"], CRON, lambda *_, **__: 600):
            self.letters._cron_send()
        return self.env["mail.mail"].search([], order="id") - known

    def open_window(self, documents, action="action_send_payment_notice", user=None):
        found = getattr(documents.with_user(user or self.coordinator), action)()
        return (
            self.env[found["res_model"]].with_user(user or self.coordinator).browse(found["res_id"])
        )

    def send(self, documents, action="action_send_payment_notice", user=None):
        self.open_window(documents, action, user).action_send()
        return self.letters.search([])[:1]

    def get_activities(self):
        kind = self.env.ref("ctai_grants.mail_activity_letter")
        return self.env["mail.activity"].search(
            [("activity_type_id", "=", kind.id), ("res_id", "=", self.subsidy.id)]
        )


@tagged("post_install", "-at_install")
class TestLetters(LetterCase):
    def test_payment_by_hand(self):
        self.pay(self.tranche)
        window = self.open_window(self.tranche, user=self.finance_officer)
        self.assertEqual(window.recipients, "tresoriere@asso.example")
        for part in (
            "4,000.00",
            f"M-{self.tranche.id}",
            "November 25, 2021",
            "P-1",
            self.operator.name,
        ):
            self.assertIn(part, window.body)
        self.assertFalse(self.letters.search([]), "only shown")
        window.action_send()
        letter = self.letters.search([])
        self.assertEqual((letter.state, letter.user_id), ("queued", self.finance_officer))
        mail = self.run_queue()
        self.assertEqual(mail.recipient_ids, self.operator_user.partner_id)
        self.assertEqual(mail.subject, window.subject)
        self.assertEqual(mail.attachment_ids.mimetype, "application/pdf")
        self.assertTrue(mail.attachment_ids.raw.startswith(b"%PDF"))
        self.assertEqual(letter.state, "outgoing")
        # In the chatter of the subsidy.
        self.assertIn(mail.mail_message_id, self.subsidy.message_ids)
        mail.write({"state": "sent"})
        self.assertEqual(letter.state, "sent")
        # On the page of the operator, and its file for the operator alone.
        self.assertEqual(self.subsidy._get_sent_letters(), letter)
        self.assertEqual(
            self.subsidy._get_shared_file(letter.attachment_id.id), letter.attachment_id
        )
        self.assertEqual(
            self.env[letter.with_user(self.reader).action_open_mail()["res_model"]]
            .search([], limit=1, order="id desc").subject,
            mail.subject,
        )  # fmt: skip

    def test_answers_by_mail_come_to_the_subsidy(self):
        """From the mailbox that Odoo reads, each as a message of who wrote it."""
        self.coordinator.email = "referente@ville.example"
        self.pay(self.tranche)
        self.send(self.tranche)
        letter = self.run_queue()
        for user in (self.operator_user, self.coordinator):
            answer = EmailMessage()
            answer["From"], answer["To"] = user.email, letter.reply_to
            answer["Subject"], answer["Message-Id"] = "Re", f"<{user.login}@asso.example>"
            answer["In-Reply-To"] = letter.message_id
            answer.set_content("Merci")
            self.env["mail.thread"].message_process(False, answer.as_string())
            message = self.subsidy.message_ids[0]
            self.assertEqual(message.author_id, user.partner_id)
            self.assertEqual(message.message_type, "email")
            self.assertEqual(message.parent_id, letter.mail_message_id)

    def test_never_twice(self):
        self.pay(self.tranche)
        shown = self.open_window(self.tranche)
        letter = self.send(self.tranche)
        with self.assertRefused("No letter leaves"):
            shown.action_send()
        self.run_queue()
        window = self.open_window(self.tranche)
        self.assertIn("sent already", window.problem)
        self.assertFalse(window.sendable)
        with self.assertRefused("sent already"):
            window.action_send()
        self.assertFalse(self.run_queue())
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.errors.UniqueViolation):
            with self.env.cr.savepoint():
                letter.copy()

    def test_again_is_an_act_with_a_reason(self):
        self.pay(self.tranche)
        letter = self.send(self.tranche)
        with self.assertRefused("on its way"):
            letter.with_user(self.coordinator)._do_send_again(None)
        self.run_queue().write({"state": "sent"})
        with self.assertRefused("reason"):
            letter.with_user(self.coordinator)._do_send_again(" ")
        with self.assertRaises(AccessError):
            letter.with_user(self.reader)._do_send_again("Perdu")
        self.ask(letter, "send_again", self.coordinator, "Perdu")
        again = self.letters.search([]) - letter
        self.assertEqual((again.sending, again.reason), (2, "Perdu"))
        self.assertEqual(len(self.run_queue()), 1)
        with self.assertRefused("sent already"):
            letter.with_user(self.coordinator)._do_send_again("Une fois de plus")

    def test_paid_anew_is_told_anew(self):
        self.pay(self.tranche)
        self.send(self.tranche)
        self.run_queue()
        self.ask(self.tranche, "unpay", self.finance_manager)
        self.assertIn("state", self.open_window(self.tranche).problem)
        self.tranche.with_user(self.finance_officer)._do_pay(datetime.date(2021, 11, 26), "P-2")
        self.assertEqual(self.open_window(self.tranche).sendable, 1)

    def test_by_itself(self):
        """Where the contract says so; the mail is made after the transaction, by the queue."""
        self.contract.sends_payment = True
        known = self.env["mail.mail"].search([])
        self.pay(self.tranche)
        letter = self.letters.search([])
        self.assertTrue(letter.is_automatic)
        self.assertEqual(letter.user_id, self.finance_officer)
        self.assertFalse(self.env["mail.mail"].search([]) - known)
        self.assertEqual(len(self.run_queue()), 1)
        self.assertIn("sent already", self.open_window(self.tranche).problem)

    def test_what_is_rolled_back_sends_nothing(self):
        self.contract.sends_payment = True
        savepoint = self.env.cr.savepoint()
        self.pay(self.tranche)
        savepoint.close(rollback=True)
        self.env.invalidate_all()
        self.assertFalse(self.run_queue())

    def test_nobody_to_write_to(self):
        """An archived person, and an operator without an address: a sentence, and an activity."""
        self.pay(self.tranche)
        self.operator_user.active = False
        self.assertIn("nobody to write to", self.open_window(self.tranche).problem)
        self.contract.sends_payment = True
        letter = self.letters._queue("payment", self.tranche)
        self.assertFalse(self.run_queue())
        self.assertEqual(letter.state, "blocked")
        self.assertIn(self.operator.name, letter.problem)
        self.assertEqual(self.get_activities().user_id, self.coordinator)
        # Mended, it leaves without a reason: it never did.
        self.operator.email = "asso@asso.example"
        letter.with_user(self.coordinator).action_send_again()
        [mail] = self.run_queue()
        self.assertIn("asso@asso.example", mail.email_to)
        self.assertFalse(self.get_activities())

    def test_undone_meanwhile(self):
        self.pay(self.tranche)
        letter = self.send(self.tranche)
        self.ask(self.tranche, "unpay", self.finance_manager)
        self.assertFalse(self.run_queue())
        self.assertEqual(letter.state, "cancelled")
        self.assertIn("state", letter.problem)

    def test_mail_server_down(self):
        self.pay(self.tranche)
        letter = self.send(self.tranche)
        mail = self.run_queue()
        with (
            mute_logger("odoo.addons.mail.models.mail_mail"),
            patch.object(
                self.registry["ir.mail_server"], "_connect__", side_effect=OSError("no route")
            ),
        ):
            mail.send()
        self.assertEqual(letter.state, "failed")
        self.assertTrue(letter.problem)
        self.assertTrue(self.get_activities())
        letter.with_user(self.coordinator).action_send_again()
        self.assertEqual((letter.state, mail.state), ("outgoing", "outgoing"))
        mail.write({"state": "sent"})
        self.assertEqual(letter.state, "sent")
        self.assertFalse(self.get_activities())

    def test_many_at_once(self):
        """Two hundred: one window, each its mail; what cannot leave is told beside."""
        self.pay(self.tranche)
        other = self.make_tranche_beyond(self.subsidy, amount=5).with_env(self.env)
        window = self.open_window(self.tranche | other)
        self.assertEqual((window.sendable, window.refused), (1, 1))
        window.action_send()
        self.assertEqual(self.letters.search([]).disbursement_id, self.tranche)
        subsidies = self.env["grant.subsidy"].union(
            *(self.make_subsidy(amount=10) for _number in range(20))
        )
        subsidies.with_user(self.coordinator).action_grant()
        window = self.open_window(subsidies, "action_send_closing")
        self.assertEqual((window.sendable, window.refused), (0, 20))

    def test_who_takes_which_mail(self):
        colleague = self._make_portal_user("operator", self.operator, "colleague_")
        self.operator_user.partner_id.grant_mails = "pieces"
        self.pay(self.tranche)
        letter = self.send(self.tranche)
        self.assertEqual(self.run_queue().recipient_ids, colleague.partner_id)
        self.assertEqual(letter.recipients, colleague.email_normalized)
        # When nobody takes it, everybody gets it.
        colleague.partner_id.grant_mails = "pieces"
        both = (self.operator_user | colleague).partner_id
        self.assertEqual(both._get_takers("money"), both)

    def test_who_may(self):
        self.pay(self.tranche)
        for user in (self.reader, self.operator_user):
            with self.assertRaises(AccessError):
                self.open_window(self.tranche, user=user)
        letter = self.send(self.tranche)
        for user in (self.coordinator, self.administrator):
            with self.assertRaises(AccessError):
                letter.with_user(user).write({"state": "sent"})
        with self.assertRaises(AccessError):
            letter.with_user(self.operator_user).read(["recipients"])
        window = self.open_window(self.tranche)
        with self.assertRaises(AccessError):
            window.with_user(self.finance_officer).read(["kind"])
        with self.assertRaises(AccessError):
            window.with_user(self.coordinator).write({"res_ids": [1]})


@tagged("post_install", "-at_install")
class TestTwoAtOnce(LetterCase):
    def test_the_second_one_begins_again(self):
        """Whoever has the tranche is waited for, and what he did is seen."""
        self.pay(self.tranche)
        with patch.object(
            self.registry["grant.disbursement"], "try_lock_for_update",
            lambda records, **_: records.browse(),
        ), self.assertRaises(ConcurrencyError):  # fmt: skip
            self.letters._queue("payment", self.tranche)
        self.letters._queue("payment", self.tranche)
        self.assertFalse(self.letters._queue("payment", self.tranche))

    def test_two_workers_of_the_queue(self):
        """What another one has locked, or has sent meanwhile, is not sent by this one."""
        self.pay(self.tranche)
        letter = self.send(self.tranche)
        with patch.object(
            self.registry["grant.letter"], "try_lock_for_update",
            lambda records, **_: records.browse(),
        ):  # fmt: skip
            self.assertFalse(self.run_queue())
        lock = self.registry["grant.letter"].try_lock_for_update

        def sent_by_another(records, **kwargs):
            records.env.cr.execute("UPDATE grant_letter SET state = 'outgoing' WHERE id = %s",
                                   (letter.id,))  # fmt: skip
            return lock(records, **kwargs)

        with patch.object(self.registry["grant.letter"], "try_lock_for_update", sent_by_another):
            self.assertFalse(self.run_queue())
        self.assertEqual(letter.state, "outgoing")


@tagged("post_install", "-at_install")
class TestRemindingByHand(LetterCase):
    def test_once_a_day_with_the_rows_of_the_others(self):
        piece = self.make_deliverable(self.subsidy, name="Bilan").with_env(self.env)
        self.operator_user.email = "tresoriere@asso.example"
        with freeze_time("2022-07-04 10:00:00"):
            window = self.open_window(piece, "action_remind")
            self.assertIn("late", window.subject)
            self.assertIn("Bilan", window.body)
            self.assertFalse(piece.reminder_ids)
            window.action_send()
            self.assertEqual(piece.reminder_ids.days, 4)
            self.assertIn("today already", self.open_window(piece, "action_remind").problem)
            with self.assertRefused("No letter leaves"):
                window.action_send()
            due = self.env["grant.reminder"]._get_due(True)
            self.assertFalse([one for one in due if one.company_id == self.company.id])
        accepted = self.make_deliverable(self.subsidy, name="Autre").with_env(self.env)
        accepted.with_user(self.coordinator)._do_waive("Autrement")
        self.assertIn("not awaited", self.open_window(accepted, "action_remind").problem)

    def test_in_the_citys_words(self):
        piece = self.make_deliverable(self.subsidy, name="Bilan").with_env(self.env)
        self.env.ref("ctai_grants.mail_template_reminder").write(
            {"subject": "Il manque : {{ title }}", "body_html": "<p>Bonjour</p>{{ pieces }}"}
        )
        with freeze_time("2022-07-04 10:00:00"):
            window = self.open_window(piece, "action_remind")
            self.assertIn("Il manque : “Bilan” is late", window.subject)
            self.assertIn(f"/deliverables/{piece.id}", window.body)
            # Emptied, what is owed is told all the same.
            self.env.ref("ctai_grants.mail_template_reminder").body_html = False
            with self.assertLogs("odoo.addons.ctai_grants.models.operator.grant_reminder_mail"):
                window = self.open_window(piece, "action_remind")
            self.assertIn(f"/deliverables/{piece.id}", window.body)


@tagged("post_install", "-at_install")
class TestStory(LetterCase):
    def test_the_discussion_tells_it(self):
        """Certificate, order, payment and pieces, once each, and by whom."""
        piece = self.make_deliverable(self.subsidy, name="Bilan").with_env(self.env)
        self.pay(self.tranche)
        piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        piece.with_user(self.coordinator).action_accept()
        told = [
            (message.author_id, html2plaintext(message.body))
            for message in self.subsidy.message_ids.sorted("id")
            if message.message_type == "notification"
        ]
        for user, *parts in (
            (self.coordinator, "Avance", "Certified"),
            (self.finance_officer, "Avance", "Ordered", "4,000.00", f"M-{self.tranche.id}"),
            (self.finance_officer, "Avance", "Paid", "P-1"),
            (self.operator_user, "Bilan", "handed in"),
            (self.coordinator, "Bilan", "Accepted"),
        ):
            found = [
                author for author, body in told if all(part in body for part in parts)
            ]  # fmt: skip
            self.assertEqual(found, [user.partner_id], parts)


@tagged("post_install", "-at_install")
class TestWordings(LetterCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("ctai_grants.mail_template_payment")
        cls.pay(cls.tranche)

    def test_the_citys_own_words(self):
        self.tranche.subsidy_id.sudo().name = "<b>Ateliers</b> {{ code }}"
        self.template.with_user(self.administrator).write(
            {"subject": "Payé : {{ code }}", "body_html": "<p>Bravo {{ subsidy }}</p>"}
        )
        window = self.open_window(self.tranche)
        self.assertIn(f"Payé : {self.subsidy.code}", window.subject)
        # What was typed elsewhere is text: no tag, no name.
        self.assertIn("Bravo &lt;b&gt;Ateliers&lt;/b&gt; {{ code }}", window.body)

    def test_no_code(self):
        for body in (
            "<p>{{ object.env['res.users'].sudo() }}</p>",
            "<p t-out=\"object.env.cr.execute('SELECT 1')\">x</p>",
            "<t t-foreach='[1]' t-as='x'>x</t>",
            "<p>{{ city </p>",
        ):
            with self.subTest(body=body), self.assertRefused(exception=ValidationError):
                self.template.with_user(self.administrator).body_html = body
        # Written by a door of its own, it is refused when it is read.
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE mail_template SET subject = jsonb_build_object('en_US', %s) WHERE id = %s",
            ("{{ object.env }}", self.template.id),
        )
        self.env.invalidate_all()
        self.assertIn("to be corrected", self.open_window(self.tranche).problem)

    def test_emptied(self):
        self.template.with_user(self.administrator).body_html = "<p><br></p>"
        self.assertIn("is empty", self.open_window(self.tranche).problem)
        letter = self.letters._queue("payment", self.tranche)
        self.assertFalse(self.run_queue())
        self.assertEqual(letter.state, "blocked")
        self.assertTrue(self.get_activities())

    def test_scripts_do_not_leave(self):
        self.template.with_user(
            self.administrator
        ).body_html = (
            '<p onclick="alert(1)">Payé <script>alert(1)</script><a href="javascript:x">a</a></p>'
        )
        body = self.open_window(self.tranche).body
        for part in ("script", "onclick"):
            self.assertNotIn(part, body)

    def test_who_words_them(self):
        """Odoo lets every employee edit every template."""
        for user in (self.coordinator, self.finance_manager, self.reader):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.template.with_user(user).subject = "Cadeau"
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.template.with_user(user).unlink()
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.template.with_user(user).update_field_translations(
                    "subject", {"en_US": "Cadeau"}
                )
        with self.assertRaises(AccessError):
            self.env["mail.template"].with_user(self.administrator).create(
                {"name": "x", "grant_letter": "closing"}
            )
        # Others are as ever.
        other = self.env["mail.template"].with_user(self.coordinator).create({"name": "x"})
        other.subject = "y"

    def test_in_the_readers_language(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.operator_user.lang = "fr_FR"
        self.template.with_context(lang="fr_FR").subject = "Versement {{ code }}"
        window = self.open_window(self.tranche)
        self.assertIn("Versement", window.subject)
        self.assertIn("25 novembre 2021", window.body)
