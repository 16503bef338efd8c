from odoo import fields, models


class GrantIdentityDate(models.TransientModel):
    """Asks from which day on an identity of an organisation is known to hold, and why."""

    _name = "grant.identity.date"
    _description = "Known to Hold From"
    _inherit = ["grant.text.mixin"]

    identity_id = fields.Many2one("grant.identity", required=True, readonly=True)
    date = fields.Date(string="Holds From", required=True)
    reason = fields.Char(
        required=True, help="What says so: receipt of the prefecture, statement of Sirene…"
    )

    def action_confirm(self):
        """Date the identity; see :meth:`grant.identity._do_hold_from` for what it refuses."""
        self.ensure_one()
        self.identity_id._do_hold_from(self.date, self.reason)
        return {"type": "ir.actions.act_window_close"}
