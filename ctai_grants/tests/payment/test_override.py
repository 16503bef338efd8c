from odoo.exceptions import AccessError, UserError

from ..common import PDF, GrantsCommon

REASON = "Dégât des eaux, bilan transmis plus tard"


class TestOverride(GrantsCommon):
    """R4: a finance manager does without one condition, with a reason that stays."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.tranche = cls.make_tranche(cls.subsidy, deliverable_ids=cls.piece.ids)
        cls.sign(cls.subsidy)

    def _override(self, user, condition="deliverable", reason=REASON):
        return self.override(self.tranche, condition, reason, user=user)

    def test_the_condition_is_dropped_and_the_reason_kept(self):
        with self.assertRaisesRegex(UserError, "Bilan"):
            self.tranche.with_user(self.coordinator).action_certify()
        self._override(self.finance_manager)
        self.assertEqual(self.tranche.state, "ready")
        self.pay(self.tranche)
        decision = self.tranche.decision_ids.filtered(lambda d: d.decision == "overridden")
        self.assertEqual(decision.user_id, self.finance_manager)
        self.assertIn("Dégât des eaux", decision.reason)
        payment = self.subsidy.entry_ids.filtered(lambda entry: entry.kind == "payment")
        self.assertIn("Dégât des eaux", payment.memo)
        # In red for ever, and it cannot be done twice.
        self.assertIn("Dégât des eaux", self.tranche.overrides)
        with self.assertRaises(UserError):
            self._override(self.finance_manager)

    def test_one_condition_only(self):
        self.subsidy.executory_date = False
        self._override(self.finance_manager)
        with self.assertRaisesRegex(UserError, "executory"):
            self.tranche.with_user(self.coordinator).action_certify()
        self._override(self.finance_manager, "executory")
        self.tranche.with_user(self.coordinator).action_certify()

    def test_who_and_how(self):
        for user in (self.reader, self.coordinator, self.finance_officer):
            with self.subTest(user=user.login), self.assertRaises(AccessError):
                self._override(user)
        with self.assertRaises(UserError):
            self._override(self.finance_manager, reason="   ")
        # A tick, that Odoo would store as a word.
        with self.assertRaises(UserError):
            self._override(self.finance_manager, reason=True)

    def test_a_signature_cannot_be_overridden(self):
        """Nothing lets a tranche of a cancelled subsidy through."""
        self._override(self.finance_manager)
        self.env["grant.reason"].with_user(self.coordinator).create(
            {
                "res_model": "grant.subsidy",
                "res_ids": self.subsidy.ids,
                "action": "cancel",
                "reason": "Abandon",
            }
        ).action_confirm()
        with self.assertRaises(UserError):
            self.tranche.with_user(self.coordinator).action_certify()

    def test_an_accepted_piece_needs_no_override(self):
        self.piece.with_user(self.operator_user)._do_submit("bilan.pdf", PDF)
        self.piece.with_user(self.coordinator).action_accept()
        self.assertEqual(self.tranche.state, "ready")
        self.assertFalse(self.tranche.blockers)
