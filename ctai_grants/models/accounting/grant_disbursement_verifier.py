from odoo import api, models
from odoo.tools import SQL

# Orders that do not say what was certified, and what of them: read from the tables alone, nothing
# of it decides what is ordered or sent. The last bill of a tranche is the one that stands.
WRONG_ORDERS = SQL(
    r"""SELECT tranche.id AS tranche_id, bill.id AS bill_id, bill.date, wrong.what
         FROM grant_disbursement tranche
         JOIN LATERAL (
                  SELECT * FROM account_move
                   WHERE grant_origin_model = 'grant.disbursement'
                     AND grant_origin_id = tranche.id AND state = 'posted'
                ORDER BY id DESC LIMIT 1
              ) bill ON TRUE
         LEFT JOIN grant_condition certified ON certified.disbursement_id = tranche.id
          AND certified.code = 'bank' AND certified.state = 'met'
         LEFT JOIN res_partner operator ON operator.id = tranche.partner_id
         LEFT JOIN res_partner_bank account ON account.id = bill.partner_bank_id
         LEFT JOIN res_bank bank ON bank.id = account.bank_id
         LEFT JOIN res_partner holder ON holder.id = account.partner_id
         JOIN LATERAL (
                  SELECT 'account' AS what
                   WHERE (certified.fingerprint IS NOT NULL AND certified.fingerprint
                          IS DISTINCT FROM encode(sha256(convert_to(
                              account.sanitized_acc_number, 'UTF8')), 'hex'))
                      OR holder.commercial_partner_id <> operator.commercial_partner_id
                      OR (tranche.state = 'ordered' AND certified.bic IS NOT NULL
                          AND certified.bic <> regexp_replace(COALESCE(upper(regexp_replace(
                              bank.bic, '\s', '', 'g')), ''), '^(.{8})XXX$', '\1'))
                   UNION ALL
                  SELECT 'partner' WHERE bill.partner_id IS DISTINCT FROM tranche.partner_id
                   UNION ALL
                  SELECT 'amount'
                   WHERE bill.amount_total <> tranche.amount
                      OR bill.currency_id <> tranche.currency_id
                   UNION ALL
                  SELECT 'date' WHERE bill.date IS DISTINCT FROM tranche.order_date
                   UNION ALL
                  SELECT 'payment'
                   WHERE EXISTS (
                       SELECT FROM account_move_line item
                         JOIN account_partial_reconcile match ON match.credit_move_id = item.id
                         JOIN account_move_line other ON other.id = match.debit_move_id
                         JOIN account_payment payment ON payment.move_id = other.move_id
                         JOIN res_partner_bank paid ON paid.id = payment.partner_bank_id
                        WHERE item.move_id = bill.id AND payment.payment_type = 'outbound'
                          AND encode(sha256(convert_to(paid.sanitized_acc_number, 'UTF8')), 'hex')
                              <> certified.fingerprint)
              ) wrong ON TRUE
        WHERE tranche.state IN ('ordered', 'paid')"""
)


class GrantDisbursement(models.Model):
    """The verifier of orders: what is paid is what was certified (R6)."""

    _inherit = "grant.disbursement"

    @api.model
    def _get_reduction(self):
        return SQL("COALESCE(tranche.reduced_amount, 0)")

    @api.model
    def _get_unbalanced(self, envelopes):
        """Also the tranches whose order, or payment, is not what was certified."""
        return super()._get_unbalanced(envelopes) + self._get_wrong_orders(envelopes)

    @api.model
    def _select_wrong_orders(self):
        """SQL of the tranches whose order is not what was certified: ``tranche_id``, ``bill_id``,
        ``date``, and ``what`` differs."""
        return WRONG_ORDERS

    @api.model
    def _get_wrong_orders(self, envelopes):
        condition = SQL("tranche.envelope_id = ANY(%s)", envelopes.ids)
        return [sentence for _tranche, sentence in self._say_wrong_orders(condition)]

    @api.model
    def _say_wrong_orders(self, condition):
        """What is wrong with the orders of the tranches that ``condition`` (SQL) chooses: list of
        (tranche, sentence)."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT tranche_id, bill_id, what FROM (%s) wrong
                     JOIN grant_disbursement tranche ON tranche.id = tranche_id
                    WHERE %s ORDER BY tranche_id, bill_id, what""",
                self._select_wrong_orders(),
                condition,
            )
        )
        bills = self.env["account.move"]
        return [
            (self.browse(tranche_id), self.browse(tranche_id)._say_wrong(bills.browse(bill), what))
            for tranche_id, bill, what in rows
        ]

    def _say_wrong(self, bill, what):
        # sudo: who verifies may not read the accounts, and is told which entry it is
        about = {"document": self.display_name, "bill": bill.sudo().display_name}
        match what:
            case "account":
                return self.env._(
                    "%(document)s: its order %(bill)s is for another bank account than the one "
                    "certified.",
                    **about,
                )
            case "payment":
                return self.env._(
                    "%(document)s: its order %(bill)s was paid to another bank account than the "
                    "one certified.",
                    **about,
                )
            case "partner":
                return self.env._(
                    "%(document)s: its order %(bill)s is for another organisation.", **about
                )
            case "amount":
                return self.env._(
                    "%(document)s: its order %(bill)s is of another amount.", **about
                )
        return self.env._("%(document)s: its order %(bill)s is of another date.", **about)
