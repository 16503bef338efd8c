import io
import re

import openpyxl
from lxml import html

from odoo import http
from odoo.tests import freeze_time, tagged

from ...lib.operator.workbook import ACTUAL, KEY
from ...models.operator.grant_upload_rate import FILES_OF_ACCOUNT
from .pages import SubsidyPageCase
from .test_report_hand_in import ATTESTED, HandInCase


@tagged("post_install", "-at_install")
@freeze_time("2022-07-15 12:00:00")
class TestReportPage(SubsidyPageCase, HandInCase):
    """The form as a browser without JavaScript sends it."""

    page_of = "report"

    def post(self, form, **values):
        """Send ``form`` (an element) with what it holds and ``values``."""
        data = {name: value for name, value in form.form_values() if value is not None}
        return self.url_open(form.get("action"), data={**data, **values})

    def get_form(self, page, end):
        return next(form for form in page.forms if form.get("action").endswith(end))

    def begin_by_page(self, outcome="report", **values):
        form = self.get_form(self.page(), "/begin")
        response = self.post(form, outcome=outcome, **values)
        self.assertEqual(response.status_code, 200)
        return self.subsidy.report_ids

    def test_looking_makes_nothing(self):
        self.log_in()
        self.page(f"/my/subsidies/{self.subsidy.id}")
        self.page()
        self.url_open(f"{self.url}/save")
        self.assertFalse(self.subsidy.report_ids)

    def test_the_whole_way(self):
        self.log_in()
        page = self.page(f"/my/subsidies/{self.subsidy.id}")
        self.assertTrue(page.xpath(f"//a[@href='{self.url}']"))
        report = self.begin_by_page()
        form = self.get_form(self.page(), "/save")
        pay = self.of(report, "641")
        response = self.post(form, **{f"actual_{pay.id}": "10 000,00"})
        self.assertIn("Your draft is saved", response.text)
        self.assertEqual(pay.actual, 10000)
        # Another day: it is there.
        form = self.get_form(self.page(), "/save")
        self.assertEqual(form.fields[f"actual_{pay.id}"], "10000,00")
        response = self.post(form, achieved="Des ateliers", hand_in="1", **ATTESTED)
        self.assertIn("The city is reviewing it", response.text)
        self.assertEqual(report.hand_in, "submitted")
        self.assertEqual(report.submitted_by_id, self.operator_user, "and not OdooBot")
        self.assertEqual(report.write_uid, self.operator_user)
        # A second click on the same page does nothing twice, and is told so.
        revision = report.revision
        response = self.post(form, achieved="Autre chose", hand_in="1", **ATTESTED)
        self.assertIn("The city is reviewing it", response.text)
        self.assertEqual((report.achieved, report.revision), ("Des ateliers", revision))

    def test_what_cannot_be_read_stays_on_the_page(self):
        self.log_in()
        report = self.begin_by_page()
        pay, fees = self.of(report, "641"), self.of(report, "622")
        form = self.get_form(self.page(), "/save")
        response = self.post(
            form, hand_in="1", **{f"actual_{pay.id}": "douze mille", f"actual_{fees.id}": "5"}
        )
        page = html.fromstring(response.text)
        (alert,) = page.xpath("//*[@id='report_errors']")
        self.assertIn("This is no amount", alert.text_content())
        field = page.get_element_by_id(f"field_actual_{pay.id}")
        self.assertEqual((field.get("value"), field.get("aria-invalid")), ("douze mille", "true"))
        self.assertEqual(fees.actual, 5)
        self.assertEqual(report.hand_in, "to_fill")

    def test_what_is_missing_is_told_beside_its_field(self):
        self.log_in()
        report = self.begin_by_page()
        pay = self.of(report, "641")
        form = self.get_form(self.page(), "/save")
        response = self.post(form, hand_in="1", **{f"actual_{pay.id}": "5"})
        self.assertIn("The report is saved, and not handed in yet", response.text)
        page = html.fromstring(response.text)
        self.assertIn("is-invalid", page.get_element_by_id("field_attested_name").get("class"))
        self.assertEqual(pay.actual, 5)

    def test_somebody_else_saved(self):
        self.log_in()
        report = self.begin_by_page()
        form = self.get_form(self.page(), "/save")
        self.save(report)
        response = self.post(form, achieved="À moi")
        self.assertIn("after you opened it", response.text)
        again = self.get_form(html.fromstring(response.text), "/save")
        self.assertEqual(again.fields["achieved"].strip(), "À moi")
        self.post(again)
        self.assertEqual(report.achieved, "À moi")

    def test_kept_while_one_types(self):
        self.log_in()
        report = self.begin_by_page()
        form = self.get_form(self.page(), "/save")
        pay = self.of(report, "641")
        values = {**dict(form.form_values()), f"actual_{pay.id}": "7", "new_name_0": "X"}
        values = {name: value for name, value in values.items() if value is not None}
        answer = self.url_open(f"{self.url}/keep", data={**values, "hand_in": "1"}).json()
        self.assertEqual(answer["revision"], 1)
        self.assertEqual((pay.actual, report.hand_in), (7, "to_fill"))
        self.assertIn("own funds", " ".join(answer["advice"]))
        answer = self.url_open(f"{self.url}/keep", data=values).json()
        self.assertIn("after you opened it", answer["failure"])

    def test_workbook(self):
        self.log_in()
        report = self.begin_by_page()
        response = self.url_open(f"{self.url}/workbook")
        self.assertIn("attachment", response.headers["Content-Disposition"])
        book = openpyxl.load_workbook(io.BytesIO(response.content))
        pay = self.of(report, "641")
        for row in book.active.iter_rows():
            if row[KEY].value == f"actual_{pay.id}":
                row[ACTUAL].value = 12345.67
        stream = io.BytesIO()
        book.save(stream)
        token = {"csrf_token": self.get_form(self.page(), "/save").fields["csrf_token"]}
        for content, sentence in (
            (b"%PDF-1.7 ", "no spreadsheet"),
            (stream.getvalue(), "Your draft is saved"),
            # A second click.
            (stream.getvalue(), "Your draft is saved"),
        ):
            files = {"ufile": ("rapport.xlsx", content)}
            response = self.url_open(f"{self.url}/workbook", data=token, files=files)
            self.assertIn(sentence, response.text)
        self.assertEqual(pay.actual, 12345.67)
        # By the door of the files of a piece: what is too large is named, too many are too many.
        self.company.grant_upload_max_mb = 1
        files = {"ufile": ("../gros.xlsx", b"PK" * 2**19 + b"x")}
        response = self.url_open(f"{self.url}/workbook", data=token, files=files)
        self.assertIn("“gros.xlsx” is larger than 1 MB", response.text)
        self.env["grant.upload.rate"].sudo().create(
            {
                "user_id": self.operator_user.id, "address": "x", "number": FILES_OF_ACCOUNT,
                "moment": "2022-07-15 11:59:00",
            }
        )  # fmt: skip
        files = {"ufile": ("rapport.xlsx", stream.getvalue())}
        response = self.url_open(f"{self.url}/workbook", data=token, files=files)
        self.assertIn("files were sent within an hour", response.text)
        self.log_in(self.other_operator_user)
        self.assertEqual(self.url_open(f"{self.url}/workbook").status_code, 404)

    def test_not_done(self):
        self.log_in()
        report = self.begin_by_page("not_done")
        page = self.page()
        self.assertFalse(page.xpath("//input[@data-amount]"))
        form = self.get_form(page, "/save")
        self.post(form, achieved="Annulé", hand_in="1", **ATTESTED)
        self.assertEqual((report.outcome, report.hand_in), ("not_done", "submitted"))

    def test_new_dates(self):
        self.log_in()
        form = self.get_form(self.page(), "/begin")
        response = self.post(form, outcome="new_dates", date_end="2022-01-01", reason="Retard")
        self.assertIn("after the present end", response.text)
        self.assertIn("Retard", response.text)
        response = self.post(form, outcome="new_dates", date_end="2022-12-15", reason="Retard")
        self.assertIn("has not answered yet", response.text)
        self.assertEqual(self.subsidy.date_request_ids.state, "asked")
        self.assertFalse(self.subsidy.report_ids)

    def test_what_the_city_refuses_is_told_once_it_is_decided(self):
        self.log_in()
        report = self.begin()
        self.save(report)
        report._do_hand_in()
        report = report.with_user(self.coordinator)
        self.of(report, "622").write({"refused_amount": 100, "refused_ground": "Hors période"})
        self.assertNotIn("Hors période", self.url_open(self.url).text)
        report.action_accept()
        self.assertIn("Hors période", self.url_open(self.url).text)

    def test_others_see_and_write_nothing(self):
        report = self.begin()
        pay = self.of(report, "641")
        for user in (self.other_operator_user, self.prefecture_user):
            self.log_in(user)
            for url in (self.url, f"{self.url}/save"):
                self.assertEqual(self.url_open(url).status_code, 404)
            csrf = http.Request.csrf_token(self)
            for end, data in (
                ("save", {"revision": "0", f"actual_{pay.id}": "1"}),
                ("keep", {"revision": "0", f"actual_{pay.id}": "1"}),
                ("begin", {"outcome": "not_done"}),
            ):
                data |= {"csrf_token": csrf}
                self.assertEqual(self.url_open(f"{self.url}/{end}", data=data).status_code, 404)
        self.assertEqual((report.outcome, pay.actual), ("report", 0))

    def test_no_state_change_without_a_token(self):
        self.log_in()
        response = self.url_open(f"{self.url}/begin", data={"outcome": "report"})
        self.assertEqual(response.status_code, 400)
        self.assertFalse(self.subsidy.report_ids)

    def test_every_field_has_a_label(self):
        self.log_in()
        self.begin_by_page()
        page = self.page()
        form = self.get_form(page, "/save")
        labelled = {label.get("for") for label in page.iter("label")}
        for field in form.xpath(".//input[not(@type='hidden')] | .//textarea | .//select"):
            named = field.get("id") in labelled or field.get("aria-label")
            self.assertTrue(named, html.tostring(field))
        ids = re.findall(r' id="([^"]+)"', html.tostring(form, encoding="unicode"))
        self.assertEqual(len(ids), len(set(ids)))
