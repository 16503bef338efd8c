from odoo import fields, models


class GrantEntry(models.Model):
    _inherit = "grant.entry"

    grant_body = fields.Char(related="partner_id.grant_body")
