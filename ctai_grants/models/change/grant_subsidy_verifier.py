from odoo import api, models
from odoo.tools import SQL

# What signatures and amendments committed, by day and action. Of signatures the last: a day that
# was corrected may come back.
POSTED = """SELECT subsidy_id, date, action_id, sum(amount) AS net,
                   sum(amount) FILTER (WHERE origin_model = 'grant.amendment') AS amended,
                   sum(amount) FILTER (WHERE origin_model = 'grant.subsidy') AS own,
                   (array_agg(amount ORDER BY id DESC) FILTER (
                       WHERE origin_model = 'grant.subsidy' AND amount > 0))[1] AS signed
              FROM grant_entry WHERE kind = 'commitment' AND envelope_id = ANY(%s)
          GROUP BY subsidy_id, date, action_id"""

# What a subsidy says of itself that its signature and amendments do not.
PROMISED = """
    WITH once AS (
        SELECT subsidy_id FROM grant_decision
         WHERE decision IN ('signed', 'reopened') AND subsidy_id IN (
               SELECT id FROM grant_subsidy WHERE state IN ('signed', 'closed'))
      GROUP BY subsidy_id
        HAVING count(*) FILTER (WHERE decision = 'signed') = 1
           AND COALESCE(max(id) FILTER (WHERE decision = 'reopened'), 0)
               < max(id) FILTER (WHERE decision = 'signed')
    ), posted AS (%s), promised AS (
        SELECT subsidy.id, sum(net) AS net,
               -- A day from which a correction took all of it says nothing.
               COALESCE(min(date) FILTER (WHERE own > 0),
                        min(date) FILTER (WHERE own IS NOT NULL)) AS date,
               COALESCE(sum(amended), 0) + COALESCE(sum(signed) FILTER (
                   WHERE date = subsidy.signature_date), 0) AS amount
          FROM grant_subsidy subsidy
          JOIN posted ON posted.subsidy_id = subsidy.id
         WHERE subsidy.envelope_id = ANY(%s)
      GROUP BY subsidy.id
    )
    SELECT subsidy.id, said.name, said.stored, said.said
      FROM promised
      JOIN grant_subsidy subsidy ON subsidy.id = promised.id
      LEFT JOIN once ON once.subsidy_id = subsidy.id
      JOIN LATERAL (VALUES
               ('amount', subsidy.amount::text, promised.amount::text,
                once.subsidy_id IS NOT NULL AND promised.amount <> subsidy.amount
                AND promised.date = subsidy.signature_date),
               ('signature_date', subsidy.signature_date::text, promised.date::text,
                once.subsidy_id IS NOT NULL
                AND promised.date IS DISTINCT FROM subsidy.signature_date),
               ('state', subsidy.state, 'signed', promised.net <> 0
                AND subsidy.state IN ('draft', 'granted', 'cancelled'))
           ) said (name, stored, said, differs) ON differs
  ORDER BY 1"""


class GrantSubsidy(models.Model):
    """The verifier of what is promised: a subsidy says what its signature and its amendments
    committed, on the day of its signature, and while it is signed nothing more or less. Where it
    was signed or opened more than once, nothing but its seal says it."""

    _inherit = "grant.subsidy"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(PROMISED, SQL(POSTED, envelopes.ids), envelopes.ids),
            self._select_more_promised(envelopes),
        ]

    @api.model
    def _select_more_promised(self, envelopes):
        """SQL of the signed subsidies that the ledger promises more or less, on whatever day."""
        return SQL(
            """SELECT subsidy.id, 'amount', subsidy.amount::text, sum(entry.amount)::text
                 FROM grant_subsidy subsidy
                 JOIN grant_entry entry ON entry.subsidy_id = subsidy.id
                WHERE subsidy.state = 'signed' AND subsidy.envelope_id = ANY(%s)
                  AND entry.kind = 'commitment'
                  AND entry.origin_model IN ('grant.amendment', 'grant.subsidy')
                  AND (SELECT count(*) FILTER (WHERE decision = 'signed') = 1
                              AND COALESCE(max(id) FILTER (WHERE decision = 'reopened'), 0)
                                  < max(id) FILTER (WHERE decision = 'signed')
                         FROM grant_decision WHERE subsidy_id = subsidy.id)
                      -- What bounced is committed again in the subsidy's own name.
                  AND NOT EXISTS (SELECT FROM grant_entry bounced
                                   WHERE bounced.subsidy_id = subsidy.id
                                     AND bounced.kind = 'recovery' AND bounced.amount < 0)
             GROUP BY subsidy.id
               HAVING sum(entry.amount) <> subsidy.amount
                  AND min(entry.date) FILTER (WHERE origin_model = 'grant.subsidy')
                      = subsidy.signature_date
                ORDER BY 1""",
            envelopes.ids,
        )
