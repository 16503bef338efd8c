from odoo import api, fields, models

from .grant_decision import ANSWERS

FACTS = ("treasury_state", "treasury_reason", "treasury_date")


class GrantPesAnsweredMixin(models.AbstractModel):
    """An order or claim that the treasury answers about (``lib/treasury/pes_return.py``).

    The answer moves no document: its payment does, which comes with the extract.
    """

    _name = "grant.pes.answered.mixin"
    _description = "Document that the Treasury Answers"

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
        help="What the treasury answered about this; the money comes with its extract.",
    )
    treasury_reason = fields.Text(string="The Treasury's Reason", readonly=True, copy=False)
    treasury_date = fields.Date(string="Answered On", readonly=True, copy=False)

    # States in which the treasury has this document, and the one in which it is settled.
    _answered_states = ()
    _settled_state = None

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), **dict.fromkeys(dict(ANSWERS))}

    def _take_answer(self, answer, date):
        """Mark this document with what the treasury answers, unless it answered something later.

        Of two answers of one day the one that is read last stands; only that a batch was received
        says nothing any more once its pieces are looked at.

        :param answer: a :class:`ctai_grants.lib.treasury.pes_return.Answer`
        :return: whether anything has changed
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        if self.state not in self._answered_states:
            return False
        known = self.treasury_date
        # A day that has not come cannot have been answered on: it outweighs nothing.
        if known and known <= self.company_id._grant_today():
            looked_at = self.treasury_state in ("taken", "pending", "settled")
            if date < known or date == known and answer.state == "received" and looked_at:
                return False
        if (answer.state, answer.reason or False) == (self.treasury_state, self.treasury_reason):
            return False
        self._record_answer(answer, date)
        return True

    def _record_answer(self, answer, date):
        self._decide(
            f"treasury_{answer.state}",
            answer.reason,
            treasury_state=answer.state,
            treasury_reason=answer.reason or False,
            treasury_date=date,
        )

    def _say_answer(self):
        """What the treasury answered, in a sentence, when somebody has to do something about it;
        nothing otherwise."""
        if self.treasury_state not in ("rejected", "pending"):
            return False
        states = dict(self._fields["treasury_state"]._description_selection(self.env))
        about = {"state": states[self.treasury_state], "document": self._describe_answered()}
        if self.treasury_state == "rejected" and self.state == self._settled_state:
            return self.env._(
                "%(state)s: %(document)s. Its payment is recorded here already: ask the treasury "
                "which of the two is true.",
                **about,
            )
        return self.env._("%(state)s: %(document)s.", **about)

    def _describe_answered(self):
        return self.display_name
