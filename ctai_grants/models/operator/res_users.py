from odoo import models


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
