from odoo.tests import freeze_time

from .common import AccountsCase, day

AMOUNTS = (
    "committed_amount", "before_amount", "ordered_amount", "attached_amount", "carried_amount",
    "unpaid_amount",
)  # fmt: skip


@freeze_time("2022-12-31 12:00:00")
class TestYearEnd(AccountsCase):
    def get(self, subsidy, year):
        return self.find("grant.year.end.line", subsidy_id=subsidy.id, year=year)

    def assertLine(self, subsidy, year, *amounts, same=True):
        line = self.get(subsidy, year)
        self.assertEqual(self.get_sums(line, *AMOUNTS), amounts)
        if same:
            self.assertFalse(line.remark, line.remark)
        return line

    def test_across_two_ends(self):
        """4 000.10 €: 1 000.10 paid, 500 ordered on 31/12, 700 certified on 31/12 and ordered on
        01/01, 800 certified on 01/01, 1 000 waiting."""
        tranches = self.make_tranches(1000.10, 500, 700, 800, 1000)
        subsidy = tranches.subsidy_id
        self.order_on(tranches[0], "2021-11-20")
        self.pay_on(tranches[0], "2021-12-30")
        self.order_on(tranches[1], "2021-12-31")
        self.pay_on(tranches[1], "2022-01-02")
        self.order_on(tranches[2], "2022-01-01", certified="2021-12-31")
        self.certify_on(tranches[3], "2022-01-01")
        self.assertLine(subsidy, 2021, 4000.10, 0, 1500.10, 700, 1800, 500)
        self.assertLine(subsidy, 2022, 4000.10, 1500.10, 700, 800, 1000, 700)

    def test_account_of_the_year(self):
        """M14 until 2022, M57 since 2023 by the settings; by the order's own account."""
        first, second = self.make_tranches(1000, 500)
        self.order_on(first, "2021-11-20")
        line = self.get(first.subsidy_id, 2021)
        bill = self.get_bill(first)
        self.assertEqual(line.account_id, bill.invoice_line_ids.account_id)
        found = self.env["grant.year.end.line"]._get_accounts(self.company, 2021)
        self.assertEqual(
            [(envelope, amount) for envelope, _account, amount in found], [(self.envelope, 1000)]
        )
        self.assertFalse(self.env["grant.year.end.line"]._get_accounts(self.company, 2022))

    def test_reduced(self):
        """An order reduced in the next year: what was taken off can be ordered again."""
        (tranche,) = self.make_tranches(1000)
        self.order_on(tranche, "2021-11-20")
        self.reduce_on(tranche, "2022-02-10", 150.55)
        line = self.assertLine(tranche.subsidy_id, 2021, 1000, 0, 1000, 0, 0, 1000, same=False)
        self.assertIn("849.45", line.remark)
        self.assertLine(
            tranche.subsidy_id, 2022, 1000, 1000, -150.55, 0, 150.55, 849.45, same=False
        )

    def test_returned_and_withdrawn(self):
        """A certificate taken back is nothing due; nor is one whose order was taken back."""
        first, second = self.make_tranches(300, 400)
        subsidy = first.subsidy_id
        self.certify_on(first, "2021-12-20")
        with freeze_time("2021-12-28 10:00:00"):
            self.ask(first, "return", self.coordinator)
        self.assertLine(subsidy, 2021, 700, 0, 0, 0, 700, 0)
        self.order_on(second, "2021-12-21")
        with freeze_time("2021-12-29 10:00:00"):
            self.ask(second, "withdraw", self.finance_officer)
        # Certified still, and not ordered any more.
        line = self.assertLine(subsidy, 2021, 700, 0, 0, 400, 300, 0, same=False)
        self.assertEqual(line.said_carried_amount, 300)

    def test_cancelled(self):
        first, second = self.make_tranches(300, 400)
        with freeze_time("2021-12-10 10:00:00"):
            self.ask(second, "cancel", self.finance_manager)
        line = self.assertLine(first.subsidy_id, 2021, 700, 0, 0, 0, 700, 0, same=False)
        # 400 € are committed and in no tranche.
        self.assertEqual(line.said_carried_amount, 300)

    def test_own_cost(self):
        cost = self.sign(
            self.make_subsidy(
                kind="own_cost", partner_id=self.company.partner_id.id, amount=900,
                decision_number=False, decision_date=False,
            )
        )  # fmt: skip
        self.book_cost(400.40, "2021-11-30")
        self.book_cost(600, "2022-01-31")
        self.assertLine(cost, 2021, 900, 0, 400.40, 0, 499.60, 0)
        self.assertLine(cost, 2022, 900, 400.40, 499.60, 0, 0, 0)

    def test_settled_years_have_no_line(self):
        (tranche,) = self.make_tranches(1000)
        self.order_on(tranche, "2021-11-20")
        self.pay_on(tranche, "2021-12-30")
        self.assertLine(tranche.subsidy_id, 2021, 1000, 0, 1000, 0, 0, 0)
        self.assertFalse(self.get(tranche.subsidy_id, 2022))

    def test_found_by_difference(self):
        (tranche,) = self.make_tranches(1000)
        lines = self.env["grant.year.end.line"]
        wrong = [("is_different", "=", True), ("subsidy_id", "=", tranche.subsidy_id.id)]
        self.assertFalse(lines.search(wrong))
        self.order_on(tranche, "2021-11-20")
        self.reduce_on(tranche, "2022-02-10", 1)
        self.env.invalidate_all()
        self.assertTrue(lines.search([*wrong, ("year", "=", 2021)]))
        self.assertEqual(day("2022-12-31"), self.company._grant_today())
