from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_payment_days = fields.Integer(related="company_id.grant_payment_days", readonly=False)
    grant_late_interest_rate = fields.Float(
        related="company_id.grant_late_interest_rate", readonly=False
    )
