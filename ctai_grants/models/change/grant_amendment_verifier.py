from odoo import api, models
from odoo.tools import SQL


class GrantAmendment(models.Model):
    """The verifier of amendments: signed, their entries say what their amounts and lines change,
    on the day of their signature; drafts have none."""

    _inherit = "grant.amendment"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT amendment.id, said.name, said.stored, said.said
                     FROM grant_amendment amendment
                     LEFT JOIN grant_subsidy subsidy ON subsidy.id = amendment.subsidy_id
                     JOIN LATERAL (
                              -- A day from which a correction took all of it says nothing.
                              SELECT COALESCE(sum(amount), 0) AS amount, count(*) AS entries,
                                     min(date) FILTER (WHERE amount <> 0) AS first,
                                     max(date) FILTER (WHERE amount <> 0) AS last
                                FROM (SELECT date, sum(amount) AS amount FROM grant_entry
                                       WHERE origin_model = 'grant.amendment'
                                         AND origin_id = amendment.id
                                    GROUP BY date, envelope_id, action_id) day) ledger ON TRUE
                     JOIN LATERAL (VALUES
                              ('amount', amendment.amount::text,
                               (COALESCE(amount_before, 0) + ledger.amount)::text,
                               subsidy.id IS NOT NULL AND amendment.state = 'signed'
                               AND COALESCE(amendment.amount, 0)
                                   <> COALESCE(amount_before, 0) + ledger.amount),
                              ('signature_date', amendment.signature_date::text, first::text,
                               entries > 0 AND amendment.state = 'signed' AND (
                                   first IS DISTINCT FROM amendment.signature_date
                                   OR last IS DISTINCT FROM amendment.signature_date)),
                              ('state', amendment.state, 'signed',
                               entries > 0 AND amendment.state <> 'signed')
                          ) said (name, stored, said, differs) ON differs
                    WHERE subsidy.envelope_id = ANY(%s) OR amendment.contract_id = ANY(%s)
                 ORDER BY 1""",
                envelopes.ids,
                envelopes.contract_id.ids,
            ),
        ]


class GrantAmendmentLine(models.Model):
    _inherit = "grant.amendment.line"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT line.id, 'amount', line.amount::text,
                          (COALESCE(line.amount_before, 0) + ledger.amount)::text
                     FROM grant_amendment_line line
                     JOIN grant_amendment amendment ON amendment.id = line.amendment_id
                      AND amendment.state = 'signed'
                     LEFT JOIN grant_subsidy subsidy ON subsidy.id = amendment.subsidy_id
                     JOIN LATERAL (
                              SELECT COALESCE(sum(amount), 0) AS amount FROM grant_entry
                               WHERE origin_model = 'grant.amendment' AND origin_id = amendment.id
                                 AND CASE line.item_model
                                     WHEN 'grant.envelope' THEN envelope_id = line.item_id
                                     ELSE action_id = line.item_id END) ledger ON TRUE
                    WHERE line.item_model IN ('grant.envelope', 'grant.action')
                      AND COALESCE(line.amount, 0)
                          <> COALESCE(line.amount_before, 0) + ledger.amount
                      AND (subsidy.envelope_id = ANY(%s) OR amendment.contract_id = ANY(%s))
                 ORDER BY 1""",
                envelopes.ids,
                envelopes.contract_id.ids,
            ),
        ]
