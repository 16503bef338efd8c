import datetime
from collections import defaultdict
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from odoo import api, models

from odoo.addons.ctai_grants.lib.award.history import last_step, local_date
from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros

from ..lib.statement import TieOutError

PATHS = ("city", "direct")


def get_labels(env, model, name):
    """Labels of a selection field, in the user's language."""
    return dict(env[model]._fields[name]._description_selection(env))


@dataclass
class Facts:
    """What the tables of one statement share, read once."""

    contract: models.BaseModel
    as_at: datetime.date
    timezone: ZoneInfo
    envelopes: models.BaseModel
    kinds: dict  # flow: label
    paths: dict  # payment path: label
    by_envelope: dict = field(default_factory=dict)  # envelope id: flow: sum
    by_subsidy: dict = field(default_factory=dict)  # subsidy id: action id or None: flow: sum
    ledger_size: int = 0
    histories: dict = field(default_factory=dict)  # (model, id): its steps
    identities: dict = field(default_factory=dict)  # partner: what it was called at the date
    undone: dict = field(default_factory=dict)  # (model, id): what amendments have changed since
    subsidies: list = field(default_factory=list)  # (subsidy, its state at the date)

    @property
    def day(self):
        """The date as people read it."""
        return self.as_at.strftime("%d/%m/%Y")

    def identity(self, partner):
        """An organisation with the name and numbers that it had at the date."""
        if partner not in self.identities:
            self.identities.update(partner._get_identities(self.as_at))
        return self.identities[partner]

    def localise(self, moment):
        """A time of the database in the city's legal time."""
        moment = moment.replace(tzinfo=datetime.timezone.utc)
        return moment.astimezone(self.timezone).replace(tzinfo=None)

    def is_later(self, moment):
        """Whether a time of the database is after the date."""
        return local_date(moment, self.timezone) > self.as_at

    def existed(self, record):
        """Whether ``record`` was there at the date, and not added by an amendment since."""
        # Not in it: as it is now. With values: changed since. With None: added since.
        return self.undone.get((record._name, record.id), record) is not None

    def value(self, record, name, own=None):
        """The amount or the date of ``record`` as it was at the date; its field is ``own``."""
        undone = self.undone.get((record._name, record.id))
        return undone[name] if undone else record[own or name]

    def history(self, record):
        return self.histories[record._name, record.id]

    def state(self, record):
        """State of a document at the date, as its decisions and its own dates say."""
        return last_step(self.history(record), self.as_at).state

    def sum_flow(self, subsidy, flow):
        """What the ledger holds of a subsidy until the date, in euros."""
        return sum((sums.get(flow, ZERO) for sums in self.by_subsidy[subsidy.id].values()), ZERO)

    def has_moved(self, subsidy):
        """Whether the ledger holds anything of a subsidy at the date."""
        return any(any(sums.values()) for sums in self.by_subsidy[subsidy.id].values())

    def subsidy_state(self, subsidy):
        """State of a subsidy at the date. What the ledger says is committed was signed, whatever
        its decisions miss."""
        state = self.state(subsidy)
        is_committed = self.sum_flow(subsidy, "commitment")
        return "signed" if is_committed and state in ("draft", "granted") else state

    def tranche_state(self, tranche, paid):
        """State of a tranche at the date; paid when the ledger holds all of it by then.

        :param paid: what the ledger holds of its payment until the date
        """
        if paid >= euros(self.value(tranche, "amount")):
            return "paid"
        history = self.history(tranche)
        step = last_step(history, self.as_at)
        # Settled otherwise, by a reduction of the order: no payment, and nothing left to pay.
        # Unless that was taken back since: the ledger corrects a payment at its own date.
        if step.state == "paid" and self._is_taken_back(history, step):
            return tranche._get_state_after("unpaid", "paid")
        return step.state

    @staticmethod
    def _is_taken_back(history, step):
        number = next(n for n, other in enumerate(history) if other is step)
        return any(later.state != step.state for later in history[number:])


class GrantStatementFacts(models.AbstractModel):
    """Reads the ledger of a contract as at a date, and its documents as they were."""

    _name = "grant.statement.facts"
    _description = "Facts of a Grant Statement"

    @api.model
    def _read(self, contract, as_at):
        """The sums of the ledger until the date, and what was decided by then.

        :return: :class:`Facts`
        :raise TieOutError: the counters differ from the ledger
        :raise UserError: decisions that cannot have followed each other
        """
        # First: figures of a ledger that does not add up are shown to nobody.
        if wrong := self.env["grant.entry"]._get_wrong_counters(contract.envelope_ids):
            raise TieOutError(wrong[0])
        facts = Facts(
            contract=contract,
            as_at=as_at,
            timezone=contract.company_id._grant_timezone(),
            envelopes=contract.envelope_ids,
            kinds=get_labels(self.env, "grant.entry", "kind"),
            paths={"city": self.env._("City"), "direct": self.env._("State")},
        )
        self._read_sums(facts)
        self._read_documents(facts)
        return facts

    @api.model
    def _read_sums(self, facts):
        facts.by_envelope = defaultdict(lambda: defaultdict(lambda: ZERO))
        facts.by_subsidy = defaultdict(lambda: defaultdict(dict))
        for envelope, subsidy, action, kind, amount, count in self.env["grant.entry"]._read_group(
            [("envelope_id", "in", facts.envelopes.ids), ("date", "<=", facts.as_at)],
            ["envelope_id", "subsidy_id", "action_id", "kind"],
            ["amount:sum", "__count"],
        ):
            facts.by_envelope[envelope.id][kind] += euros(amount)
            if subsidy:
                facts.by_subsidy[subsidy.id][action.id or None][kind] = euros(amount)
            facts.ledger_size += count

    @api.model
    def _read_documents(self, facts):
        subsidies = self._search_subsidies(facts.contract)
        pieces = subsidies.deliverable_ids
        for documents in (subsidies, subsidies.disbursement_ids, pieces, pieces.version_ids):
            self._read_histories(facts, documents)
        # sudo: who gets the statement may not read the amendments
        facts.undone = self.env["grant.amendment"].sudo()._get_undone(facts.contract, facts.as_at)
        facts.identities.update(subsidies.partner_id._get_identities(facts.as_at))
        for subsidy in subsidies.sorted(lambda subsidy: self._get_sort_key(facts, subsidy)):
            state = facts.subsidy_state(subsidy)
            if facts.has_moved(subsidy) or state in ("granted", "signed", "closed"):
                facts.subsidies.append((subsidy, state))

    @api.model
    def _search_subsidies(self, contract):
        """The archived ones too: their money counts."""
        subsidies = self.env["grant.subsidy"].with_context(active_test=False)
        return subsidies.search([("contract_id", "=", contract.id)], order="code, id")

    @api.model
    def _read_histories(self, facts, documents):
        histories = documents._get_histories(facts.timezone)
        facts.histories.update(((documents._name, key), steps) for key, steps in histories.items())

    @api.model
    def _get_sort_key(self, facts, subsidy):
        envelope = subsidy.envelope_id
        path = PATHS.index(subsidy.payment_path)
        name = facts.identity(subsidy.partner_id).name or ""
        return path, envelope.sequence, envelope.id, name, subsidy.code
