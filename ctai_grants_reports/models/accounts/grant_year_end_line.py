import json

from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.ctai_grants.lib.accounting.accounts import PURPOSE_BY_LEGAL_FORM
from odoo.addons.ctai_grants.models.accounting.grant_accounted_ledger import ACCOUNTED
from odoo.addons.ctai_grants.models.guard.res_company import TIMEZONE

from .ordered import ORDERED, SAID_ORDERED, select_own_ordered

# The decisions that move a tranche; and when, in the city's legal time. An order counts of its own
# date, as accounting dates it.
DECIDED = SQL(
    """SELECT decision.id, decision.disbursement_id AS tranche_id, decision.decision,
              CASE WHEN decision.decision = 'ordered' AND tranche.order_date IS NOT NULL
                   THEN tranche.order_date
                   ELSE (decision.decided_at AT TIME ZONE 'UTC'
                         AT TIME ZONE COALESCE(city.tz, %s))::date END AS date
         FROM grant_decision decision
         JOIN grant_disbursement tranche ON tranche.id = decision.disbursement_id
         JOIN res_company company ON company.id = decision.company_id
         JOIN res_partner city ON city.id = company.partner_id
        WHERE decision.decision IN ('certified', 'returned', 'ordered', 'order_withdrawn', 'paid',
                                    'unpaid', 'cancelled', 'reopened')""",
    TIMEZONE,
)

