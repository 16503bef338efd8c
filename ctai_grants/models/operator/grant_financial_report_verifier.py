from odoo import api, models
from odoo.tools import SQL


class GrantFinancialReport(models.Model):
    """The verifier of reports that have lines: their totals are what the lines add up to."""

    _inherit = "grant.financial.report"

    @api.model
    def _select_misstated(self, envelopes):
        return [
            *super()._select_misstated(envelopes),
            SQL(
                """SELECT report.id, said.name, said.stored::text, said.said::text
                     FROM grant_financial_report report
                     JOIN (SELECT line.report_id,
                                  bool_or(line.budget_line_id IS NOT NULL) AS has_budget,
                                  COALESCE(sum(line.forecast) FILTER (WHERE is_charge), 0)
                                      AS budget,
                                  COALESCE(sum(line.actual) FILTER (WHERE is_charge), 0) AS actual,
                                  COALESCE(sum(line.refused_amount) FILTER (WHERE is_charge), 0)
                                      AS refused,
                                  COALESCE(sum(line.actual) FILTER (
                                      WHERE account.heading IN ('70', '73', '74', '75', '76', '77',
                                                                '78', '79', 'others')
                                        AND line.is_subsidy IS NOT TRUE), 0) AS income
                             FROM grant_report_line line
                             JOIN grant_budget_account account ON account.id = line.account_id
                            CROSS JOIN LATERAL (
                                      SELECT account.heading IN (
                                                 '60', '61', '62', '63', '64', '65', '66', '67',
                                                 '68', '69', 'ind', 'direct')
                                             AND account.is_balancing IS NOT TRUE AS is_charge
                                  ) kind
                         GROUP BY line.report_id) lines ON lines.report_id = report.id
                     JOIN LATERAL (VALUES
                              ('budget_amount', report.budget_amount,
                               CASE WHEN has_budget THEN budget
                                    ELSE COALESCE(report.budget_amount, 0) END),
                              ('actual_amount', report.actual_amount, actual),
                              ('eligible_amount', report.eligible_amount, actual - refused),
                              ('other_income', report.other_income, income)
                          ) said (name, stored, said)
                       ON COALESCE(said.stored, 0) <> said.said
                    WHERE report.envelope_id = ANY(%s) ORDER BY 1""",
                envelopes.ids,
            ),
        ]
