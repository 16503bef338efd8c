# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The wheel: built, installed as README says beside each kind of Odoo, started.

Run by `./ctai test`, which says in CTAI_* variables where Odoo and its database are.
"""

import configparser
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import psycopg2
import pytest
from test_repository import ADDON_IDS, ROOT, manifest, tracked

sys.path.insert(0, str(ROOT))
from launcher import paths  # noqa: E402

ODOO = Path(os.environ.get("CTAI_ODOO_ROOT", "."))
ENVIRONMENT = Path(sysconfig.get_path("purelib"))
#: What README has people install beside the wheel.
SIRET = "odoo-addon-l10n_fr_siret==19.0.*"


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel from a copy: a build leaves files beside its sources."""
    source = tmp_path_factory.mktemp("source")
    for path in tracked():
        relative = path.relative_to(ROOT)
        if relative.parts[0] in {*ADDON_IDS, "setup.py", "pyproject.toml", "LICENSE", "README.md"}:
            (source / relative).parent.mkdir(parents=True, exist_ok=True)
            (source / relative).symlink_to(path)
    target = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index"]
    run([*pip, "--no-build-isolation", "--wheel-dir", target, source])
    (wheel,) = target.glob("*.whl")
    return wheel


class City:
    """A city's Python and its configuration."""

    def __init__(self, home, *lines):
        """Make it with Odoo's requirements, and these lines on Python's path."""
        self.home, self.python = home, home / "environment" / "bin" / "python"
        run([sys.executable, "-m", "venv", "--without-pip", home / "environment"])
        self.site = next(home.glob("environment/lib/python3*/site-packages"))
        # What pip finds of OCA or Odoo is what is tried here.
        requirements = home / "requirements"
        requirements.mkdir()
        for path in ENVIRONMENT.iterdir():
            if not path.name.startswith("odoo") and path.suffix != ".pth":
                (requirements / path.name).symlink_to(path)
        paths_of = "\n".join(map(str, [requirements, *lines, ""]))
        (self.site / "what-there-was.pth").write_text(paths_of)
        self.environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}

    def pip(self, *words):
        """Install without a network: what would be downloaded or compiled fails."""
        found = ("--no-index", "--find-links", paths.cache() / "pypi", "--only-binary", ":all:")
        words = [self.python, "-m", "pip", "install", *found, *words]
        return run(words, env=self.environment).splitlines()[-1]

    def install(self, wheel):
        """README's two lines: each installs one package."""
        version = manifest(ROOT / "ctai_grants")["version"]
        assert self.pip(wheel) == f"Successfully installed ctai-grants-suite-{version}"
        assert self.pip("--no-deps", SIRET).startswith("Successfully installed odoo-addon-l10n_fr")

    def configure(self, database):
        """Write its configuration, with our add-ons in no `addons_path`."""
        config = configparser.ConfigParser(interpolation=None)
        config.read(os.environ["CTAI_CONFIG"])
        config.remove_option("options", "addons_path")
        data = str(self.home.parent / "wheel-data")
        config["options"].update(db_name=database, data_dir=data, dbfilter="")
        with open(self.home / "odoo.conf", "w", encoding="utf-8") as stream:
            config.write(stream)

    def odoo(self, *words, program=("-c", "import odoo.cli; odoo.cli.main()")):
        """Run a command of Odoo's; return what it says."""
        words = [self.python, *program, *words, "-c", self.home / "odoo.conf"]
        return run(words, cwd=self.home, env=self.environment)


def get_installed(database):
    """Return which of our add-ons a database has."""
    connection = psycopg2.connect(dbname=database)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name FROM ir_module_module WHERE name = ANY(%s) AND state = 'installed'",
            [ADDON_IDS],
        )
        names = sorted(name for (name,) in cursor.fetchall())
    connection.close()
    return names


@pytest.fixture(scope="module")
def database():
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


@pytest.fixture(scope="module")
def from_source(tmp_path_factory, wheel, database):
    """A city that runs Odoo from its source: pip knows of no `odoo`. README's two lines."""
    home = tmp_path_factory.mktemp("source") / "city"
    home.mkdir()
    city = City(home)
    source = home / "source"
    source.mkdir()
    (source / "odoo").symlink_to(ODOO / "odoo")
    program = source / "odoo-bin"
    program.write_text("import odoo.cli\nodoo.cli.main()\n")  # as in the source of Odoo
    city.install(wheel)
    city.configure(database)
    names = ",".join(ADDON_IDS)
    program = (program, "server", "-i", names, "--no-http", "--stop-after-init")
    said = city.odoo(program=program)
    assert str(ROOT / "ctai_grants") not in said
    return city


def test_odoo_from_its_source(from_source, database):
    assert get_installed(database) == ADDON_IDS
    source = (from_source.home / "source" / "odoo-bin",)
    assert "hold." in from_source.odoo("grants_verify", program=source)
    assert "as-at" in from_source.odoo("grants_statement", "--help", program=source)


def test_odoo_that_pip_sees(tmp_path, wheel, from_source, database):
    """Debian's package: the same two lines, and nothing that Odoo asks for is fetched for it."""
    city = City(tmp_path, ODOO)
    if not list(ODOO.glob("odoo-*info")):  # a source of the city's own was named to the launcher
        folder = city.site / "odoo-19.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: odoo\nVersion: 19.0\n")
    city.install(wheel)
    city.configure(database)
    assert "hold." in city.odoo("grants_verify")


def test_addons_path(tmp_path, from_source, database):
    """Nothing installed: the three add-ons in folders, told before the command's name."""
    city = City(tmp_path, ODOO)
    folder = tmp_path / "addons"
    folder.mkdir()
    siret = next(ENVIRONMENT.glob("odoo/addons/l10n_fr_siret"))
    for path in (*(ROOT / name for name in ADDON_IDS), siret):
        (folder / path.name).symlink_to(path)
    city.configure(database)
    assert "hold." in city.odoo(f"--addons-path={folder}", "grants_verify")


def test_the_wheel_holds_every_file_of_the_addons(wheel):
    """Views, translations, pictures: what is in the tree is in the wheel."""
    held = set(zipfile.ZipFile(wheel).namelist())
    expected = {
        f"odoo/addons/{path.relative_to(ROOT).as_posix()}"
        for path in tracked()
        if path.relative_to(ROOT).parts[0] in ADDON_IDS
    }
    assert sorted(expected - held) == []
    assert not {"odoo/__init__.py", "odoo/addons/__init__.py"} & held
