from odoo import models


class GrantContract(models.Model):
    _name = "grant.contract"
    _inherit = ["grant.contract", "grant.portal.mixin"]

    def _compute_access_url(self):
        res = super()._compute_access_url()
        for contract in self:
            contract.access_url = f"/my/contracts/{contract.id}"
        return res
