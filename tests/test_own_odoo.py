# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Into an Odoo that a city already runs: in French, without demonstration data, with entries of its
own. One database is installed; each test has a copy. What needs no other database is tested in
the add-ons: ctai_grants/tests/accounting/test_city_company.py."""

import os
import shutil
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from conftest import LONG

import odoo
from odoo.service.db import _drop_conn

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from launcher.checks import COMPLAINT  # noqa: E402

CONFIG = os.environ.get("CTAI_CONFIG") or odoo.tools.config["config"]
BASE = os.environ.get("CTAI_BASE_DB")
OURS = ("ctai_grants", "ctai_grants_reports")
#: A company whose accounting is in use: in a language, a country, with a chart.
BEFORE = """
from odoo import Command
env["res.lang"]._activate_lang("%(lang)s")
env.user.lang = "%(lang)s"
env["ir.default"].set("res.partner", "lang", "%(lang)s")
city = env.company
city.country_id = env.ref("%(country)s")
env["account.chart.template"].try_loading("%(chart)s", city, install_demo=False)
city.currency_id = env.ref("base.EUR")
bill = env["account.move"].create({
    "move_type": "in_invoice", "invoice_date": "2021-05-05", "date": "2021-05-05",
    "partner_id": env["res.partner"].create({"name": "Fournisseur"}).id,
    "invoice_line_ids": [Command.create({"name": "Chaises", "price_unit": 120})]})
bill.action_post()
env.cr.commit()
"""
FRENCH = {"lang": "fr_FR", "country": "base.fr", "chart": "fr"}
BELGIAN = {"lang": "en_US", "country": "base.be", "chart": "generic_coa"}
#: What a Belgian company meets once grants are there.
REFUSED = """
from odoo.exceptions import RedirectWarning
bill = env["account.move"].search([("move_type", "=", "in_invoice")])
again = bill.copy({"invoice_date": "2021-06-06", "date": "2021-06-06"})
again.action_post()
assert (bill.state, again.state) == ("posted", "posted")
env.user.group_ids += env.ref("ctai_grants.group_administrator")
try:
    env["res.config.settings"].create({}).action_set_up_grant_accounting()
except RedirectWarning as refusal:
    assert "Its country is Belgium" in refusal.args[0], refusal
else:
    raise AssertionError("It was set up.")
assert env["grant.entry"]._verify_database() == []
"""
#: Grants are set up and used, in it and in a second French company.
USED = """
from odoo import Command
bill = env["account.move"].search([("move_type", "=", "in_invoice")])
before = bill.line_ids.read(["balance", "account_id", "name"])
env.user.group_ids += env.ref("ctai_grants.group_finance_manager")
env.user.group_ids += env.ref("ctai_grants.group_administrator")
funder = env["res.partner"].create({"name": "Préfecture", "is_company": True,
                                    "grant_role": "prefecture"})
other = env["res.company"].create({"name": "Autre commune",
    "country_id": env.ref("base.fr").id, "currency_id": env.ref("base.EUR").id})
env.user.company_ids += other
env["account.chart.template"].try_loading("fr", other, install_demo=False)
said = []
for city in (env.company, other):
    here = env(context={**env.context, "allowed_company_ids": [city.id], "lang": "fr_FR"})
    settings = here["res.config.settings"].create({"company_id": city.id})
    said.append(settings.action_set_up_grant_accounting()["params"])
    contract = here["grant.contract"].create({
        "name": "Contrat", "code": "C-1", "funder_id": funder.id, "company_id": city.id,
        "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": "2022-12-31",
        "envelope_ids": [Command.create({"name": "A", "code": "A", "amount": 1000})]})
    contract.action_put_in_force()
assert [one["type"] for one in said] == ["success", "success"], said
assert all(one["message"].startswith("Comptes créés") for one in said), said
journals = env["res.company"].browse([env.company.id, other.id]).grant_purchase_journal_id
assert len(journals) == 2, journals
assert bill.line_ids.read(["balance", "account_id", "name"]) == before
env.cr.commit()
"""
#: The reports go, grants are used without them, and the reports come back: in one process.
WITHOUT_REPORTS = f"""
from odoo import SUPERUSER_ID, api

