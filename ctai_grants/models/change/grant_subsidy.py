from odoo import fields, models
from odoo.exceptions import UserError


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    amendment_ids = fields.One2many("grant.amendment", "subsidy_id", string="Amendments")

    def _get_signed_amount(self):
        decided = self.decision_ids.sorted("id")
        signed = decided.filtered(lambda decision: decision.decision == "signed")[-1:]
        # Cancelled and signed again, it was amended in a former life.
        amended = decided.filtered(
            lambda decision: decision.decision == "amended" and decision.id > signed.id
        )
        first = amended[:1].amendment_id
        return first.amount_before if first else super()._get_signed_amount()

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        if name == "signature_date":
            self.amendment_ids._check_follow(date)
        return result

    def action_amend(self):
        """Draft an amendment to this subsidy, and open it.

        :raise UserError: not signed, or closed
        :raise AccessError: the user is not a coordinator
        """
        return self.env["grant.amendment"]._draft("subsidy_id", self)._get_form_action()

    def action_carry_balance(self):
        """Draft the amendment that carries what is not paid yet to the next year, and open it.

        :raise UserError: nothing is left to pay
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        if self.currency_id.compare_amounts(self.to_pay_amount, 0) <= 0:
            raise UserError(
                self.env._("%(subsidy)s: nothing is left to pay.", subsidy=self.display_name)
            )
        amendment = self.env["grant.amendment"]._draft("subsidy_id", self)
        amendment._carry()
        return amendment._get_form_action()

    def action_view_amendments(self):
        """Open the amendments to these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_amendment_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action
