from odoo import Command
from odoo.tests import tagged

from ..common import GrantsCommon

ACTIVITY = "ctai_grants.mail_activity_account"


@tagged("post_install", "-at_install")
class TestAccountTask(GrantsCommon):
    """Who confirms the account that a signed subsidy is paid to is asked to, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.account = cls.operator.bank_ids
        cls.account.allow_out_payment = False

    def get_tasks(self):
        return self.operator.activity_search([ACTIVITY])

    def test_asked_when_it_is_signed(self):
        self.assertFalse(self.get_tasks(), "nothing is to be paid to it yet")
        self.sign(self.make_subsidy())
        self.assertEqual(self.get_tasks().user_id, self.finance_manager)
        self.assertIn(self.account._get_masked_number(), self.get_tasks().summary)
        self.sign(self.make_subsidy())
        self.assertEqual(len(self.get_tasks()), 1)
        self.account.with_user(self.finance_manager).allow_out_payment = True
        self.assertFalse(self.get_tasks())

    def test_asked_when_it_is_entered(self):
        self.account.unlink()
        self.sign(self.make_subsidy())
        self.assertFalse(self.get_tasks(), "there is no account to confirm")
        self.operator.with_user(self.coordinator).bank_ids = [
            Command.create({"acc_number": "FR7630006000011234567890189"})
        ]
        self.assertEqual(self.get_tasks().user_id, self.finance_manager)
        self.operator.bank_ids.active = False
        self.assertFalse(self.get_tasks())

    def test_a_second_account_is_nobodys_task(self):
        self.account.allow_out_payment = True
        self.sign(self.make_subsidy())
        self.env["res.partner.bank"].create(
            {"acc_number": "FR7630006000011234567890189", "partner_id": self.operator.id}
        )
        self.assertFalse(self.get_tasks())

    def test_nothing_that_the_state_pays_itself(self):
        self.sign(self.make_subsidy(envelope_id=self.direct_envelope.id))
        self.assertFalse(self.get_tasks())
