from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_asks_dates = fields.Boolean(related="company_id.grant_asks_dates", readonly=False)
    grant_asks_split = fields.Boolean(related="company_id.grant_asks_split", readonly=False)
    grant_asks_action = fields.Boolean(related="company_id.grant_asks_action", readonly=False)
    grant_asks_tranche = fields.Boolean(related="company_id.grant_asks_tranche", readonly=False)
    grant_asks_question = fields.Boolean(related="company_id.grant_asks_question", readonly=False)