# One row for each subsidy and year in which it had something to pay; all sums until its 31st of
# December. The figures first, then in “check” the same by another road.
LINES = """WITH booked AS (
           -- By accounting: orders and their credit notes; what the city spent itself.
           SELECT tranche.subsidy_id, ordered.tranche_id, ordered.account_id, ordered.date,
                  ordered.amount
             FROM (%(ordered)s) ordered
             JOIN grant_disbursement tranche ON tranche.id = ordered.tranche_id
            UNION ALL
           SELECT subsidy_id, NULL, account_id, date, amount FROM (%(own_costs)s) own
       ), subsidy AS (
           SELECT subsidy.id, subsidy.kind, subsidy.envelope_id, subsidy.contract_id,
                  subsidy.company_id, subsidy.currency_id, subsidy.partner_id,
                  CASE WHEN subsidy.kind = 'operator'
                       THEN COALESCE(%(purposes)s ->> organisation.legal_form, 'association') END
                  AS purpose, COALESCE(city.tz, %(zone)s) AS zone,
                  first.year AS first_year, extract(year FROM %(today)s)::integer AS last_year
             FROM grant_subsidy subsidy
             JOIN grant_envelope envelope ON envelope.id = subsidy.envelope_id
              AND envelope.payment_path = 'city'
             JOIN res_company company ON company.id = subsidy.company_id
             JOIN res_partner city ON city.id = company.partner_id
             JOIN res_partner operator ON operator.id = subsidy.partner_id
             JOIN res_partner organisation
               ON organisation.id = COALESCE(operator.commercial_partner_id, operator.id)
             JOIN LATERAL (SELECT min(extract(year FROM date))::integer AS year
                             FROM grant_entry WHERE subsidy_id = subsidy.id) first
               ON first.year IS NOT NULL
       ), line AS (
           SELECT subsidy.*, year, make_date(year, 12, 31) AS day
             FROM subsidy
             JOIN LATERAL generate_series(first_year, last_year) AS year ON TRUE
       ), summed AS (
           SELECT line.*, ledger.committed, ledger.paid, ledger.recovered,
                  ordered.before, ordered.within,
                  ordered.account_id, COALESCE(due.attached, 0) AS attached,
                  said.ordered AS said_ordered, COALESCE(judged.attached, 0) AS said_attached,
                  waiting.amount AS waiting, settled.amount AS settled
             FROM line
             JOIN LATERAL (
                      SELECT COALESCE(sum(amount) FILTER (WHERE kind = 'commitment'), 0)
                             AS committed,
                             COALESCE(sum(amount) FILTER (WHERE kind = 'payment'), 0) AS paid,
                             COALESCE(sum(amount) FILTER (WHERE kind = 'recovery'), 0) AS recovered
                        FROM grant_entry
                       WHERE subsidy_id = line.id AND date <= line.day) ledger ON TRUE
             JOIN LATERAL (
                      SELECT COALESCE(sum(amount) FILTER (
                                 WHERE date < make_date(line.year, 1, 1)), 0) AS before,
                             COALESCE(sum(amount) FILTER (
                                 WHERE date >= make_date(line.year, 1, 1)), 0) AS within,
                             CASE WHEN count(DISTINCT account_id) FILTER (
                                           WHERE date >= make_date(line.year, 1, 1)) = 1
                                  THEN min(account_id) FILTER (
                                           WHERE date >= make_date(line.year, 1, 1)) END
                             AS account_id
                        FROM booked
                       WHERE subsidy_id = line.id AND date <= line.day) ordered ON TRUE
             -- Service fait by then, and nothing ordered by then.
             LEFT JOIN LATERAL (
                      SELECT sum(tranche.amount) AS attached FROM grant_disbursement tranche
                       WHERE tranche.subsidy_id = line.id AND tranche.state <> 'cancelled'
                         AND (tranche.certified_at AT TIME ZONE 'UTC' AT TIME ZONE line.zone)::date
                             <= line.day
                         AND NOT EXISTS (
                                 SELECT FROM booked WHERE booked.tranche_id = tranche.id
                                    AND booked.date <= line.day
                                 HAVING sum(booked.amount) > 0)) due ON TRUE
             -- Checks: by the tranches, by their decisions, by what accounting settled.
             LEFT JOIN LATERAL (
                      SELECT sum(said.amount) AS ordered
                        FROM (%(said)s) said
                        JOIN grant_disbursement tranche ON tranche.id = said.tranche_id
                       WHERE tranche.subsidy_id = line.id AND said.date <= line.day) said ON TRUE
             LEFT JOIN LATERAL (
                      SELECT sum(tranche.amount) AS attached
                        FROM grant_disbursement tranche
                        JOIN LATERAL (SELECT decision FROM (%(decided)s) decided
                                       WHERE decided.tranche_id = tranche.id
                                         AND decided.date <= line.day
                                    ORDER BY decided.id DESC LIMIT 1) last
                          ON last.decision = 'certified'
                       WHERE tranche.subsidy_id = line.id) judged ON TRUE
             LEFT JOIN LATERAL (
                      SELECT sum(tranche.amount) AS amount FROM grant_disbursement tranche
                       WHERE tranche.subsidy_id = line.id AND tranche.state <> 'cancelled'
                         AND COALESCE((tranche.certified_at AT TIME ZONE 'UTC'
                                       AT TIME ZONE line.zone)::date, 'infinity') > line.day
                         AND COALESCE(tranche.order_date, 'infinity') > line.day) waiting ON TRUE
             LEFT JOIN LATERAL (
                      SELECT sum(accounted.amount) AS amount FROM (%(accounted)s) accounted
                        JOIN grant_disbursement tranche ON tranche.id = accounted.origin_id
                       WHERE accounted.origin_model = 'grant.disbursement'
                         AND tranche.subsidy_id = line.id AND accounted.date <= line.day) settled
               ON TRUE
       )
       SELECT line.*, before_amount + ordered_amount <> said_ordered_amount
              OR attached_amount <> said_attached_amount
              OR carried_amount <> said_carried_amount
              OR paid_amount <> settled_amount AS is_different
         FROM (
       SELECT summed.id::bigint * 10000 + summed.year AS id, summed.id AS subsidy_id,
              summed.kind, summed.year, summed.envelope_id, summed.contract_id, summed.company_id,
              summed.currency_id, summed.partner_id,
              COALESCE(summed.account_id, usual.account_id) AS account_id,
              summed.committed AS committed_amount, summed.before AS before_amount,
              summed.within AS ordered_amount, summed.attached AS attached_amount,
              -- What was paid back and is committed no more was ordered for good: nothing is left.
              summed.committed - summed.before - summed.within - summed.attached
              + LEAST(summed.recovered, GREATEST(
                    summed.before + summed.within + summed.attached - summed.committed, 0))
              AS carried_amount,
              summed.paid AS paid_amount,
              summed.before + summed.within - summed.paid AS unpaid_amount,
              CASE summed.kind WHEN 'own_cost' THEN summed.paid
                   ELSE COALESCE(summed.said_ordered, 0) END AS said_ordered_amount,
              summed.said_attached AS said_attached_amount,
              CASE summed.kind WHEN 'own_cost' THEN summed.committed - summed.paid
                   ELSE COALESCE(summed.waiting, 0) END AS said_carried_amount,
              CASE summed.kind WHEN 'own_cost' THEN summed.before + summed.within
                   ELSE COALESCE(summed.settled, 0) END AS settled_amount
         FROM summed
         LEFT JOIN res_company company ON company.id = summed.company_id
         LEFT JOIN grant_account usual ON usual.company_id = summed.company_id
          AND usual.purpose = summed.purpose
          AND usual.nomenclature = CASE WHEN summed.year >= company.grant_m57_from
                                        THEN 'm57' ELSE 'm14' END
       ) line
        WHERE ordered_amount <> 0 OR attached_amount <> 0 OR carried_amount <> 0
           OR unpaid_amount <> 0"""


