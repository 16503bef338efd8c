from odoo import api, fields, models


class GrantFundingClaim(models.TransientModel):
    """Asks for the date of claims on the State."""

    _name = "grant.funding.claim"
    _description = "Claim an Instalment"

    funding_ids = fields.Many2many(
        "grant.funding", string="Instalments", required=True, readonly=True
    )
    currency_id = fields.Many2one("res.currency", compute="_compute_amount")
    amount = fields.Monetary(string="Total", compute="_compute_amount")
    claim_date = fields.Date(
        required=True,
        compute="_compute_claim_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("funding_ids")
    def _compute_claim_date(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.claim_date = wizard.funding_ids.company_id[:1]._grant_today()

    @api.depends("funding_ids")
    def _compute_amount(self):
        for wizard in self:
            wizard.currency_id = wizard.funding_ids.currency_id[:1]
            wizard.amount = sum(wizard.funding_ids.mapped("amount"))

    def action_confirm(self):
        """Claim the instalments; see :meth:`grant.funding._do_claim` for what it refuses."""
        self.ensure_one()
        self.funding_ids._do_claim(self.claim_date)
        return {"type": "ir.actions.act_window_close"}
