#!/usr/bin/env python3
# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Makes the fixture of a release: `python3 tests/releases/make.py COMMIT`, in a prepared checkout.

The demonstration of that commit (the Poitiers contract, its amounts invented) is installed from a
`git worktree` and played, without what an upgrade does not look at: modules that are not installed,
bundles, pictures. VERSION.tar.xz holds the database as SQL, the files that documents name, and the
statement that the release wrote itself; guards.csv, which SQL of the ledger's guards it has.
"""

import ast
import csv
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent))

from launcher import backup, databases, files, odoo, paths, process, workshop  # noqa: E402

DATABASE, YEAR_END = f"ctai_release_{os.getpid()}", "2021-12-31"
ADDONS = ",".join(paths.ADDONS)
GUARDS = HERE / "guards.csv"
#: What an upgrade of ours makes again, or never reads. Caches and mails are no part of a ledger.
#: What Odoo notes of its own models goes too, but for those that ours extend; its views stay: the
#: next release may extend others.
LEFT_OUT = """
    DELETE FROM ir_module_module WHERE state = 'uninstalled';
    UPDATE ir_module_module SET summary = NULL, description = NULL;
    DELETE FROM ir_attachment WHERE store_fname IS NOT NULL
       AND res_model IS DISTINCT FROM 'account.move' AND coalesce(res_model, '') NOT LIKE 'grant.%';
    DELETE FROM ir_logging;
    DELETE FROM mail_mail;
    CREATE TEMP TABLE ours AS
        SELECT model, res_id FROM ir_model_data WHERE module LIKE 'ctai_grants%';
    UPDATE ir_ui_view SET arch_db = arch_db - 'fr_FR', arch_prev = NULL;
    DELETE FROM ir_model_fields
     WHERE id NOT IN (SELECT field_id FROM ir_default) AND model NOT IN (
        SELECT model FROM ir_model_fields
         WHERE id IN (SELECT res_id FROM ours WHERE model = 'ir.model.fields'));
    UPDATE ir_model_fields SET field_description = field_description - 'fr_FR', help = NULL;
    DELETE FROM ir_model_constraint WHERE module NOT IN (
        SELECT id FROM ir_module_module WHERE name LIKE 'ctai_grants%');
    DELETE FROM res_bank WHERE id NOT IN (
        SELECT bank_id FROM res_partner_bank WHERE bank_id IS NOT NULL);
    DELETE FROM res_country_state WHERE id NOT IN (
        SELECT state_id FROM res_partner WHERE state_id IS NOT NULL);
    DELETE FROM ir_model_data data
     WHERE module NOT LIKE 'ctai_grants%' AND model LIKE 'ir.model.%' AND model != 'ir.model.access'
        OR model = 'ir.module.module' AND NOT EXISTS (
           SELECT FROM ir_module_module WHERE id = res_id)
        OR model = 'res.bank' AND NOT EXISTS (SELECT FROM res_bank WHERE id = res_id)
        OR model = 'res.country.state' AND NOT EXISTS (
           SELECT FROM res_country_state WHERE id = res_id);
"""
#: By its comment Odoo knows what an index or a constraint was defined as, and changes it. (Comments
#: on columns are labels: left out.)
COMMENTS = """
    SELECT format('COMMENT ON INDEX public.%I IS %L;', relname, description)
      FROM pg_description JOIN pg_class ON pg_class.oid = objoid
     WHERE classoid = 'pg_class'::regclass AND relkind = 'i'
    UNION ALL
    SELECT format('COMMENT ON CONSTRAINT %I ON %s IS %L;', conname,
                  'public.' || quote_ident(relname), description)
      FROM pg_description JOIN pg_constraint ON pg_constraint.oid = objoid
      JOIN pg_class ON pg_class.oid = conrelid
     WHERE classoid = 'pg_constraint'::regclass
     ORDER BY 1
