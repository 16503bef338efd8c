from odoo import api, fields, models
from odoo.tools import SQL

from odoo.addons.ctai_grants.models.guard.res_company import TIMEZONE

from .grant_annex_line import LINES

#: Euros in a year above which the certified accounts are annexed (CGCT L2313-1, 4°).
THRESHOLD = 75000

# Of each body and year above the threshold: what is due when, and what came in.
ASKED = """WITH known AS (
           SELECT own.company_id, partner.grant_body AS body, own.year,
                  max(own.income) AS income, min(own.accounts_date) AS accounts_date
             FROM grant_operator_year own JOIN res_partner partner
               ON partner.id = own.partner_id
         GROUP BY 1, 2, 3
       ), asked AS (
           SELECT line.*, known.income, known.accounts_date,
                  (make_date(line.year, COALESCE(
                       NULLIF(partner.fiscalyear_end_month, '')::integer, 12), 1)
                   + interval '7 months' - interval '1 day')::date AS due_date,
                  line.total_amount > %(threshold)s AS is_above,
                  COALESCE(line.total_amount > known.income / 2, FALSE) AS is_half
             FROM (%(lines)s) line
             JOIN res_partner partner ON partner.id = line.partner_id
             LEFT JOIN known ON known.company_id = line.company_id
              AND known.body = line.body AND known.year = line.year
            WHERE line.total_amount > 0
       )
       SELECT asked.id, asked.company_id, asked.currency_id, asked.year, asked.body,
              asked.partner_id, asked.total_amount, asked.income,
              asked.total_amount / NULLIF(asked.income, 0) AS share,
              CASE WHEN is_above AND is_half THEN 'both' WHEN is_above THEN 'amount'
                   ELSE 'share' END AS reason,
              asked.due_date,
              COALESCE(asked.accounts_date, piece.accepted) AS received_date,
              CASE WHEN asked.accounts_date IS NOT NULL OR piece.accepted IS NOT NULL
                   THEN 'received'
                   WHEN piece.is_handed_in THEN 'review'
                   WHEN asked.due_date < %(today)s THEN 'late'
                   ELSE 'awaited' END AS state
         FROM asked
         LEFT JOIN LATERAL (
                  SELECT (min(deliverable.answered_at) FILTER (
                              WHERE deliverable.state = 'accepted')
                          AT TIME ZONE 'UTC' AT TIME ZONE COALESCE(city.tz, %(zone)s))::date
                         AS accepted,
                         bool_or(deliverable.state = 'submitted') AS is_handed_in
                    FROM grant_deliverable deliverable
                    JOIN grant_deliverable_type type ON type.id = deliverable.type_id
                     AND type.code = 'COMPTES'
                    JOIN res_partner operator ON operator.id = deliverable.partner_id
                     AND operator.grant_body = asked.body
                    JOIN res_company company ON company.id = deliverable.company_id
                    JOIN res_partner city ON city.id = company.partner_id
                   WHERE deliverable.company_id = asked.company_id
                     AND deliverable.due_date BETWEEN asked.due_date - interval '3 months'
                                                  AND asked.due_date + interval '3 months'
                GROUP BY city.tz
              ) piece ON TRUE
        WHERE is_above OR is_half"""


class GrantCertifiedAccounts(models.Model):
    """The bodies whose certified accounts the city annexes to its own, year by year: above 75 000 €
    or half of their budget (CGCT L2313-1); and what of it was handed in.

    The accounts of a year are due six months after the end of the body's financial year that ends
    in it. Handed in are those accepted on a piece of that type which is due in the six months
    around that day, or whose receipt was entered with the body's budget.
    """

    _name = "grant.certified.accounts"
    _description = "Certified Accounts"
    _auto = False
    _order = "year desc, state, due_date, id"
    _rec_name = "partner_id"

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    year = fields.Integer(string="Budget Year", readonly=True, aggregator=None)
    body = fields.Char(string="Body (SIREN or RNA)", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Beneficiary", readonly=True)
    total_amount = fields.Monetary(string="Given", readonly=True, help="In money and in kind.")
    income = fields.Monetary(string="Budget of the Body", readonly=True)
    share = fields.Float(string="Share of Its Budget", readonly=True, aggregator=None)
    reason = fields.Selection(
        [
            ("amount", "Above 75 000 €"),
            ("share", "Above half of its budget"),
            ("both", "Above both"),
        ],
        string="Why",
        readonly=True,
    )
    due_date = fields.Date(string="Due On", readonly=True)
    received_date = fields.Date(string="Handed In On", readonly=True)
    state = fields.Selection(
        [
            ("late", "Late"),
            ("awaited", "Awaited"),
            ("review", "To Review"),
            ("received", "Handed In"),
        ],
        readonly=True,
    )

    @property
    def _table_query(self):
        self.env.flush_all()
        return SQL(
            ASKED,
            threshold=THRESHOLD,
            zone=TIMEZONE,
            lines=LINES,
            today=self.env["res.company"]._get_grant_today_sql(SQL("asked.company_id")),
        )

    @api.depends("partner_id", "year")
    def _compute_display_name(self):
        for line in self:
            line.display_name = f"{line.partner_id.display_name} – {line.year}"
