"""A repayment that is none after all: what was settled on it is open again."""

import datetime

from odoo import Command
from odoo.exceptions import UserError

from ..closing.test_recovery import RecoveryCase


class TestBouncedRepayment(RecoveryCase):
    def close(self, subsidy):
        self.ask(subsidy, "close", self.finance_manager, "Terminé")

    def assertHolds(self, subsidy, held, committed, state):
        self.env.invalidate_all()
        self.assertEqual(subsidy.paid_amount - subsidy.recovered_amount, held)
        self.assertEqual((subsidy.committed_amount, subsidy.state), (committed, state))
        self.assertFalse(self.verify())

    def test_after_the_subsidy_was_closed(self):
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        self.close(self.subsidy)
        self.assertHolds(self.subsidy, 7000, 7000, "closed")
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        self.assertHolds(self.subsidy, 8000, 8000, "signed")
        self.assertEqual(recovery.state, "claimed")
        reopened = self.subsidy.decision_ids.filtered(lambda d: d.decision == "reopened")
        self.assertIn(recovery.name, reopened.reason)
        # Paid back after all, it is closed again as it was.
        recovery.with_user(self.finance_officer)._do_collect(datetime.date.today(), "VIR-2")
        self.close(self.subsidy)
        self.assertHolds(self.subsidy, 7000, 7000, "closed")

    def test_undone_in_accounting(self):
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        self.close(self.subsidy)
        recovery.with_env(self.env).move_ids._get_payment_lines().remove_move_reconcile()
        self.assertHolds(self.subsidy, 8000, 8000, "signed")

    def test_after_the_report_released_it(self):
        """Still signed, and less is committed than what the operator holds without the
        repayment."""
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        self.close(self.subsidy)
        self.subsidy._decide("reopened", "Le bilan est accepté")
        self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        self.assertHolds(self.subsidy, 8000, 8000, "signed")

    def test_no_room_any_more(self):
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        self.close(self.subsidy)
        taken = self.envelope.available_amount - 400
        self.sign(self.make_subsidy(amount=taken, signature_date=datetime.date.today()))
        with self.assertRefused(recovery.name, self.subsidy.display_name, "400.00", "1,000.00"):
            self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        with self.assertRefused(recovery.name, "400.00"), self.env.cr.savepoint():
            recovery.with_env(self.env).move_ids._get_payment_lines().remove_move_reconcile()
        self.assertHolds(self.subsidy, 7000, 7000, "closed")

    def test_the_contract_is_closed(self):
        recovery = self.collect(self.decide(self.make_recovery(self.subsidy)))
        self.close(self.subsidy)
        self.contract.with_user(self.finance_manager).action_close()
        with self.assertRefused(recovery.name, self.contract.display_name, "in force again"):
            self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        self.contract.with_user(self.finance_manager).action_reopen()
        self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        self.assertHolds(self.subsidy, 8000, 8000, "signed")


