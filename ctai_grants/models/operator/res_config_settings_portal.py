from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_publication_director = fields.Char(
        related="company_id.grant_publication_director", readonly=False
    )
    grant_host = fields.Char(related="company_id.grant_host", readonly=False)
    grant_dpo = fields.Char(related="company_id.grant_dpo", readonly=False)
    grant_retention_years = fields.Integer(
        related="company_id.grant_retention_years", readonly=False
    )
