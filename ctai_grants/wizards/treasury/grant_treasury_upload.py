from odoo import fields, models

from ...lib.proof.upload import decode


class GrantTreasuryUpload(models.TransientModel):
    """Takes an extract of payments."""

    _name = "grant.treasury.upload"
    _description = "Import an Extract"
    _inherit = ["grant.text.mixin"]

    # Not required: a file of nothing is no value either, and is told in words that it is empty.
    file = fields.Binary(attachment=False)
    filename = fields.Char()

    def action_confirm(self):
        """Show what the file would book; see :meth:`grant.treasury.import._import` for what it
        refuses."""
        self.ensure_one()
        treasury_import = self.env["grant.treasury.import"]._import(
            self.filename, decode(self.file)
        )
        return {
            "type": "ir.actions.act_window",
            "res_model": treasury_import._name,
            "res_id": treasury_import.id,
            "views": [(False, "form")],
        }
