"""What each decision makes of its document. Documents follow this table when a decision is taken,
statements when they tell the states of a past day: nothing else says it."""

import datetime
from typing import NamedTuple

from odoo import api, models
from odoo.exceptions import UserError

# Where a decision names its document. It moves every one that it names, and the subsidy when it
# names nothing else.
DOCUMENT_FIELDS = {
    "grant.subsidy": "subsidy_id",
    "grant.deliverable": "deliverable_id",
    "grant.deliverable.version": "version_id",
    "grant.disbursement": "disbursement_id",
    "grant.financial.report": "report_id",
    "grant.recovery": "recovery_id",
    "grant.amendment": "amendment_id",
}

# State before any decision. A tranche that is ready was planned: its conditions say which, not a
# decision. For the same reason what is handed in is submitted without anybody's decision.
FIRST_STATES = {
    "grant.subsidy": "draft",
    "grant.deliverable": "expected",
    "grant.deliverable.version": "submitted",
    "grant.disbursement": "planned",
    "grant.financial.report": "draft",
    "grant.recovery": "identified",
    "grant.amendment": "draft",
}

REVIEWS = {"accepted": "accepted", "to_complete": "to_complete", "waived": "waived"}

# What was decided on one day and is dated of another: the document's own date counts.
OWN_DATES = {
    ("grant.subsidy", "granted"): "decision_date",
    ("grant.subsidy", "signed"): "signature_date",
    ("grant.disbursement", "ordered"): "order_date",
}

# Model: decision: the state it leads to, or None when the state stays. Where it depends: by the
# state before, or by who pays.
STATES = {
    "grant.subsidy": {
        "granted": "granted",
        "signed": "signed",
        "closed": "closed",
        "cancelled": "cancelled",
        "reopened": {"closed": "signed", "granted": "draft", "cancelled": "draft"},
        "overridden": None,
    },
    "grant.deliverable": {**REVIEWS, "submitted": "submitted", "overridden": None},
    "grant.deliverable.version": REVIEWS,
    "grant.disbursement": {
        "overridden": None,
        "certified": "certified",
        "returned": "planned",
        "ordered": "ordered",
        "order_withdrawn": "certified",
        "treasury_received": None,
        "treasury_taken": None,
        "treasury_pending": None,
        "treasury_rejected": None,
        "treasury_settled": None,
        "paid": "paid",
        "unpaid": {"city": "ordered", "direct": "certified"},
        "reduced": None,
        "cancelled": "cancelled",
        "reopened": "planned",
    },
    "grant.financial.report": {"accepted": "accepted", "reopened": "draft"},
    "grant.recovery": {
        "identified": "identified",
        "notified": "notified",
        "observed": None,
        "decided": "decided",
        "waived": "waived",
        "claimed": "claimed",
        "claim_withdrawn": "decided",
        "collected": "collected",
        "unpaid": "claimed",
    },
    "grant.amendment": {"amended": "signed"},
}


def state_after(model, decision, before, payment_path=None):
    """State of a document after a decision.

    :param str model: of the document
    :param str decision: one of :data:`.grant_decision.DECISIONS`
    :param str before: the document's state until then
    :param str payment_path: ``city`` or ``direct``, where there is one
    :raise KeyError: nobody takes that decision on such a document, or not in that state

    >>> state_after("grant.subsidy", "reopened", "closed")
    'signed'
    >>> state_after("grant.disbursement", "unpaid", "paid", "direct")
    'certified'
    >>> state_after("grant.disbursement", "treasury_rejected", "ordered")
    'ordered'
    """
    state = STATES[model][decision]
    if isinstance(state, dict):
        return state[before if before in state else payment_path]
    return state or before


def states_after(model, decisions, payment_path=None):
    """States of a document, the first one included, after each of these decisions in their order.

    >>> states_after("grant.disbursement", ["certified", "ordered", "order_withdrawn"])
    ['planned', 'certified', 'ordered', 'certified']
    """
    states = [FIRST_STATES[model]]
    for decision in decisions:
        states.append(state_after(model, decision, states[-1], payment_path))
    return states


class Step(NamedTuple):
    """What happened to a document: when, what was decided, and its state from then on."""

    day: datetime.date
    decision: str | None
    state: str
    decided_on: datetime.date | None = None


