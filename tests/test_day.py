# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A day of each role, from *Today*: from an empty contract to a closed subsidy, by the screens of
the coordinator and of finance, in at most as many clicks as are promised. Three people log in once
each, which is not counted; what the association hands in is played by its account, without a
browser (its screens: `test_play.py`)."""

import datetime
import re

import pytest
from clients import DAY
from day_people import Colleague
from playwright.sync_api import expect
from running_server import OdooServer
from test_play import browser  # noqa: F401  the same fixture

#: From an empty contract to a closed subsidy.
MOST_CLICKS = 45
CODE = "JOUR-1"
OPERATOR, SUBSIDY = "Association d’un jour", "Ateliers d’un jour"
#: Of a SIREN that no other test invents.
SIREN = 9950000
TODAY = datetime.date.fromisoformat(DAY)
#: The year that is over, of which the operator can report.
YEAR = TODAY.year - 1


def say(month, day, year=YEAR):
    """A day as the screens are told it."""
    return f"{day:02d}/{month:02d}/{year}"


@pytest.fixture(scope="module")
def stage(city):
    """People, and journals: a city that has no contract of that code."""
    return city.code(f"""
from play_stage import Stage
from odoo.addons.ctai_grants.tests.common import IBANS, make_siret
Stage.set_people(env, "day", {SIREN}, "Préfecture d’un jour")
out.append({{"siret": make_siret({SIREN} + 1), "iban": IBANS[0]}})
""")[0]


@pytest.fixture(scope="module")
def server(database, stage, tmp_path_factory):
    """Odoo with two workers on the same database."""
    server = OdooServer(database, tmp_path_factory.mktemp("day") / "odoo.log")
    server.start()
    yield server
    server.stop()


class Day:
    """The acts in their order."""

    def __init__(self, city, stage, server, browser):  # noqa: F811
        self.city, self.stage = city, stage
        self.clerk, self.manager, self.payer = self.people = [
            Colleague(browser, server.url, f"day_{role}")
            for role in ("coordinator", "finance_manager", "finance_officer")
        ]
        self.subsidy = None

    def play(self, source):
        found = f"env['grant.subsidy'].search([('contract_id.code', '=', {CODE!r})])"
        return self.city.code(f"subsidy = {found}\n{source}")

    def get_state(self):
        return self.play(
            "out += [subsidy.state, *subsidy.disbursement_ids.mapped('state'),"
            " *subsidy.report_ids.mapped('state')]"
        )

    # --- the contract ---------------------------------------------------------------------

    def make_contract(self):
        clerk = self.clerk
        clerk.open_menu("Contrats")
        clerk.click(".o_list_button_add")
        clerk.write(name="Contrat d’un jour", code=CODE)
        clerk.choose("funder_id", "Préfecture d’un jour")
        clerk.write_period(say(1, 1), say(12, 31, TODAY.year + 1))
        clerk.write(signature_date=say(1, 1))
        clerk.click(".o_field_widget[name=envelope_ids] .o-kanban-button-new")
        clerk.write(".modal", name="Tous publics", code="A", amount="50000")
        clerk.click(".modal .o_form_button_save")
        clerk.wait_until_answered()
        clerk.page.keyboard.press("Alt+s")
        clerk.wait_until_saved()

    def put_in_force(self):
        manager = self.manager
        manager.open_menu("Contrats")
        manager.open_row(CODE)
        manager.press_button("action_put_in_force")
        manager.confirm()

    # --- the subsidy ----------------------------------------------------------------------

    def award(self):
        """The operator is entered where it is named, the schedule comes from its template."""
        clerk = self.clerk
        clerk.press_button("action_view_subsidies", ".o_control_panel")
        clerk.page.wait_for_selector(".o_list_view")
        clerk.click(".o_list_button_add")
        clerk.page.wait_for_selector(".o_form_view .o_form_statusbar [data-value=draft]")
        clerk.write(name=SUBSIDY)
        clerk.get_field("partner_id").fill(OPERATOR)
        clerk.click(".o_m2o_dropdown_option_create_edit")
        self.enter_operator()
        # The contract has one envelope: it is chosen.
        expect(clerk.get_field("envelope_id")).to_have_value(re.compile("Tous publics"))
        clerk.write(amount="10000")
        clerk.write_period(say(2, 1), say(12, 31))
        clerk.write(
            decision_number="D-1", decision_date=say(1, 20), executory_date=say(1, 25),
            convention_reference="C-1", signature_date=say(2, 1), request_date=say(1, 10),
        )  # fmt: skip
        clerk.write(cer_date=say(1, 10))
        clerk.choose("template_id", "Versement unique")
        clerk.click("button[name=action_apply_template]")
        expect(clerk.page.locator(".o_field_widget[name=disbursement_ids]")).to_contain_text("10")
        for act in ("action_grant", "action_sign"):
            clerk.press_button(act)
            expect(clerk.get_button(act)).to_have_count(0)
        assert self.get_state() == ["signed", "planned"]

    def enter_operator(self):
        clerk = self.clerk
        clerk.write(".modal", company_registry=self.stage["siret"])
        clerk.click(".modal .o_field_widget[name=bank_ids] .o_field_x2many_list_row_add a")
        clerk.write(".modal", acc_number=self.stage["iban"])
        clerk.click(".modal .o_form_button_save")
        clerk.wait_until_answered()

    def hand_in_account(self):
        """What the association does on its own screens is not counted here."""
        self.play(
            "from odoo.addons.ctai_grants.tests.files import make_pdf\n"
            "from play_stage import Stage\n"
            "Stage.env = env\n"
            "user = Stage.make_user('day_volunteer', 'group_portal_operator')\n"
            "user.partner_id.parent_id = subsidy.partner_id\n"
            "piece = subsidy.deliverable_ids.filtered('disbursement_ids')\n"
            "piece.with_user(user)._do_submit('rib.pdf', make_pdf())\n"
        )

    # --- the payment ----------------------------------------------------------------------

    def confirm_account(self):
        manager = self.manager
        manager.open_tile("accounts")
        manager.get_row(OPERATOR).locator("button[name=action_lift]").click()
        manager.click(".o_field_widget[name=bank_ids] [name=allow_out_payment] .form-check")
        manager.page.keyboard.press("Alt+s")
        manager.wait_until_saved()

    def review(self):
        clerk = self.clerk
        clerk.open_tile("review")
        clerk.open_row(OPERATOR)
        clerk.press_button("action_accept")
        expect(clerk.get_button("action_accept")).to_have_count(0)

    def certify(self):
        clerk = self.clerk
        clerk.open_tile("certify")
        clerk.get_row(OPERATOR).locator("button[name=action_ask_certificate]").click()
        clerk.confirm()

    def order(self):
        payer = self.payer
        payer.open_tile("order")
        payer.get_row(OPERATOR).locator("button[name=action_order]").click()
        payer.confirm()

    def pay(self):
        payer = self.payer
        payer.open_tile("pay")
        payer.get_row(OPERATOR).locator("button[name=action_pay]").click()
        payer.confirm()

    # --- the end --------------------------------------------------------------------------

    def report(self):
        """By the association, in one line of charges and one of income."""
        self.play(
            "user = env['res.users'].search([('login', '=', 'day_volunteer')])\n"
            "reports = env['grant.financial.report'].with_user(user)\n"
            "report = reports._begin(subsidy.sudo(), 'report')\n"
            "two = report.line_ids.filtered(lambda one: one.account_id.code in ('641', '74com'))\n"
            "two.actual = 10000\n"
            "report.write({'achieved': 'Vingt ateliers', 'attested': True,"
            " 'attested_name': 'Odile Exemple', 'attested_quality': 'Présidente',"
            f" 'attested_place': 'Poitiers', 'attested_date': {DAY!r}}})\n"
            "report._do_hand_in()\n"
        )

    def accept_report(self):
        clerk = self.clerk
        clerk.open_tile("review")
        clerk.open_row(OPERATOR)
        clerk.press_button("action_accept")
        clerk.confirm()

    def close(self):
        manager = self.manager
        manager.open_menu("Suivi", "Toutes les subventions")
        manager.open_row(OPERATOR)
        manager.press_button("action_close")
        manager.write(".modal", reason="Compte rendu accepté, tout est payé")
        manager.confirm()
        assert self.get_state() == ["closed", "paid", "accepted"]


ACTS = (
    "make_contract", "put_in_force", "award", "hand_in_account", "confirm_account", "review",
    "certify", "order", "pay", "report", "accept_report", "close",
)  # fmt: skip


def test_day(city, stage, server, browser, tell):  # noqa: F811
    day = Day(city, stage, server, browser)
    for person in day.people:
        person.begin_the_day()
    counts = {}
    for act in ACTS:
        before = sum(len(person.clicks) for person in day.people)
        try:
            getattr(day, act)()
        except Exception as error:
            error.add_note(f"in the act “{act}”")
            raise
        counts[act] = sum(len(person.clicks) for person in day.people) - before
    assert not [error for person in day.people for error in person.errors]
    clicks = sum(counts.values())
    tell(f"{clicks} clicks from an empty contract to a closed subsidy")
    # What counts them has counted: each act on a screen has some.
    assert all(counts[act] for act in ACTS if act not in ("hand_in_account", "report")), counts
    assert clicks <= MOST_CLICKS, counts
