from odoo import fields, models

from odoo.addons.ctai_grants.lib.proof.upload import decode


class GrantAwardUpload(models.TransientModel):
    """Takes a file of awards."""

    _name = "grant.award.upload"
    _description = "Import Awards"
    _inherit = ["grant.text.mixin"]

    envelope_id = fields.Many2one("grant.envelope", required=True)
    # Not required: a file of nothing is no value either, and is told in words that it is empty.
    file = fields.Binary(attachment=False)
    filename = fields.Char()

    def action_confirm(self):
        """Show what the file would make; see :meth:`grant.award.import._import` for what it
        refuses."""
        self.ensure_one()
        award_import = self.env["grant.award.import"]._import(
            self.envelope_id, self.filename, decode(self.file)
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": award_import._name,
            "res_id": award_import.id,
            "views": [(False, "form")],
        }
