from odoo import api, models


class GrantEntry(models.Model):
    """What the verifier looks at beside the ledger: the files that operators handed in."""

    _inherit = "grant.entry"

    @api.model
    def _get_altered_files(self, envelopes):
        altered = self.env["grant.deliverable.file"]._get_altered(envelopes)
        return super()._get_altered_files(envelopes) + altered
