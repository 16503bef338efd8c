from odoo import fields, models
from odoo.tools import SQL

# What moved, by the ledger; what is to come, by the documents: never before today. The State's own
# payments to operators are none of the city's.
LINES = """WITH city AS (
           SELECT envelope.id, envelope.contract_id, envelope.company_id, envelope.currency_id,
                  %(today)s AS today, company.grant_late_interest_rate AS rate
             FROM grant_envelope envelope
             JOIN res_company company ON company.id = envelope.company_id
            WHERE envelope.payment_path = 'city'
       ), owed AS (
           SELECT tranche.id, tranche.subsidy_id, tranche.envelope_id, tranche.state,
                  tranche.due_date, tranche.payment_deadline,
                  tranche.amount - COALESCE(tranche.reduced_amount, 0)
                  - COALESCE(paid.amount, 0) AS amount
             FROM grant_disbursement tranche
             JOIN grant_subsidy subsidy ON subsidy.id = tranche.subsidy_id
              AND subsidy.state IN ('granted', 'signed')
             LEFT JOIN (SELECT origin_id, sum(amount) AS amount FROM grant_entry
                         WHERE origin_model = 'grant.disbursement' AND kind = 'payment'
                      GROUP BY origin_id) paid ON paid.origin_id = tranche.id
            WHERE tranche.state IN ('planned', 'ready', 'certified', 'ordered')
       ), left_over AS (
           SELECT subsidy.id, subsidy.kind, subsidy.envelope_id, subsidy.date_start,
                  subsidy.date_end,
                  -- What was paid back is paid again by a tranche, or not at all.
                  subsidy.committed_amount - subsidy.paid_amount - planned.amount
                  + LEAST(subsidy.recovered_amount, GREATEST(
                        subsidy.paid_amount + planned.amount - subsidy.committed_amount, 0))
                  AS amount
             FROM grant_subsidy subsidy
             JOIN LATERAL (SELECT COALESCE(sum(owed.amount), 0) AS amount
                             FROM owed WHERE owed.subsidy_id = subsidy.id) planned ON TRUE
            WHERE subsidy.state = 'signed'
       ), event AS (
           SELECT 8 * id::bigint AS id,
                  CASE kind WHEN 'receipt' THEN 'state' WHEN 'recovery' THEN 'repayment'
                            ELSE CASE (SELECT subsidy.kind FROM grant_subsidy subsidy
                                        WHERE subsidy.id = entry.subsidy_id)
                                 WHEN 'own_cost' THEN 'own_cost' ELSE 'operator' END END AS kind,
                  'done' AS readiness, envelope_id, subsidy_id, date,
                  CASE kind WHEN 'payment' THEN -amount ELSE amount END AS amount,
                  'grant.entry' AS origin_model, id AS origin_id
             FROM grant_entry entry WHERE kind IN ('receipt', 'payment', 'recovery')
            UNION ALL
           SELECT 8 * funding.id::bigint + 1, 'state', funding.state, funding.envelope_id, NULL,
                  GREATEST(funding.due_date, city.today),
                  funding.amount - funding.received_amount, 'grant.funding', funding.id
             FROM grant_funding funding JOIN city ON city.id = funding.envelope_id
            WHERE funding.state <> 'received'
            UNION ALL
           -- As it is planned; once the work is certified, before it is late.
           SELECT 8 * owed.id::bigint + 2, 'operator', owed.state, owed.envelope_id,
                  owed.subsidy_id,
                  GREATEST(CASE WHEN owed.state IN ('certified', 'ordered')
                                THEN COALESCE(owed.payment_deadline, owed.due_date)
                                ELSE COALESCE(owed.due_date, owed.payment_deadline) END,
                           city.today),
                  -owed.amount, 'grant.disbursement', owed.id
             FROM owed JOIN city ON city.id = owed.envelope_id
            UNION ALL
           SELECT 8 * owed.id::bigint + 3, 'interest', owed.state, owed.envelope_id,
                  owed.subsidy_id, city.today,
                  -round(owed.amount * city.rate::numeric / 100
                         * (city.today - owed.payment_deadline) / 365, 2),
                  'grant.disbursement', owed.id
             FROM owed JOIN city ON city.id = owed.envelope_id
              AND owed.payment_deadline < city.today
            UNION ALL
           SELECT 8 * left_over.id::bigint + 4, 'operator', 'unplanned', left_over.envelope_id,
                  left_over.id, GREATEST(left_over.date_end, city.today), -left_over.amount,
                  'grant.subsidy', left_over.id
             FROM left_over JOIN city ON city.id = left_over.envelope_id
            WHERE left_over.kind = 'operator' AND left_over.amount > 0
            UNION ALL
           SELECT 8 * recovery.id::bigint + 5, 'repayment', recovery.state, recovery.envelope_id,
                  recovery.subsidy_id, city.today, claim.amount_residual,
                  'grant.recovery', recovery.id
             FROM grant_recovery recovery JOIN city ON city.id = recovery.envelope_id
             -- What the city does without of a claim is not awaited.
             JOIN LATERAL (SELECT move.amount_residual FROM account_move move
                            WHERE move.grant_origin_model = 'grant.recovery'
                              AND move.grant_origin_id = recovery.id AND move.state = 'posted'
                         ORDER BY move.id DESC LIMIT 1) claim ON TRUE
            WHERE recovery.state = 'claimed'
            UNION ALL
           -- The city's own costs: what is left, in equal parts until the end, to the cent.
           SELECT 8 * (left_over.id::bigint * 1000 + part) + 6, 'own_cost', 'forecast',
                  left_over.envelope_id, left_over.id,
                  LEAST(GREATEST((date_trunc('month', months.first)
                                  + make_interval(months => part) - interval '1 day')::date,
                                 city.today),
                        GREATEST(left_over.date_end, city.today)),
                  -(round(left_over.amount * part / months.number, 2)
                    - round(left_over.amount * (part - 1) / months.number, 2)),
                  'grant.subsidy', left_over.id
             FROM left_over JOIN city ON city.id = left_over.envelope_id
             JOIN LATERAL (SELECT GREATEST(left_over.date_start, city.today) AS first) start ON TRUE
             JOIN LATERAL (SELECT start.first, GREATEST(1,
                      12 * (extract(year FROM left_over.date_end)
                            - extract(year FROM start.first))
                      + extract(month FROM left_over.date_end)
                      - extract(month FROM start.first) + 1)::integer AS number) months ON TRUE
             JOIN LATERAL generate_series(1, months.number) AS part ON TRUE
            WHERE left_over.kind = 'own_cost' AND left_over.amount > 0
       )
       SELECT event.id, event.kind, event.readiness, event.readiness <> 'done' AS is_forecast,
              event.envelope_id, city.contract_id, city.company_id, city.currency_id,
              event.subsidy_id, event.date, event.amount, event.origin_model, event.origin_id
         FROM event JOIN city ON city.id = event.envelope_id
        WHERE event.amount <> 0"""

