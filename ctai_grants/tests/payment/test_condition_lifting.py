from odoo import fields
from odoo.tests import Form, tagged

from ..common import GrantsCommon


@tagged("post_install", "-at_install")
class TestConditionLifting(GrantsCommon):
    """What blocks a payment leads to where that is lifted."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.operator.bank_ids.allow_out_payment = False
        cls.subsidy = cls.make_subsidy()
        cls.tranche = cls.make_tranche(cls.subsidy, amount=500)
        cls.piece = cls.make_deliverable(cls.subsidy, name="Budget")
        cls.tranche.deliverable_ids = cls.piece

    def lift(self, code, user=None):
        conditions = self.tranche.with_user(user or self.coordinator).condition_ids
        return conditions.filtered(lambda one: one.code == code).action_lift()

    def test_each_opens_what_lifts_it(self):
        self.sign(self.subsidy)
        for code, record in (
            ("bank", self.operator.commercial_partner_id), ("deliverable", self.piece),
        ):
            action = self.lift(code)
            self.assertEqual((action["res_model"], action["res_id"]), (record._name, record.id))
        unmet = self.tranche.obstacles
        self.assertEqual(self.say(unmet), self.tranche.blockers)
        self.assertEqual(self.subsidy.next_obstacles, unmet)
        self.assertEqual(unmet[0]["action"]["res_id"], self.lift("bank")["res_id"])

    def test_the_window_of_the_dates(self):
        """The date of the decision is there, and that from which it is executory is not."""
        subsidy = self.make_subsidy(executory_date=False)
        tranche = self.make_tranche(subsidy, amount=500)
        self.sign(subsidy)
        condition = tranche.condition_ids.filtered(lambda one: one.code == "executory")
        self.assertIn(condition.evidence, self.say(tranche.obstacles))
        action = condition.with_user(self.coordinator).action_lift()
        self.assertEqual((action["res_id"], action["target"]), (subsidy.id, "new"))
        view = self.env["ir.ui.view"].browse(action["views"][0][0])
        with Form(subsidy.with_user(self.coordinator), view) as form:
            form.executory_date = fields.Date.to_date(subsidy.decision_date)
        self.assertNotIn("executory", self.say(tranche.obstacles))

    def test_nothing_of_what_is_paid(self):
        self.assertFalse(self.make_subsidy().next_obstacles)
