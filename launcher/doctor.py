# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai doctor`: what is found, what is missing, and what to do. Changes nothing."""

import os
import platform
import shutil
import sys

from . import checks, debian, files, odoo, paths, postgres, process, pyenv, ui
from .errors import Stop

FOUND, MISSING, INFO = "found", "MISSING", "-"


def doctor(_options):
    """Say what is found and what is missing; 1 when something stands in the way."""
    missing = 0
    for look in (_python, _odoo, _packages, _postgresql, _browser, _disk, _prepared):
        for mark, subject, text in look():
            ui.say(f"{mark:<8} {subject:<14} {text}")
            missing += mark == MISSING
    ui.say()
    if missing:
        ui.say(f"Missing: {missing}. The lines marked MISSING say what to do.")
        return 1
    ui.say("Nothing is missing. ./ctai demo prepares and shows it all.")
    return 0


def _python():
    yield FOUND, "Python", f"{platform.python_version()} ({sys.executable})"
    if process.output([sys.executable, "-c", "import venv, ensurepip"]) is None:
        yield MISSING, "venv", "no venv module. On Debian, as root: apt-get install python3-venv"
    else:
        yield FOUND, "venv", "the module is there"


def _odoo():
    try:
        folder = odoo.own()
    except Stop as stop:
        yield MISSING, "Odoo", str(stop)
        return
    made = debian.complete()
    if folder:
        yield FOUND, "Odoo", f"{odoo.version(folder)}, yours ({folder})"
    elif made:
        yield FOUND, "Odoo", f"{odoo.version(odoo.package_folder())}, embedded"
        for name, (tested, taken) in made["moved"].items():
            yield INFO, "Odoo", f"{name} is {taken}; {tested} was tested: Debian moved on"
    elif all(debian.cached(package) for package in debian.locked()):
        yield INFO, "Odoo", "embedded: downloaded, to be unpacked"
    elif lacking := debian.lacking():
        yield MISSING, "Odoo", f"{lacking[0]} on this machine. {debian.OWN_ODOO}"
    else:
        yield INFO, "Odoo", "embedded: to be downloaded from this machine's Debian mirror"


def _packages():
    if pyenv.complete():
        tests = "with" if pyenv.complete(pyenv.TEST) else "without"
        yield FOUND, "PyPI packages", f"as locked, {tests} the tools of the tests"
    else:
        yield INFO, "PyPI packages", "to be installed in .ctai/venv, by pip's own settings"


def _postgresql():
    server = postgres.server()
    if not pyenv.complete():
        yield INFO, "PostgreSQL", f"{server}, not made or tried yet"
    elif server.embedded:
        user = f", run by the user {server.user}" if server.user else ""
        state = "running" if server.running() else "stopped"
        yield FOUND, "PostgreSQL", f"{server}{user}, {state}"
    else:
        try:
            with server:
                yield FOUND, "PostgreSQL", str(server)
        except Stop as stop:
            yield MISSING, "PostgreSQL", str(stop)


def _browser():
    browser = next(filter(None, map(shutil.which, checks.BROWSERS)), None)
    if browser:
        yield FOUND, "Chromium", browser
    elif os.geteuid() == 0 and shutil.which("apt-get"):
        yield INFO, "Chromium", "for the tests only: ./ctai test will install it"
    else:
        yield INFO, "Chromium", "for the tests only. On Debian, as root: apt-get install chromium"


def _disk():
    left = files.room(paths.STATE) / 1e9
    needed = 0.2 if paths.FILESTORE.exists() else 2.8
    if left < needed:
        yield MISSING, "disk", f"{left:.1f} GB left, {needed} GB needed for .ctai"
    else:
        yield FOUND, "disk", f"{left:.0f} GB left"
    yield INFO, "downloads", f"kept in {paths.cache()}"


def _prepared():
    if paths.FILESTORE.exists():
        made = sorted(path.name for path in paths.FILESTORE.iterdir())
        where = paths.shown(paths.FILESTORE)
        yield FOUND, "databases", f"files of {', '.join(made) or 'none'} in {where}"
    else:
        yield INFO, "databases", "none yet"
