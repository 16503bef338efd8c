import hashlib
import json
import os
import re
from unittest.mock import patch

from lxml import html

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from ...models.operator import grant_upload_rate
from ..files import make_pdf, make_picture
from ..portal.test_portal import PortalCase

ONE, TWO = make_pdf(700), make_pdf(800)


class DraftCase(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.colleague = cls._make_portal_user("operator", cls.operator, "colleague_")
        cls.colleague.password = cls.colleague.login
        cls.url = f"/my/subsidies/{cls.mine.id}/deliverables/{cls.piece.id}"

    def setUp(self):
        super().setUp()
        self.login(self.operator_user)

    def send(self, *files, **data):
        """Keep files as the script of the page does: the answer, read."""
        answer = self.url_open(
            f"{self.url}/draft",
            data={"csrf_token": self.csrf_token(), **data},
            files=[("ufile", file) for file in files] or None,
        )
        self.assertEqual(answer.status_code, 200)
        return answer.json()

    def hand_in(self, *files, **data):
        return self.upload_all(self.piece, files, **data)

    def get_draft(self, piece=None):
        return self.env["grant.hand.in"].search([("deliverable_id", "=", (piece or self.piece).id)])

    def get_names(self):
        return self.get_draft().file_ids.mapped("name")

    def get_form(self):
        page = self.page(self.url)
        return next(form for form in page.forms if form.get("action") == self.url)


@tagged("post_install", "-at_install")
class TestDrafts(DraftCase):
    def test_kept_as_it_comes_then_handed_in_whole(self):
        answer = self.send(("un.pdf", ONE))
        self.assertEqual([file["name"] for file in answer["files"]], ["un.pdf"])
        self.send(("deux.pdf", TWO))
        self.send(comment="Voici")
        self.assertFalse(self.piece.version_ids, "nothing is handed in yet")
        self.assertEqual(self.piece.state, "expected")
        # Another day, after a lost session: it is on the page.
        self.logout()
        self.login(self.operator_user)
        form = self.get_form()
        self.assertIn("un.pdf", form.text_content())
        self.assertEqual(form.fields["comment"].strip(), "Voici")
        answer = self.hand_in(comment="Voici")
        self.assertEqual(answer.status_code, 303)
        version = self.piece.version_ids
        self.assertEqual(version.file_ids.mapped("name"), ["un.pdf", "deux.pdf"])
        self.assertEqual(version.file_ids[0].attachment_id.raw, ONE)
        self.assertEqual(version.comment, "Voici")
        self.assertFalse(self.get_draft())
        attachments = version.file_ids.attachment_id
        left = self.env["grant.hand.in.file"].search([("attachment_id", "in", attachments.ids)])
        self.assertFalse(left)

    def test_without_javascript(self):
        """The button “save and go on later” keeps what was chosen, and says so on the page."""
        answer = self.hand_in(("un.pdf", ONE), comment="A suivre", save="1")
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(self.get_names(), ["un.pdf"])
        self.assertFalse(self.piece.version_ids)
        page = self.page(self.url)
        [button] = page.xpath("//button[@name='discard']")
        [form] = page.xpath(f"//form[@id='{button.get('form')}']")
        data = {**dict(form.form_values()), "discard": button.get("value")}
        self.url_open(form.get("action"), data=data)
        self.assertFalse(self.get_names())
        self.assertEqual(self.get_draft().comment, "A suivre")

    def test_what_is_refused_leaves_no_byte(self):
        refused = b"<html>" + os.urandom(64).hex().encode()
        attachments = self.env["ir.attachment"].search_count([])
        checksum = self.env["ir.attachment"]._compute_checksum(refused)
        answer = self.send(("un.pdf", ONE), ("faux.pdf", refused))
        [failure] = answer["failures"]
        self.assertIn("faux.pdf", failure)
        self.assertEqual(self.get_names(), ["un.pdf"], "what is good is kept")
        self.assertEqual(self.env["ir.attachment"].search_count([]), attachments + 1)
        _name, path = self.env["ir.attachment"]._get_path(refused, checksum)
        self.assertFalse(os.path.exists(path))
        self.hand_in(("faux2.pdf", refused), save="1")
        self.assertEqual(self.get_names(), ["un.pdf"])
        self.assertFalse(os.path.exists(path))

    def test_taken_back_it_is_a_draft_again(self):
        """With its files and its comment, and what the city asked for stands there."""
        self.hand_in(("un.pdf", ONE), ("deux.pdf", TWO), comment="Voici")
        self.piece.with_user(self.coordinator)._do_send_back("Il manque l'annexe")
        self.hand_in(("trois.pdf", make_pdf(900)), comment="Avec l'annexe")
        url = f"{self.url}/take_back"
        for _time in range(2):
            answer = self.url_open(url, data={"csrf_token": self.csrf_token()})
            self.assertIn("It is taken back", answer.text)
        page = html.fromstring(answer.content).xpath("string(//main)")
        for said in ("Il manque l'annexe", "trois.pdf", "Avec l'annexe"):
            self.assertIn(said, page)
        self.assertEqual(self.get_names(), ["trois.pdf"])
        self.send(("un.pdf", ONE))
        self.hand_in(comment="Avec l'annexe")
        version = self.piece.last_version_id
        self.assertEqual(version.file_ids.mapped("name"), ["trois.pdf", "un.pdf"])
        self.assertEqual((version.number, version.comment), (3, "Avec l'annexe"))
        self.assertFalse(self.get_draft())

    def test_taken_back_then_handed_in_by_two_clicks(self):
        """The first takes what waits in the draft, too; the second brings its file once more."""
        self.hand_in(("un.pdf", ONE))
        self.url_open(f"{self.url}/take_back", data={"csrf_token": self.csrf_token()})
        for _click in range(2):
            self.hand_in(("deux.pdf", TWO), seen="1")
        self.assertEqual(self.piece.version_ids.mapped("number"), [2, 1])
        self.assertFalse(self.get_draft())

    def test_taken_back_by_the_city(self):
        """A coordinator who takes back what it entered has no draft of theirs."""
        self.piece.with_user(self.coordinator)._do_submit("un.pdf", ONE)
        self.piece.with_user(self.coordinator)._do_take_back()
        self.assertFalse(self.get_draft())

    def test_the_same_file_twice_is_one(self):
        self.send(("un.pdf", ONE))
        self.send(("encore.pdf", ONE), ("un.pdf", ONE))
        self.assertEqual(self.get_names(), ["un.pdf"])

    def test_submitting_twice_does_nothing_twice(self):
        self.send(("un.pdf", ONE))
        values = {"revision": "1", "seen": "0", "comment": ""}
        for _time in range(2):
            self.assertEqual(self.hand_in(**values).status_code, 303)
        self.assertEqual(len(self.piece.version_ids), 1)
        # With the file in the form itself, too.
        values["seen"] = "1"
        for _time in range(2):
            self.assertEqual(self.hand_in(("deux.pdf", TWO), **values).status_code, 303)
        self.assertEqual(len(self.piece.version_ids), 2)
        self.assertFalse(self.get_draft())
        # With a comment, as each form has one: it is not told that nobody changed the draft.
        self.send(("trois.pdf", make_pdf(900)))
        values = {"revision": "1", "seen": "2", "comment": "Voici"}
        for _time in range(2):
            self.assertEqual(self.hand_in(**values).status_code, 303)
        self.assertEqual(len(self.piece.version_ids), 3)
        self.assertFalse(self.get_draft())

    def test_the_version_takes_the_files_over(self):
        """What was judged when it came is neither read nor written again: the same attachment."""
        self.send(("un.pdf", ONE))
        attachment = self.get_draft().file_ids.attachment_id
        judged = "odoo.addons.ctai_grants.models.proof.grant_deliverable_refusal.judge"
        with patch(judged, side_effect=AssertionError("judged twice")):
            self.assertEqual(self.hand_in().status_code, 303)
        file = self.piece.version_ids.file_ids
        self.assertEqual(file.attachment_id, attachment)
        self.assertEqual((attachment.res_model, attachment.res_id), (file._name, file.id))
        self.assertTrue(file._is_as_handed_in())
        self.assertEqual((attachment.raw, file.mimetype), (ONE, "application/pdf"))
        with self.assertRaises(AccessError), self.env.cr.savepoint():
            attachment.raw = TWO

    def test_other_bytes_than_those_that_were_judged(self):
        """Changed past the draft, or from before it was noted what was judged: judged now."""
        self.send(("un.pdf", ONE))
        file = self.get_draft().file_ids
        file.attachment_id.raw = b"<html>"
        self.hand_in()
        self.assertFalse(self.piece.version_ids)
        file.attachment_id.write({"raw": TWO, "mimetype": "application/pdf"})
        file.checksum = False
        self.hand_in()
        handed_in = self.piece.version_ids.file_ids
        self.assertTrue(handed_in._is_as_handed_in())
        self.assertEqual(handed_in.attachment_id.raw, TWO)

    def test_a_large_photo_stays_as_it_is(self):
        """Odoo makes pictures smaller: those would be other files than the ones handed in."""
        photo = make_picture(size=(2400, 1200))
        self.send(("photo.jpg", photo))
        self.hand_in(("autre.pdf", ONE))
        file = self.piece.version_ids.file_ids[0]
        self.assertEqual(file.sha256, hashlib.sha256(photo).hexdigest())
        self.assertTrue(file._is_as_handed_in())

    def test_a_file_in_the_place_of_a_number(self):
        for name in ("revision", "seen", "discard"):
            for url in (self.url, f"{self.url}/draft"):
                answer = self.url_open(
                    url,
                    data={"csrf_token": self.csrf_token(), "comment": f"{name} {url}"},
                    files=[(name, ("1.txt", b"1"))],
                )
                self.assertEqual(answer.status_code, 200, (name, url))
        self.assertFalse(self.piece.version_ids)

    def test_a_colleague_goes_on(self):
        self.send(("un.pdf", ONE))
        self.login(self.colleague)
        form = self.get_form()
        self.assertIn(f"added by {self.operator_user.name}", " ".join(form.text_content().split()))
        values = {name: value for name, value in form.form_values() if name != "ufile"}
        self.assertEqual(self.hand_in(("deux.pdf", TWO), **values).status_code, 303)
        self.assertEqual(self.piece.version_ids.file_ids.mapped("name"), ["un.pdf", "deux.pdf"])
        self.assertEqual(self.piece.version_ids.user_id, self.colleague)

    def test_the_second_of_two_is_told(self):
        """A colleague changed the draft, or handed in, while the page was open."""
        self.send(("un.pdf", ONE), comment="Mien")
        form = self.get_form()
        values = {name: value for name, value in form.form_values() if name != "ufile"}
        self.login(self.colleague)
        self.send(("deux.pdf", TWO))
        self.login(self.operator_user)
        answer = self.hand_in(**{**values, "csrf_token": self.csrf_token()})
        self.assertIn(f"{self.colleague.name} changed this draft meanwhile", answer.text)
        self.assertFalse(self.piece.version_ids)
        answer = self.send(comment="Autre", revision=values["revision"])
        self.assertIn(self.colleague.name, answer["failures"][0])
        self.assertEqual(self.get_draft().comment, "Mien")
        self.login(self.colleague)
        self.assertEqual(self.hand_in(revision=answer["revision"], seen="0").status_code, 303)
        self.login(self.operator_user)
        answer = self.hand_in(("trois.pdf", make_pdf(900)), revision="0", seen="0")
        self.assertIn(f"{self.colleague.name} handed in version 1", answer.text)
        self.assertEqual(len(self.piece.version_ids), 1)
        self.assertEqual(self.get_names(), ["trois.pdf"], "nothing is lost")

    def test_a_form_that_outlived_its_session(self):
        """The page asks for a new token by GET, which changes nothing."""
        self.send(("un.pdf", ONE))
        answer = self.url_open(f"{self.url}/draft", data={"comment": "x"}, allow_redirects=False)
        self.assertEqual(answer.status_code, 400)
        revision = self.get_draft().revision
        answer = self.url_open(f"{self.url}/draft?comment=x&discard=1")
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertEqual(self.get_draft().revision, revision)
        token = answer.json()["token"]
        answer = self.url_open(f"{self.url}/draft", data={"csrf_token": token, "comment": "y"})
        self.assertFalse(answer.json()["failures"])
        self.assertEqual(self.get_draft().comment, "y")

    def test_for_nobody_else(self):
        self.send(("un.pdf", ONE), comment="Secret")
        for user in (self.other_operator_user, self.prefecture_user):
            self.login(user)
            answer = self.url_open(f"{self.url}/draft")
            self.assertEqual(answer.status_code, 404, user.login)
        users = (
            self.coordinator | self.reader | self.operator_user | self.other_operator_user
            | self.prefecture_user
        )  # fmt: skip
        attachment = self.get_draft().file_ids.attachment_id
        for user in users:
            for name in ("grant.hand.in", "grant.hand.in.file", "grant.upload.rate"):
                for operation in ("read", "write", "create", "unlink"):
                    self.assertFalse(self.env[name].with_user(user).has_access(operation), name)
            with self.assertRaises(AccessError):
                attachment.with_user(user).read(["raw"])
        with self.assertRaises(AccessError):
            self.piece.with_user(self.coordinator)._keep_files([("x.pdf", ONE)])
        self.coordinator.password = self.coordinator.login
        self.login(self.coordinator)
        self.assertNotIn("un.pdf", self.url_open(self.url).text)
        self.assertFalse(self.url_open(f"{self.url}/draft").json()["files"])

    def test_counts_in_the_limits(self):
        self.env.company.grant_upload_max_mb = 1
        other = self.make_deliverable(self.mine)
        big = make_pdf(2**20 - 1000)
        for number in range(4):
            answer = self.send((f"{number}.pdf", big.replace(b"invented", b"inv%05d" % number)))
        self.assertIn("larger than 4 MB", answer["failures"][0] if answer["failures"] else
                      self.send(("9.pdf", big.replace(b"invented", b"inv99999")))["failures"][0])
        # What waits here takes room of the subsidy's other pieces.
        with self.assertRefused("would together be larger than 40 MB"):
            other.with_user(self.operator_user).sudo()._check_room(37 * 2**20)
        other.with_user(self.coordinator).sudo()._check_room(37 * 2**20)

    def test_too_many_files_of_one_hand_in(self):
        for number in range(21):
            answer = self.send((f"{number}.csv", b"a;%d" % number))
        self.assertIn("20 files already", answer["failures"][0])
        self.assertEqual(len(self.get_names()), 20)

    def test_rate(self):
        """By account, and by address; refused files count."""
        self.patch(grant_upload_rate, "FILES_OF_ACCOUNT", 3)
        for number in range(3):
            self.assertTrue(self.send((f"{number}.exe", b"MZ"))["failures"])
        self.assertIn("within an hour", self.send(("un.pdf", ONE))["failures"][0])
        self.assertFalse(self.get_names())
        self.assertIn("within an hour", self.hand_in(("un.pdf", ONE)).text)
        self.login(self.colleague)
        self.assertFalse(self.send(("un.pdf", ONE))["failures"], "another account")
        self.patch(grant_upload_rate, "FILES_OF_ADDRESS", 3)
        self.assertIn("within an hour", self.send(("deux.pdf", TWO))["failures"][0])
        rates = self.env["grant.upload.rate"].search([])
        self.assertNotIn("127.0.0.1", rates.mapped("address"))
        rates.moment = "2020-01-01"
        rates._gc_rates()
        self.assertFalse(rates.exists())
        self.assertFalse(self.send(("deux.pdf", TWO))["failures"])

    def test_old_drafts_go(self):
        self.send(("un.pdf", ONE))
        draft = self.get_draft()
        attachment = draft.file_ids.attachment_id
        draft._gc_drafts()
        self.assertTrue(draft.exists())
        draft.changed_at = fields.Datetime.subtract(fields.Datetime.now(), days=32)
        draft._gc_drafts()
        self.assertFalse(draft.exists() or attachment.exists())

    def test_a_purge_finds_drafts_too(self):
        """What names persons does not wait in a draft."""
        self.hand_in(("noms.pdf", ONE))
        self.send(("noms.pdf", ONE), ("deux.pdf", TWO))
        self.piece.with_user(self.coordinator)._do_purge("Liste de noms")
        self.assertEqual(self.get_names(), ["deux.pdf"])

    def test_deleted_with_its_piece(self):
        piece = self.make_deliverable(self.mine)
        piece.with_user(self.operator_user)._keep_files([("un.pdf", ONE)])
        attachment = self.get_draft(piece).file_ids.attachment_id
        piece.with_user(self.coordinator).unlink()
        self.assertFalse(attachment.exists())

    def test_nothing_is_kept_when_nothing_is_awaited(self):
        self.hand_in(("un.pdf", ONE))
        self.piece.with_user(self.coordinator).action_accept()
        self.assertTrue(self.send(("deux.pdf", TWO))["failures"])
        self.assertFalse(self.get_draft())
        self.assertEqual(self.hand_in(("deux.pdf", TWO)).status_code, 200)
        self.assertFalse(self.get_draft())

    def test_the_script_has_what_it_needs(self):
        self.send((r"<b>'\".pdf", ONE))
        form = self.get_form()
        kept = json.loads(form.get("data-kept"))
        self.assertEqual(kept["revision"], 1)
        self.assertIn("b", kept["files"][0]["name"])
        self.assertFalse(re.search(r"<b>", html.tostring(form).decode()))
