from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_short_report_amount = fields.Monetary(
        related="company_id.grant_short_report_amount", readonly=False
    )
    grant_gap_percent = fields.Float(related="company_id.grant_gap_percent", readonly=False)
