from odoo import api, fields, models
from odoo.tools import SQL, format_date

from .ordered import ORDERED, SAID_ORDERED

# Subsidies that the State pays itself, and the city's own costs, are none of its concours.
LINES = SQL(
    """WITH event AS (
           -- In money: by accounting. A credit note of an order of an earlier year is revenue.
           SELECT ordered.company_id, subsidy.partner_id, ordered.date,
                  CASE ordered.side WHEN 'ordered' THEN ordered.amount ELSE 0 END AS ordered,
                  CASE ordered.side WHEN 'reduced' THEN -ordered.amount ELSE 0 END AS reduced,
                  CASE ordered.side WHEN 'prior' THEN -ordered.amount ELSE 0 END AS prior,
                  0 AS in_kind, 0 AS said, 0 AS paid, 0 AS recovered
             FROM (%(ordered)s) ordered
             JOIN grant_disbursement tranche ON tranche.id = ordered.tranche_id
             JOIN grant_subsidy subsidy ON subsidy.id = tranche.subsidy_id
            UNION ALL
           SELECT company_id, partner_id, date_start, 0, 0, 0, amount, 0, 0, 0
             FROM grant_aid_in_kind WHERE state = 'recorded'
            UNION ALL
           -- The other road: what the tranches say of themselves.
           SELECT tranche.company_id, tranche.partner_id, said.date, 0, 0, 0, 0, said.amount, 0, 0
             FROM (%(said)s) said JOIN grant_disbursement tranche ON tranche.id = said.tranche_id
            UNION ALL
           SELECT entry.company_id, entry.partner_id, entry.date, 0, 0, 0, 0, 0,
                  CASE entry.kind WHEN 'payment' THEN entry.amount ELSE 0 END,
                  CASE entry.kind WHEN 'recovery' THEN entry.amount ELSE 0 END
             FROM grant_entry entry
             JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
              AND envelope.payment_path = 'city'
             JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
              AND subsidy.kind = 'operator'
            WHERE entry.kind IN ('payment', 'recovery')
       ), line AS (
           SELECT event.company_id, partner.grant_body AS body,
                  extract(year FROM event.date)::integer AS year,
                  min(COALESCE(partner.commercial_partner_id, partner.id)) AS partner_id,
                  sum(ordered) AS ordered_amount, sum(reduced) AS reduced_amount,
                  sum(ordered - reduced) AS money_amount, sum(in_kind) AS in_kind_amount,
                  sum(ordered - reduced + in_kind) AS total_amount,
                  sum(prior) AS prior_amount, sum(said) AS said_amount,
                  sum(ordered - reduced - said) AS difference,
                  sum(paid) AS paid_amount, sum(recovered) AS recovered_amount
             FROM event JOIN res_partner partner ON partner.id = event.partner_id
         GROUP BY event.company_id, partner.grant_body, 3
       )
       SELECT (line.company_id::bigint * 10000000 + line.partner_id) * 10000 + line.year AS id,
              line.*, company.currency_id, line.difference <> 0 AS is_different
         FROM line JOIN res_company company ON company.id = line.company_id""",
    ordered=ORDERED,
    said=SAID_ORDERED,
)


