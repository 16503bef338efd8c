"""Postings and signatures per second with 1, 4 and 8 clients, beside a bare psycopg2 loop.

See README.md for what is measured and how to read it.
"""

import math
import random
import time
from contextlib import contextmanager, nullcontext
from datetime import date
from functools import partial
from unittest.mock import patch

import psycopg2
from _common import (
    CONTEXT,
    Clients,
    connect,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import copy_subsidy, make_contract, make_subsidy, make_user

from odoo import api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE, call_kw, retrying
from odoo.tools import SQL

CLIENTS = (1, 4, 8)
ENVELOPES = (1, 8)
SECONDS = 2.0
LONG = 20.0  # seconds, where Odoo's own retries sleep: five tries take some 15
RETRIED = ("retried", "sign_retried")  # so they are measured once
REPETITIONS = 3
ROOM = 10**9  # euros in each envelope: nobody may be refused for lack of money
LAST_EUROS = 200  # in the envelope everybody wants
SIGNATURES = 25  # per client and repetition
CONFLICTS = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected)


class Tally:
    """What one client did: transactions done and refused, tries and seconds of the worst one."""

    def __init__(self, until=math.inf):
        self.done = self.refused = self.tries = 0
        self.longest = 0.0
        self._until, self._begun = until, time.monotonic()

    def count(self, tries, refused=False):
        begun, self._begun = self._begun, time.monotonic()
        self.longest = max(self.longest, self._begun - begun)
        self.tries = max(self.tries, tries)
        self.refused += refused
        # Who still sleeps when time is up ends later, alone: that is not parallel work.
        self.done += not refused and self._begun <= self._until

    def as_dict(self):
        names = ("done", "refused", "tries", "longest")
        return {name: getattr(self, name) for name in names}


@contextmanager
def without_queue(database):
    """Let the conflicts come, for Odoo's own retries to deal with."""
    model = Registry(database)["grant.entry"]
    # The turn of a posting is in its own statement.
    no_turn = nullcontext(SQL("set_config('ctai_grants.now', now()::text, true)"))
    with (
        patch.object(model, "_begin_posting", lambda self, envelopes: None),
        patch.object(model, "_queueing", lambda self, envelope_ids: no_turn),
    ):
        yield


# --- the clients' work --------------------------------------------------------------------------


def bare(until, database, envelopes, odoo_waits=False):
    """One UPDATE of the counters and one INSERT a transaction, into plain copies of the tables.

    A conflict is tried again at once until it passes, or as Odoo does: five times at most, after
    a random sleep.
    """
    connection, tally, turn = connect(database), Tally(until), 0
    while time.monotonic() < until:
        envelope, turn, tries = envelopes[turn % len(envelopes)], turn + 1, 1
        while not _try_bare(connection, envelope):
            if odoo_waits:
                wait = random.uniform(0.0, 2**tries)
                if tries == MAX_TRIES_ON_CONCURRENCY_FAILURE:
                    tally.count(tries, refused=True)
                    break
                if time.monotonic() + wait > until:
                    break
                time.sleep(wait)
            tries += 1
        else:
            tally.count(tries)
    connection.close()
    return tally.as_dict()


def _try_bare(connection, envelope):
    cr = connection.cursor()
    try:
        cr.execute(
            """UPDATE bench_envelope
                  SET committed_amount = committed_amount + 1, entry_count = entry_count + 1,
                      chain_head = %s
                WHERE id = %s
            RETURNING entry_count, contract_id, company_id, currency_id""",
            ("0" * 64, envelope),
        )
        number, contract, company, currency = cr.fetchone()
        cr.execute(
            """INSERT INTO bench_entry (envelope_id, number, contract_id, company_id, currency_id,
                   subsidy_id, partner_id, date, kind, amount, memo, origin_model, origin_id,
                   user_id, posted_at, previous_hash, hash)
               VALUES (%s, %s, %s, %s, %s, 1, 1, %s, 'commitment', 1, 'Bench', 'grant.subsidy', 1,
                       1, now() AT TIME ZONE 'UTC', %s, %s)""",
            (envelope, number, contract, company, currency, date.today(), "0" * 64, "0" * 64),
        )
        connection.commit()
    except CONFLICTS:
        connection.rollback()
        return False
    return True


