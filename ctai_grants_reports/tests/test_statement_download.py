import io

import openpyxl

from odoo.exceptions import ValidationError
from odoo.tests import HttpCase, freeze_time, tagged

from odoo.addons.ctai_grants.tests.common import GrantsCommon


@tagged("post_install", "-at_install")
class TestStatementDownload(GrantsCommon, HttpCase):
    """Who gets a statement over HTTP, and what is said of a bad address."""

    def download(self, user, query="as_at=2021-12-31", contract=None):
        self.authenticate(user.login, user.login)
        contract_id = contract.id if contract else self.contract.id
        return self.url_open(f"/grants/contracts/{contract_id}/statement?{query}")

    def test_coordinator_and_prefecture(self):
        bodies = set()
        for user in (self.coordinator, self.reader, self.prefecture_user):
            response = self.download(user)
            self.assertEqual(response.status_code, 200)
            self.assertIn(
                "statement_TEST-2021_2021-12-31.xlsx", response.headers["Content-Disposition"]
            )
            self.assertEqual(response.headers["X-Content-Type-Options"], "nosniff")
            bodies.add(response.content)
        self.assertEqual(len(bodies), 1)
        book = openpyxl.load_workbook(io.BytesIO(bodies.pop()), data_only=True)
        self.assertEqual(book.worksheets[0]["A1"].value, "Financial statement as at 31/12/2021")

    def test_zip(self):
        response = self.download(self.prefecture_user, "as_at=2021-12-31&file_format=csv")
        self.assertEqual(response.headers["Content-Type"], "application/zip")
        self.assertTrue(response.content.startswith(b"PK"))

    def test_others_are_told_that_there_is_nothing(self):
        other = self._make_organisation("Autre préfecture", "prefecture")
        stranger = self._make_portal_user("prefecture", other, "stranger_")
        for user in (stranger, self.operator_user):
            self.assertEqual(self.download(user).status_code, 404)
            self.assertEqual(self.download(user, "as_at=2999-12-31").status_code, 404)

    def test_prefecture_sees_no_draft(self):
        draft = self.env["grant.contract"].create(
            {"name": "Projet", "code": "DRAFT", "funder_id": self.prefecture.id}
        )
        self.assertEqual(self.download(self.prefecture_user, contract=draft).status_code, 404)

    def test_nobody_logged_in(self):
        response = self.url_open(
            f"/grants/contracts/{self.contract.id}/statement?as_at=2021-12-31",
            allow_redirects=False,
        )
        self.assertEqual(response.status_code, 303)
        self.assertIn("/web/login", response.headers["Location"])

    def test_bad_addresses(self):
        for query, status in (
            ("as_at=31/12/2021", 400),
            ("", 400),
            ("as_at=2999-12-31", 400),
            ("as_at=2021-12-31&file_format=exe", 404),
        ):
            with self.subTest(query=query):
                self.assertEqual(self.download(self.coordinator, query).status_code, status)
        page = self.download(self.coordinator, "as_at=2999-12-31").text
        self.assertIn("A statement cannot be made as at a date after today.", page)
        self.assertEqual(
            self.url_open("/grants/contracts/999999999/statement?as_at=2021-12-31").status_code, 404
        )

    def test_today_is_the_citys(self):
        """As at today, wherever the reader is, and as at no later day."""
        self.company.partner_id.tz = False
        for zone in ("Pacific/Auckland", "America/Los_Angeles"):
            self.prefecture_user.tz = self.reader.tz = zone
            for moment, today, tomorrow in (
                ("2022-01-31 11:30:00", "2022-01-31", "2022-02-01"),
                ("2022-01-31 23:30:00", "2022-02-01", "2022-02-02"),
            ):
                with self.subTest(zone=zone, moment=moment), freeze_time(moment):
                    for user in (self.prefecture_user, self.reader):
                        self.assertEqual(self.download(user, f"as_at={today}").status_code, 200)
                        self.assertEqual(self.download(user, f"as_at={tomorrow}").status_code, 400)
                    wizards = self.env["grant.statement.wizard"].with_user(self.reader)
                    values = {"contract_id": self.contract.id}
                    self.assertEqual(str(wizards.create(values).as_at), today)
                    with self.assertRaises(ValidationError):
                        wizards.create({**values, "as_at": tomorrow})
                    self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
                    page = self.url_open(f"/my/contracts/{self.contract.id}").text
                    self.assertIn(f'max="{today}"', page)

    def test_portal_page_offers_it(self):
        self.authenticate(self.prefecture_user.login, self.prefecture_user.login)
        page = self.url_open(f"/my/contracts/{self.contract.id}").text
        self.assertIn(f'action="/grants/contracts/{self.contract.id}/statement"', page)
        self.assertIn('name="as_at"', page)
