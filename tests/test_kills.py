# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Killed while a write is in flight: what was acknowledged is there whole, what was cut is not
there in part, no file is lost, and the same act can be done again.

In flight is what PostgreSQL says: the call's transaction has an id when the signal is sent, and was
still running, or rolled back, after it.
"""

import hashlib
import os
import random
import re
import threading
import time
from collections import Counter

import psycopg2
import pytest
import requests
from clients import DAY, City, started_workers
from contention import UNIT
from cuts import BATCH
from own_cluster import DATABASE, own_cluster
from running_server import OdooServer

from odoo.addons.ctai_grants.tests.files import PDF

ACTS = ("posting", "batch", "extract", "upload", "statement", "amendment")
VICTIMS = ("worker", "master", "backend", "postmaster")
KILLS = {False: 6, True: 100}
# All that an act may write. Not where Odoo notes who is there, and that caches are old.
TABLES = "^(grant_|account_|mail_(message|activity|followers|mail$)|ir_att|res_partner|res_company)"


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A cluster, a server with two workers on it, and a city's documents."""
    log = tmp_path_factory.mktemp("killed") / "odoo.log"
    with own_cluster() as (cluster, config, filestore):
        env = cluster.get_environment()
        server = OdooServer(DATABASE, log, config, env)
        with started_workers(DATABASE, 1, config, env) as workers:
            server.start()
            try:
                yield Machine(cluster, server, filestore, City(workers))
            finally:
                server.stop()


class Machine:
    """What is killed, and brought up again."""

    def __init__(self, cluster, server, filestore, city):
        self.cluster, self.server, self.filestore, self.city = cluster, server, filestore, city

    def kill(self, victim, backend, before):
        """Kill -9.

        :param int backend: PostgreSQL's process of the call
        :param dict before: what the workers had worked before the call
        """
        if victim == "worker":
            # The one that works on the call: the other one is idle.
            worked = self.server.get_work()
            os.kill(max(before, key=lambda pid: worked.get(pid, 0) - before[pid]), 9)
        elif victim == "master":
            self.orphans = self.server.kill()
        elif victim == "backend":
            self.cluster.kill(backend)
        else:
            self.cluster.kill(self.cluster.get_postmaster())

    def revive_cluster(self, victim):
        """Start PostgreSQL again, and wait until no transaction is left."""
        if victim == "postmaster":
            self.cluster.start()
        self.wait_until_idle()

    def revive_server(self, victim):
        """Start Odoo again, as whoever keeps the machine does."""
        if victim == "master":
            for pid in self.orphans:
                try:
                    os.kill(pid, 9)
                except ProcessLookupError:
                    pass
            self.server.wait_until_gone()
            self.server.start()
        self.server.wait_until_ready()
        self.city.workers[0].begin_again()

    def wait_until_idle(self, patience=60):
        """Until no transaction of a client runs."""
        until = time.monotonic() + patience
        while self.cluster.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL"
        ):
            assert time.monotonic() < until, "a transaction was left"
            time.sleep(0.02)

    def get_fingerprint(self):
        """A digest of each table that an act may write."""
        names = self.cluster.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND relname ~"
            f" '{TABLES}' ORDER BY relname"
        )
        query = " UNION ALL ".join(
            f"SELECT '{name}', md5(string_agg(md5(t::text), '' ORDER BY md5(t::text)))"
            f' FROM "{name}" t'
            for (name,) in names
        )
        return dict(self.cluster.execute(query))

    def find_bad_files(self):
        """Attachments whose file is not there whole, and files that belong to no attachment and
        that the vacuum will not collect."""
        known = dict(
            self.cluster.execute(
                "SELECT store_fname, checksum FROM ir_attachment WHERE store_fname IS NOT NULL"
            )
        )
        bad = []
        for name, checksum in known.items():
            path = self.filestore / name
            if not path.exists() or hashlib.sha1(path.read_bytes()).hexdigest() != checksum:
                bad.append(f"lost: {name}")
        found = {
            path.relative_to(self.filestore).as_posix()
            for path in self.filestore.rglob("*")
            if path.is_file()
        }
        marked = {name.removeprefix("checklist/") for name in found if name.startswith("checklist")}
        orphans = {name for name in found if not name.startswith("checklist")} - known.keys()
        return bad + [f"orphan: {name}" for name in orphans - marked]

    def verify(self):
        return self.city.code(
            "out += env['grant.entry']._verify(env['grant.envelope'].search([]))"
        )


