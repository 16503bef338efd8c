from odoo import models


class GrantDisbursement(models.Model):
    """What an operator is told about a tranche that it may ask for."""

    _inherit = "grant.disbursement"

    def _get_awaited_pieces(self):
        """The pieces that the operator has to hand in before this tranche is paid."""
        return self.deliverable_ids.filtered(
            lambda piece: piece.state in ("expected", "to_complete")
        )

    def _get_missing(self):
        """What this tranche still waits for, but for pieces to hand in, in an operator's words."""
        unmet = self.condition_ids.filtered(lambda row: row.state == "unmet")
        sentences = [row._tell_operator() for row in unmet]
        return [sentence for sentence in sentences if sentence]
