from odoo import models
from odoo.exceptions import UserError

# What a payment of an order says: how much of it was paid, to whom, where and when.
FACTS = (
    "partner_bank_id", "partner_id", "amount", "currency_id", "date", "payment_type", "journal_id",
)  # fmt: skip


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        if not set(FACTS).intersection(vals):
            return super().write(vals)
        before = {payment: [payment[name] for name in FACTS] for payment in self}
        matched = {payment: payment._get_grant_orders() for payment in self}
        result = super().write(vals)
        for payment, orders in matched.items():
            changed = [
                name
                for name, value in zip(FACTS, before[payment], strict=True)
                if payment[name] != value
            ]
            if orders and changed:
                raise UserError(
                    self.env._(
                        "%(payment)s paid the order %(order)s: “%(field)s” cannot be changed. "
                        "Cancel the payment on its tranche, and record it again.",
                        payment=payment.display_name,
                        order=orders[0].display_name,
                        field=self._fields[changed[0]]._description_string(self.env),
                    )
                )
        return result

    def _get_grant_orders(self):
        """The orders and claims of ours that this payment is matched with."""
        return self.move_id._get_reconciled_moves().filtered("grant_origin_id")
