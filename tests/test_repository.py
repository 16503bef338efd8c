# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Rules on the tree itself, and the wheel: built, installed, started without addons_path.

Run by `./ctai test`, which says in CTAI_* variables where Odoo and its database are.
"""

import ast
import configparser
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import polib
import psycopg2
import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDONS = sorted(path.parent for path in ROOT.glob("ctai_*/__manifest__.py"))
ADDON_IDS = [addon.name for addon in ADDONS]
each_addon = pytest.mark.parametrize("addon", ADDONS, ids=ADDON_IDS)


def tracked():
    """Return the files of the repository, also those about to be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if listed.returncode:  # an archive, not a clone
        found = [path for path in ROOT.rglob("*") if ".ctai" not in path.parts]
    else:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in found if path.is_file()]


def python_files(addon):
    """Return an add-on's Python files without its tests."""
    return [path for path in addon.rglob("*.py") if "tests" not in path.relative_to(addon).parts]


def manifest(addon):
    """Return an add-on's manifest."""
    return ast.literal_eval((addon / "__manifest__.py").read_text(encoding="utf-8"))


def catalogue(addon, name):
    """Return the entries of a translation file."""
    path = addon / "i18n" / name
    assert path.exists(), f"{path} is missing: ./ctai i18n writes it"
    return polib.pofile(str(path))


# --- the tree ---------------------------------------------------------------------------


def test_both_addons_are_here():
    assert ADDON_IDS == ["ctai_grants", "ctai_grants_reports"]


def test_no_registry_is_named():
    """Where packages come from is the machine's affair (apt's and pip's own settings)."""
    # In pieces, or this file would name them.
    hosts = ["pypi" + ".org", "python" + "hosted.org", "deb." + "debian", "snapshot." + "debian"]
    hosts += ["archive." + "ubuntu", "registry." + "npmjs", "http.us." + "debian"]
    hosts = re.compile("|".join(map(re.escape, hosts)).encode())
    assert [str(path) for path in tracked() if hosts.search(path.read_bytes())] == []


def test_no_package_at_the_top():
    """An `__init__.py` at the root would make pytest import the add-ons under wrong names."""
    assert not (ROOT / "__init__.py").exists()
    assert not (ROOT / "odoo").exists()


def test_tests_of_the_tree_have_the_names_they_are_run_by():
    assert (ROOT / "tests" / "test_launcher.py").exists()


@each_addon
def test_licence(addon):
    assert manifest(addon)["license"] == "AGPL-3"
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@each_addon
def test_every_file_of_a_package_is_imported(addon):
    """A model file that its package forgets is dead code that looks alive."""
    forgotten = []
    for init in addon.rglob("__init__.py"):
        folder = init.parent
        if {"tests", "lib"} & set(folder.relative_to(addon).parts):
            continue
        imported = set()
        # By the package, or by a module of it: a helper of the others.
        for path in folder.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    imported.update({alias.name for alias in node.names} | {node.module})
        present = {path.stem for path in folder.glob("*.py")} - {"__init__", "__manifest__"}
        forgotten += [str(folder / name) for name in present - imported]
    assert forgotten == []


@each_addon
def test_today_is_the_citys(addon):
    """The day of a posting or of a delay is neither the server's nor that of a browser:
    ``res.company._grant_today`` says which it is."""
    other = {
        ".py": r"context_today|\b[dD]ate\.today|\bdatetime\.now\(\)",
        ".sql": r"(?i)current_date|now\(\)\s*::\s*date",
        ".xml": r"current_date|\btoday\(\)\.iso|'today'",
    }
    found = [
        str(path)
        for path in addon.rglob("*.*")
        if path.suffix in other
        and "tests" not in path.relative_to(addon).parts
        and re.search(other[path.suffix], path.read_text(encoding="utf-8"))
    ]
    # What the ledger's filters read by month is chosen by who reads.
    assert [path for path in found if not path.endswith("grant_entry_views.xml")] == []


@each_addon
def test_every_test_file_is_imported(addon):
    """Odoo's runner sees only the tests that tests/__init__.py imports."""
    init = addon / "tests" / "__init__.py"
    text = init.read_text(encoding="utf-8") if init.exists() else ""
    names = [path.stem for path in addon.rglob("tests/**/test_*.py")]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


@each_addon
def test_every_data_file_is_listed(addon):
    """A view file that the manifest forgets is never loaded."""
    facts = manifest(addon)
    listed = set(facts.get("data", [])) | set(facts.get("demo", []))
    present = {
        path.relative_to(addon).as_posix()
        for suffix in ("xml", "csv")
        for path in addon.rglob(f"*.{suffix}")
        if not {"static", "tests", "i18n"} & set(path.relative_to(addon).parts)
    }
    assert sorted(present - listed) == []


