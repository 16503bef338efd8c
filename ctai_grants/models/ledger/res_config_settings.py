from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_heads_mail = fields.Char(related="company_id.grant_heads_mail", readonly=False)
    grant_heads_notice = fields.Text(related="company_id.grant_heads_notice")
    grant_heads_file = fields.Char(
        string="File",
        compute="_compute_grant_heads_file",
        help="In the folder that grants_heads_dir names in Odoo's configuration.",
    )

    def _compute_grant_heads_file(self):
        self.grant_heads_file = self.env["grant.heads.receiver"]._get_file()
