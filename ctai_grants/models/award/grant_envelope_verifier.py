from odoo import api, models
from odoo.tools import SQL


class GrantEnvelope(models.Model):
    """The verifier of envelopes: their amount is what the ledger allots, their state that of their
    contract."""

    _inherit = "grant.envelope"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT envelope.id, said.name, said.stored, said.said
                     FROM grant_envelope envelope
                     JOIN grant_contract contract ON contract.id = envelope.contract_id
                     JOIN LATERAL (
                              SELECT COALESCE(sum(amount), 0) AS allocated FROM grant_entry
                               WHERE envelope_id = envelope.id AND kind = 'allocation'
                          ) ledger ON TRUE
                     JOIN LATERAL (VALUES
                              ('amount', CASE envelope.state WHEN 'draft' THEN 0::numeric
                                         ELSE envelope.amount END::text, allocated::text,
                               allocated <> CASE envelope.state WHEN 'draft' THEN 0
                                            ELSE envelope.amount END),
                              ('state', envelope.state, contract.state,
                               envelope.state <> contract.state)
                          ) said (name, stored, said, differs) ON differs
                    WHERE envelope.id = ANY(%s) ORDER BY 1""",
                envelopes.ids,
            ),
        ]
