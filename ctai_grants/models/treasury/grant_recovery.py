from odoo import api, models

from ...lib.guard.money import euros
from ...lib.treasury import pes
from .grant_pes_answered_mixin import FACTS


class GrantRecovery(models.Model):
    """A claim, or the reduction of an order, as a file for the treasury, and what it answers."""

    _name = "grant.recovery"
    # The mixin first: what it says of decisions goes before what the recovery's own says.
    _inherit = ["grant.pes.answered.mixin", "grant.recovery", "grant.pes.mixin"]

    _answered_states = ("claimed", "collected")
    _settled_state = "collected"

    @api.model
    def _find_answered(self, company):
        claimed = self.search(
            [("company_id", "=", company.id), ("state", "in", self._answered_states)]
        )
        return [
            recovery._get_answered_number(
                "REDUCTION" if recovery.reduced_disbursement_id else "REC"
            )
            for recovery in claimed
            if recovery._is_accounted()
        ]

    def _decide(self, decision, reason=None, details=None, **values):
        if decision == "claim_withdrawn":
            values |= dict.fromkeys(FACTS, False)
        return super()._decide(decision, reason, details, **values)

    def _is_sent(self):
        return super()._is_sent() and self._is_accounted()

    def _find_piece_gaps(self):
        self._check_state(self._answered_states, self.env._("Making a file for the treasury"))
        order = self.reduced_disbursement_id
        if not order:
            return self._find_claim_gaps(self.partner_id)
        move, account = self._get_live_move(), order._get_live_move().partner_bank_id
        return [
            *self._find_number_gaps(order),
            *self._find_account_gaps(move),
            *self._find_party_gaps(self.partner_id, account, move.date),
        ]

    def _get_pes_batch(self):
        """A claim (titre), or the reduction of the order of the same year (mandat de réduction)."""
        move = self._get_live_move()
        label = f"{self.name} {self.subsidy_id.code} {self.subsidy_id.name}"
        order = self.reduced_disbursement_id
        if not order:
            return self._get_pes_claim(move, self.partner_id, label)
        bill, number = order._get_live_move(), move._get_grant_number()
        piece = pes.Piece(
            number=number,
            object=label,
            amount=euros(self.amount),
            account=move._get_grant_account().code,
            party=self._get_pes_party(self.partner_id, bill.partner_bank_id, move.date),
            reduces=(order.exercise, int(order.order_number)),
        )
        return "DEP", pes.Batch(move.date.year, number, move.date, [piece])
