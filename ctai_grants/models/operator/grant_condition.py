from odoo import models


class GrantCondition(models.Model):
    _inherit = "grant.condition"

    def _is_of_piece(self, piece):
        """Whether handing in ``piece`` is what meets this condition."""
        self.ensure_one()
        # The financial report is reviewed with its paper, as one.
        is_report = self.code == "report" and piece._is_financial_report()
        return is_report or self.deliverable_id.id == piece.id
