from odoo import fields, models
from odoo.tools import SQL

from .grant_accounted_mixin import ACCOUNTED


class GrantAccountingControl(models.Model):
    """The ledger beside accounting, one line for each tranche that accounting pays (R6)."""

    _name = "grant.accounting.control"
    _description = "Ledger and Accounting"
    _auto = False
    _order = "is_different desc, id desc"
    _rec_name = "disbursement_id"

    disbursement_id = fields.Many2one("grant.disbursement", string="Tranche", readonly=True)
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    ledger_amount = fields.Monetary(string="In the Ledger", readonly=True)
    accounting_amount = fields.Monetary(string="In Accounting", readonly=True)
    difference = fields.Monetary(readonly=True)
    is_different = fields.Boolean(
        readonly=True, help="The amounts differ, or the dates they are booked at."
    )

    @property
    def _table_query(self):
        # By date, then summed: what is booked at another date is a difference too.
        return SQL(
            """SELECT tranche.id, tranche.id AS disbursement_id, tranche.subsidy_id,
                      tranche.envelope_id, tranche.partner_id, tranche.company_id,
                      tranche.currency_id, sum(both_sides.posted) AS ledger_amount,
                      sum(both_sides.booked) AS accounting_amount,
                      sum(both_sides.booked - both_sides.posted) AS difference,
                      bool_or(both_sides.booked <> both_sides.posted) AS is_different
                 FROM (SELECT origin_id, date, sum(posted) AS posted, sum(booked) AS booked
                         FROM (SELECT origin_id, date, amount AS posted, 0 AS booked
                                 FROM grant_entry
                                WHERE origin_model = 'grant.disbursement' AND kind = 'payment'
                                UNION ALL
                               SELECT origin_id, date, 0, amount FROM (%s) accounted
                                WHERE origin_model = 'grant.disbursement') lines
                     GROUP BY origin_id, date) both_sides
                 JOIN grant_disbursement tranche ON tranche.id = both_sides.origin_id
                 JOIN grant_envelope envelope ON envelope.id = tranche.envelope_id
                 JOIN grant_subsidy subsidy ON subsidy.id = tranche.subsidy_id
                WHERE envelope.payment_path = 'city' AND subsidy.kind = 'operator'
             GROUP BY tranche.id""",
            ACCOUNTED,
        )
