# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai restore`: a backup becomes a database beside the others, verified before it counts.

While it is being made its comment says so, and its maker holds a lock on its name, whichever
checkout he is of: what a killed restore left, the next one removes. Nothing that was there before
is changed.
"""

import json
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path

from . import backup, databases, files, odoo, paths, process, ui, workshop
from .errors import Stop


def restore(options):
    """Restore a backup into a database that is not there, and verify it."""
    folder = Path(options.folder).absolute()
    manifest = check(folder)
    name = backup.check_name(options.database or manifest["database"])
    with workshop.running() as server:
        make(server, folder, manifest, name, options.neutralize, options.keep)
    ui.say(f"{name} is {backup.told(manifest)}; it holds and is what was backed up.")
    if not options.neutralize:
        ui.say(
            "Served, it sends mails and runs scheduled actions as the original does: restore with"
            " --neutralize what is only a copy."
        )
    ui.say(f"Serve it with: ./ctai serve --database {name}")


def check(folder):
    """Return the manifest of a backup whose parts are all there, as they were written."""
    path = folder / backup.MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        known = manifest["format"]
        missing = known == backup.FORMAT and backup.KEYS - manifest.keys()
        missing = missing or known == backup.FORMAT and backup.PARTS - manifest["parts"].keys()
    except (FileNotFoundError, NotADirectoryError):
        raise Stop(f"{folder} is no backup: it has no {backup.MANIFEST}.") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(path, True) from None
    if missing:
        raise damaged(path, True)
    if known != backup.FORMAT:
        raise Stop(f"{folder} was written by another ./ctai (form {known}).", "Use that one.")
    with ui.step("Check the backup"):
        for part in sorted(backup.PARTS):
            wanted = manifest["parts"][part]
            found = (folder / part).exists() and backup.describe(folder / part)
            if found != wanted:
                raise damaged(folder / part, found)
    return manifest


def damaged(path, found):
    """Return the Stop for a part of a backup that is not as it was written."""
    what = "is not what was written" if found else "is missing"
    return Stop(f"The backup is damaged: {path} {what}.", "Take another copy of it.")


def make(server, folder, manifest, name, neutralize=False, keep=False):
    """Make a database from a backup; one that does not hold is dropped unless `keep`."""
    with (
        files.Lock(paths.STATE / "restore.lock").alone("Wait for another ./ctai restore"),
        _claimed(server, name) as is_mine,
    ):
        if not is_mine:
            raise Stop(
                f"Another ./ctai is restoring into {name}.", "Name another one with --database."
            )
        _remove_halves(server, name)
        _make_way(server, manifest, name)
        store = paths.FILESTORE / name
        had_files = store.exists()
        databases.create(server, name, mark=databases.HALF)
        try:
            _load(server, folder, name)
            config = odoo.configure(server, name)
            if neutralize:
                _call(server, "Neutralize", config, "neutralize", "-d", name)
            _copy(folder, store)
            _compare(server, manifest, name, store)
            _call(server, "Verify the ledger", config, "grants_verify", manifest=manifest)
        except BaseException as problem:
            if keep and isinstance(problem, Stop):
                _finish(server, manifest, name)
                problem.remedy += f" The database {name} is kept, as told."
            else:
                _undo(server, name, None if had_files else store)
            raise
        _finish(server, manifest, name)


def _finish(server, manifest, name):
    """Say of what a database is; no longer that it is being restored."""
    if manifest["facts"] is not None:
        databases.describe(server, name, manifest["facts"])
    else:
        server.sql('COMMENT ON DATABASE :"name" IS NULL', name=name)


@contextmanager
def _claimed(server, name):
    """Hold a name as long as this process lives; yield whether nobody else does."""
    key = f"hashtext('ctai restore {name}')"
    with backup.Moment(server, "postgres") as session:
        is_mine = session.rows(f"SELECT pg_try_advisory_lock({key}) AS is_mine")[0]["is_mine"]
        try:
            yield is_mine == "t"
        finally:
            with suppress(Stop):  # where the server is gone, so is the lock
                session.rows(f"SELECT pg_advisory_unlock({key}) AS was_mine")


def _remove_halves(server, name):
    """Remove the databases that killed restores left; `name` is held by who calls."""
    halves = server.sql(
        "SELECT datname FROM pg_database"
        " WHERE position(:'mark' IN shobj_description(oid, 'pg_database')) > 0",
        mark=databases.HALF,
    )
    for half in halves.split():
        with _claimed(server, half) as is_dead:
            if is_dead or half == name:
                _undo(server, half, None)


def _make_way(server, manifest, name):
    if int(server.sql("SHOW server_version_num")) // 10000 < manifest["postgresql"]["major"]:
        raise Stop(
            f"The backup is of PostgreSQL {manifest['postgresql']['version']}; {server} is older.",
            "Restore it on that version or a newer one.",
        )
    if databases.comment(server, name):
        raise Stop(
            f"The database {name} is there already.", "Restore into another name with --database."
        )


def _undo(server, name, store):
    try:
        server.sql('DROP DATABASE IF EXISTS :"name" WITH (FORCE)', name=name)
        if store:
            files.remove(store)
        files.remove(paths.STATE / f"{name}.conf")
    except (Stop, OSError) as problem:
        ui.note(f"The half of {name} could not be removed ({problem}): the next restore does.")


def _load(server, folder, name):
    dump = folder / backup.DUMP
    major = int(server.sql("SHOW server_version_num")) // 10000
    program = backup.programs(major) / "pg_restore"

    def refused(text):
        said = [line for line in text.splitlines() if "error:" in line] or ["it said nothing"]
        return Stop(f"PostgreSQL did not take {dump}: {said[0]}")

    words = [program, "--exit-on-error", "--no-owner", "--no-privileges", "--no-password"]
    words += ["--jobs", min(4, os.cpu_count() or 1), "--dbname", name, dump]
    log = paths.LOGS / "restore.log"
    # Each object is a transaction: the disk is waited for once, when the database is finished.
    told = f"{os.environ.get('PGOPTIONS', '')} -c synchronous_commit=off"
    env = {**server.environment(), "PGOPTIONS": told}
    place = paths.STATE if server.embedded else "the databases of your server"
    process.run(words, "Restore the database", log, env=env, on_error=refused, place=place)
    # What the planner knows about tables is not in a dump of every version.
    server.sql("ANALYZE", database=name)


def _copy(folder, store):
    """Put the files in place; one that is there already is replaced only by itself."""
    lines = (folder / backup.SUMS).read_text(encoding="utf-8").splitlines()
    done = 0
    with ui.step("Copy the files", lambda: f"{done} of {len(lines)}"):
        store.mkdir(parents=True, exist_ok=True)
        for line in lines:
            digest, path = line.split("  ", 1)
            origin, target = folder / path, store / path.removeprefix(f"{backup.FILESTORE}/")
            if not backup.STORED.fullmatch(target.relative_to(store).as_posix()):
                raise damaged(folder / backup.SUMS, True)
            if not origin.exists() or backup.describe(origin)["sha256"] != digest:
                raise damaged(origin, origin.exists())
            target.parent.mkdir(exist_ok=True)
            if not (target.exists() and backup.describe(target)["sha256"] == digest):
                shutil.copyfile(origin, target)
            done += 1


# --- is it what was backed up? --------------------------------------------------------------


def _compare(server, manifest, name, store):
    """Compare the heads and the files that the new database names with the backup's."""
    with backup.Moment(server, name) as moment:
        heads = {head["chain"]: head for head in moment.rows(backup.HEADS_QUERY)}
        rows = moment.rows(backup.FILES_QUERY)
    wanted = {head["chain"]: head for head in manifest["heads"]}
    for chain in sorted({*heads, *wanted}):
        ours, theirs = (_told(where.get(chain)) for where in (heads, wanted))
        if ours != theirs:
            raise Stop(f"The chain “{chain}” ends with {ours}, and in the backup with {theirs}.")
    for row in rows:
        if not (store / row["store_fname"]).is_file():
            raise backup.wrong(row, "is in the restored database, and not in the backup")


def _told(head):
    return f"entry {head['number']} ({head['head']})" if head else "nothing"


def _call(server, title, config, command, *arguments, manifest=None):
    """Run a command of Odoo's on the new database."""

    def failed(text):
        said = process.tail(log) or "it said nothing"
        here, there = databases.wanted(), (manifest or {}).get("facts") or {}
        other = manifest and there.get("sources", here["sources"]) != here["sources"]
        return Stop(
            f"{title}: {said}",
            "The backup is of other sources of the add-ons: restore it with those, or keep it"
            " (--keep) and upgrade it. " * bool(other) + f"(The whole log is {log}.)",
        )

    log = paths.LOGS / "restore-odoo.log"
    words = odoo.command(config, *arguments, name=command)
    process.run(words, title, log, env=server.environment(), cwd=paths.ROOT, on_error=failed)
