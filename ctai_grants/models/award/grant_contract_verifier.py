from odoo import api, models
from odoo.tools import SQL


class GrantContract(models.Model):
    """The verifier of contracts: in force, and signed, since the day of their allocations."""

    _inherit = "grant.contract"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT contract.id, said.name, said.stored::text, ledger.date::text
                     FROM grant_contract contract
                     LEFT JOIN LATERAL (
                              SELECT date FROM grant_entry
                               WHERE origin_model = 'grant.contract' AND origin_id = contract.id
                                 AND amount > 0 AND contract.state <> 'draft'
                            ORDER BY id DESC LIMIT 1) ledger ON TRUE
                     JOIN LATERAL (VALUES
                              ('force_date', contract.force_date),
                              ('signature_date', CASE WHEN contract.state <> 'draft'
                                                 THEN contract.signature_date END)
                          ) said (name, stored) ON said.stored IS DISTINCT FROM ledger.date
                    WHERE contract.id = ANY(%s) ORDER BY 1""",
                envelopes.contract_id.ids,
            ),
        ]
