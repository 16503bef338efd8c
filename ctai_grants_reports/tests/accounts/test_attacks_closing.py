from odoo.tests import freeze_time

from odoo.addons.ctai_grants.tests.closing.test_due import DueCase

from .common import AccountsCase, day

AMOUNTS = ("committed_amount", "before_amount", "ordered_amount", "attached_amount",
           "carried_amount", "unpaid_amount")  # fmt: skip


@freeze_time("2023-12-31 12:00:00")
class TestAttacksClosing(AccountsCase, DueCase):
    """What an outsider tried on the figures of the accounts, at the end of subsidies."""

    def test_paid_back(self):
        """What is paid back and committed no more is not carried over, below zero."""
        (tranche,) = self.make_tranches(1000, due_rule="cost")
        subsidy = tranche.subsidy_id
        self.order_on(tranche, "2021-11-20")
        self.pay_on(tranche, "2021-11-25")
        with freeze_time("2022-09-01 10:00:00"):
            self.accept(subsidy, budget_amount=1000, actual_amount=800, eligible_amount=800)
        subsidy.invalidate_recordset()
        recovery = subsidy.recovery_ids or self.make_recovery(
            subsidy, reason="condition", amount=200
        )
        self.decide(recovery, on=day("2022-10-15"))
        with freeze_time("2022-10-20 10:00:00"):
            self.collect(recovery, day("2022-10-20"))
        # Committed until the end, and owed to nobody.
        moves = sorted(self.find("grant.cash.line").mapped(lambda m: (m.date, m.amount)))
        self.assertEqual(moves, [(day("2021-11-25"), -1000), (day("2022-10-20"), 200)])
        with freeze_time("2022-11-01 10:00:00"):
            self.ask(subsidy, "close", self.finance_manager)
        self.assertEqual(subsidy.committed_amount, 800)
        lines = self.find("grant.year.end.line", subsidy_id=subsidy.id)
        self.assertEqual(lines.mapped("year"), [2021])
        self.assertEqual(self.get_sums(lines, *AMOUNTS), (1000, 0, 1000, 0, 0, 0))
        self.assertFalse(lines.remark)
        line = self.find("grant.annex.line", year=2022, partner_id=self.operator.id)
        self.assertEqual((line.money_amount, line.recovered_amount), (0, 200))
