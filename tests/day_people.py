# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""People of the city at their desks, whose clicks the browser itself counts: each button of the
mouse that goes down, from the moment *Today* is open. Typing, and going from field to field by the
keyboard, are no clicks."""

import re

from play_people import Clerk
from playwright.sync_api import expect

LISTEN = """addEventListener("pointerdown", (event) => {
    if (event.isTrusted) {
        const what = event.target.closest("button, a, tr, [role=menuitem]") || event.target;
        grantsClicked(what.getAttribute("name") || what.innerText.slice(0, 40));
    }
}, true);"""


class Colleague(Clerk):
    """Somebody of the city who begins on *Today*, and uses mouse and keyboard as people do."""

    def __init__(self, browser, url, login):
        super().__init__(browser, url, login)
        self.clicks = []

    def begin_the_day(self):
        """Log in: *Today* is what the application opens on. Clicks are counted from here."""
        self.open_browser()
        self.context.expose_function("grantsClicked", lambda what: self.clicks.append(what))
        self.context.add_init_script(LISTEN)
        self.log_in("/odoo")
        self.wait_for_today()
        self.clicks.clear()

    def wait_for_today(self):
        self.page.wait_for_selector(".o_grant_today")

    def click(self, what):
        self.page.locator(what).first.click()

    def open_menu(self, *names):
        """Entries of the bar at the top, one click each."""
        bar, *entries = names
        bar = re.compile(f"^\\s*{re.escape(bar)}\\s*$")
        self.page.locator(".o_main_navbar :is(a, button)", has_text=bar).first.click()
        for name in entries:
            self.click(f".o-dropdown--menu :text-is('{name}')")

    def open_tile(self, name):
        """What *Today* says is to be done, and the list that it opens."""
        if self.page.locator(".o_grant_today").count():
            # Open since before: F5.
            self.page.reload()
        else:
            self.open_menu("Aujourd’hui")
        self.wait_for_today()
        self.click(f".o_grant_today_tiles button[name={name}]")
        self.page.wait_for_selector(".o_list_view")

    def open_row(self, text, form=".o_form_view"):
        self.get_row(text).locator(".o_data_cell").nth(1).click()
        self.page.wait_for_selector(form)

    def get_row(self, text):
        return self.page.locator(".o_data_row", has_text=text).first

    def press_button(self, name, within=".o_form_view .o_form_statusbar"):
        self.click(f"{within} button[name={name}]")

    def confirm(self):
        """The window that asks says yes, and is gone."""
        self.click(".modal footer button.btn-primary")
        self.wait_until_answered()

    def wait_until_answered(self, windows=0):
        expect(self.page.locator(".modal:not(.o_inactive_modal)")).to_have_count(windows)

    def get_field(self, name, within=""):
        return self.page.locator(
            f"{within} .o_field_widget[name={name}] :is(input, textarea):visible"
        ).first

    def write(self, within="", **values):
        """Type into fields, reached by the keyboard."""
        for name, value in values.items():
            field = self.get_field(name, within)
            field.fill(value)
            field.press("Tab")

    def choose(self, name, text, within=""):
        """Type the name of what there is already, and take the first that is found."""
        field = self.get_field(name, within)
        field.fill(text)
        found = self.page.locator(".o-autocomplete--dropdown-item").filter(
            has_text=re.compile(re.escape(text))
        )
        expect(found.first).to_be_visible()
        field.press("Enter")

    def write_period(self, start, end):
        """Type both ends of a period."""
        for name, day in (("date_start", start), ("date_end", end)):
            field = self.page.locator(f".o_form_view input[data-field={name}]:visible").first
            field.fill(day)
            field.press("Tab")

    def wait_until_saved(self):
        expect(self.page.locator(".o_form_status_indicator_buttons.invisible")).to_have_count(1)
