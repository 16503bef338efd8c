from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_upload_max_mb = fields.Integer(related="company_id.grant_upload_max_mb", readonly=False)