def post(until, database, subsidies, user_id, queue=True, most=None):
    """One commitment of 1 € a transaction, by the posting method, retried as Odoo does; the
    connection is kept, as the bare loop keeps its own. Of lines as accounting asks for them: no
    subsidy asks for one euro after the other."""
    tally, turn = Tally(until), 0
    Registry(database)  # only now is the add-on there to import from
    from odoo.addons.ctai_grants.models.ledger.grant_source_mixin import Accounted

    with Registry(database).cursor() as cr, nullcontext() if queue else without_queue(database):
        while time.monotonic() < until and turn != most:
            subsidy, envelope = subsidies[turn % len(subsidies)]
            turn += 1
            line = {
                "kind": "commitment", "envelope_id": envelope, "subsidy_id": subsidy,
                "date": date.today(), "amount": 1.0, "memo": "Bench",
            }  # fmt: skip
            cr.reset()
            env = api.Environment(cr, user_id, CONTEXT)
            origin = env["grant.subsidy"].browse(subsidy)
            _transact(tally, env, partial(env["grant.entry"]._post, origin, Accounted([line])))
    return tally.as_dict()


def call(_until, database, calls, user_id, method, queue=True, in_turn=False):
    """Call a method of subsidies, one a transaction, as a remote call of the user would:
    ``in_turn``, after it has taken its turn to post on the subsidy's envelope."""
    registry, tally = Registry(database), Tally()
    with nullcontext() if queue else without_queue(database):
        for record_id, *arguments in calls:
            with registry.cursor() as cr:
                env = api.Environment(cr, user_id, CONTEXT)
                arguments = [[record_id], *arguments]
                act = partial(call_kw, env["grant.subsidy"], method, arguments)
                act = partial(act, {"context": CONTEXT})
                _transact(tally, env, partial(_take_turn, env, record_id, act) if in_turn else act)
    return tally.as_dict()


def _take_turn(env, record_id, act):
    """Call ``act`` as what posts on the envelope of a subsidy does, though it posts nothing."""
    env["grant.entry"]._begin_posting(env["grant.subsidy"].browse(record_id).envelope_id)
    return act()


def _transact(tally, env, act):
    """Call ``act`` in a transaction as Odoo's HTTP dispatch does, and count its tries."""
    tries = 0

    def try_to_act():
        nonlocal tries
        tries += 1
        return act()

    env.transaction.default_env = env
    try:
        retrying(partial(env["grant.entry"]._restartable, try_to_act), env)
    except (UserError, psycopg2.Error):
        tally.count(tries, refused=True)
    else:
        tally.count(tries)


ACTS = {
    "floor": bare, "waiting": bare, "posting": post, "retried": post,
    "rename": call, "rename_in_turn": call, "sign": call, "sign_retried": call,
}  # fmt: skip


# --- the bench ----------------------------------------------------------------------------------


