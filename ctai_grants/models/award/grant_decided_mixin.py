import datetime
from collections import defaultdict

from markupsafe import Markup

from odoo import api, models
from odoo.exceptions import UserError

from ...lib.award.history import Step, local_date, state_after, states_after


class GrantDecidedMixin(models.AbstractModel):
    """A document about which people decide.

    One table says what each decision makes of it, layer by layer (:meth:`_get_decision_states`):
    documents follow it when a decision is taken, statements when they tell the states of a past
    day, and nothing else says it.
    """

    _name = "grant.decided.mixin"
    _description = "Document with Decisions"

    # The field of a decision that names such a document.
    _decision_key = None
    # Its state before any decision.
    _first_state = "draft"

    @api.model
    def _get_decision_states(self):
        """What each decision leads to: dict as :func:`ctai_grants.lib.award.history.state_after`
        reads it."""
        return {}

    @api.model
    def _get_decision_dates(self):
        """What is decided on one day and dated of another: dict {decision: field of the date that
        counts}."""
        return {}

    def _get_decided_subsidy(self):
        """The subsidy that a decision on this document is about."""
        return self.subsidy_id

    def _decide(self, decision, reason=None, details=None, **values):
        """Record a decision on each of these documents, and write what it changes, their state
        included: of many in as few statements as of one.

        :param str decision: as :meth:`grant.decision._record`
        :param reason: as there; where each has its own, a dict {document: reason}
        :param dict details: more that the decision is about
        :param values: of fields of these documents, guarded ones included
        :raise ValueError: nobody takes that decision on such a document, or not in its state
        """
        reasons = reason if isinstance(reason, dict) else dict.fromkeys(self, reason)
        states = {
            document: document._get_state_after(decision, document.state) for document in self
        }
        decisions = self.env["grant.decision"]
        # Before the write: who is woken by it finds the decision, and its reason.
        decisions._append(
            [
                decisions._prepare(
                    decision,
                    document._get_decided_subsidy(),
                    reasons[document],
                    **{self._decision_key: document.id, **(details or {})},
                )
                for document in self
            ]
        )
        for state, documents in self.grouped(states.get).items():
            # A state that stays is not written: nobody is woken for nothing.
            changed = documents.filtered(lambda document, state=state: document.state != state)
            if changed:
                changed._transition(state=state, **values)
            if values and documents - changed:
                (documents - changed)._transition(**values)
        self._tell_story(decision, reasons)

    def _tell_story(self, decision, reasons):
        """A line in the discussion of the subsidy: who decided what of which of its documents; of
        itself, its states are tracked."""
        lines = defaultdict(list)
        if not self.env.lang:
            # Jobs have none: the city's.
            self = self.with_context(lang=self.company_id[:1].partner_id.lang)
        for document in self:
            subsidy = document._get_decided_subsidy()
            if subsidy != document:
                lines[subsidy.id].append(document._say_decided(decision, reasons[document]))
        if lines:
            subsidies = self.env["grant.subsidy"].browse(lines)
            subsidies._message_log_batch(
                {subsidy: Markup("<br/>").join(own) for subsidy, own in lines.items()}
            )

    def _say_decided(self, decision, reason):
        """What the discussion of the subsidy says of a decision on this document; not why: reasons
        may go with what is purged, and stand in the history of decisions.

        :param reason: for who knows that it is a number
        """
        labels = self.env["grant.decision"]._fields["decision"]._description_selection(self.env)
        return self.env._(
            "%(document)s: %(decision)s", document=self.display_name,
            decision=dict(labels)[decision],
        )  # fmt: skip

    def _get_state_after(self, decision, before):
        """State of this document after a decision.

        :raise ValueError: the table has no such decision in that state
        """
        try:
            return state_after(
                self._get_decision_states(), decision, before, self._get_decided_path
            )
        except KeyError as error:
            raise ValueError(f"{self}: no “{decision}” in the state “{before}”") from error

    def _get_decided_path(self):
        """Who pays, where that decides; hardly any decision asks."""
        return self.payment_path if "payment_path" in self._fields else None

    # ------------------------------------------------------------------
    # As on a past day
    # ------------------------------------------------------------------

    @api.private
    def _get_histories(self, timezone):
        """What happened to each of these documents, in order.

        :param timezone: the legal time in which a moment has a day
        :return: dict {id: list of :class:`Step`, its first state to begin with}
        :raise UserError: decisions that cannot have followed each other
        """
        decisions = self.env["grant.decision"]
        domain = [(self._decision_key, "in", self.ids), *self._get_decisions_domain()]
        # By id: several may be taken within a second.
        taken = decisions.search(domain, order="id").grouped(self._decision_key)
        return {
            document.id: document._get_history(taken.get(document, decisions), timezone)
            for document in self
        }

    @api.model
    def _get_decisions_domain(self):
        """Which of the decisions that name such a document are about it."""
        return []

    def _get_history(self, decisions, timezone):
        moments = self._get_moments(decisions)
        names = [name for _moment, name in moments]
        days = [local_date(moment, timezone) for moment, _name in moments]
        first, *states = self._get_states_after(names)
        steps = [Step(datetime.date.min, None, first)]
        for number, (day, decision, state) in enumerate(zip(days, names, states, strict=True)):
            # The document has one date for each, that of the last time.
            is_last = decision not in names[number + 1 :]
            own = self._get_own_date(decision) if is_last else None
            steps.append(Step(own or day, decision, state, day))
        return steps

    def _get_states_after(self, decisions):
        try:
            return states_after(
                self._first_state, self._get_decision_states(), decisions, self._get_decided_path
            )
        except KeyError as error:
            raise UserError(
                self.env._(
                    "%(document)s: its decisions cannot have followed each other (%(decisions)s).",
                    document=self.display_name,
                    decisions=", ".join(decisions),
                )
            ) from error

    def _get_moments(self, decisions):
        """What moved this document, and when: (time, decision), in order."""
        return [(decision.decided_at, decision.decision) for decision in decisions]

    def _get_own_date(self, decision):
        """The date that the document itself gives to a decision that still stands."""
        field = self._get_decision_dates().get(decision)
        return self[field] if field and self.state != self._first_state else None
