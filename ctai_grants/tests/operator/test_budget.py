import psycopg2

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import Form
from odoo.tools import mute_logger

from ..common import GrantsCommon

#: code of the account: (funder, euros); both sides are 20 000.
BUDGET = {
    "601": (False, 2000),
    "622": (False, 3000),
    "641": (False, 12000),
    "645": (False, 3000),
    "74com": ("Ville de test", 10000),
    "74dep": ("Département", 6000),
    "756": (False, 4000),
    "864": (False, 1500),
    "870": (False, 1500),
}


class BudgetCase(GrantsCommon):
    @classmethod
    def account(cls, code):
        return cls.env.ref(f"ctai_grants.budget_account_{code}")

    @classmethod
    def set_budget(cls, subsidy, **changes):
        """Enter :data:`BUDGET` as the coordinator; ``changes``: code without its underscore."""
        amounts = {**BUDGET, **{code.strip("_"): line for code, line in changes.items()}}
        subsidy.with_user(cls.coordinator).budget_line_ids = [
            Command.clear(),
            *(
                Command.create({
                    "account_id": cls.account(code).id,
                    "name": name,
                    "amount": amount,
                    "is_subsidy": code == "74com",
                })
                for code, (name, amount) in amounts.items()
            ),
        ]  # fmt: skip
        return subsidy

    def line(self, subsidy, code):
        return subsidy.budget_line_ids.filtered(lambda line: line.account_id.code == code)

    def amend(self, subsidy, **amounts):
        """Sign an amendment that gives these accounts other amounts (code without underscore)."""
        amendment = self.env["grant.amendment"].with_user(self.coordinator)
        amendment = amendment._draft("subsidy_id", subsidy)
        for line in amendment.budget_line_ids:
            code = line.account_id.code
            if f"_{code}" in amounts:
                line.amount = amounts[f"_{code}"]
        return self.complete(amendment)

    def complete(self, amendment):
        amendment.write({
            "reason": "Une autre répartition",
            "decision_number": "2021-0099",
            "decision_date": "2021-12-01",
            "executory_date": "2021-12-02",
            "signature_date": "2021-12-03",
            "attachment_ids": [Command.create({"name": "avenant.pdf", "raw": b"%PDF-1.7 "})],
        })  # fmt: skip
        return amendment


class TestNomenclature(BudgetCase):
    def test_the_lines_of_the_form(self):
        accounts = self.env["grant.budget.account"].search([("is_total", "=", False)])
        self.assertEqual(len(accounts), 52)
        sides = accounts.grouped("side")
        self.assertEqual(len(sides["expense"]), 29)
        self.assertEqual(len(sides["income"]), 23)
        self.assertEqual(set(accounts.filtered("in_kind").mapped("heading")), {"86", "87"})
        self.assertEqual(self.account("641").display_name, "641 Pay of staff")
        # The form's own codes are no account numbers.
        self.assertEqual(self.account("excprev").display_name, "Surplus foreseen (profit)")

    def test_who_changes_it(self):
        account = self.account("641")
        with self.assertRaises(AccessError):
            account.with_user(self.coordinator).name = "Salaires"
        account.with_user(self.administrator).name = "Salaires"


