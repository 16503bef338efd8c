# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""A copy of the test database to commit to, eight clients of it, and a city that they work for."""

import datetime
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from stdnum import luhn

import odoo
from odoo.service.db import _drop_conn
from odoo.tests.common import get_db_name

WORKERS = 8
# The work is certified as the tests run, and paid on that day: the city's.
DAY = datetime.datetime.now(ZoneInfo("Europe/Paris")).date().isoformat()
ROLES = ("coordinator", "finance_officer", "finance_manager", "administrator")

MAKE_FRENCH = (
    "from odoo.addons.ctai_grants.tests.common import make_french\n"
    "make_french(env.company)\n"
)
SET_UP_ACCOUNTING = (
    "from odoo.addons.ctai_grants.tests.common import set_up_accounting\n"
    "set_up_accounting(env.company)\n"
)


# ------------------------------------------------------------------------------------------
# The copy of the database, the processes
# ------------------------------------------------------------------------------------------


def on_server(*queries):
    """Run statements that no transaction may contain."""
    with closing(odoo.sql_db.db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        for query in queries:
            if callable(query):
                query(cr)
            else:
                cr.execute(query)


@contextmanager
def copied_database():
    """A copy of the test database, to commit to; its name."""
    original = os.environ.get("CTAI_DB") or get_db_name()
    name = f"{original}_parallel_{os.getpid()}"
    # A template has no other connection: ours are idle between two modules' tests.
    odoo.sql_db.close_db(original)
    on_server(
        lambda cr: _drop_conn(cr, original), f'CREATE DATABASE "{name}" TEMPLATE "{original}"'
    )
    try:
        yield name
    finally:
        on_server(f'DROP DATABASE "{name}" WITH (FORCE)')
        shutil.rmtree(odoo.tools.config.filestore(name), ignore_errors=True)


class Worker:
    """A process that calls the database as one user after the other."""

    def __init__(self, path):
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(path)
        self.stream = self.socket.makefile("rw", encoding="utf-8")

    def ask(self, call):
        print(json.dumps(call), file=self.stream, flush=True)
        line = self.stream.readline()
        assert line, "the process died"
        return json.loads(line)

    def begin_again(self):
        """Another process, with other connections: those of this one are dead."""
        self.stop()
        self.__init__(self.path)

    def stop(self):
        self.stream.close()
        self.socket.close()


@contextmanager
def started_workers(database, count=WORKERS, config=None, env=None):
    """Clients of a database, each a process of its own."""
    # Short: the address of a socket has room for some hundred characters.
    folder = tempfile.mkdtemp()
    path = os.path.join(folder, "socket")
    process = subprocess.Popen(
        [
            os.environ.get("CTAI_PYTHON") or sys.executable,
            str(Path(__file__).with_name("parallel_worker.py")),
            str(config or os.environ.get("CTAI_CONFIG") or odoo.tools.config["config"]),
            database,
            path,
        ],
        stdout=subprocess.PIPE,
        text=True,
        env=env,
    )
    assert process.stdout.readline() == "ready\n"
    workers = [Worker(path) for _number in range(count)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.stop()
        process.kill()
        process.wait()
        process.stdout.close()
        shutil.rmtree(folder)


class City:
    """The clients, and what they need to talk about grants."""

    def __init__(self, workers):
        self.workers = workers
        self.numbers = iter(range(1, 10**6))
        self.users = {}
        self.code(MAKE_FRENCH)
        for role in ROLES:
            self.users[role] = self.call(
                "admin", "res.users", "create", [{
                    "name": role, "login": f"parallel_{role}", "password": f"parallel_{role}",
                    "group_ids": [[4, self.ref(f"ctai_grants.group_{role}")]],
                }],
            )[0]  # fmt: skip
        self.funder = self.make_partner("prefecture")

    def ref(self, xmlid):
        return self.code(f"out.append(env.ref({xmlid!r}).id)")[0]

    def make_siret(self):
        """Invented: no SIREN begins with 000."""
        siren = f"{next(self.numbers):08d}"
        siret = f"{siren}{luhn.calc_check_digit(siren)}0001"
        return siret + luhn.calc_check_digit(siret)

    def make_partner(self, role):
        return self.call(
            "admin", "res.partner", "create", [
                {
                    "name": f"{role} {next(self.numbers)}", "is_company": True, "grant_role": role,
                    "company_registry": self.make_siret(),
                }
            ],
        )[0]  # fmt: skip

    def request(self, user, model, method, *args):
        return {
            "uid": self.users.get(user, 2), "model": model, "method": method, "args": list(args)
        }  # fmt: skip

    def call(self, *request):
        answer = self.workers[0].ask(self.request(*request))
        assert "value" in answer, answer
        return answer["value"]

    def code(self, source, worker=0):
        answer = self.workers[worker].ask({"uid": 1, "code": source})
        assert "value" in answer, answer
        return answer["value"]

    def together(self, *requests):
        """Send each request from its own process, all at the same moment; their answers."""
        at = time.time() + 0.1
        answers = [None] * len(requests)

        def ask(number, request):
            answers[number] = self.workers[number].ask({**request, "at": at})

        threads = [threading.Thread(target=ask, args=pair) for pair in enumerate(requests)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=120)
        for answer in answers:
            assert answer and "error" not in answer, answers
        assert len({answer["pid"] for answer in answers}) == len(answers)
        return answers

    # --- documents ----------------------------------------------------------------------

    def make_contract(self, *amounts, path="city", in_force=True, date_end="2022-12-31"):
        number = next(self.numbers)
        contract = self.call("coordinator", "grant.contract", "create", [{
            "name": "Contrat", "code": f"PAR-{number}", "funder_id": self.funder,
            "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": date_end,
            "envelope_ids": [
                [0, 0, {"name": f"E{n}", "code": f"E{n}", "amount": amount, "payment_path": path}]
                for n, amount in enumerate(amounts)
            ],
        }])[0]  # fmt: skip
        if in_force:
            self.call("finance_manager", "grant.contract", "action_put_in_force", [contract])
        (record,) = self.call("admin", "grant.contract", "read", [contract], ["envelope_ids"])
        return contract, record["envelope_ids"]

    def make_subsidies(self, envelope, *amounts, state="granted"):
        ids = self.call("coordinator", "grant.subsidy", "create", [
            {
                "name": "Subvention", "envelope_id": envelope, "amount": amount,
                "partner_id": self.make_partner("operator"),
                "date_start": "2021-10-25", "date_end": "2022-06-30",
                "decision_number": "D", "decision_date": "2021-09-27",
                "executory_date": "2021-10-01", "convention_reference": "C",
                "signature_date": "2021-10-25",
            }
            for amount in amounts
        ])  # fmt: skip
        if state != "draft":
            self.call("coordinator", "grant.subsidy", "action_grant", ids)
        if state == "signed":
            self.call("coordinator", "grant.subsidy", "action_sign", ids)
        return ids

    def make_tranches(self, subsidy, *amounts, certified=True):
        values = [{"name": "Tranche", "subsidy_id": subsidy, "amount": n} for n in amounts]
        # Beyond their subsidy too, as data from before may have them: the last ceiling is tried.
        ids = self.code(
            "from odoo.addons.ctai_grants.models.guard import transition\n"
            "tranches = env['grant.disbursement']\n"
            f"out += transition.creating(tranches, {values}).create({values}).ids\n"
        )
        if certified:
            self.call("coordinator", "grant.disbursement", "action_certify", ids)
        return ids

    def wizard(self, user, model, **values):
        """The request that presses the button of a wizard made before."""
        wizard = self.call(user, model, "create", [values])[0]
        return self.request(user, model, "action_confirm", [wizard])

    def reason(self, user, model, record, action):
        return self.wizard(
            user, "grant.reason", res_model=model, res_ids=[record], action=action, reason="R"
        )

    def read(self, model, record, *names):
        (values,) = self.call("admin", model, "read", [record], list(names))
        return values[names[0]] if len(names) == 1 else [values[name] for name in names]

    def verify(self, contract):
        """Chains, counters against ledger, and the sums once more in plain SQL."""
        wrong = self.code(
            f"contract = env['grant.contract'].browse({contract})\n"
            "out += env['grant.entry']._verify(contract.envelope_ids)\n"
            "env.cr.execute('''SELECT envelope_id, kind, sum(amount)::text FROM grant_entry\n"
            f"    WHERE contract_id = {contract} GROUP BY 1, 2''')\n"
            "sums = {row[:2]: row[2] for row in env.cr.fetchall()}\n"
            "for envelope in contract.envelope_ids:\n"
            "    for field, kind in envelope._get_money_counters().items():\n"
            "        if float(sums.get((envelope.id, kind), 0)) != envelope[field]:\n"
            "            out.append((envelope.id, field, envelope[field], sums))\n"
        )
        assert not wrong, wrong


def passed(answers):
    return [number for number, answer in enumerate(answers) if "value" in answer]


def refusals(answers):
    return [answer["refused"] for answer in answers if "refused" in answer]
