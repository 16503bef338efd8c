import datetime

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import new_test_user, tagged

from odoo.addons.http_routing.tests.common import MockRequest

from ..common import PDF, GrantsCommon, make_siret


@tagged("standard", "post_install", "-at_install")
class TestHomePage(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.piece = cls.make_deliverable(cls.subsidy, name="Bilan")
        cls.tranche = cls.make_tranche(
            cls.subsidy, amount=3000, due_date=fields.Date.today() + datetime.timedelta(days=5)
        )
        cls.sign(cls.subsidy)

    def get_page(self, user):
        self.env.flush_all()
        return self.env["grant.today"].with_user(user).get_today()

    def get_tile(self, user, key):
        """A tile, which opens the lines that it counts; None when there is nothing."""
        tiles = {tile["key"]: tile for tile in self.get_page(user)["tiles"]}
        if tile := tiles.get(key):
            action = tile["open"]
            model = self.env[action["res_model"]].with_user(user)
            self.assertEqual(model.search_count(action["domain"]), tile["count"])
            self.assertEqual(action["views"][0][1], action["view_mode"].split(",")[0])
        return tile

    def test_what_is_handed_in(self):
        before = self.get_tile(self.coordinator, "review")
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        after = self.get_tile(self.coordinator, "review")
        self.assertEqual(after["count"], (before or {"count": 0})["count"] + 1)
        self.assertFalse(self.get_tile(self.finance_officer, "review"))

    def test_from_certifying_to_paying(self):
        """What one has done is gone from their page, and on the next one's."""
        tranche = self.make_tranche(self.sign(self.make_subsidy()), amount=2000)
        mine = [("id", "=", tranche.id)]
        officer = tranche.with_user(self.finance_officer)
        days = [datetime.date(2021, 11, day) for day in (20, 25)]
        counts = []
        for user, key, act in (
            (self.coordinator, "certify", lambda: self._certify(tranche, moment=days[0])),
            (self.finance_officer, "order", lambda: officer._do_order("M-1", days[0])),
            (self.finance_officer, "pay", lambda: officer._do_pay(days[1], "P-1")),
        ):
            tile = self.get_tile(user, key)
            lines = tranche.with_user(user).search(tile["open"]["domain"] + mine)
            self.assertEqual(lines, tranche)
            self.assertEqual(bool(tile["amount"]), key != "pay")
            act()
            tile = self.get_tile(user, key)
            counts.append(tile and tranche.search_count(tile["open"]["domain"] + mine) or 0)
        self.assertEqual(counts, [0, 0, 0])

    def test_the_days_to_come(self):
        days = self.get_page(self.coordinator)["days"]
        keys = [line["key"] for line in days]
        self.assertIn(f"grant.disbursement-{self.tranche.id}", keys)
        self.assertEqual(len(keys), len(set(keys)))
        for line in days:
            record = self.env[line["open"]["res_model"]].browse(line["open"]["res_id"])
            self.assertEqual(record.display_name, line["name"])

    def test_envelopes_of_contracts_in_force(self):
        envelopes = self.get_page(self.coordinator)["envelopes"]
        self.assertIn(self.contract.envelope_ids[0].id, [line["id"] for line in envelopes])

    def test_a_verifier_that_stopped(self):
        """Nothing found by who does not look is no good news."""
        job = self.env.ref("ctai_grants.ir_cron_verify")
        job.lastcall = fields.Datetime.now() - datetime.timedelta(days=1)
        self.assertFalse(self.get_page(self.finance_manager)["unverified"])
        job.lastcall = fields.Datetime.now() - datetime.timedelta(days=3)
        self.assertIn(job.name, self.get_page(self.finance_manager)["unverified"])
        self.assertFalse(self.get_page(self.coordinator)["unverified"])
        # It runs, and comes to no end.
        job.lastcall, job.first_failure_date = fields.Datetime.now(), job.lastcall
        self.assertTrue(self.get_page(self.finance_manager)["unverified"])

    def get_steps(self, user, city):
        self.env.flush_all()
        return self.env["grant.today"].with_user(user).with_company(city).get_today()["steps"]

    def test_the_first_steps_of_a_city(self):
        """Ticked by the data."""
        city = self.env["res.company"].create({"name": "Ville neuve", "country_id": False})
        self.coordinator.company_ids |= city
        steps = self.get_steps(self.coordinator, city)
        self.assertEqual([step["done"] for step in steps[:4]], [False] * 4)
        self.assertFalse(steps[0]["open"], "who may not change the company is not sent there")
        self.assertTrue(steps[3]["open"])
        (self.finance_officer | self.finance_manager).company_ids |= city
        self.assertTrue(self.get_steps(self.coordinator, city)[2]["done"])
        self.assertFalse(self.get_steps(self.coordinator, city)[-1]["done"])

    def test_the_first_steps_stay_until_all_is_done(self):
        """Not until the first subsidy: a city that grants may still lack something."""
        self.company.company_registry = make_siret()
        self.assertEqual(self.get_steps(self.coordinator, self.company), [])
        self.company.company_registry = False
        steps = self.get_steps(self.coordinator, self.company)
        self.assertEqual([step["done"] for step in steps], [False] + [True] * 5)
        self.assertFalse(self.get_page(self.coordinator)["steps_closed"])
        settings = self.env["res.users.settings"]._find_or_create_for_user(self.coordinator)
        settings.with_user(self.coordinator).set_res_users_settings({"grant_steps_closed": True})
        self.assertTrue(self.get_page(self.coordinator)["steps_closed"])
        self.assertFalse(self.get_page(self.reader)["steps_closed"])

    def test_what_a_city_lacks_is_said_with_where_to_enter_it(self):
        system = new_test_user(self.env, "home_city", "base.group_system")
        city = self.env["res.company"].create(
            {"name": "Ville neuve", "country_id": self.env.ref("base.fr").id}
        )
        system.company_ids |= city
        city.currency_id = self.env.ref("base.EUR")
        step = self.get_steps(system, city)[0]
        self.assertIn("SIRET", step["why"])
        self.assertEqual((step["open"]["res_model"], step["open"]["res_id"]), (city._name, city.id))
        city.company_registry = make_siret()
        step = self.get_steps(system, city)[0]
        self.assertIn("Fiscal Localization", step["why"])
        self.assertNotIn("SIRET", step["why"])
        self.assertEqual(step["open"], "account.action_account_config")
        # Who may not enter it is told what it is about.
        self.coordinator.company_ids |= city
        self.assertNotIn("Fiscal Localization", self.get_steps(self.coordinator, city)[0]["why"])

    def test_a_signed_contract_waits_for_finance(self):
        before = self.get_tile(self.finance_manager, "contracts")
        contract = self.contract.copy({"code": "HOME-2"})
        self.assertEqual(self.get_tile(self.finance_manager, "contracts"), before)
        contract.signature_date = "2021-01-15"
        after = self.get_tile(self.finance_manager, "contracts")
        self.assertEqual(after["count"], (before or {"count": 0})["count"] + 1)
        contract.with_user(self.finance_manager).action_put_in_force()
        self.assertEqual(self.get_tile(self.finance_manager, "contracts"), before)

    def test_the_first_steps_for_who_runs_odoo(self):
        """Who gives the roles needs none to be told so; of grants they see nothing."""
        system = new_test_user(self.env, "home_system", "base.group_system")
        self.company.company_registry = False
        page = self.get_page(system)
        self.assertTrue(page["steps"][0]["open"])
        self.assertFalse(page["steps"][3]["open"])
        for key in ("tiles", "envelopes", "days", "reads", "acts"):
            self.assertFalse(page[key], key)
        with self.assertRaises(AccessError):
            self.env["grant.today"].with_user(system).get_counts()
        menus = self.env["ir.ui.menu"].with_user(system)._visible_menu_ids()
        self.assertIn(self.env.ref("ctai_grants.menu_today").id, menus)
        self.assertNotIn(self.env.ref("ctai_grants.menu_subsidies").id, menus)

    def test_counts_of_menus(self):
        """Those of the tiles; of each one's own, by the action that the menu opens."""
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.env.flush_all()
        for user in (self.coordinator, self.finance_officer, self.finance_manager):
            counts = self.env["grant.today"].with_user(user).get_counts()
            tiles = self.get_page(user)["tiles"]
            self.assertEqual(sum(counts.values()), sum(tile["count"] for tile in tiles))
            self.assertEqual(set(counts), {tile["open"]["id"] for tile in tiles})
        menu = self.env.ref("ctai_grants.menu_pieces_to_review")
        counts = self.env["grant.today"].with_user(self.coordinator).get_counts()
        self.assertEqual(counts[menu.action.id], self.get_tile(self.coordinator, "review")["count"])
        with self.assertRaises(AccessError):
            self.env["grant.today"].with_user(self.operator_user).get_counts()

    def test_my_subsidies(self):
        """No empty list to who coordinates none."""
        for user, action in (
            (self.coordinator, "grant_subsidy_action_mine"),
            (self.administrator, "grant_subsidy_action"),
        ):
            self.assertTrue(self.subsidy.search_count([("user_id", "=", self.coordinator.id)]))
            menu = self.env.ref("ctai_grants.menu_my_subsidies").with_user(user)
            opened = menu.action.run()
            self.assertEqual(opened["id"], self.env.ref(f"ctai_grants.{action}").id)

    def test_whose_page_it_is(self):
        """A reader has nothing to do; who reads no grants has no page."""
        reader = self.env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": "Lectrice", "login": "home_reader",
                "group_ids": [(6, 0, self.env.ref("ctai_grants.group_reader").ids)],
            }
        )  # fmt: skip
        page = self.get_page(reader)
        self.assertFalse(page["acts"] or page["tiles"])
        with self.assertRaises(AccessError):
            self.get_page(self.operator_user)

    def test_each_role_has_its_own_tiles(self):
        """None of somebody else's work; who has several roles has the tiles of each."""
        tiles = {
            user: {tile.key for tile in self.env["grant.today"].with_user(user)._get_own_tiles()}
            for user in self.staff
        }
        coordination = {"review", "requests", "certify", "reports", "late"}
        finance = {"order", "pay", "instalments", "differences"}
        management = {"accounts", "contracts", "amendments", "recoveries", "findings"}
        self.assertEqual(tiles[self.reader], set())
        self.assertEqual(tiles[self.coordinator], coordination)
        self.assertEqual(tiles[self.finance_officer], finance)
        self.assertEqual(tiles[self.finance_manager], finance | management)
        self.assertEqual(tiles[self.administrator], coordination | finance | management)
        for user, keys in tiles.items():
            shown = {tile["key"] for tile in self.get_page(user)["tiles"]}
            self.assertLessEqual(shown, keys)

    def test_where_the_day_begins(self):
        """There, and where they chose to, who chose."""
        today = self.env.ref("ctai_grants.grant_today_action")
        http = self.env["ir.http"].with_user(self.coordinator)
        with MockRequest(http.env):
            self.assertEqual(http.session_info()["home_action_id"], today.id)
            chosen = self.env.ref("base.action_res_users_my")
            self.coordinator.action_id = chosen.id
            self.assertEqual(http.session_info()["home_action_id"], chosen.id)

    def test_as_many_statements_for_few_as_for_many(self):
        counts = []
        for number in (3, 20):
            for _subsidy in range(number):
                subsidy = self.make_subsidy(amount=100)
                self.make_deliverable(subsidy, name="Bilan")
                self.make_tranche(subsidy, amount=10, due_date=self.tranche.due_date)
                self.sign(subsidy)
            # The first time fills the caches of the server.
            self.count_statements()
            counts.append(self.count_statements())
        self.assertEqual(*counts)
        # Its windows are read together: one by one they took as many again.
        self.assertLessEqual(counts[0], 75)

    def count_statements(self):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["grant.today"].with_user(self.administrator).get_today()
        return self.env.cr.sql_log_count - before


