from odoo import api, models

from .grant_pes_answered_mixin import FACTS


class GrantFunding(models.Model):
    """A claim on the State as a file for the treasury, and what it answers."""

    _name = "grant.funding"
    _inherit = ["grant.funding", "grant.pes.mixin", "grant.pes.answered.mixin"]

    _answered_states = ("claimed", "received")
    _settled_state = "received"

    def _find_piece_gaps(self):
        self._check_state(self._answered_states, self.env._("Making a file for the treasury"))
        return self._find_claim_gaps(self.contract_id.funder_id)

    def _get_pes_batch(self):
        label = f"{self.contract_id.code} {self.envelope_id.code} {self.name}"
        return self._get_pes_claim(self._get_live_move(), self.contract_id.funder_id, label)

    @api.model
    def _find_answered(self, company):
        claimed = self.search(
            [("company_id", "=", company.id), ("state", "in", self._answered_states)]
        )
        return [funding._get_answered_number("REC") for funding in claimed]

    def _record_answer(self, answer, date):
        # Nobody decides on an instalment: what is answered stands on it, and in its history.
        self._transition(
            treasury_state=answer.state, treasury_reason=answer.reason or False, treasury_date=date
        )

    def _follow_accounting(self):
        result = super()._follow_accounting()
        for funding in self:
            if funding.state == "expected" and funding.treasury_state:
                funding._transition(**dict.fromkeys(FACTS, False))
        return result