class Bench:
    """The records and the clients; each cell of the tables is one call of :meth:`measure`."""

    def __init__(self, database):
        self.database = database
        with environment(database) as env:
            self.user_id = make_user(env, "coordinator").id
            contract = make_contract(env, [ROOM] * max(ENVELOPES) + [LAST_EUROS])
            self.contract_id = contract.id
            *self.envelopes, self.last = contract.envelope_ids.ids
            self.subsidies, self.to_sign = {}, {}
            for envelope in contract.envelope_ids:
                self._make_subsidies(env, envelope)
            for table in ("envelope", "entry"):
                env.cr.execute(f"CREATE TABLE bench_{table} (LIKE grant_{table} INCLUDING ALL)")
            env.cr.execute("INSERT INTO bench_envelope SELECT * FROM grant_envelope")
        self.clients = Clients(database, max(CLIENTS))

    def _make_subsidies(self, env, envelope):
        """A subsidy of each client to post on, and enough to sign all along."""
        signatures = 2 * REPETITIONS * SIGNATURES * sum(CLIENTS)
        if envelope.id != self.envelopes[0]:
            signatures //= max(ENVELOPES)
        subsidy = make_subsidy(env(user=self.user_id), envelope, 10)
        ids = copy_subsidy(env, subsidy, max(CLIENTS) + signatures)
        self.subsidies[envelope.id] = ids[: max(CLIENTS)]
        self.to_sign[envelope.id] = ids[max(CLIENTS) :]

    def measure(self, work, clients, envelopes):
        """Have ``clients`` processes work on ``envelopes`` envelopes.

        :return: transactions a second, tries and seconds of the worst one, how many were refused
        """
        targets = self.envelopes[:envelopes]
        shares = [targets[i % envelopes :: clients] for i in range(clients)]
        arguments = [getattr(self, f"_give_{work}")(i, share) for i, share in enumerate(shares)]
        act = ACTS[work]
        window = LONG if work == "retried" and clients > envelopes == 1 else SECONDS
        results, seconds = self.clients.run(act, arguments, window)
        if act is not call:
            seconds = window
        return {
            "rate": sum(result["done"] for result in results) / seconds,
            "tries": max(result["tries"] for result in results),
            "longest": max(result["longest"] for result in results),
            "refused": sum(result["refused"] for result in results),
        }

    def _give_floor(self, _client, share):
        return self.database, share

    def _give_waiting(self, _client, share):
        return self.database, share, True

    def _give_posting(self, client, share):
        return self.database, [(self.subsidies[e][client], e) for e in share], self.user_id

    def _give_retried(self, client, share):
        return *self._give_posting(client, share), False

    def _give_sign(self, _client, share):
        calls = [(self.to_sign[share[n % len(share)]].pop(),) for n in range(SIGNATURES)]
        return self.database, calls, self.user_id, "action_sign"

    def _give_sign_retried(self, client, share):
        return *self._give_sign(client, share), False

    def _give_rename(self, client, share):
        ids = [self.subsidies[e][client] for e in share]
        calls = [
            (ids[n % len(ids)], {"name": f"Renamed {time.monotonic()} {n}"})
            for n in range(SIGNATURES)
        ]
        return self.database, calls, self.user_id, "write"

    def _give_rename_in_turn(self, client, share):
        return *self._give_rename(client, share), True, True

    def rush(self):
        """Everybody wants the last euros of one envelope: twice as many as there are."""
        most = 2 * LAST_EUROS // max(CLIENTS)
        arguments = [
            (self.database, [(subsidy, self.last)], self.user_id, True, most)
            for subsidy in self.subsidies[self.last]
        ]
        results, _seconds = self.clients.run(post, arguments, 3600)
        with environment(self.database) as env:
            envelope = env["grant.envelope"].browse(self.last)
            passed = sum(result["done"] for result in results)
            return {
                "room": LAST_EUROS,
                "asked": most * max(CLIENTS),
                "passed": passed,
                "refused_who_should_pass": LAST_EUROS - passed,
                "euros_over": max(0.0, envelope.committed_amount - envelope.allocated_amount),
                "tries": max(result["tries"] for result in results),
            }

    def verify(self):
        """What the verifier finds wrong in the ledger after all this: nothing. Not whether its
        documents say the same: nobody signed what is posted here."""
        with environment(self.database) as env:
            envelopes = env["grant.contract"].browse(self.contract_id).envelope_ids
            entries = env["grant.entry"]
            return entries._get_untied(envelopes) + entries._get_broken_days(envelopes)


