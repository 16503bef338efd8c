# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The databases: a template with what the add-ons depend on, and clones of it.

What a database was made from is kept in its own comment, written when it is complete: one
whose making was interrupted can never be taken for something it is not.
"""

import ast
import json
import os
import shutil

from . import files, odoo, paths
from .errors import Stop

BASE, DEMO, BENCH = "ctai_base", "ctai", "ctai_bench"
TEST, WHOLE = "ctai_test", "ctai_test_whole"
#: What tests attack ours with: real automation rules.
BESIDE = {TEST: ["base_automation"]}
LANGUAGE = "fr_FR"
#: The mark of one that is being restored, or whose restoring was killed.
HALF = "being restored"
# As Odoo would create it, without extensions it can do without.
PLAIN = "ENCODING 'UTF8' LC_COLLATE 'C' TEMPLATE template0"
COMMENT = """COMMENT ON DATABASE :"name" IS :'facts';"""


def present_addons():
    """Return our add-ons that have a manifest."""
    return [name for name in paths.ADDONS if (paths.ROOT / name / "__manifest__.py").exists()]


def dependencies():
    """Return what our add-ons need from elsewhere, as their manifests say."""
    needed = set()
    for name in present_addons():
        text = files.read(paths.ROOT / name / "__manifest__.py")
        needed.update(ast.literal_eval(text[text.index("{") :])["depends"])
    return sorted(needed - set(paths.ADDONS))


def wanted():
    """Return the facts of a database that is what the sources say now."""
    folders = [paths.ROOT / name for name in present_addons()]
    return {"base": _base_digest(), "sources": files.digest(*folders, without=("tests",))}


def _base_digest():
    return files.digest(odoo.identity(), " ".join(dependencies()), LANGUAGE, "2")


# --- small words ------------------------------------------------------------------------


def comment(server, name):
    """Return a database's comment, "-" when it has none, "" when there is no such database."""
    return server.sql(
        "SELECT coalesce(shobj_description(oid, 'pg_database'), '-')"
        " FROM pg_database WHERE datname = :'name'",
        name=name,
    )


def facts_of(text):
    """Return the facts that a comment of ours holds; None when it is not ours."""
    try:
        return json.loads(text)["ctai"]
    except (ValueError, KeyError, TypeError):
        return None


def info(server, name):
    """Return what a database of ours says about itself; None when there is none."""
    text = comment(server, name)
    if not text:
        return None
    facts = facts_of(text)
    if facts is not None:
        return facts
    if server.embedded:  # nobody else's: it was not even begun when we were killed
        return {}
    raise Stop(
        f"The database {name} on {server} was not made by ./ctai.",
        "Rename or drop it, or use another server (the PG* variables).",
    )


def describe(server, name, facts):
    """Keep facts in a database's comment."""
    server.sql(COMMENT, name=name, facts=json.dumps({"ctai": facts}))


def drop(server, name):
    """Drop a database and its files; it may not exist."""
    server.sql('DROP DATABASE IF EXISTS :"name" WITH (FORCE)', name=name)
    files.remove(paths.FILESTORE / name)


def clone(server, source, name):
    """Make a database as a copy of another, which nobody may be using."""
    info(server, name)  # refuses what is not ours
    _create(server, name, f'TEMPLATE "{source}"')
    if (paths.FILESTORE / source).exists():
        # Odoo never changes a stored file, so sharing them by link is a copy.
        shutil.copytree(paths.FILESTORE / source, paths.FILESTORE / name, copy_function=os.link)


def _create(server, name, what):
    drop(server, name)
    create(server, name, what)


def create(server, name, what=PLAIN, mark=""):
    """Make a database that says it is not finished, and of what it is the beginning."""
    unfinished = json.dumps({"ctai": {}, "mark": mark})
    server.sql(f'CREATE DATABASE :"name" {what}; {COMMENT}', name=name, facts=unfinished)


# --- what the commands need ---------------------------------------------------------------


def ensure_base(server):
    """Make the template with everything our add-ons depend on, unless it is there."""
    if (info(server, BASE) or {}).get("base") == _base_digest():
        return
    _create(server, BASE, PLAIN)
    odoo.run(
        server,
        odoo.configure(server, BASE),
        "Create the template database",
        *("-i", ",".join(dependencies() or ["base"]), "--load-language", LANGUAGE),
        *("--no-http", "--stop-after-init"),
        log=paths.LOGS / "base.log",
    )
    describe(server, BASE, {"base": _base_digest()})


def install(server, name, log):
    """Make `name` from the template with our add-ons freshly installed."""
    names = present_addons()
    if not names:
        raise Stop("The add-ons are missing from this checkout.", "Clone the repository again.")
    ensure_base(server)
    clone(server, BASE, name)
    names += BESIDE.get(name, [])
    words = ("-i", ",".join(names), "--no-http", "--stop-after-init")
    odoo.run(server, odoo.configure(server, name), "Install the add-ons", *words, log=log)
    describe(server, name, wanted())


def ensure(server, name, fresh=False):
    """Make a database, or update its modules when the sources changed; return its facts."""
    facts, now = info(server, name), wanted()
    if fresh or not facts:
        install(server, name, paths.LOGS / f"install-{name}.log")
        return now
    if facts == {**facts, **now}:
        return facts
    changed = ",".join(present_addons()) if facts.get("base") == now["base"] else "base"
    missing = () if changed == "base" else ("-i", changed)
    odoo.run(
        server,
        odoo.configure(server, name),
        "Update the add-ons in the database",
        *(*missing, "-u", changed, "--no-http", "--stop-after-init"),
        log=paths.LOGS / f"update-{name}.log",
    )
    facts = {**facts, **now, "played": None}
    describe(server, name, facts)
    return facts
