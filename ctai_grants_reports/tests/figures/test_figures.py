import datetime

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import new_test_user

from odoo.addons.ctai_grants.tests.common import GrantsCommon

DAY = datetime.date.fromisoformat


class TestFigures(GrantsCommon):
    """The ledger put together: every figure is calculated by hand here."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.health, cls.housing = cls.env["grant.theme"].create(
            [{"name": "Test health", "sequence": 901}, {"name": "Test housing", "sequence": 902}]
        )
        cls.youth = cls.env["grant.audience"].create({"name": "Test youth", "code": "ty"})
        # Three actions of 10 000 €: a third of 1 000 € has no end.
        cls.subsidy = cls.make_subsidy(
            amount=9999,
            action_ids=[
                Command.create({"name": "One", "amount": 3333, "theme_ids": cls.health.ids}),
                Command.create(
                    {"name": "Two", "amount": 3333, "theme_ids": (cls.health | cls.housing).ids,
                     "audience_ids": cls.youth.ids}
                ),
                Command.create({"name": "Three", "amount": 3333}),
            ],
        )  # fmt: skip
        cls.advance = cls.make_tranche(cls.subsidy, amount=1000)
        cls.sign(cls.subsidy)
        cls.pay(cls.advance)
        cls.plain = cls.sign(cls.make_subsidy(amount=500, partner_id=cls.other_operator.id))
        cls.figures = cls.env["grant.figure"].with_user(cls.reader)

    def sums(self, name, groupby, domain=()):
        found = self.figures._read_group(
            [("contract_id", "=", self.contract.id), *domain], [groupby], [f"{name}:sum"]
        )
        return {key or "": amount for key, amount in found if amount}

    def test_shares_of_a_payment_add_up_to_it(self):
        # 333,33 + 333,34 + 333,33: nothing twice, not a cent lost.
        self.assertEqual(
            self.sums("paid", "themes"),
            {"Test health": 333.33, "Test health + Test housing": 333.34, "": 333.33},
        )
        self.assertEqual(
            self.sums("committed", "themes"),
            {"Test health": 3333, "Test health + Test housing": 3333, "": 3333 + 500},
        )
        self.assertEqual(self.sums("paid", "audiences"), {"Test youth": 333.34, "": 666.66})
        self.assertEqual(self.sums("allocated", "themes"), {"": 200000})

    def test_by_envelope_as_the_ledger_says(self):
        for kind, name in (("commitment", "committed"), ("payment", "paid")):
            ledger = self.env["grant.entry"]._read_group(
                [("contract_id", "=", self.contract.id), ("kind", "=", kind)],
                ["envelope_id"], ["amount:sum"],
            )  # fmt: skip
            self.assertEqual(self.sums(name, "envelope_id"), dict(ledger))
            actions = self.sums(name, "action_id")
            self.assertEqual(round(sum(actions.values()), 2), sum(dict(ledger).values()))

    def test_as_at_a_date(self):
        before = [("date", "<=", "2021-11-24")]
        self.assertEqual(self.sums("paid", "themes", before), {})
        self.assertEqual(sum(self.sums("committed", "themes", before).values()), 10499)
        self.assertEqual(self.sums("committed", "envelope_id", [("date", "<=", "2021-10-24")]), {})
        self.assertEqual(self.sums("paid", "date:month"), {DAY("2021-11-01"): 1000})

    def test_kinds_are_not_added_up(self):
        self.assertEqual(
            self.sums("amount", "kind"),
            {"allocation": 200000, "commitment": 10499, "payment": 1000},
        )
        self.assertEqual(self.sums("amount", "contract_id"), {})
        self.assertEqual(
            self.sums("amount", "contract_id", [("kind", "=", "payment")]), {self.contract: 1000}
        )

    def test_it_counts_entries_not_shares(self):
        domain = [("contract_id", "=", self.contract.id), ("kind", "=", "payment")]
        self.assertEqual(self.figures._read_group(domain, [], ["__count"]), [(1,)])
        by_theme = self.figures._read_group(domain, ["themes"], ["__count"])
        self.assertEqual([count for _theme, count in by_theme], [1, 1, 1])

    def test_the_client_s_own_call(self):
        """What the pivot asks for: all groupings at once."""
        domain = [("contract_id", "=", self.contract.id), ("date", "<=", "2021-12-31")]
        whole, by_theme = self.figures.formatted_read_grouping_sets(
            domain, [[], ["themes"]], ["paid:sum", "committed:sum", "__count"]
        )
        self.assertEqual(whole[0]["paid:sum"], 1000)
        self.assertEqual(sum(group["committed:sum"] for group in by_theme), 10499)

    def test_groups_stand_in_the_order_of_their_model(self):
        domain = [("contract_id", "=", self.contract.id)]
        for spec in ("subsidy_id", "kind", "date:month"):
            plain = self.figures.formatted_read_group(domain, [spec], ["__count"])
            (sets,) = self.figures.formatted_read_grouping_sets(domain, [[spec]], ["__count"])
            found = [one[spec] for one in sets]
            self.assertEqual(
                [one for one in found if one], [one[spec] for one in plain if one[spec]]
            )
            # Nothing comes last.
            self.assertTrue(all(found[:-1]))

    def test_behind_a_figure_stand_its_entries(self):
        group = self.figures.search(
            [("contract_id", "=", self.contract.id), ("kind", "=", "payment"),
             ("themes", "=", "Test health + Test housing")]
        )  # fmt: skip
        self.assertEqual(group.amount, 333.34)
        action = group.action_open_entry()
        entry = self.env["grant.entry"].browse(action["res_id"])
        self.assertEqual((action["res_model"], entry.amount), ("grant.entry", 1000))
        self.assertEqual(entry.origin_id, self.advance.id)

    def test_names_are_the_reader_s(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.health.with_context(lang="fr_FR").name = "Santé d'essai"
        domain = [("contract_id", "=", self.contract.id), ("kind", "=", "payment")]
        french = self.figures.with_context(lang="fr_FR")._read_group(domain, ["themes"])
        self.assertIn(("Santé d'essai + Test housing",), french)

    def test_another_city_s_are_not_there(self):
        company = self.env["res.company"].create({"name": "Autre ville"})
        user = new_test_user(
            self.env, "test_other_city", "ctai_grants.group_administrator",
            company_id=company.id, company_ids=company.ids,
        )  # fmt: skip
        figures = self.env["grant.figure"].with_user(user)
        self.assertFalse(figures.search([]))
        self.assertEqual(figures._read_group([], ["themes"], ["paid:sum"]), [])
        self.assertEqual(figures._read_group([], [], ["__count"]), [(0,)])
        mine = self.figures.search([("contract_id", "=", self.contract.id)])
        with self.assertRaises(AccessError):
            mine.with_user(user).mapped("amount")

    def test_not_for_the_portal_nor_to_be_written(self):
        for user in self.portal_users:
            with self.assertRaises(AccessError):
                self.env["grant.figure"].with_user(user)._read_group([], ["themes"], ["paid:sum"])
        line = self.figures.search([("contract_id", "=", self.contract.id)], limit=1)
        with self.assertRaises(AccessError):
            line.with_user(self.administrator).write({"amount": 1})

    def test_a_context_of_the_client_changes_nothing(self):
        domain = [("contract_id", "=", self.contract.id), ("kind", "=", "payment")]
        figures = self.figures.with_context(grant_figures=True)
        self.assertEqual(len(figures.search(domain)), 3)
