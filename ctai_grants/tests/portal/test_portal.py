import hashlib
import io
import zipfile

from lxml import html

from odoo import Command, http
from odoo.exceptions import AccessError
from odoo.tests import HttpCase, new_test_user, tagged

from ..common import PDF, GrantsCommon
from ..files import (
    DOCX,
    ODT,
    XLSX,
    make_archive,
    make_opendocument,
    make_openxml,
    make_pdf,
    make_picture,
)


class PortalCase(HttpCase, GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in (cls.operator_user, cls.other_operator_user, cls.prefecture_user):
            user.password = user.login
        cls.mine = cls.make_subsidy(name="À moi")
        cls.piece = cls.make_deliverable(cls.mine)
        cls.tranche = cls.make_tranche(cls.mine)
        cls.sign(cls.mine)
        cls.theirs = cls.make_subsidy(name="À eux", partner_id=cls.other_operator.id)
        cls.their_piece = cls.make_deliverable(cls.theirs)
        cls.their_tranche = cls.make_tranche(cls.theirs)
        cls.sign(cls.theirs)
        version = cls.their_piece.with_user(cls.other_operator_user)._do_submit("secret.pdf", PDF)
        cls.their_version = version.with_env(cls.env)

    def login(self, user):
        self.authenticate(user.login, user.login)

    def page(self, path):
        """The page at ``path``, parsed."""
        answer = self.url_open(path)
        self.assertEqual(answer.status_code, 200)
        return html.fromstring(answer.content)

    def piece_path(self, piece):
        return f"/my/subsidies/{piece.subsidy_id.id}/deliverables/{piece.id}"

    def counters(self):
        """What decides which cards are shown on the user's home page."""
        names = ["grant_subsidy_count", "grant_contract_count"]
        return self.make_jsonrpc_request("/my/counters", {"counters": names})

    def upload(self, piece, name, content, **data):
        return self.upload_all(piece, [(name, content)] if name else [], **data)

    def upload_all(self, piece, files, **data):
        return self.url_open(
            f"/my/subsidies/{piece.subsidy_id.id}/deliverables/{piece.id}",
            data={"csrf_token": self.csrf_token(), **data},
            files=[("ufile", file) for file in files] or None,
            allow_redirects=False,
        )

    def csrf_token(self):
        return http.Request.csrf_token(self)


@tagged("post_install", "-at_install")
class TestOperatorPages(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.operator_user)

    def test_sees_its_own_and_nothing_else(self):
        page = self.url_open("/my/subsidies").text
        self.assertIn("À moi", page)
        self.assertNotIn("À eux", page)
        self.assertEqual(self.url_open(f"/my/subsidies/{self.mine.id}").status_code, 200)
        self.assertEqual(self.url_open(f"/my/subsidies/{self.theirs.id}").status_code, 404)
        self.assertEqual(self.url_open("/my/subsidies/999999").status_code, 404)
        self.assertEqual(self.url_open("/my/contracts").status_code, 404)
        self.assertEqual(self.url_open(f"/my/contracts/{self.contract.id}").status_code, 404)
        self.assertEqual(self.url_open("/my/subsidies?sortby=nonsense").status_code, 200)

    def test_hands_in_numbered_versions(self):
        self.assertEqual(self.upload(self.piece, "bilan.pdf", PDF, comment="v1").status_code, 303)
        self.assertEqual(self.upload(self.piece, "bilan2.pdf", PDF + b"2").status_code, 303)
        first, second = self.piece.version_ids.sorted("number")
        self.assertEqual((first.number, second.number), (1, 2))
        self.assertEqual(first.sha256, hashlib.sha256(PDF).hexdigest())
        self.assertEqual(first.user_id, self.operator_user)
        self.assertEqual(first.comment, "v1")
        self.assertEqual(self.piece.state, "submitted")
        answer = self.url_open(f"/grants/versions/{first.id}")
        self.assertEqual(answer.content, PDF)
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        self.assertEqual(answer.headers["Content-Security-Policy"], "default-src 'none'")

    def test_sees_the_answer_and_the_payment(self):
        self.upload(self.piece, "bilan.pdf", PDF)
        self.piece.with_user(self.coordinator)._do_review(
            "to_complete", ("submitted",), "La page 3 manque"
        )
        self.pay(self.tranche)
        page = self.url_open(f"/my/subsidies/{self.mine.id}").text
        self.assertIn("La page 3 manque", page)
        self.assertIn("Paid", page)
        self.assertNotIn("M-1", page, "order numbers are the city's own")

    def test_bad_files_are_refused_beside_the_field(self):
        bad = {
            "page.pdf": b"<html><script>alert(1)</script></html>",
            "empty.pdf": b"",
            "run.exe": b"MZ\x90\x00",
            "macro.docx": make_openxml(DOCX, parts={"word/vbaProject.bin": b"x"}),
            "archive.xlsx": make_archive({"anything.txt": "x"}),
            "page.csv": b"<html></html>",
            "photo.jpg": PDF,
            "polyglot.pdf": b"GIF89a" + PDF,
        }
        for name, content in bad.items():
            with self.subTest(file=name):
                answer = self.upload(self.piece, name, content, comment="gardez-moi")
                self.assertEqual(answer.status_code, 200)
                self.assertIn("is-invalid", answer.text)
                self.assertIn("gardez-moi", answer.text, "what was typed is not lost")
        self.assertFalse(self.piece.version_ids)
        self.assertEqual(self.piece.state, "expected")

    def test_good_files_are_accepted(self):
        good = {
            "note.csv": b"public;nombre\nfemmes;12\n",
            "scan.png": make_picture("PNG"),
            "photo.heic": make_picture("HEIC"),
            "bilan.docx": make_openxml(DOCX),
            "bilan.xlsx": make_openxml(XLSX),
            "bilan.odt": make_opendocument(ODT),
        }
        for name, content in good.items():
            with self.subTest(file=name):
                self.assertEqual(self.upload(self.piece, name, content).status_code, 303)

    def test_several_files_are_one_version(self):
        photos = [make_picture(seed=1), make_picture("HEIC", turned=True)]
        sent = [("bilan.pdf", PDF), ("photo.jpg", photos[0]), ("photo.heic", photos[1])]
        self.assertEqual(self.upload_all(self.piece, sent, comment="Voici").status_code, 303)
        version = self.piece.version_ids
        self.assertEqual(version.file_ids.mapped("name"), ["bilan.pdf", "photo.jpg", "photo.heic"])
        page = self.page(self.piece_path(self.piece))
        for file, (_name, content) in zip(version.file_ids, sent, strict=True):
            self.assertTrue(page.xpath(f"//a[@href='/grants/files/{file.id}']"))
            self.assertEqual(self.url_open(f"/grants/files/{file.id}").content, content)
        # All of them, in an archive.
        answer = self.url_open(f"/grants/versions/{version.id}")
        self.assertIn("attachment", answer.headers["Content-Disposition"])
        self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            self.assertEqual([(n, archive.read(n)) for n in archive.namelist()], sent)

    def test_photos_become_one_pdf(self):
        sent = [("a.jpg", make_picture(seed=1)), ("b.heic", make_picture("HEIC"))]
        self.upload_all(self.piece, sent, join_photos="1")
        (file,) = self.piece.version_ids.file_ids
        self.assertEqual((file.name, file.mimetype), ("Photos (2).pdf", "application/pdf"))

    def test_one_of_several_is_refused(self):
        """Nothing is handed in then, and each that is refused is named."""
        sent = [("bilan.pdf", PDF), ("vieux.doc", b"x"), ("macro.xlsm", b"x")]
        answer = self.upload_all(self.piece, sent, comment="gardez-moi")
        [error] = html.fromstring(answer.content).xpath("//form//*[@role='alert']")
        self.assertIn("vieux.doc", error.text_content())
        self.assertIn("macro.xlsm", error.text_content())
        self.assertNotIn("bilan.pdf", error.text_content())
        self.assertIn("gardez-moi", answer.text)
        self.assertFalse(self.piece.version_ids)

    def take_back(self, piece, token=True):
        return self.url_open(
            f"/my/subsidies/{piece.subsidy_id.id}/deliverables/{piece.id}/take_back",
            data={"csrf_token": self.csrf_token()} if token else {"x": "y"},
            allow_redirects=False,
        )

    def test_takes_a_hand_in_back(self):
        self.upload(self.piece, "bilan.pdf", PDF)
        self.assertEqual(self.take_back(self.piece, token=False).status_code, 400)
        self.assertEqual(self.take_back(self.their_piece).status_code, 404)
        self.assertEqual(self.take_back(self.piece).status_code, 303)
        self.assertEqual((self.piece.state, self.their_piece.state), ("expected", "submitted"))
        page = self.page(self.piece_path(self.piece)).text_content()
        self.assertIn("taken back on", page)
        # A second click.
        self.assertEqual(self.take_back(self.piece).status_code, 303)
        self.assertEqual(len(self.piece.decision_ids), 1)

    def test_files_of_others(self):
        for file in self.their_version.file_ids:
            self.assertEqual(self.url_open(f"/grants/files/{file.id}").status_code, 404)
        self.assertEqual(self.url_open("/grants/files/999999").status_code, 404)

    def test_too_large(self):
        self.company.grant_upload_max_mb = 1
        answer = self.upload(self.piece, "gros.pdf", make_pdf(2**20 + 1))
        self.assertIn("is-invalid", answer.text)
        self.assertFalse(self.piece.version_ids)

    def test_far_too_large(self):
        """A file that is not taken, in a request that is: a sentence beside the field; above that,
        nothing is read."""
        answer = self.upload(self.piece, "film.pdf", PDF + bytes(40 * 2**20))
        self.assertEqual(answer.status_code, 200)
        [error] = html.fromstring(answer.content).xpath("//form//*[@role='alert']")
        self.assertIn("15 MB", error.text_content())
        answer = self.upload(self.piece, "film.pdf", PDF + bytes(129 * 2**20))
        self.assertEqual(answer.status_code, 413)
        self.assertIn("60 MB", html.fromstring(answer.content).xpath("string(//main)"))
        self.assertFalse(self.piece.version_ids)

    def test_an_error_is_tied_to_its_field(self):
        other = self.make_deliverable(self.mine, name="Budget")
        page = html.fromstring(self.upload(self.piece, "x.exe", b"MZ").content)
        [field] = page.xpath("//input[@aria-invalid='true']")
        self.assertEqual(field.get("id"), f"file_{self.piece.id}")
        [error] = page.xpath("//form//*[@role='alert']")
        self.assertIn(error.get("id"), field.get("aria-describedby").split())
        self.assertIn("x.exe", error.text_content())
        self.assertFalse(page.xpath(f"//input[@id='file_{other.id}'][@aria-invalid]"))

    def test_no_file_chosen(self):
        answer = self.upload(self.piece, None, None, comment="gardez-moi")
        self.assertIn("Choose a file first", answer.text)
        self.assertIn("gardez-moi", answer.text)

    def test_a_session_that_ended_leads_back_to_the_form(self):
        path = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        self.authenticate(None, None)
        answer = self.url_open(path, data={}, files={"ufile": ("x.pdf", PDF)})
        self.assertEqual(answer.status_code, 403)
        self.assertIn("/web/login?redirect=", answer.text)
        self.login(self.operator_user)
        self.assertIn(f"/my/subsidies/{self.mine.id}", self.url_open(path).url)
        self.assertFalse(self.piece.version_ids, "looking at an address changes nothing")

    def test_scripts_speak_the_users_language(self):
        """What upload.js says is in the add-on's catalogue: portal pages must load it."""
        modules = self.env["ir.http"]._get_translation_frontend_modules_name()
        self.assertIn("ctai_grants", modules)

    def test_what_is_late_comes_first(self):
        self.piece.milestone_id.date = "2090-06-30"
        late = self.make_deliverable(self.mine, name="Budget en retard")
        page = self.page(f"/my/subsidies/{self.mine.id}")
        names = [title.text_content() for title in page.xpath("//section//h3")]
        self.assertEqual(names, ["Budget en retard", "Bilan"])
        [alert] = page.xpath("//*[contains(@class, 'alert-danger')]")
        self.assertIn("Budget en retard", alert.text_content())
        self.assertNotIn("Bilan", alert.text_content())
        self.assertEqual(alert.xpath(".//a/@href"), [self.piece_path(late)])

    def test_pages_can_be_read_by_machines(self):
        """Language, title, headings in order, a label for each field, scopes of headers."""
        for path in (
            "/my/subsidies",
            f"/my/subsidies/{self.mine.id}",
            self.piece_path(self.piece),
        ):
            with self.subTest(path=path):
                page = self.page(path)
                self.assertEqual(page.get("lang"), "en-US")
                self.assertNotEqual(page.findtext(".//title"), "Odoo")
                levels = [
                    int(title.tag[1])
                    for title in page.xpath("//main//*[self::h1 or self::h2 or self::h3]")
                ]
                self.assertEqual(levels[:1], [1])
                self.assertTrue(
                    all(
                        after <= before + 1
                        for before, after in zip(levels, levels[1:], strict=False)
                    )
                )
                labels = page.xpath("//label/@for")
                for field in page.xpath(
                    "//main//form[@method='post']//*[self::input or self::textarea]"
                ):
                    self.assertTrue(field.get("type") == "hidden" or field.get("id") in labels)
                self.assertFalse(page.xpath("//main//th[not(@scope)]"))

    def test_names_are_text(self):
        self.upload(self.piece, "<b>gras<!--.pdf", PDF, comment="<script>alert(1)</script>")
        self.piece.with_user(self.coordinator)._do_review(
            "to_complete", ("submitted",), "<img src=x onerror=alert(1)>"
        )
        for path in (f"/my/subsidies/{self.mine.id}", self.piece_path(self.piece), "/my"):
            page = self.page(path)
            self.assertFalse(page.xpath("//main//section//*[self::script or self::img or self::b]"))
        text = self.page(self.piece_path(self.piece)).xpath("//main")[0].text_content()
        self.assertIn("<script>alert(1)</script>", text)

    def test_handing_in_is_confirmed_only_when_done(self):
        path = f"{self.piece_path(self.piece)}?handed_in=1"
        self.assertFalse(self.page(path).xpath("//section//*[@role='status']"))
        self.upload(self.piece, "bilan.pdf", PDF)
        self.assertTrue(self.page(path).xpath("//section//*[@role='status']"))

    def test_granted_and_closed(self):
        """Before the signature and after the closing nothing can be handed in, and it is said."""
        granted = self.make_subsidy(name="Accordée")
        self.make_deliverable(granted)
        granted.action_grant()
        page = self.page(f"/my/subsidies/{granted.id}")
        self.assertFalse(page.xpath("//input[@type='file']"))
        self.assertIn("once the subsidy is signed", page.text_content())
        page = self.page(self.piece_path(granted.deliverable_ids))
        self.assertFalse(page.xpath("//input[@type='file']"))
        self.assertFalse(page.xpath("//*[contains(@class, 'badge')][text()='Late']"))
        self.mine.with_user(self.finance_manager)._do_close("Fini")
        page = self.page(f"/my/subsidies/{self.mine.id}")
        self.assertFalse(page.xpath("//input[@type='file']"))
        self.assertIn("This subsidy is closed", page.text_content())
        page = self.page(self.piece_path(self.piece))
        self.assertFalse(page.xpath("//input[@type='file']"))
        draft = self.make_subsidy(name="Brouillon")
        self.assertEqual(self.url_open(f"/my/subsidies/{draft.id}").status_code, 404)

    def test_pages_of_a_list(self):
        for index in range(81):
            self.sign(self.make_subsidy(name=f"Numéro {index}", amount=100))
        first = self.page("/my/subsidies?sortby=amount")
        self.assertEqual(len(first.xpath("//main//li[contains(@class, 'list-group-item')]")), 80)
        second = self.page("/my/subsidies/page/2?sortby=amount")
        self.assertEqual(len(second.xpath("//main//li[contains(@class, 'list-group-item')]")), 2)

    def test_cards_of_the_home_page(self):
        self.assertEqual(self.counters(), {"grant_subsidy_count": 1, "grant_contract_count": 0})
        self.login(self.prefecture_user)
        self.assertEqual(self.counters(), {"grant_subsidy_count": 0, "grant_contract_count": 1})
        plain = new_test_user(self.env, "plain", "base.group_portal", password="plain_portal")
        self.authenticate(plain.login, "plain_portal")
        self.assertEqual(self.counters(), {"grant_subsidy_count": 0, "grant_contract_count": 0})
        for path in ("/my/subsidies", "/my/contracts"):
            self.assertEqual(self.url_open(path).status_code, 404)

    def test_nothing_yet(self):
        newcomer = self._make_organisation("Nouvelle association", "operator")
        self.operator_user.partner_id.parent_id = newcomer
        page = self.page("/my/subsidies")
        self.assertIn("There is no subsidy to follow yet", page.text_content())

    def test_nothing_to_hand_in_any_more(self):
        self.upload(self.piece, "bilan.pdf", PDF)
        self.piece.with_user(self.coordinator).action_accept()
        self.upload(self.piece, "encore.pdf", PDF)
        self.assertEqual(len(self.piece.version_ids), 1)
        self.mine.with_user(self.finance_manager)._do_close("Fini")
        other = self.make_deliverable(self.mine)
        self.upload(other, "encore.pdf", PDF)
        self.assertFalse(other.version_ids)

    def test_not_for_others(self):
        self.assertEqual(self.upload(self.their_piece, "x.pdf", PDF).status_code, 404)
        crossed = self.url_open(
            f"/my/subsidies/{self.mine.id}/deliverables/{self.their_piece.id}",
            data={"csrf_token": self.csrf_token()},
            files={"ufile": ("x.pdf", PDF)},
        )
        self.assertEqual(crossed.status_code, 404)
        self.assertEqual(len(self.their_piece.version_ids), 1)
        download = self.url_open(f"/grants/versions/{self.their_version.id}")
        self.assertEqual(download.status_code, 404)
        attachment = self.their_version.sudo().file_ids.attachment_id
        self.assertEqual(self.url_open(f"/web/content/{attachment.id}").status_code, 404)

    def test_without_csrf_token(self):
        answer = self.url_open(
            f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}",
            data={"comment": "x"},
            files={"ufile": ("x.pdf", PDF)},
        )
        self.assertEqual(answer.status_code, 400)
        self.assertFalse(self.piece.version_ids)

    def test_nobody_logged_in(self):
        self.authenticate(None, None)
        for path in ("/my/subsidies", f"/grants/versions/{self.their_version.id}"):
            self.assertIn("/web/login", self.url_open(path).url)


