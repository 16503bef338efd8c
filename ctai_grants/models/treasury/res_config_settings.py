from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_pes_post = fields.Char(related="company_id.grant_pes_post", readonly=False)
    grant_pes_entity = fields.Char(related="company_id.grant_pes_entity", readonly=False)
    grant_pes_budget = fields.Char(related="company_id.grant_pes_budget", readonly=False)
    grant_pes_budget_label = fields.Char(
        related="company_id.grant_pes_budget_label", readonly=False
    )
