from odoo import api, models


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    @api.private
    @api.model
    def _post(self, origin, lines):
        """Post; the costs of the city follow what is committed for them."""
        entries = super()._post(origin, lines)
        committed = {line.get("subsidy_id") for line in lines if line["kind"] == "commitment"}
        # Of each only what it is: all its fields would cost more than posting does.
        subsidies = self.env["grant.subsidy"].with_context(prefetch_fields=False).browse(committed)
        subsidies._get_cost_envelopes().with_env(self.env)._wake()
        return entries
