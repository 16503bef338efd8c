from odoo import models


class GrantSourceMixin(models.AbstractModel):
    _inherit = "grant.source.mixin"

    def _post_entries(self, lines):
        """Post; the costs of the city follow what is committed for them."""
        entries = super()._post_entries(lines)
        committed = {line.get("subsidy_id") for line in lines if line["kind"] == "commitment"}
        # Of each only what it is: all its fields would cost more than posting does.
        subsidies = self.env["grant.subsidy"].with_context(prefetch_fields=False).browse(committed)
        if envelopes := subsidies._get_cost_envelopes().with_env(self.env):
            envelopes._wake()
        return entries
