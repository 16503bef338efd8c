# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The administrator of a running server cannot take the ledger away; who runs the server can, by
one command that writes it out first. Real processes, on a copy of the test database with a ledger.
"""

import os
import resource
import shutil
import socket
import subprocess
import sys
import time
import xmlrpc.client
from contextlib import closing
from pathlib import Path

import pytest

import odoo
from odoo.service.db import _drop_conn
from odoo.tests.common import get_db_name

CONFIG = os.environ.get("CTAI_CONFIG") or odoo.tools.config["config"]
FORCED = {"context": {"_force_unlink": True}}
STORY = """
from odoo import Command
from odoo.addons.ctai_grants.tests.common import make_french
make_french(env.company)
env.user.write({"group_ids": [Command.link(env.ref("ctai_grants.group_finance_manager").id)]})
funder = env["res.partner"].create({"name": "Préfecture", "is_company": True,
                                    "grant_role": "prefecture"})
contract = env["grant.contract"].create({
    "name": "Contrat", "code": "C-1", "funder_id": funder.id, "signature_date": "2021-10-21",
    "date_start": "2021-10-21", "date_end": "2022-12-31",
    "envelope_ids": [Command.create({"name": "A", "code": "A", "amount": 1000})]})
contract.action_put_in_force()
env["ir.attachment"].create({"name": "c.txt", "raw": b"signed", "res_model": contract._name,
                             "res_id": contract.id})
env.ref("base.user_admin").password = "test_giving_up"
env.cr.commit()
"""


def on_server(*queries):
    with closing(odoo.sql_db.db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        for query in queries:
            query(cr) if callable(query) else cr.execute(query)


@pytest.fixture(scope="module")
def database():
    """A copy of the test database with a contract in force."""
    original = os.environ.get("CTAI_DB") or get_db_name()
    name = f"{original}_giving_up_{os.getpid()}"
    odoo.sql_db.close_db(original)
    on_server(
        lambda cr: _drop_conn(cr, original), f'CREATE DATABASE "{name}" TEMPLATE "{original}"'
    )
    done = run("shell", name, "--no-http", input=STORY)
    assert done.returncode == 0, done.stdout
    yield name
    odoo.sql_db.close_db(name)
    on_server(f'DROP DATABASE "{name}" WITH (FORCE)')
    shutil.rmtree(odoo.tools.config.filestore(name), ignore_errors=True)


def command(name, *words):
    program = [sys.executable, "-c", "import odoo.cli; odoo.cli.main()"]
    addons = "--addons-path=" + ",".join(odoo.tools.config["addons_path"])
    return [*program, addons, name, *words]


def run(name, database, *words, **options):
    """Run one of Odoo's commands on the database."""
    return subprocess.run(
        command(name, "-c", CONFIG, "-d", database, *words),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, **options,
    )  # fmt: skip


def query(database, text):
    with closing(odoo.sql_db.db_connect(database).cursor()) as cr:
        cr.execute(text)
        return cr.fetchall() if cr.description else cr._cnx.commit()


def get_shape(database):
    """What of ours is in the database."""
    return (
        query(database, "SELECT hash FROM grant_entry"),
        query(database, "SELECT conname FROM pg_constraint WHERE conrelid::regclass::text "
                        "LIKE 'grant%' ORDER BY 1"),
        query(database, "SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal"),
        query(database, "SELECT name, state FROM ir_module_module WHERE state <> 'uninstalled' "
                        "ORDER BY 1"),
    )  # fmt: skip