class TestPartsOnDirectEnvelopes(RecoveryCase):
    """What the State collects in parts is recorded in parts, and can be undone."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.direct = cls.make_subsidy(envelope_id=cls.direct_envelope.id)
        tranche = cls.make_tranche(cls.direct, amount=5000)
        cls.sign(cls.direct)
        cls.pay(tranche)

    def claimed(self):
        date = datetime.date(2022, 9, 1)
        recovery = self.decide(self.make_recovery(self.direct), on=date)
        recovery.with_user(self.finance_officer)._do_claim(date)
        return recovery

    def recoveries(self):
        entries = self.direct.entry_ids.filtered(lambda entry: entry.kind == "recovery")
        return [(entry.date, entry.amount) for entry in entries.sorted("number")]

    def test_parts(self):
        recovery = self.claimed()
        officer = recovery.with_user(self.finance_officer)
        first, second = datetime.date(2022, 9, 20), datetime.date(2022, 10, 3)
        for amount in (1000.01, 0, -1):
            with self.assertRefused("1,000.00"):
                officer._do_collect(first, "V-1", amount)
        officer._do_collect(first, "V-1", 400)
        self.assertEqual((recovery.state, recovery.collected_amount), ("claimed", 400))
        self.assertEqual(recovery.residual_amount, 600)
        officer._do_collect(second, "V-2", 600)
        self.assertEqual((recovery.state, recovery.collected_date), ("collected", second))
        self.assertEqual(self.recoveries(), [(first, 400), (second, 600)])
        self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        self.assertEqual((recovery.state, recovery.collected_amount), ("claimed", 0))
        self.assertEqual(sorted(self.recoveries()[2:]), [(first, -400), (second, -600)])
        self.assertFalse(self.verify())
        # Only what there is.
        with self.assertRefused(recovery.name):
            self.ask(recovery, "uncollect", self.finance_manager, "Encore")

    def test_a_part_undone(self):
        recovery = self.claimed()
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 9, 20), "V", 400)
        self.ask(recovery, "uncollect", self.finance_manager, "Rejet")
        self.assertEqual((recovery.collected_amount, self.direct.recovered_amount), (0, 0))
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 9, 21), "V")
        self.assertEqual(recovery.state, "collected")
        self.assertFalse(self.verify())

    def test_a_part_undone_after_the_rest_was_given_up(self):
        recovery = self.claimed()
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 9, 20), "V", 400)
        self.ask(recovery, "waive_recovery", self.finance_manager, "Irrécouvrable")
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        self.env.invalidate_all()
        self.assertEqual((recovery.state, recovery.residual_amount), ("claimed", 1000))
        self.assertEqual(self.direct.recovered_amount, 0)
        self.assertFalse(self.verify())
        # Of one of which nothing came back, there is nothing to undo.
        self.ask(recovery, "waive_recovery", self.finance_manager, "Irrécouvrable")
        with self.assertRefused(recovery.name):
            self.ask(recovery, "uncollect", self.finance_manager, "Encore")

    def test_through_the_window(self):
        recovery = self.claimed()
        window = self.env["grant.recovery.step"].with_user(self.finance_officer)
        window = window.create({"recovery_id": recovery.id, "step": "collect"})
        self.assertEqual(window.amount, 1000)
        window.amount = 250
        window.action_confirm()
        self.assertEqual((recovery.state, recovery.residual_amount), ("claimed", 750))


class TestClaimsSettledOtherwise(RecoveryCase):
    """A claim is collected by money or by a set-off; given up, by an entry of its own."""

    def claim(self, date=datetime.date(2022, 9, 1), **values):
        recovery = self.decide(self.make_recovery(self.subsidy, **values), on=date)
        recovery.with_user(self.finance_officer)._do_claim(date)
        return recovery.with_env(self.env)

    def test_against_the_next_order(self):
        """Ours against ours: each says what it is, in the ledger."""
        recovery = self.claim(datetime.date(2021, 12, 15))
        other = self.make_subsidy(amount=3000)
        tranche = self.make_tranche(other, amount=3000)
        self.sign(other)
        self.override(tranche, "repayment", "Compensation")
        self.order(tranche)
        bill = tranche.with_env(self.env)._get_live_move()
        lines = bill._get_payment_lines() | recovery.move_ids._get_payment_lines()
        with self.assertRefused("set-off"), self.env.cr.savepoint():
            lines.reconcile()
        set_off = self.env["grant.set.off"].with_user(self.finance_manager).create(
            {
                "debt_move_id": bill.id,
                "claim_move_id": recovery.move_ids.id,
                "date": datetime.date(2021, 12, 20),
                "reference": "COMP-2",
                "reason": "Compensation",
            }
        )
        self.assertEqual(set_off.amount, 1000)
        set_off.action_record()
        self.env.invalidate_all()
        self.assertEqual((recovery.state, recovery.collected_amount), ("collected", 1000))
        self.assertEqual((tranche.state, tranche.residual_amount), ("ordered", 2000))
        self.assertEqual((other.paid_amount, self.subsidy.recovered_amount), (1000, 1000))
        self.assertFalse(self.verify())
        for undo in (
            lambda: self.ask(recovery, "uncollect", self.finance_manager),
            lambda: self.ask(tranche, "unpay", self.finance_manager),
        ):
            with self.assertRefused("set-off"), self.env.cr.savepoint():
                undo()
        self.ask(set_off, "undo_set_off", self.finance_manager, "Contestée")
        self.env.invalidate_all()
        self.assertEqual((recovery.state, tranche.state), ("claimed", "ordered"))
        self.assertEqual((other.paid_amount, self.subsidy.recovered_amount), (0, 0))
        self.assertFalse(self.verify())

    def give_up(self, recovery, amount):
        """An entry by which the city does without what it was owed (admission en non-valeur)."""
        receivable = recovery.move_ids._get_payment_lines()
        loss = self.env["account.account"].search([("code", "=", "6541T")]) or self.env[
            "account.account"
        ].create({"code": "6541T", "name": "Non-valeur", "account_type": "expense"})
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": "2022-10-01",
                "journal_id": self.company._find_journal("general").id,
                "line_ids": [
                    Command.create({"account_id": loss.id, "debit": amount}),
                    Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "credit": amount,
                            "partner_id": self.operator.id,
                        }
                    ),
                ],
            }
        )
        entry.action_post()
        (receivable | entry._get_payment_lines()).reconcile()
        self.env.invalidate_all()

    def test_given_up(self):
        recovery = self.claim()
        self.give_up(recovery, 1000)
        self.assertEqual((recovery.state, recovery.collected_amount), ("waived", 0))
        self.assertFalse(self.verify())

    def test_given_up_in_part(self):
        """What is owed is what is left of the claim: not what the city does without."""
        recovery = self.claim()
        self.give_up(recovery, 600)
        self.assertEqual((recovery.state, recovery.residual_amount), ("claimed", 400))
        self.assertEqual(self.subsidy.owed_amount, 400)
        self.assertIn("400.00", self.operator.with_user(self.coordinator)._get_grant_debts()[
            self.operator.grant_body][-1][-1])
        recovery.with_user(self.finance_officer)._do_collect(datetime.date(2022, 10, 2), "VIR")
        self.env.invalidate_all()
        self.assertEqual((recovery.state, recovery.collected_amount), ("waived", 400))
        self.assertEqual((recovery.residual_amount, self.subsidy.owed_amount), (0, 0))
        # The part that was paid back bounces: that much is owed again, and no more.
        self.ask(recovery, "uncollect", self.finance_manager, "Chèque sans provision")
        self.env.invalidate_all()
        self.assertEqual((recovery.state, recovery.residual_amount), ("claimed", 400))
        self.assertEqual(self.subsidy.owed_amount, 400)
        self.assertFalse(self.verify())

    def test_given_up_beside_an_order_that_it_reduced(self):
        """Its credit note stands: what it took off the order is taken, paid back or not."""
        day = datetime.date(2021, 12, 15)
        first = self.claim(day, amount=5000)
        first.with_user(self.finance_officer)._do_collect(datetime.date(2022, 1, 10), "V", 2000)
        self.give_up(first, 3000)
        self.assertEqual((first.state, first.collected_amount), ("waived", 2000))
        second = self.claim(day, amount=6000)
        self.assertFalse(second.reduced_disbursement_id)
        self.assertEqual(second.move_ids.move_type, "out_invoice")

    def test_handed_to_somebody_else(self):
        """Another debtor is no money."""
        recovery = self.claim()
        receivable = recovery.move_ids._get_payment_lines()
        entry = self.env["account.move"].create(
            {
                "move_type": "entry",
                "date": "2022-10-01",
                "journal_id": self.company._find_journal("general").id,
                "line_ids": [
                    Command.create(
                        {
                            "account_id": receivable.account_id.id,
                            "debit": max(amount, 0),
                            "credit": max(-amount, 0),
                            "partner_id": partner.id,
                        }
                    )
                    for partner, amount in ((self.other_operator, 1000), (self.operator, -1000))
                ],
            }
        )
        entry.action_post()
        with self.assertRaises(UserError):
            (receivable | entry.line_ids.filtered("credit")).reconcile()


class TestPaidBackEarly(RecoveryCase):
    """Who owes may pay before it is asked to: the city then claims what it has received already
    (titre de régularisation). The date is the bank's; only what was not paid out yet cannot come
    back."""

    def collected_on(self, subsidy, date, recovery=None):
        recovery = recovery or self.claimed(subsidy)
        recovery.with_user(self.finance_officer)._do_collect(date, "VIR")
        self.env.invalidate_all()
        entry = subsidy.entry_ids.filtered(lambda entry: entry.kind == "recovery")
        self.assertEqual((entry.date, entry.amount), (date, 1000))
        self.assertEqual((recovery.state, recovery.collected_date), ("collected", date))
        self.assertFalse(self.verify())

    def claimed(self, subsidy):
        recovery = self.decide(self.make_recovery(subsidy), on=datetime.date(2022, 8, 1))
        recovery.with_user(self.finance_officer)._do_claim(datetime.date(2022, 9, 1))
        return recovery

    def test_between_the_decision_and_the_claim(self):
        self.collected_on(self.subsidy, datetime.date(2022, 8, 20))

    def test_before_the_decision(self):
        self.collected_on(self.subsidy, datetime.date(2022, 7, 20))

    def test_before_it_was_paid_out(self):
        recovery = self.claimed(self.subsidy)
        for day in (datetime.date(2021, 11, 24), datetime.date.today() + datetime.timedelta(1)):
            with self.assertRefused("1,000.00" if day.year == 2021 else "after today"):
                recovery.with_user(self.finance_officer)._do_collect(day, "VIR")
        self.collected_on(self.subsidy, datetime.date(2021, 11, 25), recovery)

    def test_to_the_state(self):
        direct = self.make_subsidy(envelope_id=self.direct_envelope.id)
        tranche = self.make_tranche(direct, amount=5000)
        self.sign(direct)
        self.pay(tranche)
        self.collected_on(direct, datetime.date(2022, 7, 20))
