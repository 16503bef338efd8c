from odoo import fields, models


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    decision = fields.Selection(
        selection_add=[("released", "Opened Without a Scan")], ondelete={"released": "cascade"}
    )