class TestBudget(BudgetCase):
    def test_totals(self):
        subsidy = self.set_budget(self.make_subsidy())
        self.assertEqual(subsidy.budget_expense, 20000)
        self.assertEqual(subsidy.budget_income, 20000)
        self.assertEqual(subsidy.budget_in_kind, 1500)
        self.assertFalse(subsidy.budget_warning)

    def test_a_subsidy_without_budget_is_signed(self):
        subsidy = self.sign(self.make_subsidy())
        self.assertFalse(subsidy.budget_warning)

    def test_a_draft_warns_and_the_signature_refuses(self):
        cases = {
            "are not equal": {"_641": (False, 12001)},
            "Contributions in kind": {"_870": (False, 1400)},
            "The line of this subsidy says": {
                "_74com": ("Ville de test", 9000), "_756": (False, 5000)
            },
        }  # fmt: skip
        for sentence, changes in cases.items():
            with self.subTest(sentence):
                subsidy = self.set_budget(self.make_subsidy(), **changes)
                self.assertIn(sentence, subsidy.budget_warning)
                subsidy.action_grant()
                with self.assertRefused("is not ready", sentence):
                    subsidy.action_sign()
                self.assertEqual(subsidy.state, "granted")

    def test_no_line_is_the_subsidy(self):
        subsidy = self.set_budget(self.make_subsidy())
        self.line(subsidy, "74com").is_subsidy = False
        self.assertIn("No line under 74 is this subsidy", subsidy.budget_warning)
        with self.assertRefused("income under 74"):
            self.line(subsidy, "756").is_subsidy = True

    def test_one_line_each(self):
        subsidy = self.set_budget(self.make_subsidy())
        add = {"subsidy_id": subsidy.id, "amount": 1}
        lines = self.env["grant.budget.line"]
        with self.assertRaises(psycopg2.IntegrityError), mute_logger("odoo.sql_db"):
            lines.create({**add, "account_id": self.account("641").id}).flush_recordset()

    def test_one_line_a_funder(self):
        subsidy = self.set_budget(self.make_subsidy())
        add = {"subsidy_id": subsidy.id, "amount": 1}
        lines = self.env["grant.budget.line"]
        lines.create({**add, "account_id": self.account("74dep").id, "name": "Autre"})

    def test_signed_it_is_frozen(self):
        subsidy = self.sign(self.set_budget(self.make_subsidy(shift_percent=10)))
        line = self.line(subsidy, "641")
        for user in (self.coordinator, self.administrator, self.env.user):
            with self.assertRefused("Change it by an amendment"):
                line.with_user(user).amount = 1
        with self.assertRefused("cannot be changed any more"):
            line.with_user(self.coordinator).account_id = self.account("647")
        with self.assertRefused("by an amendment"):
            line.with_user(self.coordinator).unlink()
        with self.assertRefused("by an amendment"):
            self.env["grant.budget.line"].with_user(self.coordinator).create(
                {"subsidy_id": subsidy.id, "account_id": self.account("647").id, "amount": 1}
            )
        with self.assertRefused("cannot be changed any more"):
            subsidy.shift_percent = 50
        self.assertEqual(len(subsidy.budget_line_ids), len(BUDGET))

    def test_a_city_s_own_cost_has_none(self):
        own = self.make_subsidy(kind="own_cost", partner_id=self.company.partner_id.id)
        with self.assertRefused("cost of the city"):
            self.set_budget(own)

    def test_a_draft_is_deleted_with_its_budget(self):
        subsidy = self.set_budget(self.make_subsidy())
        lines = subsidy.budget_line_ids
        subsidy.unlink()
        self.assertFalse(lines.exists())

    def test_the_form(self):
        with Form(self.make_subsidy()) as form:
            with form.budget_line_ids.new() as line:
                line.account_id = self.account("641")
                line.amount = 5
            self.assertEqual(form.budget_expense, 5)
            self.assertIn("not equal", form.budget_warning)


