from odoo import models


class GrantFunding(models.Model):
    _name = "grant.funding"
    _inherit = ["grant.funding", "grant.pes.mixin"]

    def _get_pes_batch(self):
        self._check_state(("claimed", "received"), self.env._("Making a file for the treasury"))
        label = f"{self.contract_id.code} {self.envelope_id.code} {self.name}"
        return self._get_pes_claim(self._get_live_move(), self.contract_id.funder_id, label)
