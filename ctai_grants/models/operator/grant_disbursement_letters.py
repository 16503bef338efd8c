from odoo import models


class GrantDisbursement(models.Model):
    """The letter that a tranche is paid."""

    _inherit = "grant.disbursement"

    def action_send_payment_notice(self):
        """Show the notices of payment of these tranches, before they are sent."""
        return self.env["grant.letter.window"]._open("payment", self)
