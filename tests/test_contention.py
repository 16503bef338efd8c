# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Eight processes against two envelopes, and subsidies, that are nearly full: five over HTTP to a
server with two workers, three directly. No cent over any ceiling at any date, nobody refused who
should not be, no deadlock, and accounting says what the ledger says.

What is judged is summed up here, from the tables, apart from the add-on's own queries.
"""

import queue
import random
import re
import threading
import time
from collections import Counter, defaultdict
from contextlib import closing
from decimal import Decimal
from itertools import accumulate

import pytest
from clients import DAY, SET_UP_ACCOUNTING
from running_server import OdooServer

import odoo

OVER_HTTP = 5
CALLS = {False: 300, True: 10_000}
#: What a refusal may say: to whom there was no room for, and to whom somebody else was before.
SENTENCES = (
    r"left to (commit|order|pay), .* asked|are left of .*, .* asked"
    r"|its repayment was released when|its open recoveries would take back| is in the state “"
    # Odoo's own, of an entry that is posted.
    r"|must be in draft|doit être en brouillon|what this does has changed since it was shown"
    r"|somebody else is changing it at this very moment"
)
# What is left under a ceiling: of an envelope to commit, of a subsidy to pay.
ENVELOPE = {"allocation": 1, "commitment": -1}
SUBSIDY = {"commitment": 1, "payment": -1, "recovery": 1}


@pytest.fixture(scope="module")
def server(database, tmp_path_factory):
    """Odoo with two workers on the same database."""
    server = OdooServer(database, tmp_path_factory.mktemp("server") / "odoo.log")
    server.start()
    yield server
    server.stop()


class Race:
    """The rounds, and what became of them."""

    def __init__(self, city, server):
        self.city, self.server = city, server
        self.users = {**city.users, "accountant": self.make_accountant()}
        self.contract, self.envelopes = self.make_contract()
        self.numbers = Counter()
        self.seconds = 0.0

    def make_accountant(self):
        return self.city.call("admin", "res.users", "create", [{
            "name": "accountant", "login": "parallel_accountant", "password": "parallel_accountant",
            "group_ids": [[4, self.city.ref("account.group_account_manager")]],
        }])[0]  # fmt: skip

    def make_contract(self):
        city = self.city
        city.code(SET_UP_ACCOUNTING)
        contract = city.call("coordinator", "grant.contract", "create", [{
            "name": "Contrat", "code": "CONTENTION", "funder_id": city.funder,
            "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": "2031-12-31",
            "envelope_ids": [
                [0, 0, {"name": path, "code": path, "amount": 1, "payment_path": path}]
                for path in ("city", "direct")
            ],
        }])[0]  # fmt: skip
        city.call("finance_manager", "grant.contract", "action_put_in_force", [contract])
        return contract, city.read("grant.contract", contract, "envelope_ids")

    def prepare(self, number, presses):
        """The documents of a round, ready for their buttons."""
        about = f"{self.users}, {self.contract}, {number}, {DAY!r}, {presses}"
        (made,) = self.city.code(
            f"import contention\nout.append(contention.Round(env, {about}).prepare())\n"
        )
        return made

    def play(self, calls, chance):
        """All of these calls from eight processes, each taking the next one: their answers."""
        calls = list(calls)
        chance.shuffle(calls)
        waiting, answers = queue.SimpleQueue(), []
        for call in calls:
            waiting.put(call)

        def work(number):
            while True:
                try:
                    call = waiting.get_nowait()
                except queue.Empty:
                    return
                request = {**call, "uid": self.users[call["role"]]}
                if number < OVER_HTTP:
                    request |= {"server": self.server.url, "login": f"parallel_{call['role']}"}
                answers.append((call, self.city.workers[number].ask(request)))

        threads = [threading.Thread(target=work, args=(n,)) for n in range(len(self.city.workers))]
        start = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.seconds += time.monotonic() - start
        assert len(answers) == len(calls), "a client died"
        return answers

    def judge(self, made, answers):
        """Who passed is as many as fit, whoever they are; who was refused is told why."""
        if not made["spread"]:
            # Room was made meanwhile: who was refused before that asks again, last in the queue.
            refused = [c for c, answer in answers if "refused" in answer and c["group"] == "city"]
            answers = answers + self.play(refused, random.Random(len(refused)))
        strange = [
            (call["group"], call["model"], answer)
            for call, answer in answers
            if "value" not in answer and not re.search(SENTENCES, answer.get("refused", ""), re.S)
        ]
        assert not strange, strange
        passed = Counter(call["group"] for call, answer in answers if "value" in answer)
        assert passed == made["fits"]
        self.numbers["calls"] += len(answers)
        self.numbers["passed"] += sum(passed.values())
        # Of the direct ones; the server's are in its log.
        self.numbers["retries"] += sum(answer.get("retries", 0) for _call, answer in answers)


class Books:
    """The tables, as they are once the race is over: sums of this test's own."""

    def __init__(self, database, envelopes):
        self.database, self.envelopes = database, envelopes

    def read(self, query, *values):
        with closing(odoo.sql_db.db_connect(self.database).cursor()) as cr:
            cr.execute(query, values)
            # Odoo reads cents as floats: exact again as they are written.
            return [
                tuple(Decimal(repr(v)) if isinstance(v, float) else v for v in row)
                for row in cr.fetchall()
            ]

    def get_overrun(self):
        """Euros over a ceiling, at whatever date: of an envelope, and of what is paid of a subsidy;
        and below zero."""
        rows = self.read(
            "SELECT envelope_id, subsidy_id, date, kind, amount FROM grant_entry"
            " WHERE envelope_id = ANY(%s)",
            self.envelopes,
        )
        rooms = defaultdict(Counter)
        for envelope, subsidy, date, kind, amount in rows:
            rooms["envelope", envelope][date] += ENVELOPE.get(kind, 0) * amount
            rooms["subsidy", subsidy][date] += SUBSIDY.get(kind, 0) * amount
            rooms["commitment", subsidy][date] += amount if kind == "commitment" else 0
        over = Decimal(0)
        for owner, days in rooms.items():
            if owner[1]:
                left = accumulate(days[day] for day in sorted(days))
                over += max(Decimal(0), -min(left))
        return over

    def get_left(self):
        """What the envelopes have left to commit, as the ledger says and as they count."""
        return self.read(
            """SELECT envelope.allocated_amount - envelope.committed_amount,
                      sum(CASE entry.kind WHEN 'allocation' THEN entry.amount
                                          WHEN 'commitment' THEN -entry.amount ELSE 0 END)
                 FROM grant_envelope envelope
                 JOIN grant_entry entry ON entry.envelope_id = envelope.id
                WHERE envelope.id = ANY(%s) GROUP BY envelope.id""",
            self.envelopes,
        )

    def get_ledger(self):
        """What was paid and paid back by document and date, as the ledger says."""
        rows = self.read(
            """SELECT origin_model, origin_id, entry.date, sum(entry.amount)
                 FROM grant_entry entry JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                 JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
                WHERE envelope.id = ANY(%s) AND payment_path = 'city'
                  AND entry.kind IN ('payment', 'recovery') AND subsidy.kind = 'operator'
             GROUP BY 1, 2, 3 HAVING sum(entry.amount) <> 0""",
            self.envelopes,
        )
        return {row[:3]: row[3] for row in rows}

    def get_accounting(self):
        """The same, as accounting says it: money at the bank, and set-offs, match by match."""
        rows = self.read(
            """SELECT move.grant_origin_model, move.grant_origin_id, other.date, sum(side.amount)
                 FROM (SELECT debit_move_id AS mine, credit_move_id AS theirs, amount
                         FROM account_partial_reconcile
                        UNION ALL
                       SELECT credit_move_id, debit_move_id, amount
                         FROM account_partial_reconcile) side
                 JOIN account_move_line line ON line.id = side.mine
                 JOIN account_move move ON move.id = line.move_id AND move.state = 'posted'
                 JOIN account_move_line paying ON paying.id = side.theirs
                 JOIN account_move other ON other.id = paying.move_id AND other.state = 'posted'
                WHERE (other.grant_set_off_id IS NOT NULL OR EXISTS (
                          SELECT FROM account_move_line bank
                            JOIN account_account account ON account.id = bank.account_id
                           WHERE bank.move_id = other.id AND account_type = 'asset_cash'))
                  AND ((move.grant_origin_model = 'grant.disbursement' AND move.grant_origin_id IN (
                          SELECT id FROM grant_disbursement WHERE envelope_id = ANY(%s)))
                    OR (move.grant_origin_model = 'grant.recovery' AND move.grant_origin_id IN (
                          SELECT id FROM grant_recovery WHERE envelope_id = ANY(%s))))
             GROUP BY 1, 2, 3""",
            self.envelopes,
            self.envelopes,
        )
        return {row[:3]: row[3] for row in rows}

    def get_own_costs(self):
        """Of each subsidy of own costs: paid, committed, and what was spent on its days."""
        return self.read(
            """SELECT subsidy.paid_amount, subsidy.committed_amount, (
                          SELECT COALESCE(sum(line.balance), 0) FROM account_move_line line
                           WHERE line.parent_state = 'posted'
                             AND line.date BETWEEN subsidy.date_start AND subsidy.date_end
                             AND line.account_id IN (
                                     SELECT account_id FROM res_company_grant_own_cost_account_rel)
                             AND line.analytic_distribution ? envelope.analytic_account_id::text)
                 FROM grant_subsidy subsidy
                 JOIN grant_envelope envelope ON envelope.id = subsidy.envelope_id
                WHERE subsidy.kind = 'own_cost' AND envelope.id = ANY(%s)""",
            self.envelopes,
        )

    def get_deadlocks(self):
        ((count,),) = self.read(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        )
        return count

    def check(self):
        """No cent over at any date, everything taken of what was asked, and accounting agrees."""
        assert self.get_overrun() == 0
        assert self.get_left() == [(0, 0), (0, 0)], "more was asked than there was"
        assert self.get_ledger() == self.get_accounting()
        for paid, committed, spent in self.get_own_costs():
            assert paid == min(committed, spent)


def test_contended_calls(city, server, long, tell, progress):
    """As many as fit under each ceiling, and not one more."""
    race = Race(city, server)
    books = Books(server.database, race.envelopes)
    chance = random.Random(20211021)
    deadlocks, rounds = books.get_deadlocks(), 0
    while race.numbers["calls"] < CALLS[long]:
        rounds += 1
        made = race.prepare(rounds, presses=3 if long else 1)
        race.judge(made, race.play(made["calls"], chance))
        books.check()
        progress(f"{race.numbers['calls']} of {CALLS[long]} contended calls, {rounds} rounds")
    city.verify(race.contract)
    said = server.read_log()
    assert "Exception during request handling" not in said
    assert books.get_deadlocks() == deadlocks
    done = race.numbers["passed"]
    retries = race.numbers["retries"] + said.count("try again")
    tell(
        f"{race.numbers['calls']} contended calls by 8 processes in {rounds} rounds: {done} done,"
        f" {race.numbers['calls'] - done} refused with a reason, {books.get_overrun()} cents over,"
        f" 0 deadlocks, {retries} tried again;"
        f" {race.numbers['calls'] / race.seconds:.0f} a second, once their documents were there"
    )
