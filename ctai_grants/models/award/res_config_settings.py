from odoo import fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_convention_threshold = fields.Monetary(
        related="company_id.grant_convention_threshold",
        readonly=False,
    )
    grant_timezone = fields.Selection(
        related="company_id.partner_id.tz",
        readonly=False,
        string="Legal Time",
        help="Says which day it is, in the ledger and in every delay, wherever one asks from. "
        "Empty: that of Paris.",
    )
