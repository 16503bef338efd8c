"""Menus and lists that greet who opens them, in a browser."""

from odoo.tests import HttpCase, tagged

from ..common import GrantsCommon


class HomeTourCase(GrantsCommon, HttpCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tranche = cls.make_tranche(cls.sign(cls.make_subsidy()), due_date="2021-11-15")

    def start(self, tour):
        self.assertEqual(self.tranche.state, "ready")
        self.coordinator.password = self.coordinator.login
        self.start_tour("/odoo/grants-today", tour, login=self.coordinator.login)


@tagged("post_install", "-at_install")
class TestHomeTour(HomeTourCase):
    browser_size = "1440x900"

    def test_menus_count_and_calendars_open_where_something_is(self):
        self.start("grants_menu_counts")


@tagged("post_install", "-at_install")
class TestHomeTourOnATelephone(HomeTourCase):
    browser_size = "400x860"
    touch_enabled = True

    def test_menus_count_and_cards_certify(self):
        self.start("grants_menu_counts_phone")
