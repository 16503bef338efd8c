# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Databases of earlier releases (tests/releases/), upgraded with the add-ons of this tree: the
ledger is the one it was, `verify` holds, and what was stated before is stated still.

Every run upgrades the latest, `./ctai test --long` all of them.
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
import zipfile
from pathlib import Path

import pytest
from clients import on_server
from conftest import LONG
from pypdf import PdfReader

import odoo
from odoo import SUPERUSER_ID, api
from odoo.fields import Date
from odoo.modules.registry import Registry
from odoo.sql_db import close_db, db_connect

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from launcher import backup, checks, paths, postgres  # noqa: E402

RELEASES = sorted(
    ROOT.glob("tests/releases/*.tar.xz"), key=lambda path: [*map(int, path.name.split(".")[:5])]
)
YEAR_END = Date.to_date("2021-12-31")
ADDONS = ",".join(paths.ADDONS)
#: What a statement says of money, whatever the release wrote beside it.
FIGURES = ("synthese", "operateurs-et-actions", "tranches", "ledger")


def run_odoo(name, *words):
    """Run Odoo, or a command of ours, on a database; what it says, and its exit code."""
    program = [os.environ["CTAI_PYTHON"], os.environ["CTAI_ODOO_BIN"], f"--addons-path={ROOT}"]
    words = [*program, words[0], "-c", os.environ["CTAI_CONFIG"], "-d", name, *words[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    return done.stdout + done.stderr, done.returncode


def get_heads(name):
    """The last entry of each chain."""
    with db_connect(name).cursor() as cr:
        cr.execute(backup.HEADS_QUERY)
        return cr.fetchall()


def read_figures(archive):
    """The rows of the CSV files of a statement, by what they are about."""
    found = {}
    with zipfile.ZipFile(archive) as files:
        for name in files.namelist():
            about = re.sub(r"^\d+-|\.csv$", "", name)
            if about in FIGURES:
                text = files.read(name).decode("utf-8-sig")
                found[about] = list(csv.reader(io.StringIO(text), delimiter=";"))
    return found


class Restored:
    """The database of a release, restored."""

    def __init__(self, release, folder):
        self.version = release.name.removesuffix(".tar.xz")
        self.name = f"ctai_upgrade_{os.getpid()}"
        self.store = Path(odoo.tools.config.filestore(self.name))
        with tarfile.open(release) as archive:
            # Our own file; Python 3.11 before 3.11.4 knows no filter.
            safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            archive.extractall(folder, **safe)
        self.statement = folder / "statement.zip"
        if (folder / "filestore").exists():
            shutil.copytree(folder / "filestore", self.store)
        on_server(f'CREATE DATABASE "{self.name}" ENCODING \'UTF8\' TEMPLATE template0')
        words = [postgres.program("psql"), "-Xqo", os.devnull, "-v", "ON_ERROR_STOP=1", self.name]
        subprocess.run([*words, "-1f", folder / "database.sql"], check=True)

    def drop(self):
        Registry.delete(self.name)
        close_db(self.name)
        on_server(f'DROP DATABASE IF EXISTS "{self.name}" WITH (FORCE)')
        shutil.rmtree(self.store, ignore_errors=True)


@pytest.fixture(scope="module", params=RELEASES if LONG else RELEASES[-1:], ids=lambda p: p.name)
def upgraded(request, tmp_path_factory):
    """A release's database, upgraded: with its heads of before, and what verify said then."""
    restored = Restored(request.param, tmp_path_factory.mktemp("release"))
    try:
        restored.heads = get_heads(restored.name)
        restored.said = run_odoo(restored.name, "grants_verify")
        words = ("-u", ADDONS, "--no-http", "--stop-after-init")
        said, code = run_odoo(restored.name, "server", *words)
        assert code == 0 and not checks.COMPLAINT.findall(said), said[-5000:]
        yield restored
    finally:
        restored.drop()


@pytest.fixture
def env(upgraded, monkeypatch):
    """An environment that keeps nothing."""
    # As a server opens it: not to collect the tests of each add-on.
    monkeypatch.setitem(odoo.tools.config.options, "test_enable", False)
    with Registry(upgraded.name).cursor() as cr:
        yield api.Environment(cr, SUPERUSER_ID, {"lang": "fr_FR"})
        cr.rollback()


def test_not_yet_upgraded(upgraded):
    """Under add-ons of another version the database is named as what it is."""
    said, code = upgraded.said
    facts = ast.literal_eval((ROOT / "ctai_grants" / "__manifest__.py").read_text("utf-8"))
    if upgraded.version != facts["version"]:
        assert code == 1, said
        assert f"ctai_grants {upgraded.version}" in said and "-u ctai_grants" in said


def test_verify_holds(env):
    assert env["grant.entry"]._verify_database() == []


def test_heads_are_those_of_before(upgraded):
    assert upgraded.heads and get_heads(upgraded.name) == upgraded.heads


def test_figures_are_those_of_before(upgraded, env):
    """The statement that the release wrote of its year says what it says today."""
    contract = env["grant.contract"].search([])
    stream, _name, _mimetype = env["grant.statement.data"]._make(contract, YEAR_END, "csv")
    with stream:
        today = read_figures(stream)
    before = read_figures(upgraded.statement)
    assert set(before) == set(FIGURES)
    for about, rows in before.items():
        # A later release may say more, in columns at the end.
        assert len(today[about]) == len(rows), about
        told = zip(today[about], rows, strict=True)
        assert [new[: len(old)] for new, old in told] == rows, about


def test_issued_statements_are_the_bytes_they_were(upgraded, env):
    """Kept, and made again of what was frozen. Archives by what is in them: libraries pack each in
    their own way. A later release may set the document in another way: its figures stay."""
    from odoo.addons.ctai_grants_reports.lib import frozen

    statements = env["grant.statement"].search([("state", "!=", "draft")])
    assert statements or upgraded.version < "19.0.1.5.0"
    for statement in statements:
        kept = {file.kind: file.attachment_id.raw for file in statement.file_ids}
        assert sorted(kept) == ["csv", "json", "pdf", "xlsx"]
        for file in statement.file_ids:
            assert hashlib.sha256(kept[file.kind]).hexdigest() == file.sha256
        again = io.BytesIO()
        stated = frozen.read(io.BytesIO(kept["json"]))
        frozen.write(stated, again)
        assert again.getvalue() == kept["json"]
        digest = hashlib.sha256(kept["json"]).hexdigest()
        for kind, (_name, _mimetype, content) in statement._make_files(stated, digest):
            read = read_document if kind == "pdf" else unpack
            assert read(content) == read(kept[kind]), kind


def read_document(content):
    """Each amount, day and time of a document, as often as it stands there, and each hash."""
    pages = PdfReader(io.BytesIO(content)).pages
    text = "\n".join(page.extract_text() for page in pages)
    figures = sorted(re.findall(r"−?\d[\d\u202f]*,\d\d|\d\d/\d\d/\d{4}(?: \d\d:\d\d)?", text))
    # One that does not fit into its column stands on several lines.
    hashes = sorted(set(re.findall(r"[0-9a-f]{64}", "".join(text.split()))))
    assert figures and hashes
    return figures, hashes


def unpack(content):
    """What is in a file."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
