from odoo import api, models
from odoo.tools import SQL, format_date


class GrantFunding(models.Model):
    """The verifier of State instalments: what the ledger received of each, and its claim."""

    _inherit = "grant.funding"

    @api.model
    def _get_misdated(self, envelopes):
        """Sentences naming the instalments claimed before their contract was in force."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT funding.id FROM grant_funding funding
                     JOIN grant_contract contract ON contract.id = funding.contract_id
                    WHERE funding.envelope_id = ANY(%s)
                      AND funding.claim_date < contract.force_date
                 ORDER BY funding.id""",
                envelopes.ids,
            )
        )
        return super()._get_misdated(envelopes) + [
            self.env._(
                "%(instalment)s was claimed on %(claimed)s, before its contract, of %(force)s.",
                instalment=funding.display_name,
                claimed=format_date(self.env, funding.claim_date),
                force=format_date(self.env, funding.contract_id.force_date),
            )
            for funding in self.browse(row[0] for row in rows)
        ]

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT document.id, said.name, said.stored, said.said
                     FROM grant_funding document
                     JOIN LATERAL (SELECT 'grant.funding' AS origin_model,
                                          document.id AS origin_id) own ON TRUE
                     JOIN LATERAL (
                              SELECT COALESCE(sum(amount), 0) AS received, max(date) AS last
                                FROM grant_entry WHERE origin_model = 'grant.funding'
                                 AND origin_id = document.id) ledger ON TRUE
                     LEFT JOIN LATERAL %s claim ON TRUE
                     JOIN LATERAL (VALUES
                              ('received_amount', received_amount::text, received::text,
                               received_amount <> received),
                              ('amount', amount::text, claim.amount_total::text,
                               amount <> claim.amount_total),
                              ('claim_date', claim_date::text, claim.date::text,
                               claim_date IS DISTINCT FROM claim.date),
                              ('state', document.state, CASE WHEN claim.id IS NULL THEN 'expected'
                                                   WHEN received = claim.amount_total
                                                   THEN 'received' ELSE 'claimed' END,
                               (claim.id IS NULL) <> (document.state = 'expected')
                               OR document.state = 'claimed' AND received = claim.amount_total
                               OR document.state = 'received' AND received = 0),
                              ('received_date', received_date::text, last::text,
                               CASE WHEN received = 0 THEN received_date IS NOT NULL
                                    ELSE received_date IS NULL OR received_date NOT IN (%s) END)
                          ) said (name, stored, said, differs) ON differs
                    WHERE document.envelope_id = ANY(%s) ORDER BY 1""",
                self._select_live(),
                self._get_ledger_days(),
                envelopes.ids,
            ),
        ]
