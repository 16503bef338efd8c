from odoo import models
from odoo.exceptions import UserError

# What a payment of an order says: how much of it was paid, to whom, where and when, through which
# account and entry.
FACTS = (
    "partner_bank_id", "partner_id", "amount", "currency_id", "date", "payment_type", "journal_id",
    "outstanding_account_id", "move_id",
)  # fmt: skip
# What changes one of them, being none itself.
COMPUTING = ("payment_method_line_id",)
# States in which a payment pays nothing.
NO_MONEY = ("draft", "canceled", "rejected")
# Under this key of the context; no RPC payload can put an object there.
KEY = "grant_payment_entry"
# Said by what sets the entry of a payment back with it: the ledger follows the entry.
FOLLOWS = object()


class AccountPayment(models.Model):
    _inherit = "account.payment"

    def write(self, vals):
        if vals.get("state") in NO_MONEY and self.env.context.get(KEY) is not FOLLOWS:
            for payment in self:
                payment._check_grant_state(vals["state"])
        if not set(FACTS + COMPUTING).intersection(vals):
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

    def action_draft(self):
        """Reset to draft, the entry too: what it paid is not paid any more."""
        return super(AccountPayment, self.with_context(**{KEY: FOLLOWS})).action_draft()

    def action_cancel(self):
        """Cancel, the entry too: what it paid is not paid any more."""
        return super(AccountPayment, self.with_context(**{KEY: FOLLOWS})).action_cancel()

    def _check_grant_state(self, state):
        """Refuse that a payment is none, and its entry still pays an order of ours.

        :raise UserError: naming the payment, the order and what to do
        """
        orders = self._get_grant_orders()
        if orders and self.move_id.state == "posted":
            labels = dict(self._fields["state"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "%(payment)s paid %(order)s, and its journal entry stands: it cannot be "
                    "“%(state)s” beside that. Cancel the payment on its tranche (a repayment on "
                    "its recovery, a receipt on its instalment), with the reason.",
                    payment=self.display_name,
                    order=orders[0].display_name,
                    state=labels[state],
                )
            )

    def _get_grant_orders(self):
        """The orders and claims of ours that this payment is matched with."""
        return self.move_id._get_reconciled_moves().filtered("grant_origin_id")
