from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_contradictory_days = fields.Integer(
        related="company_id.grant_contradictory_days", readonly=False
    )
    grant_working_day_deadlines = fields.Boolean(
        related="company_id.grant_working_day_deadlines", readonly=False
    )
