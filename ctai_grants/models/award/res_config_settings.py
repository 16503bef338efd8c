from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_convention_threshold = fields.Monetary(
        related="company_id.grant_convention_threshold",
        readonly=False,
    )