@pytest.fixture
def administrator(database):
    """Calls over XML-RPC, as Odoo's administrator, to a server of its own."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = command(
        "server", "-c", CONFIG, "-d", database, "--db-filter=.*", "--max-cron-threads=0",
        f"--http-port={port}", "--log-level=critical",
    )  # fmt: skip
    server = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}/xmlrpc/2/"
    common = xmlrpc.client.ServerProxy(address + "common")
    for _attempt in range(300):
        try:
            common.version()
            break
        except OSError:
            assert server.poll() is None
            time.sleep(0.2)
    user = common.authenticate(database, "admin", "test_giving_up", {})
    objects = xmlrpc.client.ServerProxy(address + "object", allow_none=True)

    def call(model, method, *args, **options):
        return objects.execute_kw(
            database, user, "test_giving_up", model, method, list(args), options
        )

    yield call
    server.terminate()
    server.wait()


def test_by_rpc(database, administrator):
    def find(model, *domain):
        return administrator(model, "search", [*domain])

    ours = find("ir.module.module", ("name", "=", "ctai_grants"))
    account = find("ir.module.module", ("name", "=", "account"))
    wizard = administrator("base.module.uninstall", "create", {"module_ids": [(6, 0, account)]})
    entries = find("ir.model", ("model", "=", "grant.entry"))
    amount = find("ir.model.fields", ("model", "=", "grant.entry"), ("name", "=", "amount"))
    ceilings = find("ir.model.constraint", ("model.model", "=", "grant.envelope"))
    before = get_shape(database)
    for model, method, args, options in (
        ("ir.module.module", "button_immediate_uninstall", [ours], {}),
        ("ir.module.module", "button_immediate_uninstall", [account], {}),
        ("ir.module.module", "module_uninstall", [ours], {}),
        ("ir.module.module", "module_uninstall", [account], {}),
        ("ir.module.module", "write", [ours, {"state": "to remove"}], {}),
        ("ir.module.module", "write", [account, {"state": "uninstalled"}], {}),
        ("ir.module.module", "unlink", [ours], FORCED),
        ("base.module.uninstall", "action_uninstall", [[wizard]], {}),
        ("ir.model", "unlink", [entries], FORCED),
        ("ir.model.fields", "unlink", [amount], FORCED),
        ("ir.model.constraint", "unlink", [ceilings], {}),
    ):
        with pytest.raises(xmlrpc.client.Fault, match="odoo grants_uninstall"):
            administrator(model, method, *args, **options)
        assert get_shape(database) == before, (model, method)
    # Another add-on, in whose name somebody has listed our tables, goes without them.
    other = find("ir.module.module", ("name", "=", "base_automation"))
    users = find("ir.model", ("model", "=", "res.users"))
    for table in ("grant_entry", "grant_decision"):
        values = {"name": table, "model": users[0], "module": other[0]}
        administrator("ir.model.relation", "create", values)
    administrator("ir.module.module", "button_immediate_uninstall", other)
    after = get_shape(database)
    assert after[:3] == before[:3]
    assert set(before[3]) - set(after[3]) == {("base_automation", "installed")}


def test_by_the_command_line(database):
    before = get_shape(database)
    done = subprocess.run(
        command("module", "uninstall", "-c", CONFIG, "-d", database, "ctai_grants"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode
    assert "odoo grants_uninstall" in done.stdout
    assert get_shape(database) == before
    # A state written past the trigger: loading comes to nothing, and takes it back.
    query(database, "ALTER TABLE ir_module_module DISABLE TRIGGER USER")
    query(database, "UPDATE ir_module_module SET state = 'to remove' WHERE name = 'ctai_grants'")
    query(database, "ALTER TABLE ir_module_module ENABLE TRIGGER USER")
    done = run("server", database, "-i", "base_automation", "--stop-after-init", "--no-http")
    assert "odoo grants_uninstall" in done.stdout
    assert get_shape(database)[0] == before[0]
    assert query(
        database, "SELECT state FROM ir_module_module WHERE name = 'ctai_grants'"
    ) == [("installed",)]


def test_given_up(database, tmp_path):
    words = ("--confirm", database, "--by", "Jeanne Martin", "--reason", "Autre logiciel")
    before = get_shape(database)

    # No file longer than that, as on a full disk.
    def small():
        resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.RLIM_INFINITY))

    full = tmp_path / "full"
    env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = run(
        "grants_uninstall", database, *words, "--output", str(full), preexec_fn=small, env=env
    )
    assert done.returncode == 1, done.stdout
    assert "Nothing is uninstalled" in done.stdout.splitlines()[-1]
    assert get_shape(database) == before

    folder = tmp_path / "out"
    done = run("grants_uninstall", database, *words, "--output", str(folder))
    assert done.returncode == 0, done.stdout
    assert str(folder) in done.stdout.splitlines()[-1]
    assert not query(database, "SELECT FROM pg_class WHERE relname LIKE 'grant%'")
    left = query(database, "SELECT name FROM ir_module_module WHERE state = 'installed'")
    assert ("account",) in left
    assert not {("ctai_grants",), ("ctai_grants_reports",)} & set(left)
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=True
    )
    assert len((folder / "ledger.csv").read_text().splitlines()) == 1 + len(before[0])
    assert b"signed" in [path.read_bytes() for path in Path(folder, "files").iterdir()]
