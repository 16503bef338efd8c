"""Postings and signatures per second with 1, 4 and 8 clients, beside a bare psycopg2 loop.

See README.md for what is measured and how to read it.
"""

import random
import time
from datetime import date
from functools import partial

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
from odoo.service.model import MAX_TRIES_ON_CONCURRENCY_FAILURE, execute_cr, retrying
from odoo.sql_db import Cursor

CLIENTS = (1, 4, 8)
ENVELOPES = (1, 8)
SECONDS = 2.0
REPETITIONS = 3
ROOM = 10**9  # euros in each envelope: nobody may be refused for lack of money
LAST_EUROS = 200  # in the envelope everybody wants
SIGNATURES = 25  # per client and repetition
CONFLICTS = (psycopg2.errors.SerializationFailure, psycopg2.errors.DeadlockDetected)


class Tally:
    """What one client did: transactions done and refused, tries of the worst one."""

    def __init__(self):
        self.done = self.refused = self.tries = 0

    def count(self, tries, refused=False):
        self.done += not refused
        self.refused += refused
        self.tries = max(self.tries, tries)

    def as_dict(self):
        return {"done": self.done, "refused": self.refused, "tries": self.tries}


class Rollbacks:
    """Counts the rollbacks of Odoo's cursors: each one is a try that begins again."""

    count = 0

    def __enter__(self):
        self.rollback, counter = Cursor.rollback, self

        def rollback(cr):
            counter.count += 1
            return counter.rollback(cr)

        Cursor.rollback = rollback
        return self

    def __exit__(self, *_):
        Cursor.rollback = self.rollback


# --- the clients' work --------------------------------------------------------------------------


def bare(until, database, envelopes, odoo_waits=False):
    """One UPDATE of the counters and one INSERT a transaction, into plain copies of the tables.

    A conflict is tried again at once until it passes, or as Odoo does: five times at most, after
    a random sleep.
    """
    connection, tally, turn = connect(database), Tally(), 0
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


def post(until, database, subsidies, user_id, most=None):
    """One commitment of 1 € a transaction, by the posting method, retried as Odoo does; the
    connection is kept, as the bare loop keeps its own."""
    tally, turn = Tally(), 0
    with Registry(database).cursor() as cr:
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
            post_line = partial(env["grant.entry"]._post, origin, [line])
            _count(tally, partial(retrying, post_line, env))
    return tally.as_dict()


def call(_until, database, calls, user_id, method):
    """Call a method of subsidies, one a transaction, as a remote call of the user would."""
    registry, tally = Registry(database), Tally()
    for record_id, *arguments in calls:
        with registry.cursor() as cr:
            act = partial(execute_cr, cr, user_id, "grant.subsidy", method)
            _count(tally, partial(act, [[record_id], *arguments], {"context": CONTEXT}))
    return tally.as_dict()


def _count(tally, act):
    with Rollbacks() as rollbacks:
        try:
            act()
        except (UserError, psycopg2.Error):
            tally.count(rollbacks.count, refused=True)
        else:
            tally.count(1 + rollbacks.count)


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

        :return: transactions a second, tries of the worst one, how many were refused
        """
        targets = self.envelopes[:envelopes]
        shares = [targets[i % envelopes :: clients] for i in range(clients)]
        arguments = [getattr(self, f"_give_{work}")(i, share) for i, share in enumerate(shares)]
        act = {"rename": call, "sign": call, "posting": post}.get(work, bare)
        results, seconds = self.clients.run(act, arguments, SECONDS)
        return {
            "rate": sum(result["done"] for result in results) / seconds,
            "tries": max(result["tries"] for result in results),
            "refused": sum(result["refused"] for result in results),
        }

    def _give_floor(self, _client, share):
        return self.database, share

    def _give_waiting(self, _client, share):
        return self.database, share, True

    def _give_posting(self, client, share):
        return self.database, [(self.subsidies[e][client], e) for e in share], self.user_id

    def _give_sign(self, _client, share):
        calls = [(self.to_sign[share[n % len(share)]].pop(),) for n in range(SIGNATURES)]
        return self.database, calls, self.user_id, "action_sign"

    def _give_rename(self, client, share):
        ids = [self.subsidies[e][client] for e in share]
        calls = [
            (ids[n % len(ids)], {"name": f"Renamed {time.monotonic()} {n}"})
            for n in range(SIGNATURES)
        ]
        return self.database, calls, self.user_id, "write"

    def rush(self):
        """Everybody wants the last euros of one envelope: twice as many as there are."""
        most = 2 * LAST_EUROS // max(CLIENTS)
        arguments = [
            (self.database, [(subsidy, self.last)], self.user_id, most)
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
        """What the verifier finds wrong in the ledger after all this: nothing."""
        with environment(self.database) as env:
            envelopes = env["grant.contract"].browse(self.contract_id).envelope_ids
            return env["grant.entry"]._verify(envelopes)


def main():
    options = parse_arguments(__doc__)
    works = ("floor", "posting", "rename", "sign")
    cells = [(clients, envelopes) for envelopes in ENVELOPES for clients in CLIENTS]
    with scratch_database("posting") as database:
        bench = Bench(database)
        measures = {(work, *cell): [] for cell in cells for work in works}
        # What Odoo's own retries make of the bare loop, where it hurts.
        measures["waiting", max(CLIENTS), 1] = []
        with bench.clients:
            for key in measures:
                bench.measure(*key)  # the first time fills caches
            for _repetition in range(REPETITIONS):
                for key, results in measures.items():
                    results.append(bench.measure(*key))
            rush = bench.rush()
        figures = {
            "posting": [_compare(measures, "posting", "floor", cell) for cell in cells],
            "signing": [_compare(measures, "sign", "rename", cell) for cell in cells],
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
        "refused": sum(result["refused"] for result in results),
    }


def _compare(measures, work, peer, cell):
    """One cell: the work, its peer, and the median of the ratios of the repetitions."""
    ours, theirs = measures[(work, *cell)], measures[(peer, *cell)]
    ratios = [mine["rate"] / other["rate"] for mine, other in zip(ours, theirs, strict=True)]
    clients, envelopes = cell
    return {
        "clients": clients,
        "envelopes": envelopes,
        work: _sum_up(ours),
        peer: _sum_up(theirs),
        "ratio": median(ratios),
    }


def _show(figures):
    for title, work, peer in (
        ("Postings a second (aim: at least half of the bare loop)", "posting", "floor"),
        ("Subsidies signed a second, beside saving a new name", "sign", "rename"),
    ):
        head = ("clients", "envelopes", work, peer, "ratio", "tries", f"{peer} tries", "refused")
        rows = [
            (
                cell["clients"], cell["envelopes"], cell[work]["rate"], cell[peer]["rate"],
                cell["ratio"], cell[work]["tries"], cell[peer]["tries"], cell[work]["refused"],
            )
            for cell in figures["posting" if work == "posting" else "signing"]
        ]  # fmt: skip
        show(title, head, rows)
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
