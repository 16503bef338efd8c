from odoo import api, fields, models


class GrantDisbursementPay(models.TransientModel):
    """Asks for the date and reference of a payment."""

    _name = "grant.disbursement.pay"
    _description = "Record a Payment"
    _inherit = ["grant.text.mixin"]

    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", required=True, readonly=True
    )
    # Not in sudo, as related fields are: over RPC a wizard can be opened on any tranche.
    currency_id = fields.Many2one(related="disbursement_id.currency_id", related_sudo=False)
    amount = fields.Monetary(related="disbursement_id.amount", related_sudo=False)
    partner_id = fields.Many2one(related="disbursement_id.partner_id", related_sudo=False)
    payment_path = fields.Selection(
        related="disbursement_id.envelope_id.payment_path", related_sudo=False
    )
    paid_date = fields.Date(
        required=True,
        compute="_compute_paid_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    payment_reference = fields.Char()

    @api.depends("disbursement_id")
    def _compute_paid_date(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.paid_date = wizard.disbursement_id.company_id._grant_today()

    def action_confirm(self):
        """Record the payment; see :meth:`grant.disbursement._do_pay` for what it refuses."""
        self.ensure_one()
        self.disbursement_id._do_pay(self.paid_date, self.payment_reference)
        return {"type": "ir.actions.act_window_close"}
