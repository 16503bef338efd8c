# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The prefecture's journey in a browser: from the link in the mail to the statement that it
acknowledges."""

import re
import sys
from pathlib import Path

from odoo.tests import freeze_time, tagged

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from portal_browser import BrowserCase  # noqa: E402


@tagged("post_install", "-at_install")
class TestStatementJourney(BrowserCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.prefecture_user.password = cls.prefecture_user.login
        cls.prefecture_user.partner_id.email = "agent@etat.example"
        cls.statement = (
            cls.env["grant.statement"]
            .with_user(cls.coordinator)
            .create({"contract_id": cls.contract.id, "as_at": "2021-12-31"})
        )
        with freeze_time("2022-01-20 10:00:00"):
            cls.statement.action_issue()
        cls.statement.action_send()
        cls.env.flush_all()

    def test_from_mail_to_acknowledgement(self):
        mail = self.env["mail.mail"].search([("model", "=", "grant.statement")], limit=1)
        link = re.search(r'href="[^"]*(/my/statements/\d+)"', mail.body_html)[1]
        # Read before the browser asks for anything: the server answers it on our cursor, and two
        # who read at once have each other's rows.
        login, name = self.prefecture_user.login, self.statement.name
        file = self.statement.sudo().file_ids.filtered(lambda one: one.kind == "pdf")
        content = file.attachment_id.raw
        with self.browser_pages() as open_page:
            page = open_page()
            page.goto(link)
            page.fill("#login", login)
            page.fill("#password", login)
            page.press("#password", "Enter")
            page.wait_for_url(f"**{link}*")
            self.assertIn(name, page.inner_text("h1"))
            with page.expect_download() as download:
                page.click(f"a[href='/grants/statements/{self.statement.id}/pdf']")
            self.assertEqual(Path(download.value.path()).read_bytes(), content)
            page.fill("#acknowledge_text", "Bien reçu")
            page.click("form[action$='/acknowledge'] button")
            page.wait_for_url("**done=acknowledged")
            self.assertTrue(page.is_visible(".alert-success"))
            self.assertFalse(page.is_visible("form[action$='/acknowledge']"))
        self.statement.invalidate_recordset()
        self.assertEqual(self.statement.state, "acknowledged")
        kinds = self.statement.act_ids.sorted("id").mapped("kind")
        self.assertEqual(kinds, ["issued", "sent", "opened", "downloaded", "acknowledged"])

    def test_contested_where_something_is_missing(self):
        line = self.statement.line_ids.filtered("subsidy_id")[0]
        with self.browser_pages() as open_page:
            page = open_page(self.prefecture_user)
            page.goto(f"/my/statements/{self.statement.id}")
            page.click("form[action$='/contest'] button")
            page.wait_for_selector("#statement_error")
            page.click("summary")
            page.fill(f"#line_{line.id}", "Ce paiement n'est pas le nôtre")
            page.click("form[action$='/contest'] button")
            page.wait_for_url("**done=contested")
        self.statement.invalidate_recordset()
        self.assertEqual(self.statement.state, "contested")
        self.assertEqual(self.statement.act_ids[0].line_id, line)

    def test_a_day_that_is_typed_is_shown(self):
        """Odoo's own field went on showing the day of before, and saved the other."""
        self.coordinator.password = self.coordinator.login
        with self.browser_pages() as open_page:
            page = open_page(self.coordinator)
            page.goto("/odoo/grant-statements/new")
            field = page.locator("div[name='as_at']")
            for day in ("03/03/2022", "06/06/2022"):  # in any language
                field.locator("input, button").click()
                page.keyboard.press("Control+A")
                page.keyboard.type(day)
                page.keyboard.press("Tab")
                page.wait_for_selector(f"h1:has-text('{day}')")
                field.locator(f"button:has-text('{day}')").wait_for(timeout=5000)