class Person(requests.Session):
    """Somebody at a browser."""

    def __init__(self, server, login):
        super().__init__()
        self.server = server
        params = {"db": server.database, "login": login, "password": login}
        said = self.post(f"{server.url}/web/session/authenticate", json={"params": params}).json()
        assert said["result"]["uid"], said

    def call(self, model, method, *args):
        """Press a button: what was acknowledged, or why it was not."""
        params = {"model": model, "method": method, "args": args, "kwargs": {}}
        answer = super().post(f"{self.server.url}/web/dataset/call_kw", json={"params": params})
        said = answer.json()
        if "error" in said:
            return Answer(None, said["error"]["data"]["message"])
        return Answer(said.get("result") or True, "")


class Answer:
    def __init__(self, value, refusal):
        self.value, self.refusal = value, refusal
        self.at = time.monotonic()


class Acts:
    """Each act: how it is done, and whether it is there whole."""

    def __init__(self, machine, count):
        self.machine, self.server = machine, machine.server
        self.cluster = machine.cluster
        city = machine.city
        contract, _envelopes = city.make_contract(1, 1, date_end="2031-12-31")
        (self.documents,) = city.code(
            f"import cuts\ndocuments = cuts.Documents(env, {city.users}, {contract}, 1, {DAY!r})\n"
            f"out.append(documents.prepare_acts({count}))"
        )
        self.officer = Person(self.server, "parallel_finance_officer")
        self.manager = Person(self.server, "parallel_finance_manager")
        self.coordinator = Person(self.server, "parallel_coordinator")
        self.operator = Person(self.server, "cut_operator")
        self.statement = None

    def take(self, act):
        return None if act == "statement" else self.documents[act].pop()

    def one(self, query, *values):
        with self.cluster.connect() as connection, connection.cursor() as cursor:
            cursor.execute(query, values)
            return cursor.fetchone()

    # --- the acts ---------------------------------------------------------------------------

    def do_posting(self, subsidy):
        return self.coordinator.call("grant.subsidy", "action_sign", [subsidy])

    def is_posting_whole(self, subsidy):
        return self.one(
            """SELECT state, committed_amount::float, (
                   SELECT sum(amount)::float FROM grant_entry WHERE subsidy_id = subsidy.id), (
                   SELECT count(*) FROM grant_decision WHERE subsidy_id = subsidy.id
                                                         AND decision = 'signed')
                 FROM grant_subsidy subsidy WHERE id = %s""",
            subsidy,
        ) == ("signed", UNIT, UNIT, 1)

    def do_batch(self, batch):
        return self.officer.call("grant.disbursement.order", "action_confirm", [batch["window"]])

    def is_batch_whole(self, batch):
        return self.one(
            """SELECT count(DISTINCT tranche.id), count(DISTINCT move.id),
                      count(DISTINCT tranche.order_batch_id), sum(move.amount_total)::float
                 FROM grant_disbursement tranche
                 JOIN account_move move ON move.grant_origin_id = tranche.id
                  AND move.grant_origin_model = 'grant.disbursement' AND move.state = 'posted'
                WHERE tranche.id = ANY(%s) AND tranche.state = 'ordered'""",
            batch["tranches"],
        ) == (BATCH, BATCH, 1, round(BATCH * UNIT, 2))

    def do_extract(self, extract):
        return self.officer.call("grant.treasury.import", "action_book", [extract["import"]])

    def is_extract_whole(self, extract):
        return self.one(
            """SELECT (SELECT state FROM grant_treasury_import WHERE id = %s), count(*),
                      sum(amount)::float
                 FROM grant_entry WHERE kind = 'payment' AND origin_model = 'grant.disbursement'
                  AND origin_id = ANY(%s)""",
            extract["import"],
            extract["tranches"],
        ) == ("booked", 3, round(3 * UNIT, 2))

    def get_content(self, piece):
        # A comment of a PDF, in letters.
        noise = random.Random(piece["piece"]).randbytes(1_500_000).hex().encode()
        return PDF.replace(b"invented", noise, 1)

    def prepare_upload(self, piece):
        """The page with the form, as the operator has it open."""
        path = f"/my/subsidies/{piece['subsidy']}/deliverables/{piece['piece']}"
        url, page = f"{self.server.url}{path}", ""
        for _time in range(4):
            # A worker whose connection died with the database fails once, and is asked again.
            if "csrf_token" in (page := self.operator.get(url).text):
                break
        piece["token"] = re.search(r'name="csrf_token"[^>]* value="(\w+)"', page)[1]

    def do_upload(self, piece):
        answer = self.operator.post(
            f"{self.server.url}/my/subsidies/{piece['subsidy']}/deliverables/{piece['piece']}",
            data={"csrf_token": piece["token"]},
            files={"ufile": ("piece.pdf", self.get_content(piece))},
            allow_redirects=False,
        )
        done = answer.status_code == 303
        return Answer(done or None, "" if done else answer.text[:2000])

    def is_upload_whole(self, piece):
        row = self.one(
            """SELECT count(*) OVER (), version.sha256, attachment.store_fname
                 FROM grant_deliverable_version version
                 JOIN grant_deliverable_file file ON file.version_id = version.id
                 JOIN ir_attachment attachment ON attachment.id = file.attachment_id
                WHERE version.deliverable_id = %s""",
            piece["piece"],
        )
        content = self.get_content(piece)
        return (
            bool(row)
            and row[:2] == (1, hashlib.sha256(content).hexdigest())
            and (self.machine.filestore / row[2]).read_bytes() == content
        )

    def do_statement(self, _nothing):
        contract = self.documents["contract"]
        answer = self.coordinator.get(
            f"{self.server.url}/grants/contracts/{contract}/statement",
            params={"as_at": DAY, "file_format": "csv"},
        )
        self.statement = answer.content
        return Answer(answer.status_code == 200 or None, answer.text[:200])

    def is_statement_whole(self, _nothing):
        """A whole archive, and the same again from the same ledger."""
        made = self.statement
        return made[:2] == b"PK" and self.do_statement(None).value and self.statement == made

    def do_amendment(self, amendment):
        return self.manager.call("grant.amendment", "action_sign", [amendment["amendment"]])

    def is_amendment_whole(self, amendment):
        doubled = round(2 * UNIT, 2)
        return self.one(
            """SELECT amendment.state, subsidy.amount::float, committed_amount::float,
                      tranche.amount::float,
                      (SELECT sum(amount)::float FROM grant_entry WHERE subsidy_id = subsidy.id)
                 FROM grant_amendment amendment, grant_subsidy subsidy, grant_disbursement tranche
                WHERE amendment.id = %s AND subsidy.id = %s AND tranche.id = %s""",
            amendment["amendment"],
            amendment["subsidy"],
            amendment["tranche"],
        ) == ("signed", doubled, doubled, doubled, doubled)


