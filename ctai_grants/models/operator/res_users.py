from odoo import api, models


class ResUsers(models.Model):
    _inherit = "res.users"

    def write(self, vals):
        result = super().write(vals)
        if "active" in vals:
            self.env["grant.access"]._follow(self)
        return result

    def _sync_grant_portal_groups(self):
        # Called for whatever decides whom a user acts for.
        result = super()._sync_grant_portal_groups()
        self.env["grant.access"]._follow(self)
        return result

    @api.model
    def _close_unused_sign_up(self):
        """Where nobody has a portal yet, let nobody open a login without an invitation: Odoo's own
        default lets anybody, with any address. Where some do, it is the city's setting."""
        portal = self.env.ref("base.group_portal")
        if not self.search_count([("all_group_ids", "in", portal.ids)], limit=1):
            self.env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2b")
