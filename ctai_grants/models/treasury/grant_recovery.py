from odoo import models

from ...lib.guard.money import euros
from ...lib.treasury import pes


class GrantRecovery(models.Model):
    _name = "grant.recovery"
    _inherit = ["grant.recovery", "grant.pes.mixin"]

    def _get_pes_batch(self):
        """A claim (titre), or the reduction of the order of the same year (mandat de réduction)."""
        self._check_state(("claimed", "collected"), self.env._("Making a file for the treasury"))
        move = self._get_live_move()
        label = f"{self.name} {self.subsidy_id.code} {self.subsidy_id.name}"
        order = self.reduced_disbursement_id
        if not order:
            return self._get_pes_claim(move, self.partner_id, label)
        bill = order._get_live_move()
        piece = pes.Piece(
            number=move.sequence_number,
            object=label,
            amount=euros(self.amount),
            account=self._get_pes_account(move),
            party=self._get_pes_party(self.partner_id, bill.partner_bank_id),
            reduces=(order.exercise, self._get_pes_number(order)),
        )
        return "DEP", pes.Batch(move.date.year, move.sequence_number, move.date, [piece])
