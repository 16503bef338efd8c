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

    def test_parts_and_bounces(self):
        """Paid back in parts, bounced, and paid back: what the cash plan waits for."""
        (tranche,) = self.make_tranches(1000)
        subsidy = tranche.subsidy_id
        self.order_on(tranche, "2021-11-20")
        self.pay_on(tranche, "2021-11-25")
        recovery = self.make_recovery(subsidy, amount=300.30)
        self.decide(recovery, on=day("2022-10-15"))
        officer = recovery.with_user(self.finance_officer)
        with freeze_time("2022-10-20 10:00:00"):
            officer._do_claim(day("2022-10-20"))
            officer._do_collect(day("2022-10-20"), "V-1", 100.10)
        with freeze_time("2022-11-02 10:00:00"):
            self.assertMoves(
                ("done", "2021-11-25", -1000), ("done", "2022-10-20", 100.10),
                ("claimed", "2022-11-02", 200.20),
            )  # fmt: skip
            self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
            moves = self.find("grant.cash.line", kind="repayment")
            self.assertEqual(self.get_sums(moves.filtered("is_forecast"), "amount"), (300.30,))
            done = moves.filtered(lambda move: not move.is_forecast)
            self.assertEqual(self.get_sums(done, "amount"), (0,))
            # What accounting gives up of the claim does not come in.
            claim = recovery.with_env(self.env)._get_live_move()
            note = claim._reverse_moves([{"date": claim.date}])
            note.invoice_line_ids.price_unit = 200.20
            note.action_post()
            lines = (note | claim)._get_payment_lines()
            lines.filtered(lambda line: not line.reconciled).reconcile()
            moves = self.find("grant.cash.line", kind="repayment")
            self.assertEqual(self.get_sums(moves.filtered("is_forecast"), "amount"), (100.10,))
        line = self.find("grant.year.end.line", subsidy_id=subsidy.id, year=2022)
        self.assertFalse(line.filtered("carried_amount"))

    def assertMoves(self, *expected):
        lines = self.find("grant.cash.line", contract_id=self.contract.id)
        found = [(line.readiness, line.date.isoformat(), line.amount) for line in lines]
        self.assertEqual(sorted(found), sorted(expected))
