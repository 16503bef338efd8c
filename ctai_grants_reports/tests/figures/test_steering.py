import datetime

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.common import GrantsCommon

DAY = datetime.date.fromisoformat


class TestSteering(GrantsCommon):
    """A contract on one page: each figure by hand, and what opens behind it adds up to it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.theme = cls.env["grant.theme"].create({"name": "Test theme", "sequence": 900})
        cls.subsidy = cls.make_subsidy(
            amount=10000,
            action_ids=[Command.create(
                {"name": "Un", "amount": 10000, "theme_ids": cls.theme.ids}
            )],
        )  # fmt: skip
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.advance = cls.make_tranche(cls.subsidy, amount=4000, due_date="2021-11-15")
        cls.make_tranche(cls.subsidy, amount=6000, name="Solde", due_date="2022-07-15")
        cls.sign(cls.subsidy)
        cls.pay(cls.advance)

    def page(self, user=None):
        with freeze_time("2022-08-01"):
            return self.contract.with_user(user or self.reader).get_steering()

    def count(self, window, name="amount"):
        records = self.env[window["res_model"]].with_user(self.reader).search(window["domain"])
        return sum(records.mapped(name))

    def test_the_screens_are_styled(self):
        """One rule that does not compile takes the style of the whole back office away."""
        bundle = self.env["ir.qweb"]._get_asset_bundle("web.assets_web", js=False)
        bundle.preprocess_css()
        self.assertFalse(bundle.css_errors)

    def test_figures_and_what_is_behind(self):
        page = self.page()
        tiles = {tile["open"]["domain"][-1][2]: tile for tile in page["tiles"][:6]}
        for kind, amount in (("allocation", 200000), ("commitment", 10000), ("payment", 4000)):
            self.assertIn(f"{amount:,}.00", tiles[kind]["value"])
            self.assertEqual(self.count(tiles[kind]["open"]), amount)
        envelope = page["envelopes"][0]
        self.assertEqual([bar["share"] for bar in envelope["bars"]], [6, 2, 0])
        self.assertEqual(self.count(envelope["bars"][1]["open"]), 4000)
        (theme,) = page["themes"]["rows"]
        self.assertEqual((theme["name"], theme["actions"], theme["share"]), ("Test theme", 1, 40))
        self.assertEqual(self.count(theme["open"]), 10000)
        self.assertEqual(self.count(theme["open_paid"]), 4000)

    def test_payments_against_their_schedule(self):
        months = {month["name"]: month for month in self.page()["schedule"]["rows"]}
        november, july = months["Nov 2021"], months["Jul 2022"]
        self.assertEqual((november["amounts"], july["amounts"]), ([4000, 4000], [6000, 0]))
        self.assertEqual((november["paid_share"], july["due_share"]), (66, 100))
        self.assertEqual(self.count(july["open_due"]), 6000)
        self.assertEqual(self.count(november["open_paid"]), 4000)
        self.assertEqual(self.count(july["open_paid"]), 0)

    def test_late_pieces(self):
        late = self.page()["late"]
        self.assertEqual((late["count"], late["rows"][0]["days"]), (1, "32 days"))

    def test_an_empty_contract_and_a_huge_one(self):
        contract = self.env["grant.contract"].create(
            {"name": "Vide", "code": "VIDE", "funder_id": self.prefecture.id}
        )
        page = contract.with_user(self.reader).get_steering()
        self.assertEqual((page["envelopes"], page["late"]["count"]), ([], 0))
        self.assertIn(b"%PDF", contract.with_user(self.reader)._print_steering()[1][:8])
        for number in range(40):
            self.make_deliverable(self.subsidy, self.env.user, name=f"Pièce {number} " + "x" * 150)
        late = self.page()["late"]
        self.assertEqual((late["count"], len(late["rows"]), late["more"]), (41, 12, 29))
        with freeze_time("2022-08-01"):
            self.assertIn(b"%PDF", self.contract._print_steering()[1][:8])

    def test_small_counts_do_not_leave_by_the_pdf(self):
        indicator = self.env["grant.indicator"].create(
            {"name": "Test people", "code": "tp", "kind": "count", "aggregation": "sum",
             "frequency": "once"}
        )  # fmt: skip
        subsidy = self.make_subsidy(amount=100, partner_id=self.other_operator.id)
        target = self.env["grant.indicator.target"].create(
            {"subsidy_id": subsidy.id, "indicator_id": indicator.id, "target": 40,
             "frequency": "once"}
        )  # fmt: skip
        self.sign(subsidy)
        with freeze_time("2022-07-10"):
            errors = subsidy.with_user(self.other_operator_user)._enter_figures([{
                "target": target, "period": target._get_periods().popitem()[0], "known": 0,
                "value": 3, "base": None, "comment": "",
            }])  # fmt: skip
        self.assertFalse(errors)
        (line,) = self.page()["indicators"]["rows"]
        self.assertEqual((line["value"], line["rate"]), ("3", "7 %"))
        (theme,) = self.contract._get_published_indicators()
        self.assertEqual(theme["indicators"][0]["rows"][0]["cells"], ["< 5"])
        data = {}

        def note(_self, _template, given, *_args):
            data.update(given)
            return b""

        self.patch(self.registry["grant.contract"], "_typeset", note)
        with freeze_time("2022-08-01"):
            self.contract._print_steering()
        self.assertNotIn("'7 %'", str({k: v for k, v in data.items() if k != "indicators"}))
        self.assertNotIn("indicators", data)

    def test_who_may(self):
        for user in (self.coordinator, self.finance_officer):
            self.assertTrue(self.page(user))
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                self.page(user)
