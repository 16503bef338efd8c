import datetime
from unittest.mock import PropertyMock, patch

from odoo import Command
from odoo.tests import Form

from ...models.guard import transition
from .test_own_cost import DECEMBER, NOVEMBER, OwnCostCase

NEXT_YEAR = datetime.date(2023, 1, 10)


class TestOwnCostReversal(OwnCostCase):
    """A reversal belongs where the entry belongs that it takes back."""

    def test_reversed_in_the_next_year(self):
        move = self.book(1000)
        move._reverse_moves([{"date": NEXT_YEAR}]).action_post()
        self.assertPaid({NOVEMBER: 1000, NEXT_YEAR: -1000})
        self.assertFalse(self.cost.cost_ids.filtered("reason"))

    def test_into_the_period_of_another_cost(self):
        later = self.make_cost(date_start="2022-07-01", date_end="2022-12-31", amount=500)
        self.book(300, datetime.date(2022, 7, 31))
        move = self.book(1000)
        august = datetime.date(2022, 8, 1)
        back = move._reverse_moves([{"date": august}])
        back.action_post()
        self.assertPaid({NOVEMBER: 1000, august: -1000})
        self.assertEqual(later.paid_amount, 300)
        # Reversed in turn, it is a cost of the first year again.
        again = back._reverse_moves([{"date": NEXT_YEAR}])
        again.action_post()
        self.assertPaid({NOVEMBER: 1000, august: -1000, NEXT_YEAR: 1000})
        self.assertEqual(later.paid_amount, 300)

    def test_of_what_was_no_cost(self):
        """Booked before the signature, it was not counted: its reversal is not either."""
        self.book(700)
        move = self.book(1000, datetime.date(2021, 10, 24))
        move._reverse_moves([{"date": DECEMBER}]).action_post()
        self.assertPaid({NOVEMBER: 700})

    def test_linked_and_unlinked_later(self):
        move = self.book(1000)
        back = self.book(-1000, NEXT_YEAR)
        self.assertPaid({NOVEMBER: 1000})
        back.reversed_entry_id = move
        self.assertPaid({NOVEMBER: 1000, NEXT_YEAR: -1000})
        back.reversed_entry_id = False
        self.assertPaid({NOVEMBER: 1000})

    def test_the_original_moves(self):
        move = self.book(1000, DECEMBER)
        back = move._reverse_moves([{"date": NEXT_YEAR}])
        back.action_post()
        move.button_draft()
        move.write({"name": False, "date": "2023-02-01"})
        # Neither is of the period any more.
        self.assertPaid({})

    def test_in_a_circle(self):
        move, other = self.book(1000), self.book(-400, DECEMBER)
        move.reversed_entry_id, other.reversed_entry_id = other, move
        self.assertPaid({NOVEMBER: 1000, DECEMBER: -400})


