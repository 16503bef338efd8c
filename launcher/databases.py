# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The databases: a template with what the add-ons depend on, and clones of it.

A database is made under another name and renamed when it is complete. What it was made
from is kept in its own comment, so it can never be taken for something it is not.
"""

import ast
import json
import os
import shutil

from . import files, odoo, paths
from .errors import Stop

BASE, DEMO, TEST, BENCH = "ctai_base", "ctai", "ctai_test", "ctai_bench"
LANGUAGE = "fr_FR"
SIDE = "_new"


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


def sources():
    """Return the digest of our add-ons' sources."""
    return files.digest(*[paths.ROOT / name for name in present_addons()])


def base_digest():
    """Return what the template depends on."""
    return files.digest(odoo.identity(), " ".join(dependencies()), LANGUAGE, "2")


# --- small words ------------------------------------------------------------------------


def info(server, name):
    """Return what a database of ours says about itself; None when there is none."""
    rows = server.sql(
        (
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
    )
    if not rows:
        return None
    try:
        return json.loads(rows[0][0] or "")["ctai"]
    except (ValueError, KeyError, TypeError):
        raise Stop(
            f"The database {name} on {server} was not made by ./ctai.",
            "Rename or drop it, or use another server (the PG* variables).",
        ) from None


def describe(server, name, facts):
    """Keep facts in a database's comment."""
    server.sql(_comment(name, facts))


def _comment(name, facts):
    return (f'COMMENT ON DATABASE "{name}" IS %s', [json.dumps({"ctai": facts})])


def drop(server, name):
    """Drop a database and its files; it may not exist."""
    server.sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    files.remove(paths.FILESTORE / name)


def create_empty(server, name):
    """Create an empty database as Odoo would, without extensions it can do without."""
    drop(server, name)
    server.sql(
        f"CREATE DATABASE \"{name}\" ENCODING 'UTF8' LC_COLLATE 'C' TEMPLATE template0",
        _comment(name, {"state": "unfinished"}),
    )


def clone(server, source, name):
    """Copy a database and its files."""
    drop(server, name)
    server.sql(
        f'CREATE DATABASE "{name}" TEMPLATE "{source}"', _comment(name, {"state": "unfinished"})
    )
    if (paths.FILESTORE / source).exists():
        # Odoo never changes a stored file, so sharing them by link is a copy.
        shutil.copytree(paths.FILESTORE / source, paths.FILESTORE / name, copy_function=os.link)


def publish(server, name, facts):
    """Give a complete database its real name, in place of the one that had it."""
    drop(server, name)
    if (paths.FILESTORE / (name + SIDE)).exists():
        os.rename(paths.FILESTORE / (name + SIDE), paths.FILESTORE / name)
    server.sql(
        f'ALTER DATABASE "{name + SIDE}" RENAME TO "{name}"',
        _comment(name, facts),
        transaction=True,
    )


# --- what the commands need ---------------------------------------------------------------


def ensure_base(server):
    """Make the template with everything our add-ons depend on, unless it is there."""
    digest = base_digest()
    if (info(server, BASE) or {}).get("base") == digest:
        return
    side = BASE + SIDE
    create_empty(server, side)
    odoo.run(
        server,
        odoo.configure(server, side),
        "Create the template database",
        *("-i", ",".join(dependencies() or ["base"]), "--load-language", LANGUAGE),
        *("--no-http", "--stop-after-init"),
        log=paths.LOGS / "base.log",
    )
    publish(server, BASE, {"base": digest})


def install(server, name, title, log):
    """Make `name` from the template with our add-ons freshly installed."""
    clone(server, BASE, name)
    odoo.run(
        server,
        odoo.configure(server, name),
        title,
        *("-i", ",".join(present_addons()), "--no-http", "--stop-after-init"),
        log=log,
    )


def ensure_demo(server, fresh=False):
    """Make the demo database, or update its modules when the sources changed."""
    facts = None if fresh else info(server, DEMO)
    wanted = {"base": base_digest(), "sources": sources()}
    if facts is None:
        if not present_addons():
            raise Stop("The add-ons are missing from this checkout.", "Clone the repository again.")
        install(server, DEMO + SIDE, "Install the add-ons", paths.LOGS / "install.log")
        publish(server, DEMO, wanted)
        return
    if facts == {**facts, **wanted}:
        return
    changed = present_addons() if facts.get("base") == wanted["base"] else ["base"]
    missing = [] if changed == ["base"] else ["-i", ",".join(changed)]
    odoo.run(
        server,
        odoo.configure(server, DEMO),
        "Update the add-ons in the database",
        *(*missing, "-u", ",".join(changed), "--no-http", "--stop-after-init"),
        log=paths.LOGS / "update.log",
    )
    describe(server, DEMO, {**facts, **wanted, "played": None})
