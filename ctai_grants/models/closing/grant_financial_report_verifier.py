from odoo import api, models
from odoo.tools import SQL


class GrantFinancialReport(models.Model):
    """The verifier of financial reports: what is accepted is what the ledger has as justified, on
    the day of the acceptance. Works out the amount due by itself."""

    _inherit = "grant.financial.report"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """WITH ledger AS (
                       SELECT origin_id AS report_id, sum(amount) FILTER (
                                  WHERE kind = 'justification') AS amount,
                              max(date) AS last
                         FROM grant_entry WHERE origin_model = 'grant.financial.report'
                     GROUP BY origin_id
                   ), decided AS (
                       SELECT report_id, count(*) FILTER (WHERE decision = 'accepted') AS times
                         FROM grant_decision WHERE report_id IS NOT NULL GROUP BY report_id
                   )
                   SELECT report.id, said.name, said.stored, said.said
                     FROM grant_financial_report report
                     JOIN grant_subsidy subsidy ON subsidy.id = report.subsidy_id
                     LEFT JOIN ledger ON ledger.report_id = report.id
                     LEFT JOIN decided ON decided.report_id = report.id
                     JOIN LATERAL (
                              SELECT GREATEST(0, LEAST(
                                         eligible_amount, granted_amount, CASE due_rule
                                         WHEN 'pro_rata' THEN round(
                                             granted_amount * eligible_amount
                                             / NULLIF(budget_amount, 0), 2)
                                         WHEN 'deficit' THEN eligible_amount - other_income
                                         END)) AS amount) due ON TRUE
                     JOIN LATERAL (VALUES
                              ('eligible_amount', due.amount::text,
                               COALESCE(ledger.amount, 0)::text, report.state = 'accepted'
                               AND due.amount IS DISTINCT FROM COALESCE(ledger.amount, 0)),
                              ('acceptance_date', report.acceptance_date::text, last::text,
                               report.state = 'accepted' AND times = 1
                               AND report.acceptance_date <> last),
                              ('state', report.state, 'accepted',
                               times IS NULL AND ledger.report_id IS NOT NULL)
                          ) said (name, stored, said, differs) ON differs
                    WHERE report.envelope_id = ANY(%s) ORDER BY 1""",
                envelopes.ids,
            ),
        ]
