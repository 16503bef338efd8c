from odoo import fields, models


class ResPartner(models.Model):
    _inherit = "res.partner"

    grant_access_ids = fields.One2many(
        "grant.access", "operator_id", string="Who May Act", groups="ctai_grants.group_reader"
    )

    def action_invite_to_portal(self):
        """Ask for the name and address of whom to invite to act for this operator.

        :raise AccessError: not a coordinator of its cities
        """
        self.ensure_one()
        accesses = self.env["grant.access"]
        # sudo: what an organisation is, and which cities name it
        accesses._check_manager(self.sudo(), self.env._("Inviting somebody"))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Invite to the Portal"),
            "res_model": "grant.access.invite",
            "view_mode": "form",
            "target": "new",
            "context": {"default_operator_id": self.commercial_partner_id.id},
        }
