from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_open_data_all = fields.Boolean(
        related="company_id.grant_open_data_all", readonly=False
    )
