import io
from unittest.mock import patch

from odoo.exceptions import AccessError, UserError
from odoo.tests import tagged
from odoo.tools.pdf import PdfFileReader

from ..common import PDF
from .test_hand_in_drafts import ONE, TWO, DraftCase


@tagged("post_install", "-at_install")
class TestReceipts(DraftCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator.lang = "en_US"

    def get_mails(self, subject="We have received"):
        mails = self.env["mail.mail"].search([("subject", "like", subject)])
        return mails.filtered(lambda mail: mail.res_id == self.mine.id)

    def test_on_screen_by_mail_and_as_pdf(self):
        answer = self.hand_in(("un.pdf", ONE), ("deux.pdf", TWO))
        page = self.url_open(answer.headers["Location"])
        version = self.piece.version_ids
        receipt = version.receipt_ids
        self.assertRegex(receipt.name, r"AR\d{4}-\d{5}")
        self.assertIn(f"under the number <strong>{receipt.name}</strong>", page.text)
        for file in version.file_ids:
            self.assertIn(file.sha256, receipt.text)
            self.assertIn(file.name, receipt.text)
        self.assertIn("L112-11", receipt.text)
        self.assertIn(self.env.company.name, receipt.sender)
        [mail] = self.get_mails()
        self.assertEqual(mail.recipient_ids, (self.operator_user | self.colleague).partner_id)
        for part in (receipt.name, version.file_ids[1].sha256):
            self.assertIn(part, mail.body_html)
        url = f"/grants/versions/{version.id}/receipt"
        self.assertIn(url, mail.body_html)
        self.assertIn(url, page.text)
        answer = self.url_open(url)
        self.assertEqual(answer.headers["Content-Type"], "application/pdf")
        # Text is broken into lines.
        text = PdfFileReader(io.BytesIO(answer.content)).pages[0].extract_text()
        self.assertIn(receipt.name, text)
        self.assertIn(version.file_ids[0].sha256, "".join(text.split()))

    def test_the_same_bytes_each_time(self):
        """Whatever changes its name since."""
        self.hand_in(("un.pdf", ONE))
        receipt = self.piece.version_ids.receipt_ids
        before = receipt._make_pdf()
        self.mine.name = "Autre nom"
        self.env.company.partner_id.phone = "05 00 00 00 00"
        self.operator.lang = False
        self.assertEqual(receipt.with_user(self.reader)._make_pdf(), before)

    def test_once_for_each_hand_in(self):
        for _time in range(2):
            self.hand_in(("un.pdf", ONE))
        self.assertEqual(len(self.piece.version_ids.receipt_ids), 1)
        self.assertEqual(len(self.get_mails()), 1)
        self.hand_in(("deux.pdf", TWO))
        first, second = self.piece.version_ids.receipt_ids.sorted("id").mapped("name")
        self.assertLess(first, second)
        self.assertEqual(len(self.get_mails()), 2)

    def test_the_coordinator_is_mailed_by_a_job(self):
        """Who hands in waits for no mail; one mail tells all that is still to do."""
        self.coordinator.write({"email": "coordo@ville.example", "notification_type": "email"})
        job = self.env.ref("ctai_grants.ir_cron_tell")
        job.method_direct_trigger()
        mails = [("recipient_ids", "in", self.coordinator.partner_id.ids)]
        known = self.env["mail.mail"].search(mails)
        self.hand_in(("un.pdf", ONE))
        self.assertTrue(self.piece.activity_ids.grant_to_tell)
        self.assertEqual(self.env["mail.mail"].search(mails), known)
        other = self.make_deliverable(self.mine, name="Budget").with_env(self.env)
        other.activity_schedule("ctai_grants.mail_activity_late", user_id=self.coordinator.id)
        for _time in range(2):
            job.method_direct_trigger()
        mail = self.env["mail.mail"].search(mails) - known
        self.assertIn("2 new things to do", mail.subject)
        for piece in (self.piece, other):
            link = f"/mail/view?model=grant.deliverable&amp;res_id={piece.id}"
            self.assertIn(link, mail.body_html)
            self.assertFalse(piece.activity_ids.grant_to_tell)

    def test_nobody_is_mailed_when_it_failed(self):
        self.hand_in(("faux.pdf", b"<html>"))
        self.assertFalse(self.get_mails())
        with (
            self.assertRaises(UserError),
            patch.object(self.env.registry["grant.reminder"], "_send", side_effect=UserError("x")),
            self.env.cr.savepoint(),
        ):
            self.piece.with_user(self.operator_user)._do_submit("un.pdf", PDF)
        self.piece.invalidate_recordset()
        self.assertFalse(self.piece.version_ids)
        self.assertFalse(self.get_mails())

    def test_for_who_handed_in_and_the_city(self):
        self.hand_in(("un.pdf", ONE))
        self.piece.with_user(self.coordinator).action_accept()
        url = f"/grants/versions/{self.piece.version_ids.id}/receipt"
        self.coordinator.password = self.coordinator.login
        for user, status in (
            (self.colleague, 200), (self.coordinator, 200), (self.other_operator_user, 404),
            (self.prefecture_user, 404),
        ):  # fmt: skip
            self.login(user)
            self.assertEqual(self.url_open(url).status_code, status, user.login)
        receipt = self.piece.version_ids.receipt_ids
        for user in self.portal_users:
            self.assertFalse(receipt.with_user(user).has_access("read"))
        with self.assertRaises(AccessError):
            receipt.with_user(self.coordinator).write({"text": "x"})

    def test_without_its_sequence(self):
        self.env["ir.sequence"].search([("code", "=", "grant.receipt")]).unlink()
        self.assertEqual(self.hand_in(("un.pdf", ONE)).status_code, 303)
        self.assertTrue(self.piece.version_ids.receipt_ids.name)