class GrantAnnexLine(models.Model):
    """The annex of the accounts, one line for each body and budget year: what the city gave it, in
    money and in kind (“liste des concours attribués à des tiers en nature ou en subventions”, CGCT
    L2313-1 and annexes of the CFU).

    In money: the orders of the year in accounting, less the credit notes of the same year. Beside
    it what the tranches say of themselves; differences are named, tranche by tranche.
    """

    _name = "grant.annex.line"
    _description = "Annex of the Accounts"
    _auto = False
    _order = "year desc, total_amount desc, id"
    _rec_name = "body"

    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    year = fields.Integer(string="Budget Year", readonly=True, aggregator=None)
    body = fields.Char(string="Body (SIREN or RNA)", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Beneficiary", readonly=True)
    ordered_amount = fields.Monetary(string="Ordered", readonly=True)
    reduced_amount = fields.Monetary(
        string="Reduced", readonly=True, help="By credit notes of the same year."
    )
    money_amount = fields.Monetary(string="In Money", readonly=True)
    in_kind_amount = fields.Monetary(string="In Kind", readonly=True)
    total_amount = fields.Monetary(string="Total", readonly=True)
    prior_amount = fields.Monetary(
        string="Taken Back of Earlier Years",
        readonly=True,
        help="Credit notes of orders of an earlier year: revenue of this one, in no total here.",
    )
    said_amount = fields.Monetary(
        string="By the Tranches", readonly=True, help="What the tranches say was ordered."
    )
    difference = fields.Monetary(readonly=True)
    is_different = fields.Boolean(string="Differs", readonly=True)
    remark = fields.Text(string="What Differs", compute="_compute_remark")
    paid_amount = fields.Monetary(
        string="Paid", readonly=True, help="In the ledger, by date of payment."
    )
    recovered_amount = fields.Monetary(
        string="Paid Back", readonly=True, help="In the ledger, by date of payment."
    )

    @property
    def _table_query(self):
        self.env.flush_all()
        return LINES

    @api.depends("is_different")
    def _compute_remark(self):
        self.remark = False
        for line in self.filtered("is_different"):
            line.remark = "\n".join(line._get_differences())

    def _get_differences(self):
        """Which tranches differ between accounting and documents in this year: sentences."""
        rows = self.env.execute_query(
            SQL(
                """SELECT tranche.id, sum(side.booked), sum(side.said), max(side.note)
                     FROM (SELECT tranche_id, date, amount AS booked, 0 AS said, NULL::date AS note
                             FROM (%s) ordered WHERE side <> 'prior'
                            UNION ALL
                           SELECT tranche_id, date, 0, amount, NULL FROM (%s) said
                            UNION ALL
                           SELECT tranche_id, order_date, 0, 0, date FROM (%s) later
                            WHERE side = 'prior') side
                     JOIN grant_disbursement tranche ON tranche.id = side.tranche_id
                     JOIN res_partner partner ON partner.id = tranche.partner_id
                    WHERE tranche.company_id = %s AND partner.grant_body = %s
                      AND extract(year FROM side.date) = %s
                 GROUP BY tranche.id HAVING sum(side.booked) <> sum(side.said)
                 ORDER BY tranche.id""",
                ORDERED, SAID_ORDERED, ORDERED, self.company_id.id, self.body, self.year,
            )
        )  # fmt: skip
        return [self._say_difference(*row) for row in rows]

    def _say_difference(self, tranche_id, booked, said, note):
        about = {
            "tranche": self.env["grant.disbursement"].browse(tranche_id).display_name,
            "booked": self.currency_id.format(float(booked)),
            "said": self.currency_id.format(float(said)),
        }
        if note:
            return self.env._(
                "%(tranche)s: ordered %(booked)s in the books of the year, %(said)s by the "
                "tranche: a credit note of %(date)s, of a later year, took off the rest.",
                date=format_date(self.env, note),
                **about,
            )
        return self.env._(
            "%(tranche)s: ordered %(booked)s in the books of the year, %(said)s by the tranche. "
            "Look at its order in accounting.",
            **about,
        )

    # ------------------------------------------------------------------
    # What is behind
    # ------------------------------------------------------------------

    def action_view_tranches(self):
        """Open the tranches of this body that were ordered in the year."""
        self.ensure_one()
        moved = self.env.execute_query(
            SQL(
                "SELECT DISTINCT tranche_id FROM (%s) ordered"
                " WHERE extract(year FROM date) = %s AND company_id = %s",
                ORDERED, self.year, self.company_id.id,
            )
        )  # fmt: skip
        return self._open(
            "ctai_grants.grant_disbursement_action",
            [
                ("id", "in", [tranche_id for (tranche_id,) in moved]),
                ("partner_id.grant_body", "=", self.body),
                ("company_id", "=", self.company_id.id),
            ],
        )

    def action_view_aids(self):
        """Open what this body was given in kind in the year."""
        self.ensure_one()
        return self._open(
            "ctai_grants.grant_aid_in_kind_action",
            [("state", "=", "recorded"), *self._get_year_domain("date_start")],
        )

    def action_view_entries(self):
        """Open the payments of the year to this body, and what it paid back, in the ledger."""
        self.ensure_one()
        kinds = [("kind", "in", ("payment", "recovery")), *self._get_year_domain("date")]
        return self._open("ctai_grants.grant_entry_action", kinds)

    def _get_year_domain(self, name):
        return [
            ("partner_id.grant_body", "=", self.body),
            ("company_id", "=", self.company_id.id),
            (name, ">=", f"{self.year}-01-01"),
            (name, "<=", f"{self.year}-12-31"),
        ]

    def _open(self, xmlid, domain):
        action = self.env["ir.actions.act_window"]._for_xml_id(xmlid)
        return {**action, "domain": domain, "context": {}}
