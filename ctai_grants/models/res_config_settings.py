from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_convention_threshold = fields.Monetary(
        related="company_id.grant_convention_threshold",
        readonly=False,
    )
    grant_contradictory_days = fields.Integer(
        related="company_id.grant_contradictory_days", readonly=False
    )
    grant_upload_max_mb = fields.Integer(
        related="company_id.grant_upload_max_mb", readonly=False
    )