class TestBudgetAmendment(BudgetCase):
    def test_another_split(self):
        subsidy = self.sign(self.set_budget(self.make_subsidy()))
        amendment = self.amend(subsidy, _641=11000, _622=4000)
        self.assertIn("641 Pay of staff", amendment.summary)
        amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(self.line(subsidy, "641").amount, 11000)
        self.assertEqual(self.line(subsidy, "622").amount, 4000)
        self.assertFalse(subsidy.budget_warning)
        self.assertFalse(self.verify())

    def test_both_sides_stay_equal(self):
        subsidy = self.sign(self.set_budget(self.make_subsidy()))
        amendment = self.amend(subsidy, _641=11000)
        self.assertIn("are not equal", self.say(amendment.obstacles))
        with self.assertRefused("are not equal"):
            amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(self.line(subsidy, "641").amount, 12000)

    def test_a_line_is_added(self):
        subsidy = self.sign(self.set_budget(self.make_subsidy()))
        amendment = self.amend(subsidy, _641=11000)
        add = {"item_model": "grant.budget.line", "amount": 1000, "name": "Transport"}
        amendment.budget_line_ids = [Command.create(add)]
        self.assertIn("needs an account", self.say(amendment.obstacles))
        added = amendment.budget_line_ids.filtered(lambda line: not line.name_before)
        added.budget_account_id = self.account("625")
        amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(self.line(subsidy, "625").amount, 1000)
        self.assertEqual(self.line(subsidy, "625").name, "Transport")
        self.assertFalse(self.verify())

    def test_what_was_granted_changes_with_it(self):
        """An amendment to the amount alone leaves a budget that says another: refused."""
        subsidy = self.sign(self.set_budget(self.make_subsidy()))
        amendment = self.amend(subsidy)
        amendment.amount = 9000
        self.assertIn("The line of this subsidy says", self.say(amendment.obstacles))
        for line in amendment.budget_line_ids:
            if line.account_id.code in ("74com", "601"):
                line.amount -= 1000
        amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(subsidy.amount, 9000)
        self.assertEqual(self.line(subsidy, "74com").amount, 9000)


class TestBudgetImport(BudgetCase):
    def take(self, subsidy, text):
        wizard = self.env["grant.budget.import"].with_user(self.coordinator)
        return wizard.create({"subsidy_id": subsidy.id, "pasted": text}).action_confirm()

    def test_pasted(self):
        subsidy = self.make_subsidy()
        self.take(
            subsidy,
            "Budget de l'action\n"
            "Compte\tLibellé\tFinanceur\tMontant\n"
            "601\tMatières\t\t2 000,00\n"
            "65\tAutres charges\t\t3 000\n"
            "641\tRémunération\t\t15 000,00 €\n"
            "Total\t\t\t20 000\n"
            "74com\tCommune\tVille de test\t10 000\n"
            "74dep\tDépartement\tVienne\t5 000\n"
            "74dep\tDépartement\tDeux-Sèvres\t1 000\n"
            "756\tCotisations\t\t4 000\n"
            "758\tDons\t\t0\n",
        )
        self.assertFalse(subsidy.budget_warning)
        self.assertEqual(subsidy.budget_expense, 20000)
        self.assertEqual(self.line(subsidy, "65x").amount, 3000)
        self.assertEqual(set(self.line(subsidy, "74dep").mapped("name")), {"Vienne", "Deux-Sèvres"})
        self.assertTrue(self.line(subsidy, "74com").is_subsidy)

    def test_by_name(self):
        subsidy = self.make_subsidy()
        self.take(subsidy, "Poste;Montant\nPay of staff;100\n")
        self.assertEqual(self.line(subsidy, "641").amount, 100)

    def test_nothing_is_half_read(self):
        subsidy = self.set_budget(self.make_subsidy())
        head = "Compte;Montant\n641;100\n"
        for text, *parts in (
            (head + "999;5", "Line 3", "999"),
            # Three accounts are under 60.
            (head + "60;5", "Line 3", "60"),
            (head + "601;beaucoup", "Line 3", "Montant", "no amount of money"),
            (head + "601;1.234", "Line 3", "two ways"),
            (head + "601;-5", "not negative"),
            (head + "641;5", "there twice"),
            ("Compte;Libellé\n641;Paie", "No table has the columns"),
            ("", "The file is empty"),
        ):
            with self.subTest(text), self.assertRefused(*parts):
                self.take(subsidy, text)
            self.assertEqual(subsidy.budget_expense, 20000)

    def test_not_once_signed(self):
        subsidy = self.sign(self.set_budget(self.make_subsidy()))
        with self.assertRefused("Importing a budget"):
            self.take(subsidy, "Compte;Montant\n641;100\n")
        with self.assertRefused("Importing a budget"):
            subsidy.action_import_budget()