"""
FILES = "SELECT DISTINCT store_fname FROM ir_attachment WHERE store_fname IS NOT NULL"


def main(commit):
    """Make the fixture of a commit of this repository."""
    tree = Path(tempfile.mkdtemp()) / "tree"
    git = ["git", "-C", str(paths.ROOT), "worktree"]
    subprocess.run([*git, "add", "--detach", str(tree), commit], check=True)
    try:
        with workshop.running(test=True) as server:
            make(server, tree)
    finally:
        subprocess.run([*git, "remove", "--force", str(tree)], check=True)
        shutil.rmtree(tree.parent)


def make(server, tree):
    """Install, play, and write the archive."""
    facts = ast.literal_eval((tree / "ctai_grants" / "__manifest__.py").read_text("utf-8"))
    databases.drop(server, DATABASE)
    databases.create(server, DATABASE)
    config = odoo.configure(server, DATABASE)
    config.write_text(files.read(config).replace(f"path = {paths.ROOT}\n", f"path = {tree}\n"))
    # Not from the template: it has what today's add-ons depend on.
    words = ("-i", ADDONS, "--load-language", databases.LANGUAGE, "--skip-auto-install")
    call(server, tree, config, "server", *words, "--no-http", "--stop-after-init")
    output = tree / "out"
    output.mkdir()
    for step in ("play", "statements"):
        play(server, tree, config, step, output)
    words = ("--contract", "CTAI-POITIERS-2021", "--as-at", YEAR_END, "--lang", databases.LANGUAGE)
    call(server, tree, config, "grants_statement", *words, "--output", output)
    server.sql(LEFT_OUT, database=DATABASE)
    pack(server, output, HERE / f"{facts['version']}.tar.xz")
    note_guards(tree)
    databases.drop(server, DATABASE)


def get_guards(tree):
    """Return, of each add-on of a tree, its version and a digest of its functions and triggers."""
    rows = []
    for addon in paths.ADDONS:
        facts = ast.literal_eval((tree / addon / "__manifest__.py").read_text("utf-8"))
        total = hashlib.sha256()
        for path in sorted((tree / addon).rglob("*.sql")):
            total.update(path.read_bytes())
        rows.append([addon, facts["version"], total.hexdigest()[:20]])
    return rows


def note_guards(tree):
    """Add what the add-ons of a tree are guarded by to the list."""
    known = list(csv.reader(io.StringIO(files.read(GUARDS))))
    new = [row for row in get_guards(tree) if row not in known]
    with open(GUARDS, "w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(sorted(known + new))


def call(server, tree, config, name, *words):
    """Run a command of Odoo's with the add-ons of that tree."""
    words = [paths.PYTHON, paths.ODOO_BIN, f"--addons-path={tree}", name, "-c", config, *words]
    if process.start(words, env=server.environment(), cwd=tree):
        sys.exit(f"{name} failed")


def play(server, tree, config, step, output):
    """Play a step of that tree's demonstration; older ones have no statements."""
    if step == "play" or (tree / "data/poitiers_2021" / f"{step}.py").exists():
        words = [paths.PYTHON, "-m", "poitiers_2021", step, "-c", config, "-d", DATABASE]
        env = {**server.environment(), "CTAI_DEBUG": "1"}
        if process.start([*words, "--output", output], env=env, cwd=tree / "data"):
            sys.exit(f"{step} failed")


def pack(server, output, target):
    """Write the archive: plain SQL, which xz makes smaller than what pg_dump packs."""
    program = backup.programs(int(server.sql("SHOW server_version_num")) // 10000) / "pg_dump"
    words = [program, "--no-owner", "--no-privileges", "--no-comments", DATABASE]
    env = {**os.environ, **server.environment()}
    sql = subprocess.run(words, env=env, check=True, capture_output=True).stdout
    # An older PostgreSQL or psql does not know these.
    sql = re.sub(rb"(?m)^(\\(un)?restrict|SET transaction_).*\n", b"", sql)
    with tarfile.open(target, "w:xz", preset=9) as archive:
        comments = server.sql(COMMENTS, database=DATABASE)
        add(archive, "database.sql", sql + comments.encode() + b"\n")
        for name in server.sql(FILES, database=DATABASE).split():
            add(archive, f"filestore/{name}", (paths.FILESTORE / DATABASE / name).read_bytes())
        (statement,) = output.glob(f"*{YEAR_END}_csv.zip")
        add(archive, "statement.zip", statement.read_bytes())


def add(archive, name, content):
    """Add a file that says neither when nor by whom it was written."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


if __name__ == "__main__":
    main(*sys.argv[1:])
