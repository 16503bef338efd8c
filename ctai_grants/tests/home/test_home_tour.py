"""Menus and lists that greet who opens them, in a browser."""

from odoo.tests import HttpCase, tagged

from ..common import GrantsCommon


class HomeTourCase(GrantsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tranche = cls.make_tranche(cls.sign(cls.make_subsidy()), due_date="2021-11-15")

    def start(self, tour, address="/odoo/grants-today"):
        self.coordinator.password = self.coordinator.login
        self.start_tour(address, tour, login=self.coordinator.login)


@tagged("post_install", "-at_install")
class TestHomeTour(HomeTourCase):
    browser_size = "1440x900"

    def test_menus_count_and_calendars_open_where_something_is(self):
        self.start("grants_menu_counts")

    def test_what_prevents_an_act_leads_to_what_lifts_it(self):
        self.operator.company_registry = False
        subsidy = self.make_subsidy(amount=1000, decision_number=False)
        self.make_tranche(subsidy, amount=1500)
        self.start("grants_obstacles", f"/odoo/grant.subsidy/{subsidy.id}")
        self.assertEqual((subsidy.state, subsidy.decision_number), ("granted", "2021-0042"))

    def test_the_end_of_a_period_leads_to_it(self):
        subsidy = self.make_subsidy(date_end=False)
        self.start("grants_obstacles_range", f"/odoo/grant.subsidy/{subsidy.id}")

    def test_a_window_over_the_page_lifts_it(self):
        self.tranche.subsidy_id.executory_date = False
        self.assertEqual(self.tranche.state, "planned")
        self.start("grants_obstacles_window", f"/odoo/grant.disbursement/{self.tranche.id}")
        self.assertEqual(self.tranche.state, "ready")

    def test_the_first_subsidy(self):
        """The tour that Odoo shows to who asks for it, from the menu to a draft."""
        drafts = self.env["grant.subsidy"].search([("name", "=", "Workshops")])
        self.start("grants_first_subsidy")
        made = self.env["grant.subsidy"].search([("name", "=", "Workshops")]) - drafts
        self.assertEqual((made.amount, made.state), (1000, "draft"))
        self.assertTrue(made.partner_id and made.envelope_id)

    def test_a_day_without_its_time(self):
        """Of a time, a column can show the day alone."""
        self.coordinator.password = self.coordinator.login
        code = """
            const { registry } = odoo.loader.modules.get("@web/core/registry");
            const format = registry.category("formatters").get("datetime");
            const shown = format(luxon.DateTime.local(2021, 10, 21, 10, 5), {
                numeric: true, showTime: false,
            });
            const isRight = shown === "10/21/2021";
            console[isRight ? "log" : "error"](isRight ? "test successful" : shown);
        """
        login, ready = self.coordinator.login, "odoo.isReady === true"
        self.browser_js("/odoo/grants-today", code, ready, login)


@tagged("post_install", "-at_install")
class TestHomeTourOnATelephone(HomeTourCase):
    browser_size = "400x860"
    touch_enabled = True

    def test_menus_count_and_cards_certify(self):
        self.start("grants_menu_counts_phone")