@tagged("post_install", "-at_install")
class TestPrefecturePages(PortalCase):
    def setUp(self):
        super().setUp()
        self.login(self.prefecture_user)
        self.path = f"/my/contracts/{self.contract.id}"

    def test_sees_its_contract(self):
        self.assertIn(self.contract.name, self.page("/my/contracts").text_content())
        self.pay(self.tranche)
        page = self.page(self.path)
        city, direct = page.xpath("//section[contains(@aria-labelledby, 'envelope_')]")
        for text in (self.envelope.name, "À moi", "À eux", "150,000.00", "20,000.00", "1,000.00"):
            self.assertIn(text, city.text_content())
        self.assertIn(self.direct_envelope.name, direct.text_content())
        self.assertIn("Paid by the State to the operators", direct.text_content())
        self.assertNotIn("Received by the city", direct.text_content())
        self.assertTrue(page.xpath("//div[@id='grants_statements']"))

    def test_sees_what_was_accepted(self):
        self.assertNotIn("Accepted pieces", self.page(self.path).text_content())
        version = f"/grants/versions/{self.their_version.id}"
        self.assertEqual(self.url_open(version).status_code, 404, "not accepted yet")
        self.their_piece.with_user(self.coordinator).action_accept()
        page = self.page(self.path)
        [link] = page.xpath("//section//details//a")
        self.assertEqual(link.text_content(), self.their_piece.name)
        download = self.url_open(link.get("href"))
        self.assertEqual(download.content, PDF)

    def test_only_reads(self):
        """Neither the operators' pages nor what they and the city write to each other."""
        self.assertEqual(self.url_open("/my/subsidies").status_code, 404)
        self.assertEqual(self.url_open(f"/my/subsidies/{self.mine.id}").status_code, 404)
        self.assertEqual(self.upload(self.piece, "x.pdf", PDF).status_code, 404)
        self.assertFalse(self.piece.version_ids)
        self.assertFalse(self.page(self.path).xpath("//main//form[@method='post']"))

    def test_not_another_prefecture(self):
        other = self._make_organisation("Autre préfecture", "prefecture")
        self.prefecture_user.partner_id.parent_id = other
        self.login(self.prefecture_user)
        for path in (
            f"/my/contracts/{self.contract.id}",
            f"/my/subsidies/{self.mine.id}",
            f"/grants/versions/{self.their_version.id}",
        ):
            self.assertEqual(self.url_open(path).status_code, 404, path)


