from odoo import models


class GrantSourceMixin(models.AbstractModel):
    _inherit = "grant.source.mixin"

    def _post_entries(self, lines):
        """Post; no payment is taken back that is claimed from the operator, by whatever way it
        comes."""
        changes = {}
        for line in lines:
            if line["kind"] == "payment":
                subsidy = line["subsidy_id"]
                changes[subsidy] = changes.get(subsidy, 0.0) + line["amount"]
        # sudo: accounting takes a payment back whoever may read what is claimed
        subsidies = self.env["grant.subsidy"].sudo()
        for subsidy, change in changes.items():
            if change < 0:
                subsidies.browse(subsidy)._check_not_claimed(-change)
        return super()._post_entries(lines)
