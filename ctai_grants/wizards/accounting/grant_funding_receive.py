from odoo import api, fields, models


class GrantFundingReceive(models.TransientModel):
    """Asks for the date and amount of a receipt from the State."""

    _name = "grant.funding.receive"
    _description = "Record a Receipt"
    _inherit = ["grant.money.mixin"]

    funding_id = fields.Many2one(
        "grant.funding", string="Instalment", required=True, readonly=True
    )
    # Not in sudo, as related and stored fields are: only what the user may read.
    currency_id = fields.Many2one(related="funding_id.currency_id", related_sudo=False)
    amount = fields.Monetary(
        required=True,
        compute="_compute_amount",
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    received_date = fields.Date(
        required=True,
        compute="_compute_received_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    reference = fields.Char(help="Number of the State's payment.")

    @api.depends("funding_id")
    def _compute_received_date(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.received_date = wizard.funding_id.company_id._grant_today()

    @api.depends("funding_id")
    def _compute_amount(self):
        for wizard in self:
            wizard.amount = wizard.funding_id.amount - wizard.funding_id.received_amount

    def action_confirm(self):
        """Record the receipt; see :meth:`grant.funding._do_receive` for what it refuses."""
        self.ensure_one()
        self.funding_id._do_receive(self.received_date, self.amount, self.reference)
        return {"type": "ir.actions.act_window_close"}