def reports(action):
    global env
    module = env["ir.module.module"].search([("name", "=", "{OURS[1]}")])
    getattr(module, action)()
    env = api.Environment(env.cr, SUPERUSER_ID, {{}})
    env.transaction.reset()
    return env["ir.module.module"].browse(module.id).state

def verified():
    faults = env["grant.entry"]._verify_database()
    assert faults == [], faults
    return len(env["grant.entry"].search([]))

assert reports("button_immediate_uninstall") == "uninstalled"
assert "grant.statement" not in env and not verified()
{USED}
assert verified() == 2
assert reports("button_immediate_install") == "installed"
assert "grant.statement" in env and verified() == 2
contract = env["grant.contract"].search([], limit=1)
stream, _name, _mimetype = env["grant.statement.data"]._make(
    contract, contract.date_end, "csv")
assert stream.read(2) == b"PK"
"""
#: What all rows of a table say but who wrote them last, and when.
CONTENT = """SELECT md5(string_agg(said, '' ORDER BY said)) FROM (
    SELECT (to_jsonb(t) - %s::text[])::text said FROM "{}" t WHERE {}) rows"""
WRITTEN = ["write_date", "write_uid"]
#: What Odoo writes anew at every update: the source before, the windows' lists of views.
ANEW = {
    "ir_act_window_view": ["id", "create_date"],
    "ir_module_module": ["url"],
    "ir_ui_view": ["arch_prev"],
}
OWNED = "id NOT IN (SELECT res_id FROM ir_model_data WHERE model = '{}' AND module IN ({}))"
#: All but rows of Odoo's own. It writes anew a style sheet that it appends to, the next call of two
#: scheduled actions, and at the first update French words of activities and names of two columns.
ROWS = {
    "ir_attachment": "url IS DISTINCT FROM 'web/static/asset_styles_company_report.scss'",
    "ir_cron": OWNED.format("ir.cron", "'account', 'digest'"),
    "ir_model_data": "module != 'analytic'",
    "ir_model_fields_selection": OWNED.format("ir.model.fields.selection", "'mail'"),
}
#: What an update does, not what it leaves.
PASSING = {"ir_cron_trigger", "orm_signaling_registry"}

SET_UP = """
env.user.group_ids += env.ref("ctai_grants.group_administrator")
env["res.config.settings"].create({}).action_set_up_grant_accounting()
env.cr.commit()
"""
#: Of the add-ons' own tests those that met data of a city: SIRENs, accounts, lists; with --long
#: also numbers of orders, what statements count, heads, what is due, everybody's files.
SUITES = [f"ctai_grants/tests/award/test_{name}.py" for name in ("partner", "signing_queries")]
if LONG:
    SUITES += [
        "ctai_grants/tests/accounting/test_accounting.py",
        "ctai_grants/tests/accounting/test_own_cost.py",
        "ctai_grants/tests/home/test_import_template.py",
        "ctai_grants/tests/ledger/test_copies.py",
        "ctai_grants/tests/operator/test_people.py",
        "ctai_grants/tests/operator/test_reminders.py",
        "ctai_grants/tests/payment/test_certifying_queries.py",
        "ctai_grants/tests/portal/test_portal_rpc.py",
        "ctai_grants_reports/tests/accounts",
    ]


def on_server(*queries):
    with closing(odoo.sql_db.db_connect("postgres").cursor()) as cr:
        cr._cnx.autocommit = True
        for query in queries:
            query(cr) if callable(query) else cr.execute(query)


@contextmanager
def copied(original, name):
    odoo.sql_db.close_db(original)
    on_server(
        lambda cr: _drop_conn(cr, original),
        f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)',
        f'CREATE DATABASE "{name}" TEMPLATE "{original}"',
    )
    folder = odoo.tools.config.filestore
    if os.path.exists(folder(original)):
        shutil.copytree(folder(original), folder(name), copy_function=os.link, dirs_exist_ok=True)
    try:
        yield name
    finally:
        odoo.sql_db.close_db(name)
        on_server(f'DROP DATABASE "{name}" WITH (FORCE)')
        shutil.rmtree(folder(name), ignore_errors=True)


def run(name, database, *words, **options):
    """Run one of Odoo's commands; what it says."""
    program = [sys.executable, "-c", "import odoo.cli; odoo.cli.main()"]
    addons = "--addons-path=" + ",".join(odoo.tools.config["addons_path"])
    done = subprocess.run(
        [*program, addons, *name.split(), "-c", CONFIG, "-d", database, *words],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " ERROR " not in done.stdout, done.stdout[-3000:]
    return done.stdout


def shell(database, story):
    run("shell", database, "--no-http", input=story)


def update(database, *words):
    """Install or update; nothing of ours may be complained of."""
    words = (*words, "--no-http", "--stop-after-init", "--max-cron-threads=0")
    said = run("server", database, *words)
    assert not COMPLAINT.findall(said), COMPLAINT.findall(said)


def query(database, text, *values):
    with closing(odoo.sql_db.db_connect(database).cursor()) as cr:
        cr.execute(text, values)
        return cr.fetchall()


def read_tables(database):
    """A digest of each table's rows."""
    names = query(
        database, "SELECT relname FROM pg_class WHERE relkind = 'r'"
        " AND relnamespace = 'public'::regnamespace",
    )  # fmt: skip
    return {
        name: query(
            database, CONTENT.format(name, ROWS.get(name, "true")), WRITTEN + ANEW.get(name, [])
        )
        for (name,) in names
        if name not in PASSING
    }


@pytest.fixture(scope="module")
def installed():
    """Installed into a city's accounting that is in use."""
    if not BASE:
        pytest.fail("Run by ./ctai test: it says in CTAI_BASE_DB what has no add-on of ours.")
    with copied(BASE, f"{BASE}_own_{os.getpid()}") as name:
        shell(name, BEFORE % FRENCH)
        update(name, "-i", ",".join(OURS))
        yield name


@pytest.fixture(scope="module")
def used(installed):
    """The same, with a ledger in each of two companies."""
    with copied(installed, f"{installed}_used") as name:
        shell(name, USED)
        yield name


def test_in_french_after_posted_entries_and_in_two_companies(used):
    """What is installed works beside what was there (asserted where it is played)."""
    entries = query(
        used, "SELECT company_id, number, amount, c.name FROM grant_entry e"
        " JOIN res_currency c ON c.id = e.currency_id ORDER BY 1",
    )  # fmt: skip
    assert [entry[1:] for entry in entries] == [(1, 1000, "EUR")] * 2
    assert len({entry[0] for entry in entries}) == 2
    assert not query(used, "SELECT FROM res_users WHERE login = 'coordinator'"), "No demonstration"
    run("grants_verify", used)


def test_in_english_in_a_belgian_company():
    """Its own bills go on, and grants say in words what they need."""
    with copied(BASE, f"{BASE}_belgian_{os.getpid()}") as name:
        shell(name, BEFORE % BELGIAN)
        update(name, "-i", ",".join(OURS))
        shell(name, REFUSED)


def test_updates_change_nothing(used):
    """All modules, twice: neither Odoo's nor ours touch what is there."""
    before = read_tables(used)
    for _turn in range(2):
        update(used, "-u", "all")
        after = read_tables(used)
        assert {name for name in before | after if before.get(name) != after.get(name)} == set()
    run("grants_verify", used)


def test_without_the_reports_and_with_them_again(installed):
    """Grants stand on their own, before they are used and while they are."""
    with copied(installed, f"{installed}_again") as name:
        shell(name, WITHOUT_REPORTS)


@pytest.fixture
def lived_in(installed, used, tmp_path):
    """A database that holds data of its own: with --long a whole year, the demonstration's."""
    if not LONG:
        yield used
        return
    with copied(installed, f"{installed}_year") as name:
        shell(name, SET_UP)
        words = ("-c", CONFIG, "-d", name, "--output", tmp_path)
        play = [sys.executable, "-m", "poitiers_2021", "play", *words]
        subprocess.run(play, cwd=ROOT / "data", check=True, capture_output=True)
        yield name


def test_tests_of_the_add_ons_beside_other_data(lived_in):
    """Who develops has a copy of a city's database, and runs them there."""
    words = ("-q", "-p", "no:cacheprovider", f"--odoo-config={CONFIG}")
    words += ("--odoo-http", f"--odoo-database={lived_in}", *SUITES)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *words], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-5000:]
