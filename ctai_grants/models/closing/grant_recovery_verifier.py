from odoo import api, models
from odoo.tools import SQL


class GrantRecovery(models.Model):
    """The verifier of recoveries: what is paid back of each, its state and its date, by the
    ledger; never more than what the operator was heard about."""

    _inherit = "grant.recovery"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT recovery.id, said.name, said.stored, said.said
                     FROM grant_recovery recovery
                     JOIN LATERAL (SELECT 'grant.recovery' AS origin_model,
                                          recovery.id AS origin_id) own ON TRUE
                     JOIN LATERAL (
                              SELECT COALESCE(sum(amount), 0) AS back, max(date) AS last
                                FROM grant_entry WHERE origin_model = 'grant.recovery'
                                 AND origin_id = recovery.id AND kind = 'recovery') ledger ON TRUE
                     JOIN LATERAL (VALUES
                              ('collected_amount', collected_amount::text, back::text,
                               collected_amount <> back),
                              ('amount', amount::text,
                               CASE recovery.state WHEN 'collected' THEN back
                                                   ELSE notified_amount END::text,
                               recovery.state = 'collected' AND amount <> back
                               OR recovery.state <> 'identified' AND amount > notified_amount),
                              ('state', recovery.state, 'claimed', back <> 0
                               AND recovery.state IN ('identified', 'notified', 'decided')),
                              ('state', recovery.state, 'collected',
                               recovery.state = 'claimed' AND amount <= back),
                              ('collected_date', collected_date::text, last::text,
                               recovery.state = 'collected' AND (
                                   collected_date IS NULL OR collected_date NOT IN (%s)))
                          ) said (name, stored, said, differs) ON differs
                    WHERE recovery.envelope_id = ANY(%s) ORDER BY 1""",
                self._get_ledger_days(),
                envelopes.ids,
            ),
        ]
