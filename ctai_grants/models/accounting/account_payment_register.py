from odoo import models
from odoo.exceptions import UserError


class AccountPaymentRegister(models.TransientModel):
    _inherit = "account.payment.register"

    def _create_payments(self):
        # Before the payment takes its number.
        self.line_ids.move_id._queue_for_grants()
        self._check_grant_amount()
        return super()._create_payments()

    def _check_grant_amount(self):
        """Refuse to pay more than an order, or to receive more than a claim, has left: nobody asked
        for the rest, and no line of the ledger would say what it is.

        :raise UserError: naming the order, what is left and what was entered
        """
        for wizard in self:
            orders = wizard.line_ids.move_id.filtered("grant_origin_id")
            # Of several parties Odoo takes what each line has left.
            if not orders or not wizard.can_edit_wizard:
                continue
            left = abs(sum(wizard.line_ids.mapped("amount_residual_currency")))
            if wizard.currency_id != wizard.line_ids.currency_id:
                continue
            if wizard.currency_id.compare_amounts(wizard.amount, left) > 0:
                raise UserError(
                    self.env._(
                        "%(order)s: %(left)s are left to settle, %(amount)s entered. Enter that "
                        "amount, or less.",
                        order=orders[0].display_name,
                        left=wizard.currency_id.format(left),
                        amount=wizard.currency_id.format(wizard.amount),
                    )
                )
