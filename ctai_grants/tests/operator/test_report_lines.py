import psycopg2

from odoo import Command
from odoo.tools import SQL, mute_logger

from ..closing.test_due import DueCase
from .test_budget import BudgetCase

#: What was spent and received, by account: as foreseen, less 2 000 of pay.
ACTUAL = {
    "601": 2000, "622": 3000, "641": 10000, "645": 3000,
    "74com": 10000, "74dep": 6000, "756": 2000, "864": 1500, "870": 1500,
}  # fmt: skip


class ReportCase(BudgetCase, DueCase):
    """A paid subsidy with a budget, and the report of its operator."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_budgeted()

    @classmethod
    def make_budgeted(cls, paid=8000, **values):
        subsidy = cls.set_budget(cls.make_subsidy(**{"due_rule": "pro_rata", **values}))
        tranche = cls.make_tranche(subsidy, amount=paid, kind="advance")
        cls.make_tranche(subsidy, name="Solde", kind="balance", amount=10000 - paid)
        cls.sign(subsidy)
        cls.pay(tranche)
        return subsidy

    @classmethod
    def make_lined(cls, subsidy=None, **values):
        """A report in its lines, nothing in them yet."""
        subsidy = subsidy or cls.subsidy
        return (
            cls.env["grant.financial.report"]
            # Not by who accepts it.
            .with_user(cls.both_roles)
            .create(
                {
                    "subsidy_id": subsidy.id,
                    "exercise_start": "2021-10-25",
                    "exercise_end": "2022-06-30",
                    "version_id": cls.make_report_file(subsidy).id,
                    **values,
                }
            )
            .with_user(cls.coordinator)
        )

    @classmethod
    def fill(cls, report, **changes):
        amounts = {**ACTUAL, **{code.strip("_"): amount for code, amount in changes.items()}}
        for code, amount in amounts.items():
            cls.of(report, code).with_user(cls.both_roles).actual = amount
        return report

    @staticmethod
    def of(report, code):
        lines = report.line_ids.filtered(lambda line: line.account_id.code == code)
        return lines.filtered("budget_line_id") or lines


class TestLines(ReportCase):
    def test_a_line_of_each(self):
        report = self.make_lined()
        # 52, less the surplus that was not foreseen.
        self.assertEqual(len(report.line_ids), 51)
        self.assertEqual(self.of(report, "641").forecast, 12000)
        self.assertTrue(self.of(report, "74com").is_subsidy)
        self.assertEqual(self.of(report, "647").forecast, 0)
        self.assertEqual(report.budget_amount, 20000)

    def test_totals_come_from_the_lines(self):
        report = self.fill(self.make_lined())
        self.assertEqual(report.actual_amount, 18000)
        self.assertEqual(report.eligible_amount, 18000)
        # 6 000 of the department, 2 000 of fees; neither the subsidy nor what is in kind.
        self.assertEqual(report.other_income, 8000)
        self.assertEqual(report.due_amount, 9000)

    def test_totals_are_not_typed(self):
        report = self.fill(self.make_lined())
        for name in ("budget_amount", "actual_amount", "eligible_amount", "other_income"):
            for user in (self.coordinator, self.finance_officer, self.env.user):
                with self.subTest(name), self.assertRefused("added up from the lines"):
                    report.with_user(user)[name] = 1
        with self.assertRefused("added up from the lines"):
            self.make_lined(self.make_budgeted(), actual_amount=5)

    def test_without_budget_totals_are_typed_as_ever(self):
        report = self.make_report(self.make_paid_subsidy())
        self.assertFalse(report.line_ids)
        report.actual_amount = 21000
        self.assertEqual(report.actual_amount, 21000)

    def test_lines_without_budget(self):
        """Whoever has no budget in the system may report line by line all the same."""
        report = self.make_report(self.make_paid_subsidy())
        report.action_load_lines()
        self.assertEqual(report.budget_amount, 20000)
        self.assertEqual(report.actual_amount, 0)
        subsidy_line = report.line_ids.filtered("is_subsidy")
        self.assertEqual((subsidy_line.forecast, subsidy_line.heading), (10000, "74"))
        self.of(report, "641").actual = 15000
        self.assertEqual(report.due_amount, 7500)
        report.budget_amount = 30000
        self.assertEqual(report.due_amount, 5000)
        with self.assertRefused("added up from the lines"):
            report.actual_amount = 1

    def test_own_money_is_no_income(self):
        """What balances the budget is neither spent nor received."""
        report = self.fill(self.make_lined(), _insufprevisionnel=500)
        self.assertEqual(report.other_income, 8000)

    def test_gaps(self):
        report = self.fill(self.make_lined(), _625=40)
        pay = self.of(report, "641")
        self.assertEqual((pay.gap, round(pay.gap_percent, 1)), (-2000, -16.7))
        self.assertTrue(pay.asks_comment)
        # Within the threshold, and nothing foreseen at all.
        self.assertFalse(self.of(report, "601").asks_comment)
        self.assertTrue(self.of(report, "625").asks_comment)
        self.assertIn("641 Pay of staff", report.advice)
        pay.comment = "Un poste vacant"
        self.assertFalse(pay.asks_comment)
        self.company.grant_gap_percent = 0
        self.assertNotIn("Explain", report.advice)

    def test_advice(self):
        report = self.fill(self.make_lined())
        self.assertNotIn("in kind", report.advice)
        self.fill(report, _870=1000)
        self.assertIn("should be equal", report.advice)
        self.fill(report, _756=5000)
        self.assertIn("leaves a surplus", report.advice)
        self.fill(report, _756=0)
        self.assertIn("what covered the difference", report.advice)
        self.fill(report, _74com=8000)
        self.assertIn("The line of this subsidy says", report.advice)

    def test_funders_are_added_and_nothing_else(self):
        report = self.make_lined()
        add = {"name": "Fondation", "actual": 100}
        account = self.account("74aidespriv").id
        report.income_line_ids = [Command.create({**add, "account_id": account})]
        self.assertEqual(report.other_income, 100)
        with self.assertRefused("only funders (74) are added"):
            report.line_ids = [Command.create({**add, "account_id": self.account("641").id})]
        added = report.line_ids.filtered(lambda line: line.name == "Fondation")
        with self.assertRefused("leave it at zero"):
            self.of(report, "641").unlink()
        added.unlink()
        self.assertEqual(report.other_income, 0)

    def test_what_comes_of_the_form_is_not_typed(self):
        report = self.make_lined()
        line = self.of(report, "641")
        with self.assertRefused("not typed in", exception=Exception):
            line.with_user(self.coordinator).forecast = 5
        with self.assertRefused("cannot be changed"):
            line.account_id = self.account("647")
        with self.assertRefused("cannot be changed"):
            line.name = "Autre"

    def test_deleting_a_draft(self):
        report = self.fill(self.make_lined())
        lines = report.line_ids
        report.unlink()
        self.assertFalse(lines.exists())
        self.assertFalse(self.verify())

    @mute_logger("odoo.sql_db")
    def test_amounts(self):
        line = self.of(self.make_lined(), "641")
        for values in ({"actual": -1}, {"actual": 5, "refused_amount": 6}):
            with self.assertRaises(psycopg2.IntegrityError), self.env.cr.savepoint():
                line.write(values)
                line.flush_recordset()


class TestReview(ReportCase):
    def test_refused_spending(self):
        report = self.fill(self.make_lined())
        line = self.of(report, "622")
        line.refused_amount = 1000
        self.assertEqual(report.eligible_amount, 17000)
        self.assertEqual(report.due_amount, 8500)
        with self.assertRefused("622", "write why it is refused"):
            report.action_accept()
        line.refused_ground = "Facture hors période"
        report.action_accept()
        self.assertEqual(self.subsidy.justified_amount, 8500)
        self.assertFalse(self.verify())

    def test_only_charges_are_refused(self):
        report = self.fill(self.make_lined())
        for code in ("756", "864"):
            with self.subTest(code), self.assertRefused("only charges are refused"):
                self.of(report, code).refused_amount = 1

    def test_accepted_it_is_frozen(self):
        report = self.fill(self.make_lined())
        report.action_accept()
        line = self.of(report, "641")
        for name in ("actual", "refused_amount", "refused_ground", "comment"):
            with self.subTest(name), self.assertRefused("cannot be changed any more"):
                line[name] = "1" if name in ("refused_ground", "comment") else 1
        with self.assertRefused("Adding to a financial report"):
            report.line_ids = [
                Command.create({"account_id": self.account("74fe").id, "name": "FSE"})
            ]

    def test_the_verifier_adds_up_itself(self):
        report = self.fill(self.make_lined(), _625=10)
        report.action_accept()
        self.assertFalse(self.verify())
        self.env.cr.execute(
            SQL("UPDATE grant_report_line SET actual = 11 WHERE id = %s", self.of(report, "625").id)
        )
        self.env.invalidate_all()
        found = "\n".join(self.verify())
        self.assertIn("Actual Charges", found)

    def test_accounts_in_use_keep_their_place(self):
        self.fill(self.make_lined())
        account = self.account("641").with_user(self.administrator)
        for vals in ({"heading": "60"}, {"is_balancing": True}, {"code": "X"}):
            with self.subTest(vals), self.assertRefused("have it already"):
                account.write(vals)
        account.write({"name": "Salaires", "heading": "64"})


class TestShifts(ReportCase):
    def make_shifted(self, percent):
        subsidy = self.make_budgeted(shift_percent=percent)
        # 2 000 of the pay went to fees: 10 % of 20 000.
        return self.fill(self.make_lined(subsidy), _622=5000, _756=4000)

    def test_within_the_tolerance(self):
        report = self.make_shifted(10)
        self.assertEqual(report.shift_percent, 10)
        self.assertNotIn("moved between", report.advice)
        report.action_accept()
        self.assertEqual(report.state, "accepted")

    def test_beyond_an_amendment_is_asked_for(self):
        report = self.make_shifted(9)
        self.assertIn("10.0 % of the budget moved", report.advice)
        with self.assertRefused("Sign an amendment to the budget"):
            report.action_accept()
        self.amend(report.subsidy_id, _641=10000, _622=5000).with_user(
            self.finance_manager
        ).action_sign()
        # The report follows the budget.
        self.assertEqual(self.of(report, "622").forecast, 5000)
        self.assertEqual(report.shift_percent, 0)
        report.action_accept()
        self.assertFalse(self.verify())

    def test_or_what_is_beyond_is_refused(self):
        report = self.make_shifted(9)
        self.of(report, "622").write({"refused_amount": 200, "refused_ground": "Au-delà"})
        self.assertEqual(report.shift_percent, 9)
        report.action_accept()
        self.assertEqual(report.eligible_amount, 19800)

    def test_a_convention_that_says_nothing(self):
        report = self.make_shifted(0)
        report.action_accept()

    def test_spending_more_on_top_moves_nothing(self):
        subsidy = self.make_budgeted(shift_percent=5)
        report = self.fill(self.make_lined(subsidy), _641=12000, _622=9000)
        self.assertEqual(report.shift_percent, 0)

    def test_a_line_that_the_amendment_adds(self):
        subsidy = self.make_budgeted()
        report = self.fill(self.make_lined(subsidy))
        amendment = self.amend(subsidy, _641=11000)
        amendment.budget_line_ids = [Command.create({
            "item_model": "grant.budget.line", "amount": 1000, "name": "Transport",
            "budget_account_id": self.account("625").id,
        })]  # fmt: skip
        amendment.with_user(self.finance_manager).action_sign()
        self.assertEqual(self.of(report, "625").forecast, 1000)
        self.assertEqual(len(report.line_ids), 51)
        self.assertEqual(report.budget_amount, 20000)
