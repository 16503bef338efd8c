# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The restore drill: a backup made by `./ctai backup` while eight clients post, restored beside the
original by `./ctai restore`, is the database of one moment, and nobody was kept waiting for it."""

import datetime
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from clients import WORKERS, on_server

import odoo

ROOT = Path(__file__).resolve().parent.parent
ATTACH = "env['ir.attachment'].create({'name': 'drill %s', 'raw': b'drill %s' * 1000})"
EACH = 40  # more than a client signs meanwhile


def ctai(*arguments):
    """Run ./ctai; return what it says."""
    words = [sys.executable, "ctai", *map(str, arguments)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Client(threading.Thread):
    """Signs subsidies one after the other, each with a file; notes when, by the clock."""

    def __init__(self, city, number, subsidies, over):
        super().__init__()
        self.city, self.number, self.subsidies, self.over = city, number, subsidies, over
        self.done, self.wrong, self.slowest = [], [], 0.0

    def run(self):
        for subsidy in self.subsidies:
            if self.over.is_set():
                return
            sign = self.city.request("coordinator", "grant.subsidy", "action_sign", [subsidy])
            attach = {"uid": 1, "code": ATTACH % (subsidy, subsidy)}
            for kind, call in (("entry", sign), ("file", attach)):
                began = time.time()
                answer = self.city.workers[self.number].ask(call)
                self.done.append((kind, subsidy, began, time.time()))
                self.slowest = max(self.slowest, time.time() - began)
                if "value" not in answer:
                    self.wrong.append(answer)


@pytest.fixture
def clients(city, database):
    """Eight clients that post; stopped at the end."""
    original, store = os.environ["CTAI_DB"], odoo.tools.config.filestore
    shutil.copytree(store(original), store(database), copy_function=link, dirs_exist_ok=True)
    _contract, envelopes = city.make_contract(100000, 100000)
    partner, over = city.make_partner("operator"), threading.Event()
    values = {
        "name": "Drill", "partner_id": partner, "amount": 10,
        "date_start": "2021-10-25", "date_end": "2022-06-30", "decision_number": "D",
        "decision_date": "2021-09-27", "executory_date": "2021-10-01",
        "convention_reference": "C", "signature_date": "2021-10-25",
    }  # fmt: skip
    clients = []
    for number in range(WORKERS):
        mine = [{**values, "envelope_id": envelopes[number % 2]}] * EACH
        ids = city.call("coordinator", "grant.subsidy", "create", mine)
        city.call("coordinator", "grant.subsidy", "action_grant", ids)
        clients.append(Client(city, number, ids, over))
    yield clients
    over.set()
    for client in clients:
        client.join()


def link(source, target):
    """Share a file of Odoo's, which it never changes, unless it is there."""
    if not os.path.exists(target):
        os.link(source, target)


@pytest.fixture
def copy(database):
    """The name of the restored database."""
    name = f"{database}_copy"
    yield name
    on_server(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    shutil.rmtree(odoo.tools.config.filestore(name), ignore_errors=True)
    Path(os.environ["CTAI_CONFIG"]).with_name(f"{name}.conf").unlink(missing_ok=True)


def held(name):
    """Return what a database holds of what the clients did: pairs of kind and subsidy."""
    queries = (
        ("entry", "SELECT subsidy_id FROM grant_entry WHERE kind = 'commitment'"),
        ("file", "SELECT split_part(name, ' ', 2)::int FROM ir_attachment WHERE name ~ '^drill '"),
    )
    found = set()
    with odoo.sql_db.db_connect(name).cursor() as cr:
        for kind, query in queries:
            cr.execute(query)
            found |= {(kind, subsidy) for (subsidy,) in cr.fetchall()}
        cr.execute("SELECT name, store_fname FROM ir_attachment WHERE name ~ '^drill '")
        store = Path(odoo.tools.config.filestore(name))
        for title, path in cr.fetchall():
            assert (store / path).read_bytes() == title.encode() * 1000
    odoo.sql_db.close_db(name)
    return found


def test_restore_drill(clients, database, copy, tmp_path, tell):
    before = time.time()
    for client in clients:
        client.start()
    deadline = time.time() + 20
    while min(len(client.done) for client in clients) < 4 and time.time() < deadline:
        time.sleep(0.1)
    ctai("backup", tmp_path / "backup", "--database", database)
    time.sleep(1)
    clients[0].over.set()
    for client in clients:
        client.join()
    posting = time.time() - before

    # The clients noticed nothing.
    assert not [answer for client in clients for answer in client.wrong]
    assert max(client.slowest for client in clients) < 10
    done = [one for client in clients for one in client.done]

    said = ctai("restore", tmp_path / "backup", "--database", copy, "--neutralize")
    assert "it holds and is what was backed up" in said  # grants_verify too
    manifest = json.loads((tmp_path / "backup" / "manifest.json").read_text())
    moment = datetime.datetime.fromisoformat(manifest["time"]).timestamp()
    restored, acknowledged, later = held(copy), set(), set()
    for kind, subsidy, began, ended in done:
        if ended < moment:
            acknowledged.add((kind, subsidy))
        if began > moment:
            later.add((kind, subsidy))
    assert acknowledged and later
    assert acknowledged <= restored
    assert not later & restored
    # The original went on, and holds all of it.
    assert {(kind, subsidy) for kind, subsidy, *_times in done} <= held(database)
    tell(
        f"Restore drill: {len(done)} calls of {len(clients)} clients in {posting:.0f} s,"
        f" {len(acknowledged)} before the moment and restored, {len(later)} after it"
    )
