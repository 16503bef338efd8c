from odoo import models


class GrantContract(models.Model):
    _inherit = "grant.contract"

    def _get_unfinished(self):
        ordered = self.env["grant.disbursement"].search(
            [("contract_id", "=", self.id), ("state", "=", "ordered")]
        )
        return [
            *super()._get_unfinished(), (ordered, self.env._("Orders not paid: %(documents)s."))
        ]  # fmt: skip