@tagged("standard", "post_install", "-at_install")
class TestTwoCities(GrantsCommon):
    """Two cities in one Odoo: each one's people see their own figures, and no other."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tranche = cls.make_tranche(cls.sign(cls.make_subsidy()), amount=2000)
        france, euro = cls.env.ref("base.fr"), cls.env.ref("base.EUR")
        cls.city = cls.env["res.company"].create(
            {"name": "Ville voisine", "country_id": france.id, "currency_id": euro.id}
        )
        cls.theirs = new_test_user(
            cls.env, "home_theirs", "ctai_grants.group_administrator",
            company_id=cls.city.id, company_ids=[(6, 0, cls.city.ids)],
        )  # fmt: skip
        cls.env.flush_all()

    def get_page(self, user):
        return self.env["grant.today"].with_user(user).with_company(user.company_id).get_today()

    def test_each_sees_its_own(self):
        page = self.get_page(self.theirs)
        self.assertFalse(page["tiles"] or page["envelopes"] or page["days"])
        self.assertFalse(self.env["grant.today"].with_user(self.theirs).get_counts())
        tiles = {tile["key"]: tile for tile in self.get_page(self.coordinator)["tiles"]}
        self.assertTrue(tiles["certify"]["amount"])
        # What is done here is not done there: neither a contract nor a subsidy.
        self.assertFalse(page["steps"][3]["done"] or page["steps"][5]["done"])

    def test_who_works_for_both_has_those_of_the_cities_they_chose(self):
        self.coordinator.company_ids |= self.city
        home = self.env["grant.today"].with_user(self.coordinator)
        for companies, shown in ((self.company, True), (self.city, False)):
            chosen = home.with_context(allowed_company_ids=companies.ids)
            keys = [tile["key"] for tile in chosen.get_today()["tiles"]]
            self.assertEqual("certify" in keys, shown)
            self.assertEqual(bool(chosen.get_counts()), bool(keys))
