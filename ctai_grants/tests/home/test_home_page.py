import datetime

from odoo import fields
from odoo.exceptions import AccessError
from odoo.tests import tagged

from odoo.addons.http_routing.tests.common import MockRequest

from ..common import PDF, GrantsCommon


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

    def test_the_first_steps_of_a_city(self):
        """Ticked by the data; gone with the first subsidy."""
        self.assertFalse(self.get_page(self.administrator)["steps"])
        city = self.env["res.company"].create({"name": "Ville neuve", "country_id": False})
        self.coordinator.company_ids |= city

        def get_steps(user):
            home = self.env["grant.today"].with_user(user).with_company(city)
            self.env.flush_all()
            return home.get_today()["steps"]

        steps = get_steps(self.coordinator)
        self.assertEqual([step["done"] for step in steps[:4]], [False] * 4)
        self.assertFalse(steps[0]["open"], "who may not change the company is not sent there")
        self.assertTrue(steps[3]["open"])
        (self.finance_officer | self.finance_manager).company_ids |= city
        self.assertTrue(get_steps(self.coordinator)[2]["done"])
        self.assertFalse(get_steps(self.coordinator)[-1]["done"])

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

    def count_statements(self):
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        self.env["grant.today"].with_user(self.administrator).get_today()
        return self.env.cr.sql_log_count - before
