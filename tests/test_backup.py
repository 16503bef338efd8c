# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Backups: of one moment, whole or not there, and restored whole or not at all.

On a database that has what a backup looks at and nothing else; a real one, while it is written to,
is in test_drill.py.
"""

import errno
import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from test_cluster import long_lived  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from launcher import backup, databases, odoo, paths, postgres, restore  # noqa: E402
from launcher.errors import Stop  # noqa: E402

TABLES = """
    CREATE TABLE grant_contract (id int, code text);
    CREATE TABLE grant_envelope (id int, code text, contract_id int);
    CREATE TABLE grant_entry (envelope_id int, number int, hash text);
    CREATE TABLE ir_module_module (name text, latest_version text, state text);
    CREATE TABLE ir_attachment (
        id serial, name text, res_model text, res_id int, store_fname text);
    INSERT INTO grant_contract VALUES (1, 'C-1');
    INSERT INTO grant_envelope VALUES (1, 'A', 1), (2, E'B,\\n"b"', 1);
    INSERT INTO ir_module_module VALUES ('ctai_grants', '19.0.1', 'installed');
"""


class City:
    """A database with a ledger and files."""

    name = "city"

    def __init__(self, server):
        self.server = server
        self.store = paths.FILESTORE / self.name
        self.sql(TABLES)

    def sql(self, text, name=None):
        return self.server.sql(text, database=name or self.name)

    def post(self, envelope, number):
        self.sql(f"INSERT INTO grant_entry VALUES ({envelope}, {number}, 'hash {number}')")

    def attach(self, content):
        """Store a file as Odoo does, and return where."""
        digest = hashlib.sha1(content.encode()).hexdigest()
        path = self.store / digest[:2] / digest
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        self.sql(
            "INSERT INTO ir_attachment (name, res_model, res_id, store_fname) VALUES"
            f" ('{content}.pdf', 'grant.deliverable.version', 7, '{digest[:2]}/{digest}')"
        )
        return path

    def save(self, target):
        return backup.save(self.server, self.name, self.store, target)


@pytest.fixture
def server(long_lived, monkeypatch):  # noqa: F811
    monkeypatch.setattr(paths, "FILESTORE", paths.STATE / "data" / "filestore")
    paths.LOGS.mkdir(exist_ok=True)
    long_lived.sql("ALTER SYSTEM SET fsync = off", "postgres")  # no power cut is tried here
    long_lived.sql("SELECT pg_reload_conf()", "postgres")
    # Odoo's part is not here.
    monkeypatch.setattr(odoo, "version", lambda _folder: "19.0.0")
    monkeypatch.setattr(odoo, "package_folder", lambda: None)
    monkeypatch.setattr(restore, "_call", lambda *_arguments, **_options: None)
    yield long_lived


@pytest.fixture
def city(server):
    server.sql("CREATE DATABASE city TEMPLATE template0")
    city = City(server)
    city.post(1, 1)
    city.post(1, 2)
    city.post(2, 1)
    city.attach("first")
    city.attach("second")
    databases.describe(server, "city", {"played": "x"})
    yield city
    for name in ("city", "copy"):
        server.sql('DROP DATABASE IF EXISTS :"name" WITH (FORCE)', name=name)
    shutil.rmtree(paths.FILESTORE)


def put_back(server, folder, **options):
    restore.make(server, folder, restore.check(folder), "copy", **options)


def exists(server, name):
    return bool(server.sql("SELECT 1 FROM pg_database WHERE datname = :'name'", name=name))


def nothing_left(server, folder):
    return not (exists(server, "copy") or (paths.FILESTORE / "copy").exists()) and not [
        path for path in folder.iterdir() if path.name.endswith(backup.PART)
    ]


# --- there and back -----------------------------------------------------------------------


def test_there_and_back(city, server, tmp_path):
    manifest = city.save(tmp_path / "b")
    assert [(head["chain"], head["number"]) for head in manifest["heads"]] == [
        ("envelope 1 C-1/A", "2"),
        ('envelope 2 C-1/B, "b"', "1"),
    ]
    lines = (tmp_path / "b" / "heads.csv").read_text().splitlines()
    assert lines[0] == "chain,number,head,time"
    assert lines[1] == f"envelope 1 C-1/A,2,hash 2,{manifest['time']}"
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0  # there are names and accounts in it
    assert subprocess.call(["sha256sum", "--quiet", "-c", "files.sha256"], cwd=tmp_path / "b") == 0

    put_back(server, tmp_path / "b")
    assert city.sql("SELECT count(*) FROM grant_entry", "copy") == "3"
    assert {path.read_text() for path in (paths.FILESTORE / "copy").glob("*/*")} == {
        "first",
        "second",
    }
    assert databases.info(server, "copy") == {"played": "x"}


def test_one_moment(city, server, tmp_path, monkeypatch):
    """What is written after the moment is not there; what is removed after it is."""
    dump = backup._dump
    removed = city.attach("removed")

    def meanwhile(*arguments):
        city.post(1, 3)
        city.attach("late")
        city.sql("DELETE FROM ir_attachment WHERE name = 'removed.pdf'")
        removed.unlink()
        dump(*arguments)

    monkeypatch.setattr(backup, "_dump", meanwhile)
    city.save(tmp_path / "b")
    put_back(server, tmp_path / "b")
    assert city.sql("SELECT max(number) FROM grant_entry", "copy") == "2"
    names = city.sql("SELECT name FROM ir_attachment ORDER BY id", "copy").split()
    assert names == ["first.pdf", "second.pdf", "removed.pdf"]
    stored = {path.read_text() for path in (paths.FILESTORE / "copy").glob("*/*")}
    assert stored == {"first", "second", "removed"}


def test_what_comes_between_the_copies(city, tmp_path, monkeypatch):
    """A file of the last moment is copied by the second pass."""
    enter, passes = backup.Moment.__enter__, []

    def begin(moment):
        passes.append(moment)
        if len(passes) == 2:
            city.attach("between")
        return enter(moment)

    monkeypatch.setattr(backup.Moment, "__enter__", begin)
    city.save(tmp_path / "b")
    stored = {path.read_text() for path in (tmp_path / "b" / "filestore").glob("*/*")}
    assert stored == {"first", "second", "between"}


# --- a backup is whole or not there ---------------------------------------------------------


def refused(city, server, target, match):
    with pytest.raises(Stop, match=match):
        city.save(target)
    assert not target.exists() and nothing_left(server, target.parent)


def test_missing_file(city, server, tmp_path):
    city.attach("third").unlink()
    refused(city, server, tmp_path / "b", r"“third.pdf” \(grant.deliverable.version 7, .*missing")


def test_changed_file(city, server, tmp_path):
    city.attach("third").write_text("thirD")
    refused(city, server, tmp_path / "b", "“third.pdf” .* was changed")


def test_file_elsewhere(city, server, tmp_path):
    city.sql("UPDATE ir_attachment SET store_fname = 's3://x/y' WHERE name = 'first.pdf'")
    refused(city, server, tmp_path / "b", "“first.pdf” .* not backed up")


def test_disk_full(city, server, tmp_path, monkeypatch):
    def full(*_arguments):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "the file")

    monkeypatch.setattr(os, "sync", full)
    refused(city, server, tmp_path / "b", "could not be written .No space left.*Nothing of it")


def test_dump_fails(city, server, tmp_path, monkeypatch):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "pg_dump").write_text("#!/bin/sh\necho 'pg_dump: error: odd' >&2; exit 1\n")
    (programs / "pg_dump").chmod(0o755)
    monkeypatch.setattr(backup, "programs", lambda _major: programs)
    refused(city, server, tmp_path / "b", "Dump the database failed: pg_dump: error: odd")


def test_disk_full_in_the_dump(city, server, tmp_path, monkeypatch):
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho 'No space left on device' >&2; exit 1\n")
    (tmp_path / "pg_dump").chmod(0o755)
    monkeypatch.setattr(backup, "programs", lambda _major: tmp_path)
    refused(city, server, tmp_path / "b", "disk that holds .* is full. Nothing was left there")


def test_interrupted(city, server, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "_dump", interrupt)
    with pytest.raises(KeyboardInterrupt):
        city.save(tmp_path / "b")
    assert not (tmp_path / "b").exists() and nothing_left(server, tmp_path)


def interrupt(*_arguments, **_options):
    raise KeyboardInterrupt


def test_after_a_killed_one(city, tmp_path):
    """Names and accounts are not left lying about, under whatever name the next is written."""
    (tmp_path / ".a.ctai-part" / "filestore").mkdir(parents=True)
    city.save(tmp_path / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


def test_two_at_once(city, server, tmp_path, monkeypatch):
    """Into one folder: the second is refused. Into two: neither disturbs the other."""
    dump = backup._dump

    def second(*arguments):
        monkeypatch.setattr(backup, "_dump", dump)
        with pytest.raises(Stop, match="Another ./ctai is writing"):
            city.save(tmp_path / "b")
        city.save(tmp_path / "c")
        dump(*arguments)

    monkeypatch.setattr(backup, "_dump", second)
    city.save(tmp_path / "b")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b", "c"]


def test_database_goes_away(city, server, tmp_path, monkeypatch):
    dump = backup._dump

    def drop(*arguments):
        server.sql("DROP DATABASE city WITH (FORCE)")
        dump(*arguments)

    monkeypatch.setattr(backup, "_dump", drop)
    refused(city, server, tmp_path / "b", "Dump the database failed: .*city")


def test_target(city, server, tmp_path):
    (tmp_path / "empty").mkdir()
    city.save(backup._check_target(tmp_path / "empty"))
    (tmp_path / "file").touch()
    for taken in ("empty", "file"):
        with pytest.raises(Stop, match="is there already"):
            backup._check_target(tmp_path / taken)
    with pytest.raises(Stop, match="could not be written"):
        city.save(tmp_path / "file" / "b")


# --- a restored database is whole, or not there ---------------------------------------------


@pytest.fixture
def saved(city, tmp_path):
    city.save(tmp_path / "b")
    return tmp_path / "b"


def test_damaged_parts(saved, server):
    for name in ("database.dump", "heads.csv", "files.sha256"):
        content = (saved / name).read_bytes()
        for damaged in (content[:-1], content[:-1] + bytes([content[-1] ^ 1]), None):
            if damaged is None:
                (saved / name).unlink()
            else:
                (saved / name).write_bytes(damaged)
            with pytest.raises(Stop, match=f"damaged: .*{name} is"):
                put_back(server, saved)
        (saved / name).write_bytes(content)
    put_back(server, saved)


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"format": 1, "parts": {}}', "\x00"])
def test_damaged_manifest(saved, content):
    (saved / "manifest.json").write_text(content)
    with pytest.raises(Stop, match="The backup is damaged: .*manifest.json"):
        restore.check(saved)


def test_no_backup(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(Stop, match="is no backup"):
            restore.check(folder)


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("other")])
def test_damaged_file(saved, server, damage):
    damage(next((saved / "filestore").glob("*/*")))
    with pytest.raises(Stop, match="The backup is damaged: .*/filestore/"):
        put_back(server, saved)
    assert nothing_left(server, saved.parent)


def forge(saved, change):
    path = saved / "manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


def test_other_heads(saved, server):
    """A dump that is not of the ledger that the manifest names."""
    forge(saved, lambda manifest: manifest["heads"][0].update(number="3", head="h"))
    with pytest.raises(Stop, match=r"C-1/A” ends with entry 2 \(hash 2\), .* entry 3 \(h\)"):
        put_back(server, saved)
    assert nothing_left(server, saved.parent)
    with pytest.raises(Stop, match="copy is kept, as told"):
        put_back(server, saved, keep=True)
    assert exists(server, "copy")


def test_missing_chain(saved, server):
    forge(saved, lambda manifest: manifest["heads"].pop())
    with pytest.raises(Stop, match="B, .* ends with entry 1 .*in the backup with nothing"):
        put_back(server, saved)
    assert nothing_left(server, saved.parent)


def test_ledger_does_not_hold(saved, server, monkeypatch):
    def fail(_server, title, *_arguments, **_options):
        raise Stop(f"{title}: entry 2 was changed.")

    monkeypatch.setattr(restore, "_call", fail)
    with pytest.raises(Stop, match="Verify the ledger: entry 2 was changed"):
        put_back(server, saved)
    assert nothing_left(server, saved.parent)


@pytest.mark.parametrize("step", ["_load", "_copy", "_compare"])
def test_interrupted_restore(saved, server, monkeypatch, step):
    monkeypatch.setattr(restore, step, interrupt)
    with pytest.raises(KeyboardInterrupt):
        put_back(server, saved, keep=True)
    assert nothing_left(server, saved.parent)


def test_dump_is_refused(saved, server, monkeypatch):
    """It is what was written, and PostgreSQL cannot read it."""
    (saved / "database.dump").write_bytes(b"PGDMP nonsense")
    part = backup.describe(saved / "database.dump")
    forge(saved, lambda manifest: manifest["parts"].update({"database.dump": part}))
    with pytest.raises(Stop, match="did not take .*database.dump: pg_restore: error"):
        put_back(server, saved)
    assert nothing_left(server, saved.parent)


def test_a_killed_restore_is_begun_again(saved, server):
    databases.create(server, "copy", mark=databases.HALF)
    assert databases.info(server, "copy") == {}  # and nobody takes it for whole
    put_back(server, saved)
    assert databases.info(server, "copy") == {"played": "x"}


def test_what_killed_restores_left_goes(saved, server):
    """Of other names too, but not what another checkout is just making on the same server."""
    for name in ("half", "others", "copy"):
        databases.create(server, name, mark=databases.HALF)
    with restore._claimed(server, "others") as is_mine:
        assert is_mine
        put_back(server, saved)
        assert exists(server, "others") and not exists(server, "half")
    with restore._claimed(server, "copy"), pytest.raises(Stop, match="is restoring into copy"):
        put_back(server, saved)
    assert exists(server, "copy")
    server.sql("DROP DATABASE others")


def test_kept_as_told(saved, server, monkeypatch):
    """What does not hold is kept, and can be looked at and upgraded; no restore replaces it."""

    def fail(*_arguments, **_options):
        raise Stop("It does not hold.", "")

    monkeypatch.setattr(restore, "_compare", fail)
    with pytest.raises(Stop, match="copy is kept, as told"):
        put_back(server, saved, keep=True)
    assert databases.info(server, "copy") == {"played": "x"}
    with pytest.raises(Stop, match="copy is there already"):
        put_back(server, saved)


def test_what_is_there_is_left_alone(saved, server):
    put_back(server, saved)
    with pytest.raises(Stop, match="copy is there already. Restore into another name"):
        put_back(server, saved)
    assert exists(server, "copy")


def test_surviving_files_stay(saved, server):
    """The database was lost and its files were not: they are not deleted by a failure."""
    kept = paths.FILESTORE / "copy" / "ab" / "of the last days"
    kept.parent.mkdir(parents=True)
    kept.touch()
    forge(saved, lambda manifest: manifest["heads"].pop())
    with pytest.raises(Stop, match="in the backup with nothing"):
        put_back(server, saved)
    assert kept.exists() and not exists(server, "copy")


def test_older_server(saved, server):
    forge(saved, lambda manifest: manifest["postgresql"].update(major=99, version="99.1"))
    with pytest.raises(Stop, match="is of PostgreSQL 99.1; .* is older"):
        put_back(server, saved)


# --- around -------------------------------------------------------------------------------


def test_programs(monkeypatch, tmp_path):
    """Those of the server's version; newer ones only for servers that understand them."""
    embedded = postgres.program("pg_dump").parent
    versions = {embedded: 18, Path("/usr/lib/postgresql/15/bin"): 15}
    monkeypatch.setattr(backup, "_major", lambda folder: versions.get(folder, 0))
    assert backup.programs(18) == backup.programs(17) == embedded
    assert backup.programs(15) == Path("/usr/lib/postgresql/15/bin")
    for major in (14, 19):
        with pytest.raises(Stop, match=f"apt-get install postgresql-client-{major}"):
            backup.programs(major)


def test_names():
    assert backup.check_name("ctai_2") == "ctai_2"
    for name in ("", "../x", "a b", "host=x", "postgresql://x", "x" * 64):
        with pytest.raises(Stop, match="no name for a database"):
            backup.check_name(name)


def test_a_child_ends_with_the_moment(server):
    server.sql("CREATE DATABASE city TEMPLATE template0")
    with backup.Moment(server, "city") as moment:
        assert moment.rows("SELECT 1 AS one") == [{"one": "1"}]
        with pytest.raises(Stop, match="no_such"):
            moment.rows("SELECT no_such")
    assert moment._psql.poll() is not None
    server.sql("DROP DATABASE city")


def test_no_such_database(server):
    with pytest.raises(Stop, match="no_such"), backup.Moment(server, "no_such"):
        pass