KINDS = [
    ("state", "From the State"),
    ("operator", "To Operators"),
    ("own_cost", "Costs of the City"),
    ("repayment", "Repayments"),
    ("interest", "Late Interest"),
]


class GrantCashLine(models.Model):
    """What the State pays the city and what the city pays, done and to come, one line for each
    movement: below zero, the city pays.

    Done is what the ledger says. To come: instalments of the State by due date; tranches by due
    date, once certified by the day on which they would be late; what no tranche plans, at the end
    of the subsidy; the city's own costs in equal parts until their end; what is late, today.
    """

    _name = "grant.cash.line"
    _description = "Cash Plan: Movements"
    _auto = False
    _order = "date, id"
    _rec_name = "date"

    kind = fields.Selection(KINDS, readonly=True)
    readiness = fields.Selection(
        [
            ("done", "Done"),
            ("expected", "Expected"),
            ("claimed", "Claimed"),
            ("planned", "Planned"),
            ("ready", "Ready"),
            ("certified", "Certified"),
            ("ordered", "Ordered"),
            ("unplanned", "In No Tranche"),
            ("forecast", "Forecast"),
        ],
        readonly=True,
    )
    is_forecast = fields.Boolean(string="To Come", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True)
    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(
        string="Document", model_field="origin_model", readonly=True, aggregator=None
    )

    def _select(self):
        """SQL of the movements."""
        return SQL(
            LINES, today=self.env["res.company"]._get_grant_today_sql(SQL("envelope.company_id"))
        )

    @property
    def _table_query(self):
        self.env.flush_all()
        return self._select()

    def action_open_origin(self):
        """Open the document behind this movement."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.origin_model,
            "res_id": self.origin_id,
            "views": [(False, "form")],
        }
