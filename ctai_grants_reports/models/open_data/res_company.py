from odoo import fields, models


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_open_data_all = fields.Boolean(
        string="Publish All Subsidies",
        help="Also those that the law does not ask for: it does from the convention threshold on, "
        "counted by body (SIREN) and year (décret 2017-779, art. 1).",
    )
