from odoo.tests import freeze_time

from .common import AccountsCase, day


class TestCashPlan(AccountsCase):
    def get_months(self, contract=None):
        months = self.find(
            "grant.cash.month",
            contract_id=contract.id if contract else False,
            company_id=self.company.id,
        )
        return [(line.month.isoformat()[:7], line.amount, line.balance) for line in months]

    def get_worst(self, contract=None):
        line = self.find(
            "grant.cash.month", contract_id=contract.id if contract else False, is_worst=True
        )
        return line.advanced_amount, line.advanced_on

    def make_funding(self, amount, date):
        return self.env["grant.funding"].create(
            {
                "name": "Versement",
                "envelope_id": self.envelope.id,
                "amount": amount,
                "due_date": date,
            }
        )

    @freeze_time("2021-11-10 10:00:00")
    def test_planned(self):
        """Out 1 000.10 on 15/11 and 2 000 on 16/01; in 2 500 on 20/12: 1 000.10 are advanced."""
        self.make_tranches(1000.10, 2000)
        self.make_funding(2500, "2021-12-20")
        expected = [
            ("2021-11", -1000.10, -1000.10),
            ("2021-12", 2500, 1499.90),
            ("2022-01", -2000, -500.10),
        ]
        self.assertEqual(self.get_months(), expected)
        self.assertEqual(self.get_months(self.contract), expected)
        self.assertEqual(self.get_worst(), (1000.10, day("2021-11-15")))

    def test_late_is_today(self):
        """What is late moves to today; months without a movement are there."""
        self.make_tranches(1000, 2000)
        self.make_funding(2500, "2021-12-20")
        with freeze_time("2022-01-05 10:00:00"):
            self.assertEqual(
                self.get_months(), [("2022-01", -500, -500)]
            )
            # Out 1 000 and in 2 500 today, then out 2 000 on the 16th.
            self.assertEqual(self.get_worst(), (500, day("2022-01-16")))

    def test_within_a_month(self):
        """The worst is that of a day, and the end of its month may not show it."""
        with freeze_time("2021-11-10 10:00:00"):
            self.make_tranches(1000)
            self.make_funding(1500, "2021-11-25")
            self.assertEqual(self.get_months(), [("2021-11", 500, 500)])
            self.assertEqual(self.get_worst(), (1000, day("2021-11-15")))

    def test_paid_ordered_and_reduced(self):
        first, second = self.make_tranches(1000, 2000)
        self.order_on(first, "2021-11-20")
        self.pay_on(first, "2021-11-25")
        self.order_on(second, "2021-12-01")
        self.reduce_on(second, "2021-12-05", 500.50)
        with freeze_time("2021-12-10 10:00:00"):
            lines = self.find("grant.cash.line", contract_id=self.contract.id, kind="operator")
            found = sorted((x.date.isoformat(), x.readiness, x.amount) for x in lines)
            # To pay by the due date of its schedule; what was taken off is in no tranche.
            self.assertEqual(
                found,
                [
                    ("2021-11-25", "done", -1000),
                    ("2022-01-16", "ordered", -1499.50),
                    ("2022-06-30", "unplanned", -500.50),
                ],
            )

    def test_own_costs_in_equal_parts(self):
        """100 € over November to January: 33.33, 33.34 and 33.33; then what is left."""
        with freeze_time("2021-11-10 10:00:00"):
            self.sign(
                self.make_subsidy(
                    kind="own_cost", partner_id=self.company.partner_id.id, amount=100,
                    date_end="2022-01-31", decision_number=False, decision_date=False,
                )
            )  # fmt: skip
            self.assertEqual(
                self.get_months(),
                [
                    ("2021-11", -33.33, -33.33),
                    ("2021-12", -33.34, -66.67),
                    ("2022-01", -33.33, -100),
                ],
            )
        self.book_cost(40, "2021-11-30")
        with freeze_time("2021-12-01 10:00:00"):
            self.assertEqual(
                self.get_months(),
                [("2021-11", -40, -40), ("2021-12", -30, -70), ("2022-01", -30, -100)],
            )

    def test_interest(self):
        """1 000 € to pay by 15/11, at 8 %: 10 days late cost 2.19 €."""
        self.company.grant_late_interest_rate = 8
        (tranche,) = self.make_tranches(1000)
        with freeze_time("2021-11-25 10:00:00"):
            line = self.find("grant.cash.line", kind="interest")
            self.assertEqual((line.amount, line.date), (-2.19, day("2021-11-25")))
            tranche.invalidate_recordset()
            self.assertEqual(tranche.late_interest, 2.19)

    def test_received(self):
        funding = self.make_funding(2500, "2021-12-20")
        with freeze_time("2021-12-01 10:00:00"):
            funding.with_user(self.finance_officer)._do_receive(day("2021-12-01"), 1000.25, "E-1")
            self.assertEqual(self.get_months(), [("2021-12", 2500, 2500)])
            lines = self.find("grant.cash.line", kind="state")
            self.assertEqual(sorted(lines.mapped("amount")), [1000.25, 1499.75])
            self.assertEqual(self.get_worst(), (0, False))

    def test_empty(self):
        self.assertEqual(self.get_months(), [])
        self.assertFalse(self.find("grant.cash.line"))

    @freeze_time("2021-11-10 10:00:00")
    def test_direct_is_not_ours(self):
        self.make_tranches(800, envelope_id=self.direct_envelope.id)
        self.assertEqual(self.get_months(), [])

    @freeze_time("2021-11-10 10:00:00")
    def test_what_is_behind(self):
        tranches = self.make_tranches(1000, 2000)
        months = self.find("grant.cash.month", contract_id=self.contract.id)
        action = months[0].action_view_lines()
        (line,) = self.env[action["res_model"]].search(action["domain"])
        opened = line.action_open_origin()
        self.assertEqual((opened["res_model"], opened["res_id"]), (
            "grant.disbursement", tranches[0].id
        ))  # fmt: skip
