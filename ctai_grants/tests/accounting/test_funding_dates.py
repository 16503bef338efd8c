import datetime

from odoo import Command
from odoo.tests import tagged

from ..common import GrantsCommon

BEFORE, DAY = datetime.date(2021, 10, 20), datetime.date(2021, 11, 2)


@tagged("post_install", "-at_install")
class TestFundingDates(GrantsCommon):
    """What is claimed from the State is claimed by a contract in force, on a day that has come."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.funding = cls.make_funding(cls.contract)

    @classmethod
    def make_funding(cls, contract):
        funding = cls.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": contract.envelope_ids[:1].id, "amount": 500}
        )
        return funding.with_user(cls.finance_officer)

    def test_days(self):
        tomorrow = self.company._grant_today() + datetime.timedelta(days=1)
        for act in (self.funding._do_claim, lambda day: self.funding._do_receive(day, 500)):
            with self.assertRefused("before", "10/21/2021", "10/20/2021"):
                act(BEFORE)
            with self.assertRefused("Acompte", "future"):
                act(tomorrow)
        self.assertFalse(self.funding.sudo().move_ids)
        self.funding._do_claim(DAY)
        # Dated anew in accounting.
        move = self.funding.sudo().move_ids
        move.button_draft()
        move.write({"invoice_date": BEFORE, "date": BEFORE})
        with self.assertRefused("before", "Acompte"):
            move.action_post()
        self.assertFalse(self.verify())

    def test_no_contract_in_force(self):
        draft = self.env["grant.contract"].create({
            "name": "Brouillon", "code": "TEST-DRAFT", "funder_id": self.prefecture.id,
            "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": "2022-12-31",
            "envelope_ids": [Command.create({"name": "A", "code": "A", "amount": 900})],
        })  # fmt: skip
        funding = self.make_funding(draft)
        with self.assertRefused("TEST-DRAFT", "not in force"):
            funding._do_claim(DAY)
        manager = draft.with_user(self.finance_manager)
        manager.action_put_in_force()
        funding._do_claim(DAY)
        with self.assertRefused("TEST-DRAFT", "Acompte", "Cancel that claim"):
            manager.action_reset_to_draft()
        with self.assertRefused("TEST-DRAFT", "Acompte", "11/02/2021", "11/03/2021"):
            manager._do_correct_date("signature_date", DAY + datetime.timedelta(1), "Erreur")
        funding.with_user(self.finance_manager).action_cancel_claim()
        manager.action_reset_to_draft()
        self.assertEqual(draft.state, "draft")

    def test_verified(self):
        """Of before the rule."""
        self.funding._do_claim(DAY)
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE grant_contract SET force_date = '2021-12-01' WHERE id = %s", [self.contract.id]
        )
        self.env.invalidate_all()
        self.assertIn("Acompte", "".join(self.env["grant.funding"]._get_misdated(
            self.contract.envelope_ids
        )))  # fmt: skip
