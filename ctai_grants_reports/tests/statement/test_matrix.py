import datetime

from lxml import html

from odoo.exceptions import AccessError
from odoo.tests import freeze_time, tagged

from .common import IssuedCase


@tagged("post_install", "-at_install")
class TestMatrix(IssuedCase):
    """Statements side by side: what does not tie out first, what was cancelled as such."""

    def compare(self, user=None):
        contract = self.contract.with_user(user or self.reader)
        action = contract.action_compare_statements()
        window = contract.env["grant.statement.matrix"].browse(action["res_id"])
        rows = html.fromstring(str(window.table)).xpath("//tbody/tr")
        return [" ".join(row.text_content().split()) for row in rows]

    def test_side_by_side(self):
        other = self.sign(
            self.make_subsidy(code="S-OTHER", amount=500, partner_id=self.other_operator.id)
        )
        self.issue(self.draft(as_at="2021-11-26"))
        self.issue()
        rows = self.compare()
        self.assertFalse([row for row in rows if "today" in row], rows)
        with freeze_time("2022-02-01"):
            self.pay(self.balance, datetime.date(2021, 12, 20))
        rows = self.compare()
        today = self.company.currency_id.format(6000.10).replace("\xa0", " ")
        self.assertIn(f"today: {today}", rows[0] + rows[1])
        self.assertTrue(any("S-OTHER" in row for row in rows[2:]), rows)
        self.assertTrue(other)

    def test_cancelled_in_its_period(self):
        other = self.sign(
            self.make_subsidy(code="S-OTHER", amount=500, partner_id=self.other_operator.id)
        )
        self.issue(self.draft(as_at="2021-11-26"))
        with freeze_time("2021-12-10"):
            self.ask(other, "cancel", self.coordinator, "Abandon")
        self.issue()
        row = next(row for row in self.compare() if "S-OTHER" in row)
        self.assertEqual(row.count("Cancelled"), 1, row)

    def test_who(self):
        with self.assertRaises(AccessError):
            self.contract.with_user(self.prefecture_user).action_compare_statements()