def last_step(history, day):
    """The last of these steps that counts on ``day``; the first one, when none does.

    >>> first = Step(datetime.date.min, None, "planned")
    >>> certified = Step(datetime.date(2022, 1, 9), "certified", "certified")
    >>> ordered = Step(datetime.date(2021, 12, 30), "ordered", "ordered")
    >>> history = [first, certified, ordered]
    >>> last_step(history, datetime.date(2021, 12, 31)).state
    'ordered'
    >>> last_step(history, datetime.date(2021, 12, 29)).state
    'planned'
    """
    return next((step for step in reversed(history) if step.day <= day), history[0])


def local_date(moment, timezone):
    """Day of a time of the database, in the legal time of the city.

    >>> import zoneinfo
    >>> paris = zoneinfo.ZoneInfo("Europe/Paris")
    >>> local_date(datetime.datetime(2021, 12, 31, 23, 30), paris)
    datetime.date(2022, 1, 1)
    """
    return moment.replace(tzinfo=datetime.UTC).astimezone(timezone).date()


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    @api.model
    def _follow(self, document, decision, values):
        """What a document writes when a decision is taken on it: ``values``, and its new state.

        :param document: one record, in its state before
        :param dict values: what else changes; a state in it is the one the table says
        :return: dict of values
        :raise ValueError: the table has no such decision, or another state
        """
        try:
            state = state_after(
                document._name, decision, document.state, self._get_payment_path(document)
            )
        except KeyError as error:
            raise ValueError(
                f"{document}: no “{decision}” in the state “{document.state}”, see STATES"
            ) from error
        if values.get("state", state) != state:
            raise ValueError(f"{document}: “{decision}” leads to “{state}”, see STATES")
        return values if state == document.state else {**values, "state": state}

    @api.model
    def _get_payment_path(self, document):
        return document.payment_path if "payment_path" in document._fields else None

    @api.private
    @api.model
    def _get_histories(self, documents, timezone):
        """What happened to each of these documents of one model, in order.

        :param timezone: the legal time in which a moment has a day
        :return: dict {id: list of :class:`Step`, its first state to begin with}
        :raise UserError: decisions that cannot have followed each other
        """
        name = DOCUMENT_FIELDS[documents._name]
        domain = [(name, "in", documents.ids)]
        if name == "subsidy_id":
            domain += [(other, "=", False) for other in DOCUMENT_FIELDS.values() if other != name]
        taken = self.search(domain, order="id").grouped(name)
        return {
            document.id: self._get_history(document, taken.get(document, self.browse()), timezone)
            for document in documents
        }

    @api.model
    def _get_history(self, document, decisions, timezone):
        moments = self._get_moments(document, decisions)
        names = [name for _moment, name in moments]
        days = [local_date(moment, timezone) for moment, _name in moments]
        try:
            first, *states = states_after(
                document._name, names, self._get_payment_path(document)
            )
        except KeyError as error:
            raise UserError(
                self.env._(
                    "%(document)s: its decisions cannot have followed each other (%(decisions)s).",
                    document=document.display_name,
                    decisions=", ".join(names),
                )
            ) from error
        steps = [Step(datetime.date.min, None, first)]
        for number, (day, decision, state) in enumerate(zip(days, names, states, strict=True)):
            is_last = decision not in names[number + 1 :]
            own = self._get_own_date(document, decision) if is_last else None
            steps.append(Step(own or day, decision, state, day))
        return steps

    @api.model
    def _get_moments(self, document, decisions):
        """What moved a document, and when: (time, decision), in order."""
        if document._name != "grant.deliverable":
            return [(decision.decided_at, decision.decision) for decision in decisions]
        # In one second: a version, then what is decided on it.
        moments = sorted([
            *((v.submitted_at, v.number, 0, "submitted") for v in document.version_ids),
            *((d.decided_at, d.version_id.number, 1, d.decision) for d in decisions),
        ])  # fmt: skip
        return [(moment[0], moment[-1]) for moment in moments]

    @api.model
    def _get_own_date(self, document, decision):
        """The date that the document itself gives to a decision that still stands."""
        field = OWN_DATES.get((document._name, decision))
        if not field or document.state == FIRST_STATES[document._name]:
            return None
        return document[field] or None
