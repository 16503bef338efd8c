from odoo import models

from .grant_recovery import OPEN_STATES


class GrantContract(models.Model):
    _inherit = "grant.contract"

    def _get_unfinished(self):
        recoveries = self.env["grant.recovery"].search(
            [("contract_id", "=", self.id), ("state", "in", OPEN_STATES)]
        )
        return [
            *super()._get_unfinished(),
            (recoveries, self.env._("Recoveries to collect or waive: %(documents)s.")),
        ]
