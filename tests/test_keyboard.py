# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A whole journey by the keyboard alone: log in, open a subsidy, hand in a file, log out. Where the
focus is can be seen at each stop."""

import sys
from pathlib import Path

from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import PDF

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from portal_browser import BrowserCase  # noqa: E402

#: More stops than any of the pages has.
MOST_STOPS = 150
FOCUS_SHOWS = """() => {
    const style = getComputedStyle(document.activeElement);
    return style.outlineStyle !== "none" || style.boxShadow !== "none";
}"""


@tagged("post_install", "-at_install")
class TestKeyboard(BrowserCase):
    def go_to(self, page, selector):
        """Press Tab until what ``selector`` finds has the focus."""
        page.wait_for_load_state("networkidle")
        for _stop in range(MOST_STOPS):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                continue
            where = page.evaluate("document.activeElement.outerHTML.slice(0, 200)")
            self.assertTrue(page.evaluate(FOCUS_SHOWS), f"the focus does not show: {where}")
            if page.evaluate("(what) => document.activeElement.matches(what)", selector):
                return
        self.fail(f"the keyboard does not reach {selector} on {page.url}")

    def press(self, page, selector, key="Enter"):
        self.go_to(page, selector)
        page.keyboard.press(key)

    def test_from_login_to_logout(self):
        with self.browser_pages() as open_page:
            page = open_page()
            # From now on Chromium opens no window of its own for files: asked for it only when the
            # key is pressed, it may hear of it after the key.
            page.on("filechooser", lambda chooser: None)
            # Read before the server answers on our cursor.
            login = self.operator_user.login
            page.goto("/my")
            self.log_in(page, login)
            self.press(page, "main a[href='/my/subsidies']")
            page.wait_for_url("**/my/subsidies")
            self.press(page, f"main a[href$='/my/subsidies/{self.mine.id}']")
            page.wait_for_url(f"**/my/subsidies/{self.mine.id}")
            self.hand_in(page)
            self.press(page, "header .dropdown-toggle")
            # Left before it is done, it is no logout.
            with page.expect_navigation():
                self.press(page, "#o_logout")
            page.wait_for_load_state("networkidle")
            page.goto("/my")
            self.assertIn("/web/login", page.url)
        self.assertEqual(self.piece.state, "submitted")
        self.assertEqual(self.piece.last_version_id.comment, "Voici")
        self.assertEqual(self.piece.last_version_id.user_id, self.operator_user)

    def log_in(self, page, login):
        page.wait_for_selector("#login")
        # Where the page has the focus already, one goes on from there.
        if not page.evaluate("document.activeElement.matches('#login')"):
            self.go_to(page, "#login")
        page.keyboard.type(login)
        self.go_to(page, "#password")
        page.keyboard.type(login)
        page.keyboard.press("Enter")
        page.wait_for_url("**/my")

    def hand_in(self, page):
        """On the page of the subsidy, or on that of the piece if it has one."""
        field = f"input[type=file][id$='_{self.piece.id}']"
        if not page.locator(field).count():
            field = "input[type=file]"
            self.press(page, f"main a[href*='/deliverables/{self.piece.id}']")
            page.wait_for_selector(field)
        self.go_to(page, field)
        with page.expect_file_chooser() as chooser:
            page.keyboard.press("Enter")
        chooser.value.set_files(
            {"name": "bilan.pdf", "mimeType": "application/pdf", "buffer": PDF}
        )
        self.go_to(page, "textarea[name=comment]")
        page.keyboard.type("Voici")
        self.press(page, "form button[type=submit]")
        page.wait_for_selector("main [role=status]")
