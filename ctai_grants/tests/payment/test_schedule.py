import datetime

from odoo import Command
from odoo.exceptions import AccessError
from odoo.tests import freeze_time

from ..common import GrantsCommon

DAY = datetime.date.fromisoformat


class TestSchedule(GrantsCommon):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.type = cls.env["grant.deliverable.type"].create({"name": "Bilan", "code": "TEST"})
        cls.template = cls.make_template((50, 30, 20))
        # Month ends are tried over several years.
        cls.contract._transition(date_start="2020-01-01", date_end="2024-12-31")

    @classmethod
    def make_template(cls, percentages, base="end", months=6):
        template = cls.env["grant.schedule.template"].create(
            {
                "name": "Modèle",
                "deliverable_ids": [
                    Command.create(
                        {
                            "milestone": "Fin",
                            "type_id": cls.type.id,
                            "date_base": base,
                            "months": months,
                        }
                    )
                ],
            }
        )
        template.tranche_ids = [
            Command.create(
                {
                    "name": f"Tranche {number}",
                    "sequence": number,
                    "percentage": percentage,
                    "date_base": "signature",
                    "months": number,
                    "deliverable_ids": template.deliverable_ids.ids,
                }
            )
            for number, percentage in enumerate(percentages)
        ]
        return template

    def apply(self, template=None, **values):
        subsidy = self.make_subsidy(template_id=(template or self.template).id, **values)
        subsidy.action_apply_template()
        return subsidy

    def get_date(self, base, months, **values):
        return self.template._get_date(self.make_subsidy(**values), base, months)

    def test_copied(self):
        subsidy = self.apply()
        self.assertEqual(subsidy.disbursement_ids.mapped("amount"), [5000, 3000, 2000])
        self.assertEqual(
            subsidy.disbursement_ids.mapped("due_date"),
            [DAY("2021-10-25"), DAY("2021-11-25"), DAY("2021-12-25")],
        )
        piece = subsidy.deliverable_ids
        self.assertEqual((piece.name, piece.due_date), ("Bilan", DAY("2022-12-31")))
        self.assertEqual(subsidy.disbursement_ids.deliverable_ids, piece)
        # A copy: what the template becomes later is no matter.
        self.template.tranche_ids[0].percentage = 10
        self.assertEqual(subsidy.disbursement_ids[0].amount, 5000)

    def test_rounding(self):
        """To the cent, and the last tranche takes the rest."""
        thirds = self.make_template((33.33, 33.33, 33.34))
        short = self.make_template((33.33, 33.33))
        for amount, template, expected in (
            (100, thirds, [33.33, 33.33, 33.34]),
            (0.1, thirds, [0.03, 0.03, 0.04]),
            (1000.01, thirds, [333.3, 333.3, 333.41]),
            (99999.99, thirds, [33330.0, 33330.0, 33339.99]),
            (100, short, [33.33, 66.67]),
            (0.05, self.make_template((50, 50)), [0.03, 0.02]),
            (60000.1, self.template, [30000.05, 18000.03, 12000.02]),
            (150000, self.make_template((100,)), [150000]),
        ):
            with self.subTest(amount=amount):
                subsidy = self.apply(template, amount=amount)
                self.assertEqual(subsidy.disbursement_ids.mapped("amount"), expected)
                self.assertFalse(subsidy.schedule_warning)
                self.env.flush_all()
                self.env.cr.execute(
                    "SELECT sum(amount) = %s::numeric FROM grant_disbursement "
                    "WHERE subsidy_id = %s",
                    [str(amount), subsidy.id],
                )
                self.assertTrue(self.env.cr.fetchone()[0])

    def test_month_ends(self):
        for base, months, values, expected in (
            ("end", 6, {"date_end": "2022-06-30"}, "2022-12-31"),
            ("end", 6, {"date_end": "2022-02-28"}, "2022-08-31"),
            ("end", 6, {"date_end": "2022-08-31"}, "2023-02-28"),
            ("end", 6, {"date_end": "2023-08-31"}, "2024-02-29"),
            ("end", 6, {"date_end": "2022-08-30"}, "2023-02-28"),
            ("end", 0, {"date_end": "2022-06-30"}, "2022-06-30"),
            ("end", 1, {"date_end": "2022-06-29"}, "2022-07-29"),
            ("start", 1, {"date_start": "2021-01-31"}, "2021-02-28"),
            # Not the end of a period: the same day of the month.
            ("signature", 1, {"signature_date": "2022-04-30"}, "2022-05-30"),
            ("signature", 0, {"signature_date": False}, "2021-09-27"),
        ):
            with self.subTest(base=base, months=months, **values):
                self.assertEqual(self.get_date(base, months, **values), DAY(expected))

    def test_financial_year(self):
        """Six months after the end of the operator's financial year in which it ends."""
        for month, date_end, expected in (
            ("12", "2022-06-30", "2023-06-30"),
            ("12", "2022-12-31", "2023-06-30"),
            ("8", "2022-06-30", "2023-02-28"),
            ("8", "2022-08-31", "2023-02-28"),
            ("8", "2022-09-01", "2024-02-29"),
            ("2", "2024-02-28", "2024-08-31"),
            ("2", "2024-02-29", "2024-08-31"),
            ("2", "2024-03-01", "2025-08-31"),
            ("6", "2022-06-30", "2022-12-31"),
            (False, "2022-06-30", "2023-06-30"),
        ):
            with self.subTest(month=month, date_end=date_end):
                self.operator.fiscalyear_end_month = month
                self.assertEqual(
                    self.get_date("fiscalyear_end", 6, date_end=date_end), DAY(expected)
                )

    def test_missing_dates(self):
        for base, values in (
            ("signature", {"signature_date": False, "decision_date": False}),
            ("start", {"date_start": False}),
            ("end", {"date_end": False}),
            ("fiscalyear_end", {"date_end": False, "decision_date": False}),
        ):
            with self.subTest(base=base), self.assertRefused("dates"):
                self.get_date(base, 0, **values)

    def test_once(self):
        subsidy = self.apply()
        with self.assertRefused("already has a schedule"):
            subsidy.action_apply_template()
        subsidy.disbursement_ids.unlink()
        subsidy.milestone_ids.unlink()
        subsidy.action_apply_template()
        subsidy = self.make_subsidy()
        with self.assertRefused(subsidy._fields["template_id"].string):
            subsidy.action_apply_template()
        subsidy.template_id = self.template
        self.sign(subsidy)
        with self.assertRefused("Signed"):
            subsidy.action_apply_template()

    def test_by_whom(self):
        subsidy = self.make_subsidy(template_id=self.template.id)
        for user in (self.reader, self.finance_officer, *self.portal_users):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                subsidy.with_user(user).action_apply_template()
        self.assertFalse(subsidy.milestone_ids)
        for user in self.staff - self.administrator:
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self.template.with_user(user).name = "x"
        self.template.with_user(self.administrator).name = "x"

    def test_bad_templates(self):
        with self.assertRefused(self.template.name):
            self.make_template((60, 40.01))
        other = self.make_template((100,))
        with self.assertRefused("Tranche 0"):
            other.tranche_ids.deliverable_ids = self.template.deliverable_ids

    def test_tranches_ready_when_signed(self):
        template = self.make_template((50, 50))
        template.tranche_ids[0].deliverable_ids = False
        subsidy = self.sign(self.apply(template))
        self.assertEqual(subsidy.disbursement_ids.mapped("state"), ["ready", "planned"])

    def test_templates_of_the_add_on(self):
        with freeze_time("2022-01-15"):
            for template in self.env["grant.schedule.template"].search([]) - self.template:
                with self.subTest(template=template.name):
                    subsidy = self.apply(template, amount=12345.67)
                    amounts = subsidy.disbursement_ids.mapped("amount")
                    self.assertEqual(round(sum(amounts), 2), 12345.67)
                    self.assertTrue(subsidy.deliverable_ids)
