from odoo import api, fields, models

from .grant_decision import ANSWERS


class GrantDisbursement(models.Model):
    """What the treasury answers about an order."""

    _inherit = "grant.disbursement"

    treasury_state = fields.Selection(
        [
            ("received", "Received"),
            ("taken", "Taken in Charge"),
            ("pending", "Suspended"),
            ("rejected", "Rejected"),
            ("settled", "Settled"),
        ],
        string="At the Treasury",
        readonly=True,
        copy=False,
        tracking=True,
        help="What the treasury answered about the order; its payment comes with the extract.",
    )
    treasury_reason = fields.Text(string="The Treasury's Reason", readonly=True, copy=False)
    treasury_date = fields.Date(string="Answered On", readonly=True, copy=False)

    @api.model
    def _get_decision_states(self):
        # What the treasury answers moves no tranche: its payment does.
        answers = dict.fromkeys(dict(ANSWERS))
        return {**super()._get_decision_states(), **answers}

    def _prepare_withdrawal(self):
        answer = dict.fromkeys(("treasury_state", "treasury_reason", "treasury_date"), False)
        return {**super()._prepare_withdrawal(), **answer}

    def _take_answer(self, answer, date):
        """Mark this order with what the treasury answers, unless it answered something later.

        :param answer: a :class:`ctai_grants.lib.treasury.pes_return.Answer`
        :return: whether anything has changed
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        facts = (answer.state, answer.reason or False)
        known = (self.treasury_state, self.treasury_reason)
        is_older = self.treasury_date and date < self.treasury_date
        if self.state not in ("ordered", "paid") or is_older or facts == known:
            return False
        if known[0] and answer.state == "received" and date == self.treasury_date:
            return False
        self._decide(
            f"treasury_{answer.state}",
            answer.reason,
            treasury_state=answer.state,
            treasury_reason=answer.reason or False,
            treasury_date=date,
        )
        return True
