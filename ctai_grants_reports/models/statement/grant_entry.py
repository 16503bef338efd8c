from odoo import api, models


class GrantEntry(models.Model):
    """What the verifier looks at beside the ledger: the statements that were issued, their time
    stamps, and the scans that were signed."""

    _inherit = "grant.entry"

    @api.model
    def _get_altered_files(self, envelopes):
        return [
            *super()._get_altered_files(envelopes),
            *self.env["grant.statement"]._get_altered(envelopes.contract_id),
            *self.env["grant.heads.stamp"]._get_altered(envelopes.company_id),
            *self.env["grant.signed.scan"]._get_altered(envelopes.company_id),
        ]
