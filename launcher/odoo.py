# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Which Odoo is used, its configuration file, and how it is called."""

import os
import re
from pathlib import Path

from . import debian, files, paths, process, pyenv
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
    if path.is_dir():
        # A source tree, a site-packages, or the package `odoo` itself.
        candidates = [path, path.parent if path.name == "odoo" else path / "lib"]
    elif path.is_file():
        candidates = [path.parent] if path.name == "odoo-bin" else [_imported_by(path)]
    else:
        raise Stop(f"CTAI_ODOO names {named}, which does not exist.")
    for folder in candidates:
        if folder and (folder / "odoo" / "release.py").exists():
            return _checked(folder)
    raise Stop(
        f"CTAI_ODOO names {named}, where no Odoo was found.",
        "Name the folder that holds odoo-bin or odoo/release.py, or an executable `odoo`.",
    )


def _imported_by(executable):
    """Return the folder an installed `odoo` command takes its package from."""
    with open(executable, "rb") as stream:
        first = stream.readline(300).decode("utf-8", "replace")
    words = first[2:].split() if first.startswith("#!") else []
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


def _checked(folder):
    if not version(folder).startswith(SERIES + "."):
        raise Stop(
            f"The Odoo of CTAI_ODOO ({folder}) is version {version(folder)}; these add-ons are for"
            f" {SERIES}.",
            "Name an Odoo 19.0, or unset CTAI_ODOO to use the embedded one.",
        )
    return folder


def package_folder():
    """Return the folder of Odoo's Python package, whichever Odoo is used."""
    return own() or paths.ODOO_TREE / debian.DIST_PACKAGES


def identity():
    """Return what a database depends on: another Odoo or OCA add-on, another template."""
    source = str(own()) if own() else files.read(paths.ODOO_TREE / debian.MARKER)
    return files.digest(version(package_folder()), source, paths.ROOT / "requirements-addons.txt")


def prepare():
    """Make sure Odoo is there and that the environment finds it."""
    if not own():
        debian.prepare()
    site = next(paths.VENV.glob("lib/python3*/site-packages"))
    if files.read(site / PTH) != f"{package_folder()}\n":
        files.write(site / PTH, f"{package_folder()}\n")
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


def command(config, *arguments):
    """Return the words that call Odoo's server on a configuration."""
    return [paths.PYTHON, paths.ODOO_BIN, "server", "-c", config, *arguments]


def run(server, config, title, *arguments, log=None, **options):
    """Run Odoo to its end as a step, and return its log."""
    log = log or paths.LOGS / "odoo.log"
    env = pyenv.environment(server.environment())

    def failed(_code):
        return Stop(f"{title} failed: {_cause(log)}", f"Odoo's whole log is in {log}.")

    process.run(
        command(config, *arguments),
        title,
        log,
        env=env,
        cwd=paths.ROOT,
        detail=lambda: _progress(log),
        on_error=failed,
        **options,
    )
    return log


def _progress(log):
    """Tell which module is being loaded."""
    loaded = re.findall(r"Loading module (\w+) \((\d+/\d+)\)", process.tail(log, 200))
    return " ".join(loaded[-1]) if loaded else ""


def _cause(log):
    """Return the line of a failed run that says most."""
    lines = process.tail(log, 400).splitlines()
    errors = [line for line in lines if re.match(r"[\w.]+(Error|Exception|Warning)\b.*: ", line)]
    return errors[-1] if errors else process.tail(log)
