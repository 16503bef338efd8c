# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai doctor`: what is found, what is missing, and what to do. Changes nothing."""

import os
import platform
import shutil
import sys

from . import checks, debian, files, odoo, paths, postgres, process, pyenv, ui, workshop
from .errors import Stop


def doctor(_options):
    """Say what is found and what is missing; 1 when something stands in the way."""
    missing = 0
    for subject, look in LOOKS.items():
        try:
            found, text = look()
            mark = "found" if found else "-"
        except Stop as stop:
            mark, text = "MISSING", str(stop)
            missing += 1
        ui.say(f"{mark:<8} {subject:<14} {text}")
    ui.say()
    if missing:
        ui.say(f"Missing: {missing}. The lines marked MISSING say what to do.")
        return 1
    ui.say("Nothing is missing. ./ctai demo prepares and shows it all.")
    return 0


def _python():
    return True, f"{platform.python_version()} ({sys.executable})"


def _venv():
    if process.output([sys.executable, "-c", "import venv, ensurepip"]) is None:
        raise Stop("no venv module.", "On Debian, as root: apt-get install python3-venv")
    return True, "the module is there"


def _odoo():
    if folder := odoo.own():
        return True, f"{odoo.version(folder)}, yours ({folder})"
    if made := debian.complete():
        told = [f"{odoo.version(odoo.package_folder())}, embedded"]
        for name, (tested, taken) in made["moved"].items():
            told.append(f"{name} is {taken}, {tested} was tested: Debian moved on")
        return True, "; ".join(told)
    if not all(debian.cached(package) for package in debian.locked()):
        debian.refuse_without_tools()
        return False, "embedded: to be downloaded from this machine's Debian mirror"
    return False, "embedded: downloaded, to be unpacked"


def _packages():
    if not pyenv.complete():
        return False, "to be installed in .ctai/venv, by pip's own settings"
    tests = "with" if pyenv.complete(pyenv.TEST) else "without"
    return True, f"as locked, {tests} the tools of the tests"


def _postgresql():
    server = postgres.server()
    if not pyenv.complete():
        return False, f"{server}, not made or tried yet"
    if not server.embedded:
        with server:
            return True, str(server)
    return True, f"{server}, {'running' if server.running() else 'stopped'}"


def _browser():
    if browser := next(filter(None, map(shutil.which, checks.BROWSERS)), None):
        return True, browser
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return False, "for the tests only: ./ctai test will install it"
    return False, "for the tests only. On Debian, as root: apt-get install chromium"


def _disk():
    workshop.refuse_small_disk()
    return True, f"{files.room(paths.STATE) / 1e9:.0f} GB left"


def _databases():
    if not paths.FILESTORE.exists():
        return False, "none yet"
    made = sorted(path.name for path in paths.FILESTORE.iterdir())
    return True, f"files of {', '.join(made)} in {paths.shown(paths.FILESTORE)}"


LOOKS = {
    "Python": _python,
    "venv": _venv,
    "Odoo": _odoo,
    "PyPI packages": _packages,
    "PostgreSQL": _postgresql,
    "Chromium": _browser,
    "disk": _disk,
    "downloads": lambda: (False, f"kept in {paths.cache()}"),
    "databases": _databases,
}
