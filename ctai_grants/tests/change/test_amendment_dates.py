import datetime

from odoo.tests import tagged

from .test_amendment import AmendmentCase

DAY = datetime.date.fromisoformat


@tagged("post_install", "-at_install")
class TestAmendmentDates(AmendmentCase):
    """R10: amendments follow each other, and what they take is there on each day from theirs on."""

    def assertObstacle(self, amendment, *parts):
        """The draft says why it cannot be signed, and the signature refuses for the same."""
        amendment.invalidate_recordset()
        for part in parts:
            self.assertIn(part, self.say(amendment.obstacles))
        state = self.get_state()
        with self.assertRefused(*parts):
            self.sign_amendment(amendment)
        self.assertEqual(self.get_state(), state)

    def set_amount(self, amendment, amount):
        """Another amount, of the subsidy and of its last tranche."""
        amendment.amount = amount
        self.change(amendment, self.balance, amount=amount - 5000)

    def test_one_after_the_other(self):
        """A second one dated before the first: statements of the days between would be wrong."""
        first = self.draft(self.subsidy)
        self.set_amount(first, 12000)
        self.sign_amendment(first)
        second = self.draft(
            self.subsidy,
            decision_date="2021-12-01",
            executory_date="2021-12-02",
            signature_date="2021-12-14",
        )
        self.set_amount(second, 14000)
        self.assertObstacle(second, "12/14/2021", first.display_name, "12/15/2021")
        second.signature_date = "2021-12-15"
        self.sign_amendment(second)
        self.assertFalse(self.verify())

    def test_of_one_day_as_they_were_drafted(self):
        """An earlier day is read by undoing what was signed since, the last one first."""
        first, second = self.draft(self.subsidy), self.draft(self.subsidy)
        self.set_amount(second, 11000)
        self.sign_amendment(second)
        first.with_user(self.coordinator).action_refresh()
        self.set_amount(first, 12000)
        self.assertObstacle(first, "as they were drafted", second.display_name)
        first.signature_date = "2021-12-16"
        self.sign_amendment(first)
        # Nor are they brought to one day afterwards.
        for document, day in ((first, "2021-12-15"), (second, "2021-12-16")):
            with self.assertRefused("out of turn"):
                self.correct(document, day)
        undone = self.env["grant.amendment"]._get_undone(self.contract, DAY("2021-12-01"))
        self.assertEqual(undone["grant.subsidy", self.subsidy.id]["amount"], 10000)
        self.assertFalse(self.verify())

    def test_not_below_what_was_paid_later(self):
        """10 000 granted: 5 000 and 5 000 paid on two days, 4 000 paid back on a third."""
        self.pay(self.advance, DAY("2021-11-25"))
        self.pay(self.balance, DAY("2021-12-20"))
        with self.unasked():
            self.balance._post_payment(-4000, "2021-12-28")
        amendment = self.draft(self.subsidy)
        amendment.amount = 7000
        self.get_line(amendment, self.subsidy.action_ids[0]).amount = 3000
        self.assertObstacle(amendment, self.format(3000))

    def test_not_below_what_was_committed_later(self):
        """An envelope gives back nothing that was committed on a day after the amendment."""
        other = self.sign(self.make_subsidy(amount=140000, signature_date="2021-12-20"))
        self.ask(other, "cancel", self.coordinator)
        self.assertEqual(self.envelope.available_amount, 140000)
        amendment = self.draft(self.contract)
        self.change(amendment, self.envelope, amount=149999)
        self.assertObstacle(amendment, "cannot go down", self.format(0))
        # Nor does another subsidy take it.
        more = self.draft(self.subsidy)
        self.set_amount(more, 10001)
        self.assertObstacle(more, "left to commit", self.format(0))

    def test_between_actions_of_a_paid_subsidy(self):
        """Nothing is left in the envelope nor in the subsidy: what nets together passes."""
        self.pay(self.advance)
        self.pay(self.balance)
        self.sign(self.make_subsidy(amount=140000))
        self.assertEqual(self.envelope.available_amount, 0)
        amendment = self.draft(self.subsidy)
        first, second = self.subsidy.action_ids
        self.change(amendment, first, amount=5000)
        self.change(amendment, second, amount=5000)
        self.assertFalse(amendment.obstacles)
        self.sign_amendment(amendment)
        self.assertEqual(self.get_entries(amendment).mapped("amount"), [1000, -1000])
        self.assertEqual(self.subsidy.committed_amount, 10000)
        self.assertFalse(self.verify())

    def test_between_actions_by_two_drafts(self):
        """The second was drafted before the first was signed, and empties an action."""
        self.pay(self.advance)
        one, two = self.subsidy.action_ids
        first, second = self.draft(self.subsidy), self.draft(self.subsidy)
        self.change(first, one, amount=4000)
        self.change(first, two, amount=6000)
        self.change(second, one, amount=10000)
        self.change(second, two, amount=0)
        second.signature_date = "2021-12-16"
        self.sign_amendment(first)
        self.assertObstacle(second, "Refresh")
        second.with_user(self.coordinator).action_refresh()
        self.sign_amendment(second)
        self.assertEqual(self.subsidy.action_ids.mapped("amount"), [10000, 0])
        self.assertEqual(self.get_entries(second).mapped("amount"), [-6000, 6000])
        self.assertEqual(self.subsidy.committed_amount, 10000)
        self.assertFalse(self.verify())

    def correct(self, document, date, name="signature_date"):
        """Correct a date through its window, as the finance manager."""
        window = self.env["grant.date.correction"].with_user(self.finance_manager)
        return window.create(
            {
                "res_model": document._name, "res_id": document.id,
                "date_name": name, "date": date, "reason": "Erreur de saisie",
            }  # fmt: skip
        ).action_confirm()

    def test_correction(self):
        first = self.draft(self.subsidy)
        self.set_amount(first, 12000)
        self.sign_amendment(first)
        signed = first.signature_date
        second = self.draft(self.subsidy, signature_date="2021-12-20")
        self.set_amount(second, 14000)
        self.sign_amendment(second)
        with self.assertRefused("after", second.display_name):
            self.correct(first, "2021-12-21")
        with self.assertRefused("before", first.display_name):
            self.correct(second, "2021-12-14")
        with self.assertRefused("comes before"):
            self.correct(first, first.executory_date - datetime.timedelta(days=1))
        with self.assertRefused("cannot be empty"):
            self.correct(first, False, "decision_date")
        with self.assertRefused(first.display_name, "after it"):
            self.correct(self.subsidy, "2021-12-16")
        with self.assertRefused(self.subsidy.display_name, "another day"):
            self.correct(self.subsidy, self.subsidy.signature_date)
        self.correct(first, "2021-12-18")
        self.assertEqual(
            [(str(e.date), e.amount) for e in self.get_entries(first).sorted("id")],
            [(str(signed), 2000), (str(signed), -2000), ("2021-12-18", 2000)],
        )
        decision = self.subsidy.decision_ids.sorted("id")[-1]
        self.assertEqual((decision.decision, decision.amendment_id), ("corrected", first))
        self.correct(self.subsidy, "2021-11-02")
        self.assertEqual(
            sorted(self.subsidy.entry_ids.sorted("id")[-2:].mapped("amount")),
            [4000, 6000],
        )
        self.assertEqual(self.subsidy.committed_amount, 14000)
        self.correct(first, "2021-12-07", "executory_date")
        self.assertFalse(self.verify())

    def test_correction_below_what_was_paid(self):
        """What it added was paid: it was signed before that."""
        amendment = self.draft(self.subsidy)
        self.set_amount(amendment, 12000)
        self.sign_amendment(amendment)
        self.pay(self.advance, DAY("2021-12-16"))
        self.pay(self.balance, DAY("2021-12-17"))
        with self.assertRefused(self.balance.display_name, "was certified"):
            self.correct(amendment, "2021-12-18")

    def test_correction_of_a_contract(self):
        amendment = self.draft(self.contract)
        self.change(amendment, self.envelope, amount=160000)
        self.sign_amendment(amendment)
        with self.assertRefused(self.contract.display_name, "Commitment"):
            self.correct(self.contract, "2021-12-20")
        with self.assertRefused(amendment.display_name, "after it"):
            self.contract.amendment_ids._check_follow(DAY("2021-12-20"))
        self.correct(amendment, "2021-12-16")
        self.assertEqual(
            self.get_entries(amendment).sorted("id").mapped("amount"), [10000, -10000, 10000]
        )
        self.assertFalse(self.verify())
