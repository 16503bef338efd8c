from odoo import fields, models


class GrantContract(models.Model):
    _inherit = "grant.contract"

    amendment_ids = fields.One2many("grant.amendment", "contract_id", string="Amendments")

    def _has_begun(self):
        return super()._has_begun() or "signed" in self.amendment_ids.mapped("state")

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        if name == "signature_date":
            self.amendment_ids._check_follow(date)
        return result

    def action_amend(self):
        """Draft an amendment to this contract, and open it.

        :raise UserError: not in force
        :raise AccessError: the user is not a coordinator
        """
        return self.env["grant.amendment"]._draft("contract_id", self)._get_form_action()

    def action_view_amendments(self):
        """Open the amendments to these contracts and to their subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_amendment_action")
        action["domain"] = [
            "|", ("contract_id", "in", self.ids), ("subsidy_id.contract_id", "in", self.ids)
        ]  # fmt: skip
        action["context"] = {}
        return action
