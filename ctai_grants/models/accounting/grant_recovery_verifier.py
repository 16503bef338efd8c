from odoo import api, models
from odoo.tools import SQL


class GrantRecovery(models.Model):
    """The verifier of claims: what is asked, and when, is what the entry in accounting says."""

    _inherit = "grant.recovery"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT document.id, said.name, said.stored, said.said
                     FROM grant_recovery document
                     JOIN LATERAL %s claim ON TRUE
                     JOIN LATERAL (VALUES
                              ('amount', amount::text, claim.amount_total::text,
                               amount <> claim.amount_total),
                              ('claim_date', claim_date::text, claim.date::text,
                               claim_date IS DISTINCT FROM claim.date)
                          ) said (name, stored, said, differs) ON differs
                    WHERE document.envelope_id = ANY(%s) ORDER BY 1""",
                self._select_live(),
                envelopes.ids,
            ),
        ]
