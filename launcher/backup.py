# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai backup`: a database, its files and the heads of its ledger, all of one moment.

One transaction is that moment: it lends its snapshot to pg_dump, and reads the heads and which
files there are. Odoo writes a file before the row that names it and never changes one; it removes
those that no row names any more. So the files are copied twice: what there is before the moment,
in case it is removed, then what the moment names beyond that.
"""

import csv
import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import uuid
from contextlib import contextmanager
from pathlib import Path

from . import databases, files, odoo, paths, postgres, process, pyenv, ui, workshop
from .errors import Stop

MANIFEST, DUMP, HEADS, SUMS = "manifest.json", "database.dump", "heads.csv", "files.sha256"
FILESTORE = "filestore"
PART = ".ctai-part"  # ends the name of what is not complete
FORMAT = 1
#: What a manifest of this form says, and of which parts.
KEYS = {"database", "time", "postgresql", "facts", "files", "heads", "parts"}
PARTS = {DUMP, HEADS, SUMS}
HEAD_COLUMNS = ("chain", "number", "head", "time")
#: The last entry of each chain: what a later ledger still has to contain.
HEADS_QUERY = r"""
    SELECT DISTINCT ON (entry.envelope_id)
           regexp_replace(concat_ws(' ', 'envelope', entry.envelope_id, contract.code || '/'
                                    || envelope.code), '\s+', ' ', 'g') AS chain,
           entry.number, entry.hash AS head
      FROM grant_entry entry
      LEFT JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
      LEFT JOIN grant_contract contract ON contract.id = envelope.contract_id
     ORDER BY entry.envelope_id, entry.number DESC"""
#: The first query of the transaction: from here on it sees nothing new.
MOMENT_QUERY = """
    SELECT pg_export_snapshot() AS snapshot, current_setting('server_version') AS version,
           current_setting('server_version_num')::int / 10000 AS major,
           to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')
           AS time"""
FILES_QUERY = """
    SELECT DISTINCT ON (store_fname) store_fname, id, name, res_model, res_id
      FROM ir_attachment WHERE store_fname IS NOT NULL ORDER BY store_fname, id"""
STORED = re.compile(r"[0-9a-f]{2}/([0-9a-f]{40})")


def backup(options):
    """Write a backup into a folder that is complete or not there."""
    name = check_name(options.database)
    store = Path(options.filestore).absolute() if options.filestore else paths.FILESTORE / name
    target = _check_target(Path(options.folder).absolute())
    with server_with(name) as server:
        manifest = save(server, name, store, target)
    ui.say(f"{target}: {told(manifest)}. Keep it elsewhere, with its hash:")
    ui.say(f"{files.sha256(target / MANIFEST)}  {target.name}/{MANIFEST}")


def check_name(name):
    """Return a database's name, which is a folder's too."""
    if not re.fullmatch(r"[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}", name):
        raise Stop(f"“{name}” is no name for a database.", "Use letters, digits, - and _.", code=2)
    return name


@contextmanager
def server_with(name):
    """Yield the database server, which has to have a database with a ledger."""
    if name == databases.DEMO and not pyenv.complete():
        raise Stop("Nothing is prepared yet.", "Run ./ctai demo first.")
    with workshop.running() as server:
        comment = databases.comment(server, name)
        if databases.HALF in comment:
            raise Stop(f"The database {name} is only half restored.", "Restore it again.")
        if not comment:
            raise Stop(f"There is no database {name} on {server}.", "Name one with --database.")
        if not server.sql("SELECT to_regclass('grant_entry')", database=name):
            raise Stop(f"The database {name} holds no ledger.", "Name another with --database.")
        yield server


def told(manifest):
    """Return what a backup holds, for people."""
    entries = sum(int(head["number"]) for head in manifest["heads"])
    return (
        f"{manifest['database']} of {manifest['time']}, {manifest['files']['count']} files,"
        f" {len(manifest['heads'])} chains of {entries} entries"
    )


def _check_target(target):
    if target.is_dir() and not any(target.iterdir()):
        return target
    if target.exists() or target.is_symlink():
        raise Stop(f"{target} is there already and not an empty folder.", "Name a new one.")
    return target


# --- the moment -----------------------------------------------------------------------------


class Moment:
    """A transaction that sees a database as it is when it begins."""

    def __init__(self, server, database):
        words = [postgres.program("psql"), "-XAtqw", "-v", "ON_ERROR_STOP=1", database]
        self._psql = process.launch(
            words,
            env=server.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self):
        # A server may be told to end transactions that wait, and ours waits for pg_dump.
        self._ask(
            "SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN"
            " ('statement_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout');"
            " BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        )
        return self

    def __exit__(self, *_error):
        process.end(self._psql)

    def _ask(self, text):
        mark, lines = uuid.uuid4().hex, []
        try:
            self._psql.stdin.write(f"{text};\n\\echo {mark}\n")
            self._psql.stdin.flush()
        except BrokenPipeError:
            pass  # it says why
        for line in self._psql.stdout:
            if line == f"{mark}\n":
                return "".join(lines)
            lines.append(line)
        raise Stop(f"PostgreSQL refused: {' '.join(''.join(lines).split()) or 'it went away'}.")

    def rows(self, query):
        """Return the rows of a query, each value as a text."""
        text = self._ask(f"COPY ({query}) TO STDOUT WITH (FORMAT csv, HEADER)")
        return list(csv.DictReader(io.StringIO(text, newline="")))


# --- the parts ------------------------------------------------------------------------------


def save(server, name, store, target):
    """Write the backup of a database and the files of `store`; return its manifest."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with _beside(target) as side:
            manifest = _fill(server, name, Store(store, side / FILESTORE), side)
            os.sync()
            os.rename(side, target)
    except OSError as error:
        raise _cannot_write(target, error) from None
    return manifest


