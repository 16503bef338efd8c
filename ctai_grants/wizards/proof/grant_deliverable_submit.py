from odoo import fields, models

from ...lib.proof.upload import decode


class GrantDeliverableSubmit(models.TransientModel):
    """Takes the file that an operator handed in on paper or by mail."""

    _name = "grant.deliverable.submit"
    _description = "Hand In a File"
    _inherit = ["grant.text.mixin"]

    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", required=True, readonly=True
    )
    file = fields.Binary(required=True, attachment=False)
    filename = fields.Char()
    comment = fields.Text()

    def action_confirm(self):
        """Hand the file in; see :meth:`grant.deliverable._do_submit` for what it refuses."""
        self.ensure_one()
        self.deliverable_id._do_submit(self.filename, decode(self.file), self.comment)
        return {"type": "ir.actions.act_window_close"}
