# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which Odoo is used, its configuration file, and how it is called."""

import os
import re
from pathlib import Path

from . import debian, files, paths, process
from .errors import Stop

SERIES = "19.0"
PTH = "ctai-odoo.pth"
ENTRY = '''"""Odoo's command line. Call it with the environment's Python: {python}."""

import odoo.cli

if __name__ == "__main__":
    odoo.cli.main()
'''


def own():
    """Return the folder to put on Python's path for the user's own Odoo, or None."""
    named = os.environ.get("CTAI_ODOO")
    if not named:
        return None
    path = Path(named).expanduser().resolve()
    if not path.exists():
        raise Stop(f"CTAI_ODOO names {named}, which does not exist.")
    if path.is_dir():
        # A source tree, a site-packages, or the package `odoo` itself.
        candidates = [path, path.parent if path.name == "odoo" else path / "lib"]
    else:
        candidates = [path.parent] if path.name == "odoo-bin" else [_imported_by(path)]
    for folder in filter(None, candidates):
        if (folder / "odoo" / "release.py").exists():
            if version(folder).startswith(SERIES + "."):
                return folder
            raise Stop(
                f"The Odoo of CTAI_ODOO ({folder}) is version {version(folder)}; these add-ons are"
                f" for {SERIES}.",
                "Name an Odoo 19.0, or unset CTAI_ODOO to use the embedded one.",
            )
    raise Stop(
        f"CTAI_ODOO names {named}, where no Odoo was found.",
        "Name the folder that holds odoo-bin or odoo/release.py, or an executable `odoo`.",
    )


def _imported_by(executable):
    """Return the folder an installed `odoo` command takes its package from."""
    words = files.read(executable)[:300].partition("\n")[0].removeprefix("#!").split()
    if not words or "python" not in words[-1]:
        raise Stop(
            f"CTAI_ODOO names {executable}, which is not a Python program.",
            "Name the folder that holds odoo-bin or odoo/release.py instead.",
        )
    code = "import odoo.release; print(odoo.release.__file__)"
    said = process.output([*words, "-c", code], cwd="/")
    return Path(said.strip()).parent.parent if said else None


def version(folder):
    """Return the version an Odoo says it has."""
    text = files.read(folder / "odoo" / "release.py")
    found = re.search(r"^version_info = \((\d+), (\d+), (\d+)", text, re.M)
    return ".".join(found.groups()) if found else "unknown"


def package_folder():
    """Return the folder of Odoo's Python package, whichever Odoo is used."""
    return own() or paths.ODOO_TREE / debian.DIST_PACKAGES


def identity():
    """Return what a database depends on: another Odoo or OCA add-on, another template."""
    source = str(own()) if own() else files.read(paths.ODOO_TREE / debian.MARKER)
    return files.digest(version(package_folder()), source, paths.ROOT / "requirements-addons.txt")


def prepare():
    """Make sure that the environment finds Odoo."""
    site = next(paths.VENV.glob("lib/python3*/site-packages"))
    # Python reads such a file in the locale's encoding, which may know no accent (LC_ALL=C).
    line = f"import sys; sys.path.append({ascii(str(package_folder()))})\n"
    if files.read(site / PTH) != line:
        files.write(site / PTH, line)
    files.write(paths.ODOO_BIN, ENTRY.format(python=paths.PYTHON))


def configure(server, database, port=8069):
    """Write and return the configuration file for a database."""
    path = paths.STATE / f"{database}.conf"
    options = {
        "addons_path": paths.ROOT,
        "data_dir": paths.STATE / "data",
        "db_name": database,
        "dbfilter": f"^{re.escape(database)}$",
        "list_db": False,
        "http_interface": "127.0.0.1",
        "http_port": port,
        "proxy_mode": False,
        "workers": 0,
        "db_maxconn": 32,
        **server.odoo_options(),
    }
    lines = [f"{key} = {value}" for key, value in options.items()]
    files.write(path, "\n".join(["[options]", *lines, ""]))
    return path


def command(config, *arguments, name="server"):
    """Return the words that call a command of Odoo's, or of our add-ons, on a configuration."""
    return [
        *(paths.PYTHON, paths.ODOO_BIN, f"--addons-path={paths.ROOT}", name, "-c", config),
        *arguments,
    ]


def run(server, config, title, *arguments, log):
    """Run Odoo's server to its end as a step."""

    def failed(_text):
        # The line that says most, when there is one.
        lines = process.tail(log, 400).splitlines()
        telling = re.compile(r"[\w.]+(Error|Exception|Warning)\b.*: ")
        causes = [line for line in lines if telling.match(line)] or lines or ["it said nothing"]
        return Stop(f"{title} failed: {causes[-1]}", f"Odoo's whole log is in {log}.")

    process.run(
        command(config, *arguments),
        title,
        log,
        env=server.environment(),
        cwd=paths.ROOT,
        detail=lambda: " ".join(
            re.findall(r"Loading module (\w+ \(\d+/\d+\))", process.tail(log, 200))[-1:]
        ),
        on_error=failed,
    )


def variables(server, database):
    """Return the environment of what tests and measures: where Odoo and its databases are."""
    return {
        **server.environment(),
        "CTAI_CONFIG": str(configure(server, database)),
        "CTAI_DB": database,
        "CTAI_PYTHON": str(paths.PYTHON),
        "CTAI_ODOO_BIN": str(paths.ODOO_BIN),
        "CTAI_ODOO_ROOT": str(package_folder()),
    }
