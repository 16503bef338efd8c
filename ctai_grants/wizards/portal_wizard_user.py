from odoo import models


class PortalWizardUser(models.TransientModel):
    _inherit = "portal.wizard.user"

    def action_grant_access(self):
        """Give portal access, in the group that the organisation's role in grants says."""
        result = super().action_grant_access()
        self.partner_id._sync_grant_portal_groups()
        return result