@contextmanager
def _beside(target):
    """Yield a folder of ours to fill; removed unless it was renamed, at the latest by the next."""
    side = target.with_name(f".{target.name}{PART}")
    for old in target.parent.glob(f".*{PART}"):
        with _claimed(old) as is_mine:
            if is_mine:  # whose it was was killed
                files.remove(old)
    if side.exists():
        raise Stop(f"Another ./ctai is writing {target}.", "Name another folder.")
    side.mkdir(mode=0o700)
    with _claimed(side):
        try:
            yield side
        finally:
            files.remove(side)


@contextmanager
def _claimed(folder):
    """Hold a folder, as long as this process lives; yield whether nobody else does."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _cannot_write(target, error):
    return Stop(
        f"The backup {target} could not be written ({error.strerror}: {error.filename}).",
        "Nothing of it was left there. Make room, or name another folder.",
    )


def _fill(server, name, store, side):
    with Moment(server, name) as before, ui.step("Copy the files", store.progress):
        store.copy(before.rows(FILES_QUERY), strict=False)
    with Moment(server, name) as moment:
        (start,) = moment.rows(MOMENT_QUERY)
        heads = [head | {"time": start["time"]} for head in moment.rows(HEADS_QUERY)]
        stored = moment.rows(FILES_QUERY)
        modules = moment.rows("""SELECT name, latest_version AS version FROM ir_module_module
                                  WHERE state = 'installed' ORDER BY name""")
        _dump(server, name, start, side / DUMP)
    with ui.step("Copy the files that came meanwhile", store.progress):
        sums = store.copy(stored)
    (side / SUMS).write_text("".join(sums), encoding="utf-8")
    with open(side / HEADS, "w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, HEAD_COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(heads)
    manifest = {
        "format": FORMAT,
        "database": name,
        "time": start["time"],
        "odoo": odoo.version(odoo.package_folder()),
        "postgresql": {"version": start["version"], "major": int(start["major"])},
        "modules": {row["name"]: row["version"] for row in modules},
        "facts": databases.facts_of(databases.comment(server, name)),
        "files": {"count": len(sums), "size": store.size},
        "heads": heads,
        "parts": {part: describe(side / part) for part in sorted(PARTS)},
    }
    text = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    (side / MANIFEST).write_text(text, encoding="utf-8")
    return manifest


def describe(path):
    """Return the size and the SHA-256 of a file of any length."""
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        while block := stream.read(1 << 20):
            total.update(block)
    return {"size": path.stat().st_size, "sha256": total.hexdigest()}


def _dump(server, name, start, dump):
    process.run(
        [
            *(programs(int(start["major"])) / "pg_dump", "--format=custom", "--no-password"),
            *(f"--snapshot={start['snapshot']}", "--lock-wait-timeout=5min"),
            *("--file", dump, name),
        ],
        "Dump the database",
        paths.LOGS / "backup.log",
        detail=lambda: f"{dump.stat().st_size / 1e6:.0f} MB",
        env=server.environment(),
        place=dump.parent.parent,
    )


def programs(major):
    """Return the folder of the pg_dump and pg_restore for a server."""
    embedded = postgres.program("pg_dump").parent
    on_path = shutil.which("pg_dump")
    folders = [Path(f"/usr/lib/postgresql/{major}/bin"), embedded]
    folders += [Path(on_path).parent] if on_path else []
    found = {folder: _major(folder) for folder in folders}
    fitting = [folder for folder in folders if found[folder] == major]
    # A newer one will do, but for what it says to servers before 17 and they do not understand.
    fitting += [folder for folder in folders if found[folder] > major >= 17]
    if not fitting:
        raise Stop(
            f"The server is PostgreSQL {major}, and no pg_dump and pg_restore of it were found.",
            f"On Debian: apt-get install postgresql-client-{major}",
        )
    return fitting[0]


def _major(folder):
    said = process.output([folder / "pg_dump", "--version"]) or ""
    number = re.search(r"\(PostgreSQL\) (\d+)", said)
    return int(number.group(1)) if number and (folder / "pg_restore").exists() else 0


# --- the files ------------------------------------------------------------------------------


class Store:
    """Copies files of Odoo's, each held against the hash that is its name."""

    def __init__(self, source, target):
        self.source, self.target = source, target
        self.size = self.done = self.total = 0
        self._sums = {}

    def progress(self):
        """Say how far the copying is."""
        return f"{self.done} of {self.total}, {self.size / 1e6:.0f} MB"

    def copy(self, rows, strict=True):
        """Copy the files that attachments name, unless done; return lines for `sha256sum -c`.

        :param strict: whether a file that is not there is an error
        """
        self.target.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.done, self.total = 0, len(rows)
        for row in rows:
            name = row["store_fname"]
            if name not in self._sums:
                try:
                    self._sums[name] = self._copy(row)
                except FileNotFoundError:
                    if strict:
                        raise wrong(row, f"is missing: {self.source / name}") from None
            self.done += 1
        return [f"{self._sums[row['store_fname']]}  {FILESTORE}/{row['store_fname']}\n"
                for row in rows if row["store_fname"] in self._sums]  # fmt: skip

    def _copy(self, row):
        name = row["store_fname"]
        stored = STORED.fullmatch(name)
        if not stored:
            raise wrong(row, f"is not in Odoo's own store but at “{name}”, which is not backed up")
        sha1, sha256 = hashlib.sha1(), hashlib.sha256()
        with open(self.source / name, "rb") as origin:
            (self.target / name).parent.mkdir(mode=0o700, exist_ok=True)
            with open(self.target / name, "wb", opener=_private) as copy:
                while block := origin.read(1 << 20):
                    sha1.update(block)
                    sha256.update(block)
                    copy.write(block)
                    self.size += len(block)
        if sha1.hexdigest() != stored.group(1):
            raise wrong(row, f"is not what Odoo stored: {self.source / name} was changed")
        return sha256.hexdigest()


def _private(path, flags):
    return os.open(path, flags, 0o600)


def wrong(row, what):
    """Return the Stop for a file that is not what its attachment says."""
    owner = f"{row['res_model']} {row['res_id']}, " if row["res_model"] else ""
    return Stop(f"The file of “{row['name']}” ({owner}attachment {row['id']}) {what}.")
