# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Random legal and illegal sequences over a contract, beside a simple model of what must hold.

The model says before each step whether it passes or is refused, and what it changes; after
each step every state, every sum and the ledger's own verifier must agree with it.

The sequences are the same each time; CTAI_HYPOTHESIS=N plays N random ones instead.
"""

import datetime
import math
import os
from dataclasses import dataclass, field
from decimal import Decimal
from inspect import signature
from random import Random

import psycopg2
from hypothesis import HealthCheck, Phase, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from odoo.exceptions import UserError
from odoo.tests import tagged
from odoo.tools import mute_logger

from odoo.addons.ctai_grants.tests.common import CERTIFIED, PDF, GrantsCommon

ROLES = {
    "reader": "",
    "coordinator": "C",
    "finance_officer": "O",
    "finance_manager": "OM",
    "administrator": "COM",
    "both_roles": "COM",
    "operator_user": "",
}
DAY = "2021-12-01"
# Acts are entered in any order: the last one is not always of the last day.
DAYS = ("2021-12-01", "2021-11-20", "2021-12-10")
FORCE_DAY = "2021-10-21"
SIGNATURE_DAYS = ("2021-10-25", "2021-11-02", "2021-11-05")
# Before the contract, between the signatures, after the certificates, after the payments.
CORRECTED_DAYS = (
    "2021-10-20", "2021-10-21", "2021-10-25", "2021-11-04", "2021-11-09", "2021-12-11"
)  # fmt: skip
CERTIFIED_DAY = CERTIFIED[:10]
LARGEST = 10**12
# Set in setUp: hypothesis makes the machines itself.
CASE = None


# Each step, and who should do it.
STEPS = {
    "put_in_force": "finance_manager",
    "back_to_draft": "finance_manager",
    "close_contract": "finance_manager",
    "reopen_contract": "finance_manager",
    "wind_up": "finance_manager",
    "change_envelope": "coordinator",
    "add_funding": "finance_officer",
    "claim": "finance_officer",
    "receive": "finance_officer",
    "cancel_receipt": "finance_manager",
    "add_subsidy": "coordinator",
    "change_subsidy": "coordinator",
    "change_executory": "coordinator",
    "grant": "coordinator",
    "sign": "coordinator",
    "correct_signature": "finance_manager",
    "reset_subsidy": "coordinator",
    "cancel_subsidy": "coordinator",
    "close_subsidy": "finance_manager",
    "reopen_subsidy": "finance_manager",
    "delete_subsidy": "coordinator",
    "add_piece": "coordinator",
    "submit": "operator_user",
    "accept": "coordinator",
    "send_back_piece": "coordinator",
    "waive_piece": "coordinator",
    "reopen_piece": "coordinator",
    "delete_piece": "coordinator",
    "add_tranche": "coordinator",
    "change_tranche": "coordinator",
    "certify": "coordinator",
    "override": "finance_manager",
    "order": "finance_officer",
    "pay": "finance_officer",
    "pay_in_full": "finance_officer",
    "unpay": "finance_manager",
    "send_back_tranche": "finance_officer",
    "cancel_tranche": "finance_manager",
    "replan": "finance_manager",
    "delete_tranche": "coordinator",
    "write": "administrator",
}
# Some undo much, and would leave nothing to work on.
SELDOM = ("back_to_draft", "close_contract", "wind_up", "cancel_subsidy", "delete_subsidy")
OFTEN = ("add_subsidy", "grant", "sign", "add_tranche", "certify", "order", "pay")
MENU = [step for step in STEPS for _n in range(1 + 2 * (step not in SELDOM) + 3 * (step in OFTEN))]
# Mostly who should, often who has all jobs, sometimes anybody.
WHO = ["right"] * 14 + ["both_roles"] * 4 + list(ROLES)
# Whether to choose among the documents for which the step is legal.
LIKELY = [True] * 5 + [False]
BAD_AMOUNTS = [0.0, -0.01, -100.0, math.nan, math.inf, -math.inf, 1e12, 1e30, 0.001, 100.005]
# Cents more or less than what is left under the ceiling that applies.
NEAR = [None, None, 0, 0, 1, -1]
CHEATS = (
    ("grant.entry", "amount", 1.0),
    ("grant.subsidy", "committed_amount", 0.0),
    ("grant.subsidy", "state", "signed"),
    ("grant.disbursement", "state", "paid"),
    ("grant.disbursement", "certified_by_id", 1),
    ("grant.envelope", "allocated_amount", 1e9),
    ("grant.funding", "received_amount", 1e9),
    ("grant.deliverable", "state", "accepted"),
)


def money(amount):
    """The amount in euros and cents, None when it is none."""
    if not math.isfinite(amount) or abs(amount) >= LARGEST:
        return None
    exact = Decimal(repr(amount))
    return exact if exact == round(exact, 2) else None


@dataclass(eq=False)
class Document:
    record: object
    state: str
    decisions: int = 0


class Moves:
    """Money by day, beside the ledger: a list of (day, kind, amount)."""

    signs = {}

    def holds(self, *more):
        """Whether nothing is exceeded at the end of any day, with ``more`` moves."""
        left, days = Decimal(), {}
        for day, kind, amount in [*self.moves, *more]:
            days[day] = days.get(day, 0) + self.signs.get(kind, 0) * amount
        for day in sorted(days):
            left += days[day]
            if left < 0:
                return False
        return True

    def get_sums(self):
        sums = {}
        for day, kind, amount in self.moves:
            sums[day, kind] = sums.get((day, kind), 0) + amount
        return {key: amount for key, amount in sums.items() if amount}


@dataclass(eq=False)
class Envelope(Document, Moves):
    signs = {"allocation": 1, "commitment": -1}
    amount: Decimal = Decimal()
    direct: bool = False
    allocated: Decimal = Decimal()
    received: Decimal = Decimal()
    committed: Decimal = Decimal()
    paid: Decimal = Decimal()
    moves: list = field(default_factory=list)


@dataclass(eq=False)
class Subsidy(Document, Moves):
    signs = {"commitment": 1, "payment": -1}
    signature_day: str = ""
    moves: list = field(default_factory=list)
    envelope: Envelope = None
    amount: Decimal = Decimal()
    committed: Decimal = Decimal()
    paid: Decimal = Decimal()
    entries: int = 0
    executory: bool = True
    tranches: list = field(default_factory=list)
    pieces: list = field(default_factory=list)

    def get_ordered(self):
        return sum(t.amount for t in self.tranches if t.state == "ordered")

    def is_owed(self):
        """Whether a tranche is certified or ordered: it is not released."""
        return any(t.state in ("certified", "ordered") for t in self.tranches)

    def get_planned(self):
        return sum(t.amount for t in self.tranches if t.state != "cancelled")

    def has_room(self, amount):
        """Whether a tranche more fits in the amount that was signed."""
        return self.get_planned() + amount <= self.amount


@dataclass(eq=False)
class Tranche(Document):
    subsidy: Subsidy = None
    amount: Decimal = Decimal()
    certifier: str = ""
    order_day: str = ""
    paid_day: str = ""
    pieces: list = field(default_factory=list)
    overridden: set = field(default_factory=set)

    def get_unmet(self):
        unmet = [] if self.subsidy.executory else ["executory"]
        unmet += [piece for piece in self.pieces if piece.state not in ("accepted", "waived")]
        return [condition for condition in unmet if condition not in self.overridden]


@dataclass(eq=False)
class Piece(Document):
    subsidy: Subsidy = None
    versions: int = 0
    author: str = ""


@dataclass(eq=False)
class Funding(Document):
    envelope: Envelope = None
    amount: Decimal = Decimal()
    received: Decimal = Decimal()


class GrantsMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.case = CASE
        self.env = CASE.env
        self.savepoint = self.env.cr.savepoint()
        self.refused = self.passed = 0
        self.doing = "start"

    def teardown(self):
        CASE.steps += self.passed
        CASE.refusals += self.refused
        self.savepoint.close(rollback=True)
        self.env.invalidate_all(flush=False)

    # ------------------------------------------------------------------
    # Playing
    # ------------------------------------------------------------------

    def as_user(self, user, document):
        return document.record.with_user(getattr(self.case, user))

    def play(self, expected, function):
        """Do it; it passes or is refused as the model says, and a refusal changes nothing."""
        refusal = None
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                result = function()
                self.env.flush_all()
        except UserError as error:
            refusal = str(error)
        except psycopg2.IntegrityError as error:
            # Odoo tells it with the sentence of our constraint, which must exist.
            refusal = self.env["base"]._sql_error_to_message(error)
            self.env.cr.execute(
                "SELECT 1 FROM ir_model_constraint WHERE name = %s",
                [error.diag.constraint_name],
            )
            assert self.env.cr.fetchone(), error
        assert expected == (refusal is None), (
            f"{self.doing}: {'refused: ' + refusal if refusal else 'passed, against the model'}"
        )
        self.passed += refusal is None
        self.refused += refusal is not None
        note(f"    {self.doing}: {'passed' if refusal is None else 'refused: ' + refusal}")
        return result if refusal is None else None

    def choose(self, documents, pick, likely, good):
        """One of the documents, of those in a good state if that is wanted; or none."""
        if likely:
            documents = [document for document in documents if good(document)]
        return documents[pick % len(documents)] if documents else None

    def ask(self, user, document, action):
        self.case.ask(document.record, action, getattr(self.case, user))

    @initialize(seed=st.integers(0, 2**32 - 1))
    def start(self, seed):
        """Three envelopes, mostly in force, each with a subsidy, a tranche and a piece."""
        rnd = Random(seed)
        self.contract_state = "draft"
        contract = self.case.contract
        names = ("signature_date", "date_start", "date_end")
        dates = {name: contract[name] for name in names}
        self.contract = contract.copy({"code": "MACHINE", **dates})
        city, direct = self.contract.envelope_ids
        other = city.copy({"code": "C", "contract_id": self.contract.id})
        self.envelopes = [
            Envelope(record, "draft", direct=record == direct) for record in (city, direct, other)
        ]
        self.subsidies, self.tranches, self.pieces, self.fundings = [], [], [], []
        for number in range(3):
            self.change_envelope("coordinator", number, rnd.randrange(6, 150000) / 100)
        if rnd.choice(LIKELY):
            self.put_in_force("finance_manager")
        for number, envelope in enumerate(self.envelopes):
            part = float(round(envelope.amount / rnd.randrange(1, 6), 2))
            self.add_subsidy("coordinator", number, part, None, True)
            self.grant("coordinator", number, True)
            self.sign("coordinator", number, True)
            self.add_piece("coordinator", number, True)
            self.add_tranche("coordinator", number, part, None, False)

    @rule(
        name=st.sampled_from(sorted(STEPS)),
        who=st.sampled_from(WHO),
        pick=st.integers(0, 99),
        amount=st.integers(1, 60000).map(lambda cents: cents / 100) | st.sampled_from(BAD_AMOUNTS),
        near=st.sampled_from(NEAR),
        likely=st.sampled_from(LIKELY),
    )
    def step(self, name, who, pick, amount, near, likely):
        self.do(name, who, pick=pick, amount=amount, near=near, likely=likely)

    def do(self, name, who, **arguments):
        self.doing = f"{name} {who} {arguments}"
        function = getattr(self, name)
        arguments["user"] = STEPS[name] if who == "right" else who
        function(**{key: arguments[key] for key in signature(function).parameters})

    @rule(seed=st.integers(0, 2**32 - 1))
    def steps(self, seed):
        """Ten steps as they come: hypothesis alone likes to repeat itself."""
        rnd = Random(seed)
        for _number in range(10):
            arguments = {
                "name": rnd.choice(MENU),
                "who": rnd.choice(WHO),
                "pick": rnd.randrange(100),
                "amount": rnd.choice([rnd.randrange(1, 60000) / 100] * 5 + BAD_AMOUNTS[:2]),
                "near": rnd.choice(NEAR),
                "likely": rnd.choice(LIKELY),
            }
            self.do(**arguments)
            self.sums_and_states_hold()

    # ------------------------------------------------------------------
    # The contract
    # ------------------------------------------------------------------

    def put_in_force(self, user):
        expected = (
            "M" in ROLES[user]
            and self.contract_state == "draft"
            and any(envelope.amount for envelope in self.envelopes)
        )
        contract = self.contract.with_user(getattr(self.case, user))
        self.play(expected, contract.action_put_in_force)
        if expected:
            self.contract_state = "in_force"
            for envelope in self.envelopes:
                envelope.allocated = envelope.amount
                envelope.moves.append((FORCE_DAY, "allocation", envelope.amount))

    def back_to_draft(self, user):
        expected = (
            "M" in ROLES[user]
            and self.contract_state == "in_force"
            and not any(envelope.received or envelope.committed for envelope in self.envelopes)
            # What was committed for a time was allocated then.
            and all(e.holds((FORCE_DAY, "allocation", -e.allocated)) for e in self.envelopes)
        )
        contract = self.contract.with_user(getattr(self.case, user))
        self.play(expected, contract.action_reset_to_draft)
        if expected:
            self.contract_state = "draft"
            for envelope in self.envelopes:
                envelope.moves.append((FORCE_DAY, "allocation", -envelope.allocated))
                envelope.allocated = Decimal()

    def close_contract(self, user):
        expected = (
            "M" in ROLES[user]
            and self.contract_state == "in_force"
            and not any(subsidy.state in ("granted", "signed") for subsidy in self.subsidies)
            and all(funding.state == "received" for funding in self.fundings)
        )
        contract = self.contract.with_user(getattr(self.case, user))
        self.play(expected, contract.action_close)
        if expected:
            self.contract_state = "closed"

    def reopen_contract(self, user):
        expected = "M" in ROLES[user] and self.contract_state == "closed"
        self.play(expected, self.contract.with_user(getattr(self.case, user)).action_reopen)
        if expected:
            self.contract_state = "in_force"

    def change_envelope(self, user, pick, amount):
        envelope = self.envelopes[pick % 3]
        exact = money(amount)
        expected = (
            bool(ROLES[user])
            and exact is not None
            and (exact == envelope.amount or (self.contract_state == "draft" and exact >= 0))
        )
        record = self.as_user(user, envelope)
        self.play(expected, lambda: record.write({"amount": amount}))
        if expected:
            envelope.amount = exact

    # ------------------------------------------------------------------
    # State money
    # ------------------------------------------------------------------

    def add_funding(self, user, pick, amount):
        envelope = self.envelopes[pick % 3]
        exact = money(amount)
        fundings = self.env["grant.funding"].with_user(getattr(self.case, user))
        record = self.play(
            bool(ROLES[user]) and exact is not None and exact > 0 and not envelope.direct,
            lambda: fundings.create(
                {"name": "F", "envelope_id": envelope.record.id, "amount": amount}
            ),
        )
        if record:
            self.fundings.append(Funding(record, "expected", envelope=envelope, amount=exact))

    def claim(self, user, pick, likely):
        funding = self.choose(self.fundings, pick, likely, lambda f: f.state == "expected")
        if funding:
            expected = "O" in ROLES[user] and funding.state == "expected"
            self.play(expected, lambda: self.as_user(user, funding)._do_claim(DAY))
            if expected:
                funding.state = "claimed"

    def receive(self, user, pick, amount, likely):
        funding = self.choose(self.fundings, pick, likely, lambda f: f.state != "received")
        if funding:
            exact = money(amount)
            expected = (
                "O" in ROLES[user]
                and funding.state != "received"
                and exact is not None
                and 0 < exact <= funding.amount - funding.received
                and self.contract_state == "in_force"
            )
            self.play(expected, lambda: self.as_user(user, funding)._do_receive(DAY, amount))
            if expected:
                funding.received += exact
                is_whole = funding.received == funding.amount
                funding.state = "received" if is_whole else "claimed"
                funding.envelope.received += exact

    def cancel_receipt(self, user, pick, likely):
        funding = self.choose(self.fundings, pick, likely, lambda f: f.received)
        if funding:
            expected = (
                "M" in ROLES[user]
                and bool(funding.received)
                and self.contract_state == "in_force"
            )
            self.play(expected, self.as_user(user, funding).action_cancel_receipt)
            if expected:
                funding.envelope.received -= funding.received
                funding.received = Decimal()
                funding.state = "claimed"

    # ------------------------------------------------------------------
    # Subsidies
    # ------------------------------------------------------------------

    def add_subsidy(self, user, pick, amount, near, likely):
        envelope = self.envelopes[pick % 3]
        if near is not None:
            amount = float(envelope.allocated - envelope.committed + Decimal(near) / 100)
        exact = money(amount)
        signature_day = SIGNATURE_DAYS[pick // 3 % 3]
        record = self.play(
            "C" in ROLES[user] and exact is not None and exact >= 0,
            lambda: self.case.make_subsidy(
                user=getattr(self.case, user),
                envelope_id=envelope.record.id,
                amount=amount,
                executory_date="2021-10-01" if likely else False,
                signature_date=signature_day,
            ),
        )
        if record:
            self.subsidies.append(
                Subsidy(
                    record, "draft", envelope=envelope, amount=exact, executory=likely,
                    signature_day=signature_day,
                )
            )  # fmt: skip

    def change_subsidy(self, user, pick, amount, near, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "draft")
        if subsidy:
            if near is not None:
                left = subsidy.envelope.allocated - subsidy.envelope.committed
                amount = float(left + Decimal(near) / 100)
            exact = money(amount)
            expected = exact is not None and (
                exact == subsidy.amount or (subsidy.state == "draft" and exact >= 0)
            )
            expected = expected and bool(ROLES[user])
            record = self.as_user(user, subsidy)
            self.play(expected, lambda: record.write({"amount": amount}))
            if expected:
                subsidy.amount = exact

    def change_executory(self, user, pick):
        subsidy = self.choose(self.subsidies, pick, False, None)
        if subsidy:
            record = self.as_user(user, subsidy)
            date = False if subsidy.executory else "2021-10-01"
            # Once something rests on it, it is corrected with a reason, and not written.
            relied_on = any(
                tranche.state in ("certified", "ordered", "paid")
                and "executory" not in tranche.overridden
                for tranche in subsidy.tranches
            )
            ended = subsidy.state in ("closed", "cancelled")
            expected = bool(ROLES[user]) and not ended and not (subsidy.executory and relied_on)
            self.play(expected, lambda: record.write({"executory_date": date}))
            if expected:
                subsidy.executory = not subsidy.executory

    def decide(self, document, state):
        document.state = state
        document.decisions += 1

    def commit(self, subsidy, amount, day):
        subsidy.committed += amount
        subsidy.envelope.committed += amount
        subsidy.entries += bool(amount)
        for owner in (subsidy, subsidy.envelope):
            owner.moves.append((day, "commitment", amount))

    def fits(self, subsidy, amount, day):
        return self.contract_state == "in_force" and subsidy.envelope.holds(
            (day, "commitment", amount)
        )

    def grant(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "draft")
        if subsidy:
            expected = "C" in ROLES[user] and subsidy.state == "draft" and subsidy.amount > 0
            self.play(expected, self.as_user(user, subsidy).action_grant)
            if expected:
                self.decide(subsidy, "granted")

    def sign(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "granted")
        if subsidy:
            expected = (
                "C" in ROLES[user]
                and subsidy.state == "granted"
                and subsidy.get_planned() <= subsidy.amount
                and self.fits(subsidy, subsidy.amount, subsidy.signature_day)
            )
            self.play(expected, self.as_user(user, subsidy).action_sign)
            if expected:
                self.decide(subsidy, "signed")
                self.commit(subsidy, subsidy.amount, subsidy.signature_day)

    def correct_signature(self, user, pick, likely):
        """What the signature committed moves to another day, and each day must bear it."""
        subsidy = self.choose(
            self.subsidies, pick, likely, lambda s: s.state in ("signed", "closed")
        )
        if subsidy:
            before, day = subsidy.signature_day, CORRECTED_DAYS[pick // 3 % len(CORRECTED_DAYS)]
            moves = [(before, "commitment", -subsidy.amount), (day, "commitment", subsidy.amount)]
            relied_on = any(t.state in ("certified", "ordered", "paid") for t in subsidy.tranches)
            expected = (
                "M" in ROLES[user]
                and subsidy.state in ("signed", "closed")
                and self.contract_state == "in_force"
                and day >= FORCE_DAY
                and day != before
                and not (relied_on and CERTIFIED_DAY < day)
                and subsidy.holds(*moves)
                and subsidy.envelope.holds(*moves)
            )
            record = self.as_user(user, subsidy)
            self.play(expected, lambda: record._do_correct_date("signature_date", day, "Erreur"))
            if expected:
                subsidy.decisions += 1
                subsidy.signature_day = day
                for owner in (subsidy, subsidy.envelope):
                    owner.moves.extend(moves)

    def reset_subsidy(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "cancelled")
        if subsidy:
            expected = "C" in ROLES[user] and subsidy.state in ("granted", "cancelled")
            self.play(expected, self.as_user(user, subsidy).action_reset_to_draft)
            if expected:
                self.decide(subsidy, "draft")

    def release(self, subsidy, state):
        for tranche in subsidy.tranches:
            if tranche.state == "open":
                self.decide(tranche, "cancelled")
        self.decide(subsidy, state)
        self.commit(subsidy, subsidy.paid - subsidy.committed, self.get_today())

    @staticmethod
    def get_today():
        return datetime.date.today().isoformat()

    def cancel_subsidy(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state != "closed")
        if subsidy:
            expected = (
                "C" in ROLES[user]
                and subsidy.state in ("draft", "granted", "signed")
                and not subsidy.paid
                and not subsidy.is_owed()
            )
            self.play(expected, lambda: self.ask(user, subsidy, "cancel"))
            if expected:
                self.release(subsidy, "cancelled")

    def close_subsidy(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "signed")
        if subsidy:
            expected = (
                "M" in ROLES[user] and subsidy.state == "signed" and not subsidy.is_owed()
            )
            self.play(expected, lambda: self.ask(user, subsidy, "close"))
            if expected:
                self.release(subsidy, "closed")

    def reopen_subsidy(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "closed")
        if subsidy:
            released = subsidy.amount - subsidy.committed
            expected = (
                "M" in ROLES[user]
                and subsidy.state == "closed"
                and self.fits(subsidy, released, self.get_today())
            )
            self.play(expected, self.as_user(user, subsidy).action_reopen)
            if expected:
                self.decide(subsidy, "signed")
                self.commit(subsidy, released, self.get_today())

    def delete_subsidy(self, user, pick, likely):
        def free(subsidy):
            documents = [subsidy, *subsidy.tranches, *subsidy.pieces]
            return (
                subsidy.state == "draft"
                and not any(document.decisions for document in documents)
                and not any(piece.versions for piece in subsidy.pieces)
            )

        subsidy = self.choose(self.subsidies, pick, likely, free)
        if subsidy and (pick % 3 == 0 or not free(subsidy)):
            expected = "C" in ROLES[user] and free(subsidy)
            self.play(expected, self.as_user(user, subsidy).unlink)
            if expected:
                self.subsidies.remove(subsidy)
                for tranche in subsidy.tranches:
                    self.tranches.remove(tranche)
                for piece in subsidy.pieces:
                    self.pieces.remove(piece)

    # ------------------------------------------------------------------
    # Pieces
    # ------------------------------------------------------------------

    def add_piece(self, user, pick, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state != "closed")
        if subsidy:
            tranches = [t for t in subsidy.tranches if t.state == "open" and likely]
            ids = [tranche.record.id for tranche in tranches]
            record = self.play(
                "C" in ROLES[user],
                lambda: self.case.make_deliverable(
                    subsidy.record, user=getattr(self.case, user), disbursement_ids=ids
                ),
            )
            if record:
                piece = Piece(record, "expected", subsidy=subsidy)
                self.pieces.append(piece)
                subsidy.pieces.append(piece)
                for tranche in tranches:
                    tranche.pieces.append(piece)

    def submit(self, user, pick, likely):
        piece = self.choose(
            self.pieces, pick, likely, lambda p: p.subsidy.state == "signed" and p.state != "waived"
        )
        if piece:
            expected = (
                ("C" in ROLES[user] or user == "operator_user")
                and piece.subsidy.state == "signed"
                and piece.state in ("expected", "submitted", "to_complete")
            )
            self.play(expected, lambda: self.as_user(user, piece)._do_submit("x.pdf", PDF))
            if expected:
                if piece.state != "submitted":
                    # The same file again is no other version.
                    piece.author = user
                piece.state = "submitted"
                piece.versions += 1

    def review(self, piece, user, states, state, function):
        expected = "C" in ROLES[user] and piece.state in states
        # Who handed it in does not accept it.
        expected = expected and not (state == "accepted" and piece.author == user)
        self.play(expected, function)
        if expected:
            self.decide(piece, state)

    def accept(self, user, pick, likely):
        piece = self.choose(self.pieces, pick, likely, lambda p: p.state == "submitted")
        if piece:
            self.review(
                piece, user, ("submitted",), "accepted", self.as_user(user, piece).action_accept
            )

    def answer(self, user, pick, likely, action, states, state):
        piece = self.choose(self.pieces, pick, likely, lambda p: p.state in states)
        if piece:
            self.review(piece, user, states, state, lambda: self.ask(user, piece, action))

    def send_back_piece(self, user, pick, likely):
        self.answer(user, pick, likely, "send_back", ("submitted",), "to_complete")

    def waive_piece(self, user, pick, likely):
        states = ("expected", "submitted", "to_complete")
        self.answer(user, pick, likely, "waive", states, "waived")

    def reopen_piece(self, user, pick, likely):
        self.answer(user, pick, likely, "reopen", ("accepted", "waived"), "to_complete")

    def delete_piece(self, user, pick):
        piece = self.choose(self.pieces, pick, False, None)
        if piece:
            needed = piece.subsidy.state not in ("draft", "granted") and any(
                piece in tranche.pieces for tranche in self.tranches
            )
            expected = (
                "C" in ROLES[user] and not needed and not piece.versions and not piece.decisions
            )
            # An override names its piece too.
            expected = expected and not any(piece in t.overridden for t in self.tranches)
            self.play(expected, self.as_user(user, piece).unlink)
            if expected:
                self.pieces.remove(piece)
                piece.subsidy.pieces.remove(piece)
                for tranche in self.tranches:
                    if piece in tranche.pieces:
                        tranche.pieces.remove(piece)

    # ------------------------------------------------------------------
    # Tranches
    # ------------------------------------------------------------------

    def add_tranche(self, user, pick, amount, near, likely):
        subsidy = self.choose(self.subsidies, pick, likely, lambda s: s.state == "signed")
        if subsidy:
            if near is not None:
                amount = float(subsidy.amount - subsidy.paid + Decimal(near) / 100)
            exact = money(amount)
            expected = self.may_add_tranche(user, subsidy) and exact is not None and exact > 0
            record = self.play(
                expected and (self.is_open(subsidy) or subsidy.has_room(exact)),
                lambda: self.case.make_tranche(
                    subsidy.record, user=getattr(self.case, user), amount=amount
                ),
            )
            if record:
                tranche = Tranche(record, "open", subsidy=subsidy, amount=exact)
                self.tranches.append(tranche)
                subsidy.tranches.append(tranche)

    @staticmethod
    def is_open(subsidy):
        return subsidy.state in ("draft", "granted")

    def may_add_tranche(self, user, subsidy):
        """To a signed subsidy, a finance manager alone."""
        return "M" in ROLES[user] or ("C" in ROLES[user] and self.is_open(subsidy))

    def change_tranche(self, user, pick, amount):
        tranche = self.choose(self.tranches, pick, False, None)
        if tranche:
            exact = money(amount)
            # Once the subsidy is signed, by an amendment alone.
            expected = bool(ROLES[user]) and (
                exact == tranche.amount
                or (
                    exact is not None
                    and exact > 0
                    and tranche.state == "open"
                    and self.is_open(tranche.subsidy)
                )
            )
            record = self.as_user(user, tranche)
            self.play(expected, lambda: record.write({"amount": amount}))
            if expected:
                tranche.amount = exact

    def certify(self, user, pick, likely):
        def good(tranche):
            return (
                tranche.state == "open"
                and tranche.subsidy.state == "signed"
                and not tranche.get_unmet()
            )

        tranche = self.choose(self.tranches, pick, likely, good)
        if tranche:
            expected = "C" in ROLES[user] and good(tranche)
            certifier = getattr(self.case, user)
            self.play(expected, lambda: self.case.certify(tranche.record, certifier))
            if expected:
                self.decide(tranche, "certified")
                tranche.certifier = user

    def override(self, user, pick, likely):
        tranche = self.choose(
            self.tranches, pick, likely, lambda t: t.state == "open" and t.get_unmet()
        )
        if tranche:
            unmet = tranche.get_unmet()
            condition = unmet[pick % len(unmet)] if unmet else "executory"
            piece = condition.record if isinstance(condition, Piece) else None
            expected = "M" in ROLES[user] and tranche.state == "open" and bool(unmet)
            record = self.as_user(user, tranche)
            code = "deliverable" if piece else condition
            row = record.sudo().condition_ids.filtered(
                lambda row: row.code == code and row.deliverable_id == (piece or row.deliverable_id)
            )
            self.play(expected, lambda: row.with_env(record.env)._do_override("x"))
            if expected:
                tranche.overridden.add(condition)
                tranche.decisions += 1

    def order(self, user, pick, likely):
        tranche = self.choose(self.tranches, pick, likely, lambda t: t.state == "certified")
        if tranche:
            subsidy = tranche.subsidy
            room = subsidy.committed - subsidy.paid - subsidy.get_ordered()
            expected = (
                "O" in ROLES[user]
                and tranche.state == "certified"
                and not subsidy.envelope.direct
                and user != tranche.certifier
                and tranche.amount <= room
            )
            number, day = f"M-{tranche.record.id}", DAYS[pick // 3 % 3]
            self.play(expected, lambda: self.as_user(user, tranche)._do_order(number, day))
            if expected:
                self.decide(tranche, "ordered")
                tranche.order_day = day

    def pay(self, user, pick, likely):
        def good(tranche):
            return tranche.state == ("certified" if tranche.subsidy.envelope.direct else "ordered")

        tranche = self.choose(self.tranches, pick, likely, good)
        if tranche:
            subsidy, day = tranche.subsidy, DAYS[pick // 3 % 3]
            expected = (
                "O" in ROLES[user]
                and good(tranche)
                and not (subsidy.envelope.direct and user == tranche.certifier)
                and day >= tranche.order_day
                and subsidy.holds((day, "payment", tranche.amount))
            )
            self.play(expected, lambda: self.as_user(user, tranche)._do_pay(day, "P-1"))
            if expected:
                self.decide(tranche, "paid")
                tranche.paid_day = day
                self.count_payment(subsidy, tranche.amount, day)

    def pay_in_full(self, user, pick):
        """The rest in one tranche, up to the payment."""
        subsidy = self.choose(self.subsidies, pick, True, lambda s: s.state == "signed")
        rest = subsidy and subsidy.committed - subsidy.paid - subsidy.get_ordered()
        if rest:
            everyone = len(self.tranches)
            number = self.subsidies.index(subsidy)
            self.add_tranche("finance_manager", number, float(rest), None, False)
            self.certify("coordinator", everyone, False)
            self.order("finance_officer", everyone, False)
            self.pay(user, everyone, False)

    def wind_up(self, user):
        """Bring everything to an end, the contract last."""
        for number, subsidy in enumerate(self.subsidies):
            if subsidy.state == "granted":
                self.reset_subsidy("coordinator", number, False)
            elif subsidy.state == "signed":
                self.close_subsidy("finance_manager", number, False)
        for number, funding in enumerate(self.fundings):
            if funding.state != "received":
                rest = float(funding.amount - funding.received)
                self.receive("finance_officer", number, rest, False)
        self.close_contract(user)

    def count_payment(self, subsidy, amount, day):
        subsidy.moves.append((day, "payment", amount))
        subsidy.paid += amount
        subsidy.envelope.paid += amount

    def unpay(self, user, pick, likely):
        tranche = self.choose(self.tranches, pick, likely, lambda t: t.state == "paid")
        if tranche:
            subsidy = tranche.subsidy
            expected = "M" in ROLES[user] and tranche.state == "paid" and subsidy.state == "signed"
            self.play(expected, lambda: self.ask(user, tranche, "unpay"))
            if expected:
                self.decide(tranche, "certified" if subsidy.envelope.direct else "ordered")
                self.count_payment(subsidy, -tranche.amount, tranche.paid_day)

    def send_back_tranche(self, user, pick, likely):
        tranche = self.choose(self.tranches, pick, likely, lambda t: t.state == "certified")
        if tranche:
            expected = bool(ROLES[user]) and tranche.state == "certified"
            self.play(expected, lambda: self.ask(user, tranche, "return"))
            if expected:
                self.decide(tranche, "open")

    def cancel_tranche(self, user, pick, likely):
        tranche = self.choose(self.tranches, pick, likely, lambda t: t.state == "certified")
        if tranche:
            expected = "M" in ROLES[user] and tranche.state in ("open", "certified")
            self.play(expected, lambda: self.ask(user, tranche, "cancel"))
            if expected:
                self.decide(tranche, "cancelled")

    def replan(self, user, pick, likely):
        tranche = self.choose(self.tranches, pick, likely, lambda t: t.state == "cancelled")
        if tranche:
            expected = (
                "M" in ROLES[user]
                and tranche.state == "cancelled"
                and tranche.subsidy.state in ("draft", "granted", "signed")
                and (
                    self.is_open(tranche.subsidy)
                    or tranche.subsidy.has_room(tranche.amount)
                )
            )
            self.play(expected, self.as_user(user, tranche).action_replan)
            if expected:
                self.decide(tranche, "open")

    def delete_tranche(self, user, pick):
        tranche = self.choose(self.tranches, pick, False, None)
        if tranche and (pick % 3 == 0 or tranche.state != "open"):
            expected = (
                "C" in ROLES[user]
                and self.is_open(tranche.subsidy)
                and tranche.state == "open"
                and not tranche.decisions
            )
            self.play(expected, self.as_user(user, tranche).unlink)
            if expected:
                self.tranches.remove(tranche)
                tranche.subsidy.tranches.remove(tranche)

    # ------------------------------------------------------------------
    # Cheating
    # ------------------------------------------------------------------

    def write(self, user, pick):
        """What nobody may write, in a context that would make it a default."""
        model, name, value = CHEATS[pick % len(CHEATS)]
        records = {
            "grant.subsidy": [d.record for d in self.subsidies],
            "grant.disbursement": [d.record for d in self.tranches],
            "grant.envelope": [d.record for d in self.envelopes],
            "grant.funding": [d.record for d in self.fundings],
            "grant.deliverable": [d.record for d in self.pieces],
            "grant.entry": list(self.contract.envelope_ids.entry_ids),
        }[model]
        record = self.choose(
            records, pick, True, lambda r: r.read([name], load=None)[0][name] != value
        )
        if record:
            record = record.with_user(getattr(self.case, user))
            context = {f"default_{name}": value, "grant_transition": True}
            self.play(False, lambda: record.with_context(**context).write({name: value}))

    # ------------------------------------------------------------------
    # What holds after each step
    # ------------------------------------------------------------------

    @invariant()
    def sums_and_states_hold(self):
        if not getattr(self, "envelopes", None):
            return
        assert self.contract.state == self.contract_state
        for envelope in self.envelopes:
            record = envelope.record
            assert record.state == self.contract_state
            self.compare(record, "amount", envelope.amount)
            self.compare(record, "allocated_amount", envelope.allocated)
            self.compare(record, "received_amount", envelope.received)
            self.compare(record, "committed_amount", envelope.committed)
            self.compare(record, "paid_amount", envelope.paid)
            assert record.available_amount >= 0
            assert envelope.holds()
            sums = self.read_sums(record, ("allocation", "commitment"))
            assert envelope.get_sums() == sums, record
        for subsidy in self.subsidies:
            record = subsidy.record
            assert record.state == subsidy.state
            self.compare(record, "amount", subsidy.amount)
            self.compare(record, "committed_amount", subsidy.committed)
            self.compare(record, "paid_amount", subsidy.paid)
            assert record.to_pay_amount >= 0
            assert subsidy.holds()
            assert subsidy.get_sums() == self.read_sums(record), record
        for tranche in self.tranches:
            state = tranche.record.state
            assert ("open" if state in ("planned", "ready") else state) == tranche.state
            self.compare(tranche.record, "amount", tranche.amount)
            certifier, orderer = tranche.record.certified_by_id, tranche.record.ordered_by_id
            assert not certifier or certifier != orderer
            assert len(tranche.record.decision_ids) == tranche.decisions
        for document in (*self.pieces, *self.fundings):
            assert document.record.state == document.state
        assert self.case.verify(self.contract) == []

    @staticmethod
    def read_sums(record, kinds=("commitment", "payment")):
        """What the ledger says, added up by day: entry by entry."""
        sums = {}
        for entry in record.entry_ids.filtered(lambda entry: entry.kind in kinds):
            key = (entry.date.isoformat(), entry.kind)
            sums[key] = sums.get(key, 0) + Decimal(repr(entry.amount))
        return {key: amount for key, amount in sums.items() if amount}

    def compare(self, record, name, expected):
        assert Decimal(repr(record[name])) == expected, (record, name, record[name], expected)


@tagged("standard", "post_install", "-at_install")
class TestStateMachine(GrantsCommon):
    def setUp(self):
        super().setUp()
        global CASE
        CASE = self
        self.steps = self.refusals = 0

    def test_random_sequences(self):
        wanted = os.environ.get("CTAI_HYPOTHESIS")
        run_state_machine_as_test(
            GrantsMachine,
            settings=settings(
                max_examples=int(wanted or 40),
                stateful_step_count=20,
                derandomize=not wanted,
                # Shortening what fails takes minutes: when it is looked for, not in CI.
                phases=[Phase.generate, *([Phase.shrink] if wanted else ())],
                database=None,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
        # A machine that refuses everything, or nothing, would prove nothing.
        self.assertGreater(self.steps, 100)
        self.assertGreater(self.refusals, 100)
