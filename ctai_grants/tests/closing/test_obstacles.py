from odoo import fields
from odoo.tests import Form, tagged

from ..common import GrantsCommon, make_siret


@tagged("post_install", "-at_install")
class TestObstacles(GrantsCommon):
    """What prevents an act is shown before it, with the way to what lifts it; the act refuses."""

    def lift(self, document, obstacle, value):
        """Go where the button leads, and enter ``value`` there as a coordinator does."""
        with Form(document.with_user(self.coordinator)) as form:
            setattr(form, obstacle["field"], value)

    def test_granting(self):
        subsidy = self.make_subsidy(decision_number=False, date_end=False)
        (obstacle,) = subsidy.obstacles
        self.assertIn("End, Decision Number", obstacle["sentence"])
        with self.assertRefused(obstacle["sentence"]):
            subsidy.action_grant()
        self.lift(subsidy, obstacle, "2021-12-31")
        (obstacle,) = subsidy.obstacles
        self.assertEqual(obstacle["field"], "decision_number")
        self.lift(subsidy, obstacle, "2021-0001")
        self.assertFalse(subsidy.obstacles)
        subsidy.action_grant()

    def test_a_new_one_is_not_blamed(self):
        self.assertFalse(Form(self.env["grant.subsidy"]).obstacles)

    def test_signing(self):
        self.operator.company_registry = False
        subsidy = self.make_subsidy(amount=1000, signature_date=False)
        self.make_tranche(subsidy, amount=1500)
        subsidy.action_grant()
        fill, siret, schedule = subsidy.obstacles
        self.assertEqual(siret["action"]["res_model"], "res.partner")
        self.assertEqual(siret["action"]["res_id"], self.operator.commercial_partner_id.id)
        self.assertEqual(schedule["field"], "disbursement_ids")
        # The act says all of it at once, in the same words.
        with self.assertRefused(*(one["sentence"] for one in (fill, siret, schedule))):
            subsidy.with_user(self.coordinator).action_sign()
        self.lift(subsidy, fill, self.contract.signature_date)
        self.operator.company_registry = make_siret()
        subsidy.disbursement_ids.amount = 1000
        subsidy.invalidate_recordset()
        self.assertFalse(subsidy.obstacles)
        subsidy.action_sign()
        self.assertFalse(subsidy.obstacles)

    def test_the_ceiling_in_the_words_of_the_ledger(self):
        subsidy = self.make_subsidy(amount=self.envelope.available_amount + 1)
        subsidy.action_grant()
        (obstacle,) = subsidy.obstacles
        self.assertEqual(obstacle["action"]["res_id"], self.envelope.id)
        with self.assertRefused(obstacle["sentence"]):
            subsidy.action_sign()

    def test_a_contract(self):
        contract = self.contract.copy()
        contract.envelope_ids.amount = 0
        signature, envelopes = contract.obstacles
        self.assertEqual(signature["field"], "signature_date")
        self.assertEqual(envelopes["field"], "envelope_ids")
        manager_contract = contract.with_user(self.finance_manager)
        with self.assertRefused(signature["sentence"], envelopes["sentence"]):
            manager_contract.action_put_in_force()
        contract.signature_date = self.contract.signature_date
        contract.envelope_ids[0].amount = 10
        self.assertFalse(contract.obstacles)
        manager_contract.action_put_in_force()

    def test_a_company_that_cannot(self):
        contract = self.contract.copy()
        self.company.country_id = self.env.ref("base.be")
        said = contract.with_user(self.finance_manager).obstacles
        self.assertIn("France", said[0]["sentence"])
        # Who may not change it is told, and led nowhere.
        self.assertFalse(said[0]["action"])
        contract.invalidate_recordset()
        admin = self.env.ref("base.user_admin")
        admin.company_ids |= self.company
        admin.group_ids |= self.env.ref("ctai_grants.group_administrator")
        said = contract.with_user(admin).obstacles
        self.assertEqual(said[0]["action"]["res_model"], "res.company")

    def test_closing(self):
        """The window that asks why links to what is open."""
        subsidy = self.sign(self.make_subsidy(amount=1000))
        tranche = self.make_tranche(subsidy, amount=1000)
        tranche.with_user(self.coordinator).action_certify()
        action = subsidy.with_user(self.finance_manager).action_close()
        window = self.env["grant.reason"].with_user(self.finance_manager)
        preview = window.with_context(**action["context"]).create({}).preview
        self.assertIn(f"/odoo/grant.disbursement/{tranche.id}", preview)

    def test_no_markup_of_a_name(self):
        subsidy = self.sign(self.make_subsidy(amount=1000))
        tranche = self.make_tranche(subsidy, amount=1000, name="<img src=x>")
        tranche.with_user(self.coordinator).action_certify()
        (obstacle,) = subsidy._get_closing_obstacles()
        self.assertIn("&lt;img", obstacle._get_link(self.env))
        self.assertNotIn("<img", obstacle._get_link(self.env))

    def test_a_date_of_the_future(self):
        """One in data from before the rule is shown, not only refused."""
        subsidy = self.make_subsidy()
        self.env.cr.execute(
            "UPDATE grant_subsidy SET decision_date = %s WHERE id = %s", ["2999-01-01", subsidy.id]
        )
        subsidy.invalidate_recordset()
        self.assertIn("2999", self.say(subsidy.obstacles))
        self.assertEqual(subsidy.obstacles[0]["field"], "decision_date")
        self.assertLess(fields.Date.today(), subsidy.decision_date)
