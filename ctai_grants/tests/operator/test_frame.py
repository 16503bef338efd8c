"""What is around the pages of the portal: who answers, notices, headers, late forms, no script."""

from urllib.parse import parse_qs, urlsplit

from lxml import html

from odoo.tests import tagged

from ..common import PDF
from ..portal.test_portal import PortalCase


@tagged("post_install", "-at_install")
class TestFrame(PortalCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.coordinator.write({"name": "Claude Martin", "email": "claude@ville.example"})
        cls.coordinator.partner_id.phone = "05 49 00 00 00"
        cls.mine.user_id = cls.contract.user_id = cls.coordinator
        cls.company.write({"phone": "05 49 00 00 01", "email": "mairie@ville.example"})

    def get_footer(self, path):
        [footer] = self.page(path).xpath("//footer")
        return " ".join(footer.text_content().split())

    def test_each_page_names_who_answers(self):
        self.login(self.operator_user)
        for path in ("/my", "/my/subsidies", f"/my/subsidies/{self.mine.id}", "/my/help"):
            with self.subTest(path=path):
                footer = self.get_footer(path)
                for said in ("Claude Martin", "05 49 00 00 00", "claude@ville.example"):
                    self.assertIn(said, footer)
                self.assertIn("Accessibility", footer)
        self.login(self.prefecture_user)
        self.assertIn("Claude Martin", self.get_footer(f"/my/contracts/{self.contract.id}"))

    def test_a_coordinator_who_left_is_not_named(self):
        self.mine.user_id = self.contract.user_id = False
        self.login(self.prefecture_user)
        footer = self.get_footer(f"/my/contracts/{self.contract.id}")
        self.assertIn("mairie@ville.example", footer)
        self.assertNotIn("Claude Martin", footer)

    def test_strangers_read_the_notices_and_no_name(self):
        # Whose city they come to, where there are several.
        self.env.ref("base.public_user").company_id.partner_id.email = "mairie@ville.example"
        for path in ("/my/help", "/my/legal", "/my/accessibility"):
            with self.subTest(path=path):
                footer = self.get_footer(path)
                self.assertIn("mairie@ville.example", footer)
                self.assertNotIn("Claude Martin", footer)
        links = self.page("/web/login").xpath("//nav//a/@href")
        self.assertEqual(links, ["/my/help", "/my/legal", "/my/accessibility"])

    def test_the_legal_notice_says_what_the_city_set(self):
        self.company.write(
            {
                "grant_dpo": "dpo@ville.example",
                "grant_host": "Hébergeur, 1 rue du Lac",
                "grant_publication_director": "La maire",
                "grant_retention_years": 12,
            }
        )
        self.login(self.operator_user)
        page = self.page("/my/legal").text_content()
        for said in ("dpo@ville.example", "Hébergeur, 1 rue du Lac", "La maire", "12 years"):
            self.assertIn(said, page)

    def test_pages_and_downloads_are_kept_by_nobody(self):
        version = self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.assertEqual(self.url_open("/web/login").headers["Cache-Control"], "no-store")
        self.login(self.operator_user)
        paths = [
            "/my", "/my/subsidies", f"/my/subsidies/{self.mine.id}", "/my/subsidies/999999",
            "/my/account", "/my/security", "/my/legal", f"/grants/versions/{version.id}",
            f"/grants/files/{version.file_ids.id}", f"/my/subsidies/{self.mine.id}/report",
        ]  # fmt: skip
        for path in paths:
            with self.subTest(path=path):
                headers = self.url_open(path).headers
                self.assertEqual(headers["Cache-Control"], "no-store")
                self.assertEqual(headers["X-Frame-Options"], "SAMEORIGIN")
                self.assertTrue(headers["Content-Security-Policy"])

    # ------------------------------------------------------------------
    # Forms that come too late
    # ------------------------------------------------------------------

    def send(self, referrer=None, **data):
        path = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        return self.url_open(
            path, data=data, headers={"Referer": referrer or f"{self.base_url()}{path}"},
            allow_redirects=False,
        )  # fmt: skip

    def test_a_lost_session(self):
        """Nothing is done, what was written is there, the login leads back to the page."""
        answer = self.send(comment="Voici notre bilan", csrf_token="x")
        self.assertEqual(answer.status_code, 403)
        page = html.fromstring(answer.content)
        self.assertEqual(page.xpath("string(//textarea)"), "Voici notre bilan")
        self.assertIn("nothing was sent", page.xpath("string(//h1)"))
        [link] = page.xpath("//main//a[contains(@class, 'btn-primary')]/@href")
        path = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        self.assertEqual(parse_qs(urlsplit(link).query)["redirect"], [path])
        self.assertFalse(self.piece.version_ids)

    def test_a_page_of_an_older_session(self):
        self.login(self.operator_user)
        answer = self.send(comment="<b>Voici</b> notre bilan", csrf_token="x")
        self.assertEqual(answer.status_code, 400)
        page = html.fromstring(answer.content)
        self.assertEqual(page.xpath("string(//textarea)"), "<b>Voici</b> notre bilan")
        self.assertIn("too old", page.xpath("string(//h1)"))
        self.assertEqual(answer.headers["Cache-Control"], "no-store")

    def test_another_site_is_not_led_back_to(self):
        answer = self.send(comment="a b", referrer="https://elsewhere.example/my/subsidies")
        self.assertNotIn("elsewhere", answer.text)
        self.assertIn("redirect=%2Fmy", answer.text)

    def test_the_link_of_a_mail_survives_the_login(self):
        path = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        page = self.page(path)
        [form] = page.xpath("//form[@action='/web/login']")
        self.assertEqual(urlsplit(dict(form.fields)["redirect"]).path, path)
        data = {**dict(form.fields), "login": self.operator_user.login, "password": "wrong"}
        wrong = self.url_open("/web/login", data=data)
        [form] = html.fromstring(wrong.content).xpath("//form[@action='/web/login']")
        data = {**dict(form.fields), "password": self.operator_user.login}
        answer = self.url_open("/web/login", data=data)
        self.assertTrue(urlsplit(answer.url).path.startswith(f"/my/subsidies/{self.mine.id}"))

    def test_too_much_at_once(self):
        """Refused before it is read, on a page that says how much is taken."""
        self.login(self.operator_user)
        self.env.company.search([]).grant_upload_max_mb = 1
        files = [("ufile", (f"{number}.csv", b"a;b\n" * 2**19)) for number in range(4)]
        path = f"/my/subsidies/{self.mine.id}/deliverables/{self.piece.id}"
        answer = self.url_open(path, data={"csrf_token": self.csrf_token()}, files=files)
        self.assertEqual(answer.status_code, 413)
        page = html.fromstring(answer.content)
        self.assertIn("too large", page.xpath("string(//h1)"))
        self.assertIn("4 MB", page.xpath("string(//main)"))
        self.assertFalse(self.piece.version_ids)

    def test_an_address_that_takes_forms(self):
        """Opened again, it leads to the page that sends them."""
        self.login(self.operator_user)
        url = f"/my/subsidies/{self.mine.id}"
        for path, page in (
            (f"{url}/report/begin", f"{url}/report"),
            (f"{url}/deliverables/{self.piece.id}/take_back",
             f"{url}/deliverables/{self.piece.id}"),
        ):  # fmt: skip
            answer = self.url_open(path, allow_redirects=False)
            self.assertEqual((answer.status_code, urlsplit(answer.headers["Location"]).path),
                             (303, page))  # fmt: skip

    def test_a_download_that_is_gone(self):
        self.login(self.operator_user)
        for path in ("/grants/files/999999", "/grants/versions/999999/receipt"):
            answer = self.url_open(path)
            self.assertEqual(answer.status_code, 404)
            self.assertTrue(html.fromstring(answer.content).xpath("//footer"), answer.text[:300])

    def test_titles(self):
        """Of each page, Odoo's own among them: what it is, and whose."""
        self.login(self.operator_user)
        titles = set()
        paths = (
            "/my", "/my/account", "/my/security", "/my/people", "/my/subsidies", "/my/help",
            f"/my/subsidies/{self.mine.id}", "/my/subsidies/999999", "/grants/files/999999",
        )  # fmt: skip
        for path in paths:
            title = html.fromstring(self.url_open(path).content).xpath("string(//title)")
            name, dash, city = title.rpartition(" – ")
            self.assertTrue(name and dash, title)
            self.assertEqual(city, self.company.name)
            titles.add(name)
        self.assertEqual(len(titles), len(paths) - 1, titles)
        # What is not of the portal calls itself what it wants.
        page = self.page("/web/login_successful")
        self.assertEqual(page.xpath("string(//title)"), "Odoo")
        page = html.fromstring(self.url_open("/nothing").content)
        self.assertIn(self.company.name, page.xpath("string(//title)"))

    # ------------------------------------------------------------------
    # Without JavaScript
    # ------------------------------------------------------------------

    def test_the_login_shows_before_any_script(self):
        [form] = self.page("/web/login").xpath("//form[@action='/web/login']")
        self.assertNotIn("d-none", form.get("class"))

    def test_the_cards_of_the_home_page_are_there(self):
        for user, own, other in (
            (self.operator_user, "/my/subsidies", "/my/contracts"),
            (self.prefecture_user, "/my/contracts", "/my/subsidies"),
        ):
            self.login(user)
            page = self.page("/my")
            card = "//div[contains(@class, 'o_portal_index_card')][a[@href='{}']]/@class"
            [shown] = page.xpath(card.format(own))
            self.assertNotIn("d-none", shown.split())
            for hidden in page.xpath(card.format(other)):
                self.assertIn("d-none", hidden.split())