def main():
    options = parse_arguments(__doc__)
    works = ("floor", "posting", "retried", "rename", "sign", "sign_retried")
    cells = [(clients, envelopes) for envelopes in ENVELOPES for clients in CLIENTS]
    with scratch_database("posting") as database:
        bench = Bench(database)
        measures = {(work, *cell): [] for cell in cells for work in works}
        in_turn = [(clients, 1) for clients in CLIENTS]
        measures |= {("rename_in_turn", *cell): [] for cell in in_turn}
        # What Odoo's own retries make of the bare loop, where it hurts.
        measures["waiting", max(CLIENTS), 1] = []
        with bench.clients:
            for key in measures:
                if key[0] not in RETRIED:
                    bench.measure(*key)  # the first time fills caches
            for repetition in range(REPETITIONS):
                for key, results in measures.items():
                    if key[0] not in RETRIED or not repetition:
                        results.append(bench.measure(*key))
            rush = bench.rush()
        figures = {
            "posting": [_compare(measures, "posting", "floor", cell) for cell in cells],
            "signing": [_compare(measures, "sign", "rename", cell) for cell in cells],
            "signing_in_turn": [_compare(measures, "sign", "rename_in_turn", c) for c in in_turn],
            "posting_queue": [_compare(measures, "posting", "retried", cell) for cell in cells],
            "signing_queue": [_compare(measures, "sign", "sign_retried", cell) for cell in cells],
            "floor_with_odoo_retries": _sum_up(measures["waiting", max(CLIENTS), 1]),
            "rush": rush,
            "verify": bench.verify(),
        }
    _show(figures)
    write_json(options.json, "posting", figures)


def _sum_up(results):
    return {
        "rate": median([result["rate"] for result in results], 1),
        "tries": max(result["tries"] for result in results),
        "longest": round(max(result["longest"] for result in results), 2),
        "refused": sum(result["refused"] for result in results),
    }


def _compare(measures, work, peer, cell):
    """One cell: the work, its peer, and the median of the ratios of the repetitions."""
    ours, theirs = measures[(work, *cell)], measures[(peer, *cell)]
    ratios = [mine["rate"] / other["rate"] for mine, other in zip(ours, theirs, strict=False)]
    clients, envelopes = cell
    return {
        "clients": clients,
        "envelopes": envelopes,
        work: _sum_up(ours),
        peer: _sum_up(theirs),
        "ratio": median(ratios),
    }


def _show(figures):
    for title, key, work, peer in (
        ("Postings a second (aim: at least half of the bare loop)", "posting", "posting", "floor"),
        ("Subsidies signed a second, beside saving a new name", "signing", "sign", "rename"),
        ("Signed, beside new names saved in the same turn", "signing_in_turn", "sign",
         "rename_in_turn"),
        ("Postings, beside the same without the queue", "posting_queue", "posting", "retried"),
        ("Signed, beside the same without the queue", "signing_queue", "sign", "sign_retried"),
    ):
        names = ("rate", "tries", "longest", "refused")
        sides = [f"{side} {name}" for side in (work, peer) for name in names]
        rows = [
            (cell["clients"], cell["envelopes"], cell["ratio"])
            + tuple(cell[side][name] for side in (work, peer) for name in names)
            for cell in figures[key]
        ]
        show(title, ("clients", "envelopes", "ratio", *sides), rows)
    waiting = figures["floor_with_odoo_retries"]
    print(
        f"\nThe bare loop with Odoo's retries, {max(CLIENTS)} clients on one envelope: "
        f"{waiting['rate']}/s, {waiting['refused']} refused."
    )
    rush = figures["rush"]
    print(
        f"The last {rush['room']} €, {rush['asked']} asked: {rush['passed']} passed, "
        f"{rush['refused_who_should_pass']} refused who should pass, {rush['euros_over']} € over."
    )
    print(f"Verifier: {'; '.join(figures['verify']) or 'nothing wrong'}.")


if __name__ == "__main__":
    main()