class Watch(threading.Thread):
    """Waits for the transaction of a call, then strikes a while later."""

    # A statement writes nothing: its transaction has no id.
    OPEN = {True: "backend_xid IS NOT NULL", False: "xact_start IS NOT NULL"}
    QUERY = """SELECT pid, backend_xid::text, xact_start FROM pg_stat_activity
                WHERE datname = current_database() AND backend_type = 'client backend'
                  AND application_name LIKE 'odoo-%%' AND {} LIMIT 1"""

    def __init__(self, machine, writes, delay, strike):
        super().__init__()
        self.connection = machine.cluster.connect()
        self.cursor = self.connection.cursor()
        self.query = self.QUERY.format(self.OPEN[writes])
        self.delay, self.strike = delay, strike
        self.over = threading.Event()
        self.seen = self.struck = self.xid = None
        self.was_open = self.still = False
        self.longest = 0.0

    def look(self):
        self.cursor.execute(self.query)
        return self.cursor.fetchone()

    def run(self):
        while not self.over.is_set():
            if seen := self.look():
                self.watch(seen)
                return

    def watch(self, seen):
        start = time.monotonic()
        self.seen, self.xid = seen, seen[1]
        if self.strike is None:
            while (now := self.look()) and now[:2] == seen[:2]:
                self.longest = time.monotonic() - start
            return
        time.sleep(self.delay)
        now = self.look()
        self.was_open = bool(now) and now[:2] == seen[:2]
        self.strike(seen[0])
        self.struck = time.monotonic()
        try:
            now = self.look()
            self.still = bool(now) and now[:2] == seen[:2]
        except psycopg2.Error:
            # The cluster is down.
            self.still = self.was_open


