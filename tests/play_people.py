# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The people of a play, each with a browser of its own: a session, a screen, a way to work."""

import io
import os
from pathlib import Path

from PIL import Image
from playwright.sync_api import TimeoutError as NotShown
from playwright.sync_api import expect

from odoo import http

#: `CTAI_MANUAL=write ./ctai test -k test_play` makes the pictures of the manual anew.
MANUAL = os.environ.get("CTAI_MANUAL") == "write"
PICTURES = Path(__file__).resolve().parents[1] / "ctai_grants/static/manual/img"

#: A telephone, and the screens of a town hall and of a prefecture.
PHONE = {
    "viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True,
    "device_scale_factor": 2,
}  # fmt: skip
DESK = {"viewport": {"width": 1440, "height": 900}}
#: Milliseconds: two cores, on which more than this test may run.
PATIENCE = 90000
expect.set_options(timeout=PATIENCE)


class Person:
    """Somebody who logs in by the form, and does all with what the screen shows."""

    screen = DESK

    def __init__(self, browser, url, login):
        self.browser, self.url, self.login = browser, url, login
        self.context = self.page = None
        self.errors = []

    def open_browser(self):
        """A browser that knows nobody yet; what its pages complain of is kept."""
        self.context = self.browser.new_context(
            base_url=self.url, locale="fr-FR", timezone_id="Europe/Paris", **self.screen
        )
        self.context.set_default_timeout(PATIENCE)
        self.page = self.open_page()
        return self.page

    def open_page(self):
        page = self.context.new_page()
        page.on("pageerror", lambda error: self.errors.append(f"{page.url}: {error}"))
        return page

    def log_in(self, path="/web/login", page=None):
        """Open a page, and log in where it asks who one is."""
        page = page or self.page
        page.goto(path)
        page.fill("#login", self.login)
        page.fill("#password", self.login)
        self.press(page.locator("form.oe_login_form button[type=submit]"))
        page.wait_for_url(lambda url: "/web/login" not in url)

    def press(self, what):
        what.click()

    def shoot(self, name):
        """Keep what the screen shows, for the manual."""
        if MANUAL:
            self.page.wait_for_timeout(1000)  # pictures in the page, bars that grow
            picture = Image.open(io.BytesIO(self.page.screenshot(animations="disabled")))
            picture.quantize(128).save(PICTURES / f"{name}.png", optimize=True)

    def lose_session(self):
        """The server forgets who this is, as after a restart or a long evening."""
        [sid] = [one["value"] for one in self.context.cookies() if one["name"] == "session_id"]
        store = http.root.session_store
        store.delete(store.get(sid))

    def close_browser(self):
        self.context.close()

    def download(self, link):
        """What a link of the page gives."""
        with self.page.expect_download() as download:
            self.press(self.page.locator(link).first)
        return download.value.path().read_bytes()


class Volunteer(Person):
    """Of an association, with a telephone."""

    screen = PHONE

    def press(self, what):
        what.tap()

    def press_twice(self, button):
        """As an impatient finger does: the second tap comes before the answer to the first."""
        button.scroll_into_view_if_needed()
        button.evaluate("button => { button.click(); button.click(); }")

    def go_to(self, path):
        self.page.goto(path)
        self.page.wait_for_load_state("networkidle")

    def follow(self, href, within="main"):
        """Tap a link of the page, and wait for what it leads to."""
        self.press(self.page.locator(f"{within} a[href$='{href}']").first)
        self.page.wait_for_url(f"**{href}")
        self.page.wait_for_load_state("networkidle")

    def choose(self, piece, files, camera=False):
        """Choose files for a piece on its page, and wait until the server has each."""
        # Not shown here, where the telephone is played by a machine with a mouse.
        field = "camera" if camera else "file"
        before = self.page.locator(".o_grants_files li").count()
        self.page.set_input_files(f"#{field}_{piece}", files)
        expect(self.page.locator(".o_grants_files li")).to_have_count(before + len(files))
        expect(self.page.locator(".o_grants_files progress")).to_have_count(0)

    def write(self, selector, text):
        self.press(self.page.locator(selector))
        self.page.locator(selector).fill(text)


class Clerk(Person):
    """Of the city, in Odoo's own screens."""

    def go_to(self, path):
        self.page.goto(f"/odoo/{path}")
        self.page.wait_for_selector(".o_action_manager .o_view_controller")

    def open_row(self, text):
        """Open the line of a list that has ``text``."""
        cell = self.page.locator(".o_data_row", has_text=text).first.locator(".o_data_cell").nth(1)
        form = ".o_form_view .o_form_statusbar"
        cell.click()
        try:
            self.page.wait_for_selector(form, timeout=20_000)
        except NotShown:
            # Odoo drew the list anew under the hand: whoever sees that clicks again.
            cell.click()
            self.page.wait_for_selector(form)

    def get_button(self, name):
        return self.page.locator(f".o_form_view .o_form_statusbar button[name={name}]")

    def do(self, name):
        """Press the button of the form of that name."""
        self.get_button(name).first.click()

    def answer(self, reason, **fields):
        """Say why in the window that asks, and confirm."""
        window = self.page.locator(".modal .o_form_view")
        box = window.locator("[name=reason] textarea:visible, [name=reason] input:visible").first
        box.fill(reason)
        self.page.locator(".modal footer button[name=action_confirm]").click()
        expect(self.page.locator(".modal")).to_have_count(0)