@each_addon
def test_every_sudo_says_why(addon):
    """Stepping over access rights takes a reason beside it."""
    silent = []
    for path in python_files(addon):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            code = line.split("#")[0]
            before = lines[number - 1] if number else ""
            if ".sudo(" in code and "#" not in line and "#" not in before:
                silent.append(f"{path.relative_to(ROOT)}:{number + 1}")
    assert silent == []


@each_addon
def test_french_is_complete(addon):
    """Every term has its French, and none is a guess."""
    french = {entry.msgid: entry for entry in catalogue(addon, "fr.po")}
    missing = [
        entry.msgid
        for entry in catalogue(addon, f"{addon.name}.pot")
        if entry.msgid not in french or not french[entry.msgid].translated()
    ]
    assert missing == []


@each_addon
def test_french_keeps_the_placeholders(addon):
    """A placeholder lost or invented in a translation is an error page for its reader."""
    placeholder = re.compile(r"%\(\w+\)[sdf]|%[sd]")
    wrong = [
        entry.msgid
        for entry in catalogue(addon, "fr.po")
        if sorted(placeholder.findall(entry.msgid)) != sorted(placeholder.findall(entry.msgstr))
    ]
    assert wrong == []


# --- the wheel --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy: a build leaves files beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for path in tracked():
        relative = path.relative_to(ROOT)
        if relative.parts[0] in {*ADDON_IDS, "setup.py", "pyproject.toml", "LICENSE", "README.md"}:
            (source / relative).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, source / relative)
    target = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index"]
    run([*pip, "--no-build-isolation", "--wheel-dir", target, source])
    return next(target.glob("ctai_grants_suite-19.0.*.whl"))


def run(words, **options):
    """Run a program; fail with what it said."""
    result = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )
    assert result.returncode == 0, result.stdout[-5000:]
    return result.stdout


@pytest.fixture
def fresh_python(tmp_path, wheel):
    """Return the Python of a new environment with the wheel, beside a path to Odoo."""
    home = tmp_path / "environment"
    run([sys.executable, "-m", "venv", "--without-pip", home])
    site = next(home.glob("lib/python3*/site-packages"))
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index"]
    run([*pip, "--target", site, wheel])
    # Odoo's requirements are those the launcher installed; Odoo is where it says.
    path = [sysconfig.get_path("purelib"), os.environ["CTAI_ODOO_ROOT"]]
    (site / "odoo-and-its-requirements.pth").write_text("\n".join([*path, ""]))
    return home / "bin" / "python"


@pytest.fixture
def fresh_database():
    """Yield the name of a database with what the add-ons depend on; drop it afterwards."""
    name, base = "ctai_wheel", os.environ["CTAI_BASE_DB"]

    def execute(*statements):
        connection = psycopg2.connect(dbname="postgres")  # the rest is in PGHOST and the like
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()

    drop = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    execute(drop, f"CREATE DATABASE {name} TEMPLATE {base}")
    yield name
    execute(drop)


def test_odoo_runs_from_the_wheel(tmp_path, fresh_python, fresh_database):
    """The wheel alone makes both add-ons installable: no addons_path, no checkout."""
    config = configparser.ConfigParser(interpolation=None)
    config.read(os.environ["CTAI_CONFIG"])
    config.remove_option("options", "addons_path")
    config["options"].update(db_name=fresh_database, data_dir=str(tmp_path / "data"), dbfilter="")
    with open(tmp_path / "odoo.conf", "w", encoding="utf-8") as stream:
        config.write(stream)
    odoo = [fresh_python, "-c", "import odoo.cli; odoo.cli.main()"]
    config_words = ["-c", tmp_path / "odoo.conf"]
    said = run(
        [*odoo, "server", *config_words, "-i", ",".join(ADDON_IDS)]
        + ["--no-http", "--stop-after-init"],
        cwd=tmp_path,
    )
    assert str(ROOT / "ctai_grants") not in said
    assert "hold." in run([*odoo, "grants_verify", *config_words], cwd=tmp_path)
    assert "as-at" in run([*odoo, "grants_statement", "--help"], cwd=tmp_path)
    connection = psycopg2.connect(dbname=fresh_database)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM ir_module_module WHERE name = ANY(%s) AND state = 'installed'",
            [ADDON_IDS],
        )
        assert sorted(name for (name,) in cursor.fetchall()) == ADDON_IDS
    connection.close()


def test_the_wheel_holds_every_file_of_the_addons(wheel):
    """Views, translations, pictures: what is in the tree is in the wheel."""
    import zipfile

    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"odoo/addons/{path.relative_to(ROOT).as_posix()}"
        for path in tracked()
        if path.relative_to(ROOT).parts[0] in ADDON_IDS
    }
    assert sorted(expected - held) == []
    assert not {"odoo/__init__.py", "odoo/addons/__init__.py"} & held
