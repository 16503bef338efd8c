from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_gap_percent = fields.Float(related="company_id.grant_gap_percent", readonly=False)
