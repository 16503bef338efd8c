from odoo import api, fields, models


class GrantAccessInvite(models.TransientModel):
    """Asks whom to invite to act for an operator."""

    _name = "grant.access.invite"
    _description = "Invitation to the Portal"

    operator_id = fields.Many2one("res.partner", required=True, readonly=True)
    name = fields.Char(required=True)
    email = fields.Char(
        required=True,
        help="A login acts for one organisation: who acts for another one here already needs "
        "another address.",
    )
    is_representative = fields.Boolean(
        string="Representative", compute="_compute_is_representative", store=True, readonly=False,
        precompute=True,
        help="May invite and remove colleagues itself. The city decides who is.",
    )  # fmt: skip

    @api.depends("operator_id")
    def _compute_is_representative(self):
        for window in self:
            # Somebody has to be, to begin with.
            accesses = window.operator_id.grant_access_ids
            window.is_representative = not accesses.filtered("is_representative")

    def action_confirm(self):
        """Send the invitation.

        :raise UserError: no name or address, or it is in use by another login
        :raise AccessError: not a coordinator of the operator's cities
        """
        self.ensure_one()
        self.env["grant.access"]._invite(
            # sudo: an organisation that the user sees; which cities name it
            self.operator_id.sudo(), self.name, self.email, self.is_representative
        )
        return {"type": "ir.actions.act_window_close"}