class GrantYearEndLine(models.Model):
    """The end of a budget year, one line for each subsidy: what was ordered, what is due and not
    ordered (rattachements: service fait before the end of the year), what is committed and carried
    over (restes à réaliser). Each figure has a second one by another road.
    """

    _name = "grant.year.end.line"
    _description = "End of the Year"
    _auto = False
    _order = "year desc, envelope_id, account_id, id"
    _rec_name = "subsidy_id"

    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    kind = fields.Selection(
        [("operator", "Subsidy to an operator"), ("own_cost", "Cost of the city")], readonly=True
    )
    year = fields.Integer(string="Budget Year", readonly=True, aggregator=None)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    account_id = fields.Many2one(
        "account.account",
        readonly=True,
        help="Of the orders of the year; without any, the one of the settings. Empty: several.",
    )
    committed_amount = fields.Monetary(
        string="Committed", readonly=True, help="In the ledger, until the end of the year."
    )
    before_amount = fields.Monetary(string="Ordered Before", readonly=True)
    ordered_amount = fields.Monetary(
        string="Ordered in the Year", readonly=True, help="In accounting, less credit notes."
    )
    attached_amount = fields.Monetary(
        string="Due, Not Ordered",
        readonly=True,
        help="Rattachements: the work was certified by then, and nothing ordered.",
    )
    carried_amount = fields.Monetary(
        string="Carried Over",
        readonly=True,
        help="Restes à réaliser: committed, neither ordered nor due.",
    )
    paid_amount = fields.Monetary(string="Paid", readonly=True, help="In the ledger, by then.")
    unpaid_amount = fields.Monetary(string="Ordered, Not Paid", readonly=True)
    said_ordered_amount = fields.Monetary(
        string="Ordered, by the Tranches", readonly=True, help="Until the end of the year."
    )
    said_attached_amount = fields.Monetary(
        string="Due, by the Decisions", readonly=True
    )
    said_carried_amount = fields.Monetary(
        string="In Waiting Tranches", readonly=True, help="By their present amounts."
    )
    settled_amount = fields.Monetary(string="Paid, by Accounting", readonly=True)
    is_different = fields.Boolean(string="Differs", readonly=True)
    remark = fields.Text(string="What Differs", compute="_compute_remark")

    @property
    def _table_query(self):
        self.env.flush_all()
        return SQL(
            LINES,
            ordered=ORDERED,
            own_costs=select_own_ordered(self.env),
            purposes=SQL("%s::jsonb", json.dumps(PURPOSE_BY_LEGAL_FORM)),
            zone=TIMEZONE,
            today=self.env["res.company"]._get_grant_today_sql(SQL("subsidy.company_id")),
            said=SAID_ORDERED,
            decided=DECIDED,
            accounted=ACCOUNTED,
        )

    @api.depends("subsidy_id", "year")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.subsidy_id.display_name} – {line.year}"

    @api.depends("is_different")
    def _compute_remark(self):
        for line in self:
            sentences = [
                line._say_difference(name, figure, check)
                for name, figure, check in line._get_checks()
                if line.currency_id.compare_amounts(figure, check)
            ]
            line.remark = "\n".join(sentences)

    def _say_difference(self, name, figure, check):
        about = {
            "what": self._fields[name]._description_string(self.env),
            "figure": self.currency_id.format(figure),
            "check": self.currency_id.format(check),
        }
        if name == "carried_amount":
            return self.env._(
                "%(what)s: %(figure)s, of which %(check)s in tranches that wait: the rest is in "
                "none, or its tranches were changed, cancelled or reduced since.",
                **about,
            )
        return self.env._(
            "%(what)s: %(figure)s, and %(check)s by the other road: look at the decisions and the "
            "order, one of them is dated of another day or was changed since.",
            **about,
        )

    def _get_checks(self):
        """Each figure of this line beside the same by another road: (field, euros, euros)."""
        return [
            (
                "ordered_amount",
                self.before_amount + self.ordered_amount,
                self.said_ordered_amount,
            ),
            ("attached_amount", self.attached_amount, self.said_attached_amount),
            ("carried_amount", self.carried_amount, self.said_carried_amount),
            ("paid_amount", self.paid_amount, self.settled_amount),
        ]

    def action_view_tranches(self):
        """Open the tranches of this subsidy."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_disbursement_action"
        )
        return {**action, "domain": [("subsidy_id", "=", self.subsidy_id.id)], "context": {}}

    def action_view_entries(self):
        """Open what the ledger says of this subsidy until the end of the year."""
        self.ensure_one()
        return self.env["grant.entry"]._get_action(
            [("subsidy_id", "=", self.subsidy_id.id), ("date", "<=", f"{self.year}-12-31")]
        )

    @api.model
    def _get_accounts(self, company, year):
        """What was ordered in a year, by envelope and account of the books: list of (envelope,
        account, euros)."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT subsidy.envelope_id, booked.account_id, sum(booked.amount)
                     FROM (SELECT tranche.subsidy_id, ordered.account_id, ordered.date,
                                  ordered.amount
                             FROM (%s) ordered
                             JOIN grant_disbursement tranche ON tranche.id = ordered.tranche_id
                            UNION ALL
                           SELECT subsidy_id, account_id, date, amount FROM (%s) own) booked
                     JOIN grant_subsidy subsidy ON subsidy.id = booked.subsidy_id
                    WHERE subsidy.company_id = %s AND extract(year FROM booked.date) = %s
                 GROUP BY 1, 2 HAVING sum(booked.amount) <> 0 ORDER BY 1, 2""",
                ORDERED,
                select_own_ordered(self.env),
                company.id,
                year,
            )
        )
        envelopes, accounts = self.env["grant.envelope"], self.env["account.account"]
        return [
            # sudo: code and name of an account, to whom may not read the chart
            (envelopes.browse(envelope), accounts.sudo().browse(account), float(amount))
            for envelope, account, amount in rows
        ]
