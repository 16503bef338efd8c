from odoo import models
from odoo.exceptions import UserError


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    def write(self, vals):
        if not {"acc_number", "sanitized_acc_number", "partner_id"}.isdisjoint(vals):
            for account in self:
                account._check_grant_orders(vals)
        return super().write(vals)

    def _check_grant_orders(self, vals):
        """Refuse that an account that orders were made for becomes another one.

        :raise UserError: naming the account and an order
        """
        after = self.new(vals, origin=self)
        if (after.sanitized_acc_number, after.partner_id._origin) == (
            self.sanitized_acc_number,
            self.partner_id,
        ):
            return
        # sudo: who enters accounts may not read the orders
        orders = self.env["account.move"].sudo()
        order = orders.search([
            ("partner_bank_id", "=", self.id), ("grant_origin_model", "=", "grant.disbursement"),
            ("state", "=", "posted"),
        ], limit=1)  # fmt: skip
        if order:
            raise UserError(
                self.env._(
                    "%(account)s: the order %(order)s pays this account, which stays as it is. "
                    "Archive it and enter the new one beside it.",
                    account=self._get_masked_number(),
                    order=order.display_name,
                )
            )