def test_kills(machine, long, tell, progress):
    """All or nothing, each time."""
    kills = KILLS[long]
    acts = Acts(machine, 2 + -(-kills // len(ACTS)))
    trial = Trial(machine, acts, random.Random(20211021))
    for act in ACTS:
        trial.measure(act)
    for number in range(kills):
        victim = VICTIMS[(number + number // len(ACTS)) % len(VICTIMS)]
        trial.cut(ACTS[number % len(ACTS)], victim)
        progress(f"{number + 1} of {kills} kills")
    machine.city.code("env['ir.attachment']._gc_file_store()")
    assert not machine.find_bad_files()
    tell(trial.tell())


class Trial:
    """One act after the other, cut."""

    def __init__(self, machine, acts, chance):
        self.machine, self.acts, self.chance = machine, acts, chance
        self.durations, self.numbers, self.flights = {}, Counter(), Counter()

    def play(self, act, document, delay=0.0, strike=None):
        """Do it, watched: (answer or None, watch)."""
        if act == "upload":
            self.acts.prepare_upload(document)
        self.machine.wait_until_idle()
        watch = Watch(self.machine, act != "statement", delay, strike)
        watch.start()
        try:
            answer = getattr(self.acts, f"do_{act}")(document)
        except requests.RequestException:
            answer = None
        watch.over.set()
        watch.join()
        watch.connection.close()
        return answer, watch

    def is_whole(self, act, document):
        return getattr(self.acts, f"is_{act}_whole")(document)

    def measure(self, act):
        """How long its transaction writes, undisturbed; and that it does what it says."""
        for _number in range(2 if act == "statement" else 1):
            document = self.acts.take(act)
            answer, watch = self.play(act, document)
            assert answer and answer.value, answer and answer.refusal
            assert self.is_whole(act, document)
            self.durations[act] = watch.longest

    def cut(self, act, victim):
        """Kill in the middle of an act, start again, and look."""
        about = (act, victim)
        document = self.acts.take(act)
        before = self.machine.get_fingerprint()
        delay = self.chance.uniform(0, 0.8) * self.durations[act]
        before_it = self.machine.server.get_work()

        def strike(backend):
            self.machine.kill(victim, backend, before_it)

        answer, watch = self.play(act, document, delay, strike)
        if not watch.struck:
            # Over before it was seen: killed all the same, and counted as it is.
            strike(self.machine.cluster.get_a_backend())
        self.machine.revive_cluster(victim)
        # Before anybody writes again: what was lost with its number gives it to the next one.
        aborted = not watch.xid or self.is_aborted(watch.xid)
        self.machine.revive_server(victim)
        acknowledged = bool(answer and answer.value)
        self.count(act, victim, watch, acknowledged, aborted)
        if act == "statement":
            assert self.machine.get_fingerprint() == before, about
        elif aborted:
            assert not acknowledged, (*about, "acknowledged, and not there")
            after = self.machine.get_fingerprint()
            assert after == before, (*about, [n for n in before if after[n] != before[n]])
        else:
            assert self.is_whole(act, document), (*about, "there in part")
        self.check(about)
        self.do_again(act, document, aborted)

    def is_aborted(self, xid):
        try:
            rows = self.machine.cluster.execute(f"SELECT pg_xact_status('{xid}'::xid8)")
        except psycopg2.errors.InvalidParameterValue:
            # “In the future”: nothing of it had reached the disk.
            return True
        return rows == [("aborted",)]

    def count(self, act, victim, watch, acknowledged, aborted):
        in_flight = watch.was_open and (watch.still or aborted)
        self.numbers["kills"] += 1
        self.numbers["in flight"] += in_flight
        self.numbers["acknowledged"] += acknowledged
        self.numbers["cut"] += aborted and not acknowledged
        self.flights[act] += in_flight
        self.flights[victim] += in_flight

    def check(self, about):
        """No file is lost, and the ledger holds."""
        assert not (bad := self.machine.find_bad_files()), (*about, bad)
        assert not (wrong := self.machine.verify()), (*about, wrong)

    def do_again(self, act, document, aborted):
        """What was cut is done now; what was done is not done twice."""
        before = self.machine.get_fingerprint()
        answer, _watch = self.play(act, document)
        assert answer, (act, "not answered")
        if aborted:
            assert answer.value, (act, answer.refusal)
        elif act != "upload":
            # The same file again is no second version, and no refusal.
            assert answer.refusal, (act, "done twice")
        if not aborted:
            after = self.machine.get_fingerprint()
            if act == "upload":
                # Files count as sent, whatever becomes of them.
                before.pop("grant_upload_rate"), after.pop("grant_upload_rate")
            assert after == before, (act, [n for n in before if after[n] != before[n]])
        assert self.is_whole(act, document), act
        self.check((act, "again"))

    def tell(self):
        numbers = self.numbers
        by = ", ".join(f"{self.flights[name]} {name}" for name in (*ACTS, *VICTIMS))
        assert numbers["in flight"] >= 0.6 * numbers["kills"], numbers
        return (
            f"{numbers['kills']} kills, {numbers['in flight']} in flight ({by}):"
            f" {numbers['cut']} cut and not there, {numbers['acknowledged']} acknowledged and"
            " there, 0 in part, 0 files lost; each done again"
        )
