from odoo import fields, models


class GrantDisbursementOrder(models.TransientModel):
    """Asks for the number and date of an order to pay."""

    _name = "grant.disbursement.order"
    _description = "Order a Payment"

    disbursement_id = fields.Many2one("grant.disbursement", required=True, readonly=True)
    currency_id = fields.Many2one(related="disbursement_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="disbursement_id.amount", related_sudo=False)
    partner_id = fields.Many2one(related="disbursement_id.partner_id", related_sudo=False)
    order_number = fields.Char(required=True)
    order_date = fields.Date(required=True, default=fields.Date.context_today)

    def action_confirm(self):
        """Order the payment; see :meth:`grant.disbursement._do_order` for what it refuses."""
        self.ensure_one()
        self.disbursement_id._do_order(self.order_number.strip(), self.order_date)
        return {"type": "ir.actions.act_window_close"}
