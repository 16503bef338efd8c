from odoo import fields, models


class GrantAidInKind(models.Model):
    """Aid in kind counts with the year's subsidies, for the convention: a condition of payment."""

    _inherit = "grant.aid.in.kind"

    state = fields.Selection(wakes="_get_operator_tranches")

    def _get_operator_tranches(self):
        return self.partner_id._get_waiting_tranches()
