from lxml import html

from odoo.tests import HttpCase, tagged

from .common import ReviewCase


@tagged("post_install", "-at_install")
class TestAnnualReviewPage(ReviewCase, HttpCase):
    """The prefecture reads what was issued, and nobody else does."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for user in cls.portal_users:
            user.password = user.login
        cls.url = f"/my/contracts/{cls.contract.id}/reviews/{cls.review.id}"

    def open(self, user, url):
        self.authenticate(user.login, user.login)
        return self.url_open(url)

    def test_its_way(self):
        self.assertEqual(self.open(self.prefecture_user, self.url).status_code, 404)
        self.assertEqual(self.url_open(f"{self.url}/pdf").status_code, 404)
        self.issue()
        page = html.fromstring(self.url_open(f"/my/contracts/{self.contract.id}").text)
        self.assertEqual(page.xpath("//section[@id='annual_reviews']//a/@href"), [self.url])
        page = html.fromstring(self.url_open(self.url).text)
        self.assertEqual(len(page.xpath("//h1")), 1)
        self.assertIn("Soins", page.text_content())
        pdf = self.url_open(f"{self.url}/pdf")
        self.assertEqual(pdf.content, self.review.sudo().pdf_id.raw)
        self.assertEqual(pdf.headers["Content-Type"], "application/pdf")

    def test_not_for_others(self):
        self.issue()
        stranger = self._make_portal_user(
            "prefecture", self._make_organisation("Autre préfecture", "prefecture"), "stranger_"
        )
        stranger.password = stranger.login
        for user in (self.operator_user, stranger):
            for url in (self.url, f"{self.url}/pdf"):
                self.assertEqual(self.open(user, url).status_code, 404)
        # Its own contract, another one's review.
        funder = stranger.partner_id.parent_id
        contract = self.contract.copy({"code": "OTHER", "funder_id": funder.id})
        contract.write({"signature_date": "2021-10-21"})
        contract.with_user(self.finance_manager).action_put_in_force()
        url = f"/my/contracts/{contract.id}/reviews/{self.review.id}"
        self.assertEqual(self.open(stranger, url).status_code, 404)

    def test_replaced_it_says_so(self):
        self.issue()
        draft = self.env["grant.annual.review"].browse(self.review.action_correct()["res_id"])
        draft.correction = "Un mot."
        self.issue(draft)
        page = self.open(self.prefecture_user, self.url)
        self.assertIn("was replaced", page.text)
