from odoo import api, models
from odoo.tools import SQL


class GrantDisbursement(models.Model):
    """The verifier of tranches: what is paid of each, its state and its date, by the ledger."""

    _inherit = "grant.disbursement"

    def _get_decided_state(self):
        # Its conditions make it ready, nobody decides it.
        return "planned" if self.state == "ready" else super()._get_decided_state()

    @api.model
    def _get_reduction(self):
        """SQL of what is taken off an order and not paid."""
        return SQL("0::numeric")

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT tranche.id, said.name, said.stored, said.said
                     FROM grant_disbursement tranche
                     JOIN LATERAL (SELECT 'grant.disbursement' AS origin_model,
                                          tranche.id AS origin_id) own ON TRUE
                     JOIN LATERAL (
                              SELECT COALESCE(sum(amount), 0) AS paid, max(date) AS last
                                FROM grant_entry WHERE origin_model = 'grant.disbursement'
                                 AND origin_id = tranche.id AND kind = 'payment') ledger ON TRUE
                     JOIN LATERAL (VALUES
                              ('amount', tranche.amount::text, (paid + %(reduction)s)::text,
                               tranche.state IN ('ordered', 'paid')
                               AND CASE tranche.state
                                   WHEN 'paid' THEN tranche.amount <> paid + %(reduction)s
                                   ELSE tranche.amount < paid + %(reduction)s END),
                              ('state', tranche.state, 'paid',
                               paid <> 0 AND (tranche.state NOT IN ('ordered', 'paid') OR
                                   tranche.state = 'ordered'
                                   AND tranche.amount = paid + %(reduction)s)),
                              ('paid_date', tranche.paid_date::text, last::text,
                               CASE tranche.state WHEN 'paid' THEN
                                   tranche.paid_date IS NULL
                                   OR tranche.paid_date NOT IN (%(days)s)
                               ELSE tranche.paid_date IS NOT NULL END)
                          ) said (name, stored, said, differs) ON differs
                    WHERE tranche.envelope_id = ANY(%(envelopes)s) ORDER BY 1""",
                reduction=self._get_reduction(),
                days=self._get_ledger_days(),
                envelopes=envelopes.ids,
            ),
        ]