class TestOwnCostShares(OwnCostCase):
    """A cost counts once at most, and to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        vals = {
            "name": "Third", "code": "C", "amount": 50000, "contract_id": cls.contract.id,
            "state": "in_force",
        }  # fmt: skip
        envelopes = cls.env["grant.envelope"]
        cls.second = transition.creating(envelopes, [vals]).create(vals).with_env(cls.env)
        cls.second._post_allocation(cls.contract, datetime.date(2021, 10, 21), 1)
        cls.other_cost = cls.make_cost(envelope_id=cls.second.id)
        cls.first_key, cls.second_key = (
            str(envelope._get_analytic_account().id) for envelope in (cls.envelope, cls.second)
        )

    def split(self, amount, first, second, **values):
        shares = {self.first_key: first, self.second_key: second}
        return self.book(amount, analytic_distribution=shares, **values)

    def test_more_than_all_of_it(self):
        for first, second in ((100, 100), (60, 60), (-50, 150), (0, 100.01)):
            with (
                self.subTest(first=first, second=second),
                self.assertRefused("counts once", f"{first:g} %", "between 0 and 100"),
            ):
                self.split(1000, first, second)
        both = {f"{self.first_key},{self.second_key}": 100}
        with self.assertRefused("counts once"):
            self.book(1000, analytic_distribution=both)
        # In draft nothing counts, and it is said when it is posted.
        move = self.split(1000, 100, 100, post=False)
        with self.assertRefused("counts once"):
            move.action_post()

    def test_changed_afterwards(self):
        item = self.split(1000, 60, 40).line_ids.filtered("analytic_distribution")
        with self.assertRefused("counts once"), self.env.cr.savepoint():
            item.analytic_distribution = {self.first_key: 60, self.second_key: 60}
        self.assertPaid({NOVEMBER: 600})

    def test_not_of_a_closed_period(self):
        move = self.book(1000)
        self.company.sudo().hard_lock_date = "2021-12-31"
        with self.assertRefused(move.name, "12/31/2021"), self.env.cr.savepoint():
            move.line_ids.filtered("analytic_distribution").analytic_distribution = False
        self.assertPaid({NOVEMBER: 1000})

    def test_from_before(self):
        """What was booked before this was refused counts once, in proportion."""
        item = self.split(1000, 60, 40).line_ids.filtered("analytic_distribution")
        for first, second, paid in ((100, 100, 500), (-50, 150, 0), (60, 60, 500)):
            self.env.flush_all()
            self.env.cr.execute(
                "UPDATE account_move_line SET analytic_distribution = "
                "jsonb_build_object(%s, %s::numeric, %s, %s::numeric) WHERE id = %s",
                [self.first_key, first, self.second_key, second, item.id],
            )
            self.env["grant.own.cost"]._sync(self.envelope | self.second)
            with self.subTest(first=first, second=second):
                self.env.invalidate_all()
                self.assertEqual(self.cost.paid_amount, paid)
                self.assertEqual(self.cost.paid_amount + self.other_cost.paid_amount, 1000)

    def test_to_the_cent(self):
        for amount, first in (
            (100.01, 50), (0.01, 50), (33.33, 33.33), (-100.01, 50), (9.99, 12.5)
        ):  # fmt: skip
            before = self.cost.paid_amount + self.other_cost.paid_amount
            self.book(500)  # What falls, falls from something.
            self.split(amount, first, 100 - first)
            self.env.invalidate_all()
            after = self.cost.paid_amount + self.other_cost.paid_amount
            with self.subTest(amount=amount):
                self.assertAlmostEqual(after - before, amount + 500, places=6)
        self.assertFalse(self.verify())

    def test_plans_beside(self):
        """Shares of another plan are no shares of envelopes."""
        plan = self.env["account.analytic.plan"].create({"name": "Services"})
        service = self.env["account.analytic.account"].create({"name": "S", "plan_id": plan.id})
        shares = {self.first_key: 100, str(service.id): 100}
        self.book(1000, analytic_distribution=shares)
        self.assertPaid({NOVEMBER: 1000})


class TestOwnCostAccounts(OwnCostCase):
    """Which accounts are followed: no setting moves money without saying so."""

    def change(self, accounts, reason="Compte remplacé", user=None):
        wizard = self.env["grant.own.cost.accounts"].with_user(user or self.administrator)
        wizard = wizard.create({"account_ids": [Command.set(accounts.ids)], "reason": reason})
        effect = wizard.effect
        wizard.action_confirm()
        return effect

    def test_no_money_no_question(self):
        self.company.grant_own_cost_account_ids |= self.other_account
        self.company.grant_own_cost_account_ids -= self.other_account
        self.assertNotIn(self.other_account, self.company.grant_own_cost_account_ids)

    def test_not_by_the_setting(self):
        self.book(500)
        followed = self.company.grant_own_cost_account_ids
        for value in (False, (followed - self.pay).ids, [Command.unlink(self.pay.id)]):
            with self.subTest(value=value), self.assertRefused(
                self.cost.code, "500.00", "Change the accounts"
            ):
                self.company.grant_own_cost_account_ids = value
        with self.assertRefused("Change the accounts"):
            settings = self.env["res.config.settings"].create({
                "grant_own_cost_account_ids": [Command.clear()]
            })  # fmt: skip
            settings.execute()
        self.assertPaid({NOVEMBER: 500})
        # What is booked on another account already would come in silently.
        self.book(300, account=self.other_account)
        with self.assertRefused("followed anew", "300.00"):
            self.company.grant_own_cost_account_ids |= self.other_account

    def test_the_setting_says_so(self):
        """Once the ledger counts on them, the form of the settings does not offer to drop one."""
        settings = Form(self.env["res.config.settings"])
        self.assertTrue(settings.grant_own_costs_followed)
        with self.assertRaisesRegex(AssertionError, "not editable"):
            settings.grant_own_cost_account_ids.clear()
        other = self.env["res.company"].create({"name": "Autre commune"})
        self.env.user.company_ids |= other
        settings = self.env["res.config.settings"].with_company(other).new()
        self.assertFalse(settings.grant_own_costs_followed)

    def test_by_its_act(self):
        self.book(500)
        self.book(300, account=self.other_account)
        accounts = self.company.grant_own_cost_account_ids
        effect = self.change(accounts - self.pay + self.other_account)
        self.assertIn("200.00", effect)
        self.assertPaid({NOVEMBER: 300})
        self.assertIn("Compte remplacé", self.cost.message_ids[:1].body)
        with self.assertRefused("reason"):
            self.change(accounts, reason=" ")
        with self.assertRefused("access", exception=Exception):
            self.change(accounts, user=self.finance_officer)

    def test_not_of_a_closed_contract(self):
        self.book(500)
        self.ask(self.cost, "close", self.finance_manager)
        self.contract.with_user(self.finance_manager).action_close()
        with self.assertRefused(self.cost.code, "closed"):
            self.change(self.company.grant_own_cost_account_ids - self.pay)

    def test_archived(self):
        """An archived account keeps what was booked on it, and still follows it."""
        move = self.book(500)
        self.pay.active = False
        self.env["grant.own.cost"]._cron_sync()
        self.assertPaid({NOVEMBER: 500})
        move.button_draft()
        self.assertPaid({})
        self.company.grant_own_cost_account_ids |= self.other_account
        self.assertIn(self.pay, self.company.grant_own_cost_account_ids)


class TestWhereCostsMatter(OwnCostCase):
    def test_not_for_operators(self):
        """Neither a form nor a list of operators' subsidies looks for costs in accounting."""
        subsidies = self.sign(self.make_subsidy()) | self.make_subsidy()
        with patch.object(
            self.registry["grant.own.cost"], "_table_query", PropertyMock(side_effect=ValueError)
        ):
            self.env.invalidate_all()
            self.assertFalse(subsidies.with_env(self.env).cost_ids)
            self.assertFalse(any(subsidies.mapped("not_covered_amount")))
            with self.assertRaises(ValueError):
                self.cost.cost_ids.mapped("amount")

    def test_together(self):
        self.book(10800)
        other = self.sign(self.make_subsidy()).with_env(self.env)
        both = self.cost | other
        self.env.invalidate_all()
        self.assertEqual(both.mapped("not_covered_amount"), [800, 0])
        self.assertEqual(both.mapped("cost_ids.amount"), [10800])