class TestPortalGroups(GrantsCommon):
    """The organisation's role decides what its portal users see."""

    def test_access_given_by_the_wizard(self):
        contact = self.env["res.partner"].create(
            {"name": "Contact", "email": "contact@example.org", "parent_id": self.operator.id}
        )
        wizard = self.env["portal.wizard"].create({"partner_ids": contact.ids})
        wizard.user_ids.action_grant_access()
        self.assertTrue(contact.user_ids.has_group("ctai_grants.group_portal_operator"))

    def test_access_taken_back_by_the_wizard(self):
        contact = self.operator_user.partner_id
        contact.email = "contact@example.org"
        wizard = self.env["portal.wizard"].create({"partner_ids": contact.ids})
        wizard.user_ids.action_revoke_access()
        self.assertFalse(self.operator_user.active)
        self.assertFalse(self.operator_user._is_portal())
        self.assertFalse(self.operator_user.has_group("ctai_grants.group_portal_operator"))

    def test_a_group_given_by_hand_does_not_outdo_the_role(self):
        group = self.env.ref("ctai_grants.group_portal_prefecture")
        self.operator_user.write({"group_ids": [Command.link(group.id)]})
        self.assertFalse(self.operator_user.has_group("ctai_grants.group_portal_prefecture"))
        self.assertTrue(self.operator_user.has_group("ctai_grants.group_portal_operator"))

    def test_who_joins_the_staff_leaves_the_portal(self):
        group = self.env.ref("ctai_grants.group_reader")
        self.operator_user.write({"group_ids": [Command.set(group.ids)]})
        self.assertFalse(self.operator_user.has_group("ctai_grants.group_portal_operator"))

    def test_a_change_of_role_changes_the_group(self):
        self.operator.grant_role = "prefecture"
        self.assertFalse(self.operator_user.has_group("ctai_grants.group_portal_operator"))
        self.assertTrue(self.operator_user.has_group("ctai_grants.group_portal_prefecture"))
        self.operator.grant_role = False
        self.assertFalse(self.operator_user.has_group("ctai_grants.group_portal_prefecture"))
        self.assertTrue(self.operator_user._is_portal())

    def test_staff_keep_their_groups(self):
        self.coordinator.partner_id.parent_id = self.operator
        self.assertTrue(self.coordinator.has_group("ctai_grants.group_coordinator"))
        self.assertFalse(self.coordinator.has_group("ctai_grants.group_portal_operator"))

    def test_handing_in_is_for_the_operator(self):
        subsidy = self.make_subsidy()
        piece = self.make_deliverable(subsidy)
        self.sign(subsidy)
        for user in (self.other_operator_user, self.prefecture_user, self.reader):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                piece.with_user(user)._do_submit("x.pdf", PDF)
        piece.with_user(self.operator_user)._do_submit("x.pdf", PDF)
        self.assertEqual(piece.state, "submitted")
