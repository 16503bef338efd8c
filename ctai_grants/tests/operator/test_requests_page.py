from urllib.parse import urlsplit

from lxml import html

from odoo import http
from odoo.tests import freeze_time, tagged

from .pages import SubsidyPageCase
from .test_requests import KINDS, RequestCase


@tagged("post_install", "-at_install")
@freeze_time("2022-02-01 12:00:00")
class TestRequestsPage(SubsidyPageCase, RequestCase):
    """The pages as a browser without JavaScript sends them."""

    page_of = "asks"

    def send(self, kind, **values):
        """Fill in the form of a kind, and send it: the page that comes back."""
        forms = self.page(f"{self.url}/{kind}").forms
        (form,) = [form for form in forms if form.get("action").endswith(f"/asks/{kind}")]
        data = {name: value for name, value in form.form_values() if value is not None}
        response = self.url_open(form.get("action"), data={**data, **values})
        self.assertEqual(response.status_code, 200)
        return html.fromstring(response.text)

    def get_text(self, page):
        return " ".join(page.text_content().split())

    def test_the_whole_way(self):
        self.log_in()
        page = self.page(f"/my/subsidies/{self.subsidy.id}")
        self.assertTrue(page.xpath(f"//*[@id='asks']//a[@href='{self.url}']"))
        page = self.page()
        links = page.xpath(f"//a[starts-with(@href, '{self.url}/')]/@href")
        self.assertEqual([link.rpartition("/")[2] for link in links], list(KINDS))
        page = self.send("question", reason="Qui signe ?", piece=str(self.piece.id))
        self.assertIn("Your request has arrived", self.get_text(page))
        request = self.subsidy.date_request_ids
        self.assertEqual((request.deliverable_id, request.reason), (self.piece, "Qui signe ?"))
        self.answer(request, "answer", reason="La présidente")
        self.assertIn("La présidente", self.get_text(self.page()))

    def test_looking_makes_nothing(self):
        self.log_in()
        for kind in KINDS:
            self.page(f"{self.url}/{kind}?reason=x&date_end=2022-12-15")
        self.assertEqual(self.url_open(f"{self.url}/autre").status_code, 404)
        self.assertFalse(self.subsidy.date_request_ids)

    def test_split(self):
        self.log_in()
        lines = {line.account_id.code: f"amount_{line.id}" for line in self.subsidy.budget_line_ids}
        page = self.send("split", **{lines["641"]: "onze mille"}, reason="Départ")
        field = page.get_element_by_id(f"field_{lines['641']}")
        self.assertEqual((field.get("value"), field.get("aria-invalid")), ("onze mille", "true"))
        error = page.get_element_by_id(field.get("aria-describedby"))
        self.assertIn("no amount", error.text_content())
        page = self.send("split", **{lines["641"]: "11000"}, reason="Départ")
        self.assertIn("not equal", page.get_element_by_id("ask_errors").text_content())
        self.assertIn("Départ", self.get_text(page))
        account = self.account("613")
        page = self.send(
            "split", **{lines["641"]: "11 000,50", lines["622"]: "3 500"}, reason="Départ",
            new_account_0=str(account.id), new_amount_0="499,50",
        )  # fmt: skip
        self.assertIn("arrived", self.get_text(page))
        changed = self.subsidy.date_request_ids.line_ids.filtered("gain")
        self.assertEqual(sorted(changed.mapped("amount")), [499.5, 3500, 11000.5])
        self.assertIn("asked for this already", self.get_text(self.page(f"{self.url}/split")))

    def test_tranche(self):
        self.log_in()
        self.certify(self.advance)
        page = self.page(f"{self.url}/tranche")
        self.assertTrue(page.xpath(f"//a[contains(@href, '/deliverables/{self.piece.id}')]"))
        self.assertFalse([form for form in page.forms if "asks" in form.get("action")])
        self.advance.with_user(self.coordinator)._do_return("Encore")
        self.prove()
        self.send("tranche")
        self.assertEqual(self.subsidy.date_request_ids.disbursement_id, self.interim)
        # A page that was opened before.
        data = {"csrf_token": http.Request.csrf_token(self), "tranche": str(self.advance.id)}
        response = self.url_open(f"{self.url}/tranche", data=data)
        self.assertIn("not to be asked for any more", response.text)

    def test_dates_and_another_action(self):
        self.log_in()
        page = self.send("dates", date_end="2022-01-01", reason="Retard")
        error = page.get_element_by_id("error_date_end")
        self.assertIn("after the present end", error.text_content())
        self.send("dates", date_end="2022-12-15", reason="Retard")
        action = self.subsidy.action_ids[0]
        page = self.send("action", title="Un jardin", reason="Au parc", amount="5")
        self.assertIn("money comes from", page.get_element_by_id("error_action").text_content())
        self.send("action", title="Un jardin", reason="Au parc", amount="5", action=str(action.id))
        self.assertEqual(self.subsidy.date_request_ids.mapped("kind"), ["action", "dates"])

    def test_withdrawn(self):
        request = self.request("dates")
        self.log_in()
        (form,) = [f for f in self.page().forms if f.get("action").endswith("/withdraw")]
        data = dict(form.form_values())
        answer = self.url_open(form.get("action"))
        self.assertEqual(urlsplit(answer.url).path, f"/my/subsidies/{self.subsidy.id}/asks")
        self.assertEqual(request.state, "asked", "no change by GET")
        response = self.url_open(form.get("action"), data=data)
        self.assertIn("Withdrawn by you", response.text)
        self.assertEqual(request.state, "withdrawn")
        # A second click.
        response = self.url_open(form.get("action"), data=data)
        self.assertIn("Withdrawn by you", response.text)
        self.assertNotIn("Withdrawing a request", response.text)

    def test_others_see_and_write_nothing(self):
        request = self.request("dates")
        for user in (self.other_operator_user, self.prefecture_user):
            self.log_in(user)
            csrf = http.Request.csrf_token(self)
            for url in (self.url, *(f"{self.url}/{kind}" for kind in KINDS)):
                self.assertEqual(self.url_open(url).status_code, 404)
            for end in ("question", f"{request.id}/withdraw"):
                data = {"csrf_token": csrf, "reason": "x"}
                response = self.url_open(f"{self.url}/{end}", data=data)
                self.assertEqual(response.status_code, 404)
        # Nor by way of one's own subsidy.
        own = self.sign(self.make_subsidy(partner_id=self.other_operator.id))
        self.log_in(self.other_operator_user)
        data = {"csrf_token": http.Request.csrf_token(self)}
        url = f"/my/subsidies/{own.id}/asks/{request.id}/withdraw"
        self.assertEqual(self.url_open(url, data=data).status_code, 404)
        self.assertEqual(request.state, "asked")
        # Without the token of one's own session, nothing.
        self.log_in()
        response = self.url_open(f"{self.url}/question", data={"reason": "x"})
        self.assertEqual(response.status_code, 400)

    def test_after_the_closing(self):
        self.request("dates")
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE grant_subsidy SET state = 'closed' WHERE id = %s", [self.subsidy.id]
        )
        self.env.invalidate_all()
        self.log_in()
        page = self.page()
        self.assertIn("is closed", self.get_text(page))
        self.assertFalse(page.xpath(f"//a[starts-with(@href, '{self.url}/')]"))
        data = {"csrf_token": http.Request.csrf_token(self), "reason": "x"}
        self.assertIn("is closed", self.url_open(f"{self.url}/question", data=data).text)
        self.assertEqual(len(self.subsidy.date_request_ids), 1)
