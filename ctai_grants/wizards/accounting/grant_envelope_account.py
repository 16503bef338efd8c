from odoo import fields, models


class GrantEnvelopeAccount(models.TransientModel):
    """Asks for the analytic account that an envelope is booked on from now on, and why."""

    _name = "grant.envelope.account"
    _description = "Change of an Analytic Account"

    envelope_id = fields.Many2one("grant.envelope", required=True, readonly=True)
    company_id = fields.Many2one(related="envelope_id.company_id", related_sudo=False)
    old_account_id = fields.Many2one(
        related="envelope_id.analytic_account_id", related_sudo=False, string="Until Now"
    )
    account_id = fields.Many2one(
        "account.analytic.account", string="From Now On", required=True,
        domain="[('company_id', 'in', (company_id, False))]",
    )  # fmt: skip
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Change it; see :meth:`grant.envelope._do_change_account` for what it refuses."""
        self.ensure_one()
        self.envelope_id._do_change_account(self.account_id, self.reason)
        return {"type": "ir.actions.act_window_close"}
