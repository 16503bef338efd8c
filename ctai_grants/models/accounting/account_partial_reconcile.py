from odoo import api, models
from odoo.exceptions import UserError


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._check_grant_accounts()
        partials._get_grant_moves()._sync_grant_ledger()
        return partials

    def unlink(self):
        moves = self._get_grant_moves()
        result = super().unlink()
        moves.exists()._sync_grant_ledger()
        return result

    def _check_grant_accounts(self):
        """Refuse a payment to another account than the one that its order names.

        :raise UserError: naming the payment, the order and both accounts
        """
        for bill in self._get_grant_moves().filtered("partner_bank_id"):
            for payment in bill._get_payment_moves().origin_payment_id:
                paid = payment.partner_bank_id
                if payment.payment_type != "outbound" or not paid or paid == bill.partner_bank_id:
                    continue
                raise UserError(
                    self.env._(
                        "%(payment)s pays the account %(paid)s, and the order %(bill)s is for "
                        "%(account)s: pay that account, or take the order back.",
                        payment=payment.display_name,
                        paid=paid._get_masked_number(),
                        bill=bill.display_name,
                        account=bill.partner_bank_id._get_masked_number(),
                    )
                )

    def _get_grant_moves(self):
        moves = self.debit_move_id.move_id | self.credit_move_id.move_id
        return moves.filtered("grant_origin_id")
