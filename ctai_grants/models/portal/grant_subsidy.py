from odoo import models


class GrantSubsidy(models.Model):
    _name = "grant.subsidy"
    _inherit = ["grant.subsidy", "grant.portal.mixin"]

    def _compute_access_url(self):
        res = super()._compute_access_url()
        for subsidy in self:
            subsidy.access_url = f"/my/subsidies/{subsidy.id}"
        return res
