from odoo import api, fields, models
from odoo.tools import SQL, format_date

from ..guard.obstacle import describe
from .grant_pes_answered_mixin import FACTS


class GrantDisbursement(models.Model):
    """What the treasury answers about an order."""

    _name = "grant.disbursement"
    # The mixin first: what it says of decisions goes before what the tranche's own says.
    _inherit = ["grant.pes.answered.mixin", "grant.disbursement"]

    _answered_states = ("ordered", "paid")
    _settled_state = "paid"

    pes_missing = fields.Json(
        string="Missing for the Treasury",
        compute="_compute_pes_missing",
        groups="ctai_grants.group_finance_officer",
        help="What the treasury's file needs of the organisation; enter it on its form.",
    )

    @api.depends("state", "partner_id")
    def _compute_pes_missing(self):
        sent = self.env["grant.order.batch"]
        for tranche in self:
            tranche.pes_missing = False
            # As long as the city sends no files, nothing is missing for them.
            if tranche.company_id.grant_pes_post and tranche.state in ("certified", "ordered"):
                gaps = sent._find_party_gaps(
                    tranche.partner_id, tranche._get_paid_account(), tranche.order_date
                )
                tranche.pes_missing = describe(gaps, self.env)

    def _prepare_withdrawal(self):
        return {**super()._prepare_withdrawal(), **dict.fromkeys(FACTS, False)}

    def _describe_answered(self):
        return self.env._(
            "order %(number)s, %(operator)s",
            number=self.order_number,
            operator=self.partner_id.name,
        )

    def _decide(self, decision, reason=None, details=None, **values):
        result = super()._decide(decision, reason, details, **values)
        rejected = self.filtered(lambda tranche: tranche.treasury_state == "rejected")
        for tranche in rejected if decision == "paid" else ():
            tranche.message_post(body=tranche._say_wrong(tranche._get_live_move(), "rejected"))
        return result

    # ------------------------------------------------------------------
    # What cannot both be true
    # ------------------------------------------------------------------

    @api.model
    def _select_wrong_orders(self):
        """Also the orders that are paid here, in part too, and rejected there."""
        return SQL(
            """%s UNION ALL
               SELECT tranche.id, bill.id, COALESCE(tranche.paid_date, paid.last), 'rejected'
                 FROM grant_disbursement tranche
                 JOIN LATERAL (SELECT sum(amount) AS amount, max(date) AS last FROM grant_entry
                                WHERE origin_model = 'grant.disbursement'
                                  AND origin_id = tranche.id AND kind = 'payment') paid ON TRUE
                 JOIN account_move bill ON bill.grant_origin_model = 'grant.disbursement'
                  AND bill.grant_origin_id = tranche.id AND bill.state = 'posted'
                WHERE tranche.treasury_state = 'rejected'
                  AND (tranche.state = 'paid' OR tranche.state = 'ordered' AND paid.amount > 0)""",
            super()._select_wrong_orders(),
        )

    def _say_wrong(self, bill, what):
        if what != "rejected":
            return super()._say_wrong(bill, what)
        return self.env._(
            "%(document)s: the treasury rejected its order %(bill)s on %(answered)s, and its "
            "payment of %(paid)s is recorded: ask the treasury which of the two is true.",
            document=self.display_name,
            bill=bill.sudo().display_name,  # sudo: as in accounting
            answered=format_date(self.env, self.treasury_date),
            paid=format_date(self.env, self.paid_date or self._get_last_payment_date()),
        )

    def _get_last_payment_date(self):
        """The accounting date of what was paid of it last, in part."""
        # sudo: who verifies is told the day, of a tranche that is named to them
        entries = self.env["grant.entry"].sudo()
        own = [("origin_model", "=", self._name), ("origin_id", "=", self.id)]
        last = entries.search([*own, ("kind", "=", "payment")], order="date desc, id desc", limit=1)
        return last.date
