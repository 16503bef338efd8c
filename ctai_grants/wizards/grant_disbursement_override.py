from odoo import fields, models

from ..models.grant_decision import CONDITIONS


class GrantDisbursementOverride(models.TransientModel):
    """Asks which condition a tranche does without, and why."""

    _name = "grant.disbursement.override"
    _description = "Override a Condition"

    disbursement_id = fields.Many2one("grant.disbursement", required=True, readonly=True)
    blockers = fields.Text(related="disbursement_id.blockers", related_sudo=False)
    condition = fields.Selection(CONDITIONS, required=True)
    allowed_deliverable_ids = fields.Many2many(
        related="disbursement_id.deliverable_ids", related_sudo=False
    )
    deliverable_id = fields.Many2one(
        "grant.deliverable", domain="[('id', 'in', allowed_deliverable_ids)]"
    )
    reason = fields.Text(required=True)

    def action_confirm(self):
        """Override; see :meth:`grant.disbursement._do_override` for what it refuses."""
        self.ensure_one()
        self.disbursement_id._do_override(self.condition, self.reason, self.deliverable_id)
        return {"type": "ir.actions.act_window_close"}
