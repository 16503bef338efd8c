from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

# Of each contract, and of all of a city: each month between the first movement and the last.
MONTHS = """WITH movement AS (
           SELECT movement.*, date_trunc('month', date)::date AS month FROM (%(lines)s) movement
       ), scope AS (
           SELECT company_id, currency_id, contract_id, min(month) AS first, max(month) AS last
             FROM movement
         GROUP BY GROUPING SETS ((company_id, currency_id, contract_id), (company_id, currency_id))
       ), day AS (
           SELECT scope.company_id, scope.contract_id, movement.date, movement.month,
                  sum(sum(movement.amount)) OVER (
                      PARTITION BY scope.company_id, scope.contract_id ORDER BY movement.date)
                  AS balance
             FROM scope JOIN movement ON movement.company_id = scope.company_id
              AND (scope.contract_id IS NULL OR movement.contract_id = scope.contract_id)
         GROUP BY 1, 2, 3, 4
       ), lowest AS (
           SELECT DISTINCT ON (company_id, contract_id) company_id, contract_id, month, date,
                  balance
             FROM day ORDER BY company_id, contract_id, balance, date
       ), summed AS (
           SELECT scope.company_id, scope.currency_id, scope.contract_id, month.month::date,
                  COALESCE(sum(amount) FILTER (WHERE kind = 'state'), 0) AS state_amount,
                  COALESCE(sum(amount) FILTER (WHERE kind = 'operator'), 0) AS operator_amount,
                  COALESCE(sum(amount) FILTER (WHERE kind = 'own_cost'), 0) AS own_cost_amount,
                  COALESCE(sum(amount) FILTER (WHERE kind = 'repayment'), 0) AS repayment_amount,
                  COALESCE(sum(amount) FILTER (WHERE kind = 'interest'), 0) AS interest_amount,
                  COALESCE(sum(amount), 0) AS amount,
                  COALESCE(bool_or(is_forecast), FALSE) AS is_forecast
             FROM scope
             JOIN LATERAL generate_series(scope.first, scope.last, interval '1 month') AS month
               ON TRUE
             LEFT JOIN movement ON movement.company_id = scope.company_id
              AND (scope.contract_id IS NULL OR movement.contract_id = scope.contract_id)
              AND movement.month = month.month
         GROUP BY 1, 2, 3, 4
       )
       SELECT (summed.company_id::bigint * 1000000 + COALESCE(summed.contract_id, 0)) * 1000000
              + to_char(summed.month, 'YYYYMM')::integer AS id, summed.*,
              to_char(summed.month, 'MM/YYYY') AS name,
              sum(summed.amount) OVER so_far AS balance,
              COALESCE(lowest.balance < 0 AND lowest.month = summed.month, FALSE) AS is_worst,
              CASE WHEN lowest.balance < 0 AND lowest.month = summed.month
                   THEN -lowest.balance END AS advanced_amount,
              CASE WHEN lowest.balance < 0 AND lowest.month = summed.month
                   THEN lowest.date END AS advanced_on
         FROM summed
         LEFT JOIN lowest ON lowest.company_id = summed.company_id
          AND lowest.contract_id IS NOT DISTINCT FROM summed.contract_id
       WINDOW so_far AS (PARTITION BY summed.company_id, summed.contract_id
                         ORDER BY summed.month)"""


class GrantCashMonth(models.Model):
    """The cash plan, month by month: what comes in, what goes out, and what the city has advanced
    in all by then; of a contract, or of all those of the city.

    The worst is at the end of a day: what comes in and goes out on one day is not told apart.
    """

    _name = "grant.cash.month"
    _description = "Cash Plan"
    _auto = False
    _order = "contract_id nulls first, month, id"

    contract_id = fields.Many2one(
        "grant.contract", readonly=True, help="Empty: all contracts of the city together."
    )
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    month = fields.Date(string="First Day", readonly=True)
    name = fields.Char(string="Month", readonly=True)
    state_amount = fields.Monetary(string="From the State", readonly=True)
    operator_amount = fields.Monetary(string="To Operators", readonly=True)
    own_cost_amount = fields.Monetary(string="Costs of the City", readonly=True)
    repayment_amount = fields.Monetary(string="Repayments", readonly=True)
    interest_amount = fields.Monetary(string="Late Interest", readonly=True)
    amount = fields.Monetary(string="Of the Month", readonly=True)
    balance = fields.Monetary(
        string="Since the Beginning",
        readonly=True,
        help="Below zero, the city advances that much at the end of the month.",
    )
    is_forecast = fields.Boolean(string="To Come", readonly=True)
    is_worst = fields.Boolean(string="Worst", readonly=True)
    advanced_amount = fields.Monetary(
        string="Advanced at the Worst", readonly=True, help="The most that the city ever advances."
    )
    advanced_on = fields.Date(string="Worst On", readonly=True)

    @property
    def _table_query(self):
        self.env.flush_all()
        return SQL(MONTHS, lines=self.env["grant.cash.line"]._select())

    @api.depends("name", "contract_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = " – ".join(filter(None, (line.contract_id.code, line.name)))

    def action_view_lines(self):
        """Open the movements of this month; of the kind given in the context, if any."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants_reports.grant_cash_line_action"
        )
        next_month = fields.Date.add(self.month, months=1)
        domain = (
            Domain("company_id", "=", self.company_id.id)
            & Domain("date", ">=", self.month)
            & Domain("date", "<", next_month)
        )
        if self.contract_id:
            domain &= Domain("contract_id", "=", self.contract_id.id)
        return {**action, "domain": list(domain), "context": {}}
