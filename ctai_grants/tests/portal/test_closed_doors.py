"""What Odoo's own portal would show of a grant, and files that arrive broken."""

from unittest.mock import patch

from odoo import Command, http
from odoo.exceptions import AccessError, UserError
from odoo.tests import JsonRpcException, tagged

from ...models.proof import grant_deliverable_submission
from ..common import PDF
from ..files import ODT, make_opendocument
from .test_portal import PortalCase

SECRET = "SECRET-42"


@tagged("post_install", "-at_install")
class TestMovesArePrivate(PortalCase):
    """Orders to pay and claims are the city's own, whatever door of Odoo is tried."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.order(cls.tranche, SECRET)
        cls.bill = cls.tranche.move_ids.sudo()
        cls.bill.access_token = "a-token-of-before"
        cls.users = (cls.operator_user, cls.prefecture_user)

    def test_no_record_of_ours_is_read(self):
        """Each model of Odoo that a portal user reads: none gives a move, a line or a message."""
        readable = []
        for user in self.users:
            for name in sorted(self.env.registry):
                model = self.env[name].with_user(user)
                if model._abstract or model._transient or not model._auto:
                    continue
                if model.has_access("read") and not name.startswith("grant."):
                    readable.append(name)
                    found = model.search([]).sudo()
                    for record in found:
                        self.assertNotIn(
                            record,
                            {
                                "account.move": self.bill,
                                "account.move.line": self.bill.line_ids,
                            }.get(name, model),
                            name,
                        )
                        if name == "mail.message":
                            self.assertNotEqual(record.model, "account.move")
        self.assertIn("account.move", readable, "or there is nothing to hide")

    def test_pages_of_odoo(self):
        self.login(self.operator_user)
        counters = ["invoice_count", "bill_count", "overdue_invoice_count"]
        counts = self.make_jsonrpc_request("/my/counters", {"counters": counters})
        self.assertEqual(set(counts.values()), {0})
        self.assertNotIn(self.bill.name, self.url_open("/my/invoices").text)
        # Odoo shows its card “pay your invoices” to everybody.
        self.assertNotIn("/my/invoices?filterby=invoices", self.url_open("/my").text)
        self.assertDoorIsShut()

    def test_a_link_with_its_token(self):
        self.authenticate(None, None)
        self.assertDoorIsShut()

    def assertDoorIsShut(self):
        before = (self.bill.write_date, len(self.bill.message_ids))
        for query in ("", "?access_token=a-token-of-before",
                      "?access_token=a-token-of-before&report_type=pdf&download=true"):  # fmt: skip
            answer = self.url_open(f"/my/invoices/{self.bill.id}{query}")
            self.assertNotIn("SECRET-42", answer.text)
            self.assertNotIn(f"/my/invoices/{self.bill.id}", answer.url)
        signed = self.bill._sign_token(self.operator_user.partner_id.id)
        for proof in (
            {"token": "a-token-of-before"},
            {"hash": signed, "pid": self.operator_user.partner_id.id},
        ):
            with self.assertRaises(JsonRpcException):
                self.make_jsonrpc_request(
                    "/mail/message/post",
                    {"thread_model": "account.move", "thread_id": self.bill.id,
                     "post_data": {"body": "Bonjour", "message_type": "comment",
                                   "subtype_xmlid": "mail.mt_comment"}, **proof},
                )  # fmt: skip
        self.bill.invalidate_recordset()
        self.assertEqual((self.bill.write_date, len(self.bill.message_ids)), before)

    def test_no_new_token_no_follower(self):
        self.bill.access_token = False
        self.assertNotIn("access_token=a", self.bill.get_portal_url())
        self.assertFalse(self.bill.access_token)
        self.bill.message_subscribe((self.operator | self.finance_officer.partner_id).ids)
        self.assertNotIn(self.operator, self.bill.message_partner_ids)
        self.assertIn(self.finance_officer.partner_id, self.bill.message_partner_ids)

    def test_discussion(self):
        self.bill.message_post(body=SECRET, subtype_xmlid="mail.mt_comment")
        for user in self.users:
            bill = self.bill.with_user(user)
            with self.assertRaises(AccessError):
                bill.message_post(body=SECRET)
            with self.assertRaises(AccessError):
                bill.message_subscribe(user.partner_id.ids)
            self.bill.message_subscribe(user.partner_id.ids)
            self.assertNotIn(user.partner_id, self.bill.message_partner_ids)
            self.assertFalse(
                self.env["mail.message"].with_user(user).search([("model", "=", "account.move")])
            )

    def test_other_invoices_stay(self):
        """The city's other invoices are on Odoo's portal as ever."""
        invoice = self.bill.copy({"invoice_date": "2021-11-01", "ref": "Ordinary"})
        invoice.action_post()
        self.login(self.operator_user)
        self.assertIn(invoice.name, self.url_open("/my/invoices").text)
        self.assertTrue(invoice._portal_ensure_token())
        hall = Command.create({"name": "Hall", "price_unit": 10})
        self.env["account.move"].create(
            {"move_type": "out_invoice", "partner_id": self.operator.id,
             "invoice_date": "2021-11-01", "invoice_line_ids": [hall]}
        ).action_post()  # fmt: skip
        self.assertIn("/my/invoices?filterby=invoices", self.url_open("/my").text)


@tagged("post_install", "-at_install")
class TestVersionsForThePrefecture(PortalCase):
    def download(self, version):
        return self.url_open(f"/grants/versions/{version.id}").status_code

    def test_the_accepted_version_only(self):
        first = self.their_version
        self.their_piece.with_user(self.coordinator)._do_send_back("Il y a des noms")
        second = self.their_piece.with_user(self.other_operator_user)._do_submit(
            "b.pdf", PDF + b"2"
        )
        self.login(self.prefecture_user)
        self.assertEqual([self.download(v) for v in (first, second)], [404, 404])
        self.their_piece.with_user(self.coordinator).action_accept()
        self.assertEqual([self.download(v) for v in (first, second)], [404, 200])
        seen = self.env["grant.deliverable.version"].with_user(self.prefecture_user).search([])
        self.assertEqual(seen.ids, second.ids)
        self.their_piece.with_user(self.coordinator)._do_reopen("Erreur")
        self.assertEqual([self.download(v) for v in (first, second)], [404, 404])

    def test_bank_details_are_not(self):
        self.assertFalse(self.env.ref("ctai_grants.deliverable_type_bank_details").for_prefecture)
        kind = self.env["grant.deliverable.type"].create(
            {"name": "RIB", "code": "R", "for_prefecture": False}
        )
        piece = self.make_deliverable(self.theirs, name="Notre RIB", type_id=kind.id)
        version = piece.with_user(self.other_operator_user)._do_submit("rib.pdf", PDF)
        piece.with_user(self.coordinator).action_accept()
        self.login(self.prefecture_user)
        self.assertEqual(self.download(version), 404)
        self.assertNotIn("Notre RIB", self.url_open(f"/my/contracts/{self.contract.id}").text)


@tagged("post_install", "-at_install")
class TestBrokenFiles(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.operator_user)

    def assertRefused(self, answer):
        self.assertEqual(answer.status_code, 200)
        self.assertIn("is-invalid", answer.text)
        self.assertFalse(self.piece.version_ids)

    def test_damaged_archives(self):
        odt = make_opendocument(ODT)
        place = len(odt) // 3
        self.assertRefused(
            self.upload(self.piece, "b.odt", odt[:place] + b"\xff" * 3 + odt[place + 3 :])
        )

    def test_a_file_sent_as_text(self):
        answer = self.url_open(
            f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}",
            data={"csrf_token": http.Request.csrf_token(self), "ufile": "bilan.pdf"},
        )
        self.assertRefused(answer)

    def test_names_and_comments(self):
        comment = "Voici\x00 \u202e le bilan\r\n" + "a" * 10_000
        self.assertRefused(self.upload(self.piece, "bi\u202elan.pdf", PDF, comment=comment))
        self.upload(self.piece, "bilan" + "n" * 300 + ".pdf", PDF, comment=comment)
        version = self.piece.last_version_id
        self.assertTrue(version.name.startswith("bilann") and version.name.endswith("n.pdf"))
        self.assertEqual(len(version.name), 200)
        self.assertTrue(version.comment.startswith("Voici  le bilan\naaa"))
        self.assertEqual(len(version.comment), 4000)

    def test_the_same_file_again(self):
        for _again in range(2):
            answer = self.upload(self.piece, "bilan.pdf", PDF)
            self.assertIn("handed_in", answer.headers["Location"])
        self.assertEqual(len(self.piece.version_ids), 1)
        self.piece.with_user(self.coordinator)._do_send_back("Page 3")
        self.upload(self.piece, "bilan.pdf", PDF)
        self.assertEqual(len(self.piece.version_ids), 2, "after an answer it says something")

    def test_one_activity_a_piece(self):
        for index in range(3):
            self.upload(self.piece, "bilan.pdf", PDF + bytes([index]))
        self.assertEqual(len(self.piece.activity_ids), 1)
        self.piece.with_user(self.coordinator)._do_send_back("Page 3")
        self.assertFalse(self.piece.activity_ids)
        self.upload(self.piece, "bilan.pdf", PDF + b"new")
        self.assertEqual(len(self.piece.activity_ids), 1)

    def test_how_many_and_how_much(self):
        piece = self.piece.with_user(self.operator_user)
        for index in range(grant_deliverable_submission.VERSIONS_AN_HOUR):
            piece._do_submit("bilan.pdf", PDF + bytes([index]))
        with self.assertRaisesRegex(UserError, "20 times within an hour"):
            piece._do_submit("bilan.pdf", PDF + b"one more")
        other = self.make_deliverable(self.mine, name="Budget").with_user(self.operator_user)
        with (
            patch.object(grant_deliverable_submission, "LARGEST_FILES", 0),
            self.assertRaisesRegex(UserError, "larger than 0 MB"),
        ):
            other._do_submit("budget.pdf", PDF)
        other._do_submit("budget.pdf", PDF)
