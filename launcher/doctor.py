# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""`./ctai doctor`: what is found, what is missing, and what to do. Changes nothing."""

import os
import platform
import shutil
import sys

from . import checks, debian, files, odoo, paths, postgres, process, pyenv, ui
from .errors import Stop


def doctor(_options):
    """Say what is found and what is missing; 1 when something stands in the way."""
    report = _Report()
    for look in (_python, _odoo, _packages, _postgresql, _browser, _disk, _prepared):
        look(report)
    ui.say()
    if report.missing:
        ui.say(f"Missing: {report.missing}. The lines marked MISSING say what to do.")
        return 1
    ui.say("Nothing is missing. ./ctai demo prepares and shows it all.")
    return 0


class _Report:
    def __init__(self):
        self.missing = 0

    def line(self, mark, subject, text):
        ui.say(f"{mark:<8} {subject:<14} {text}")

    def found(self, subject, text):
        self.line("found", subject, text)

    def lack(self, subject, text):
        self.missing += 1
        self.line("MISSING", subject, text)

    def info(self, subject, text):
        self.line("-", subject, text)


def _python(report):
    report.found("Python", f"{platform.python_version()} ({sys.executable})")
    if process.output([sys.executable, "-c", "import venv, ensurepip"]) is None:
        report.lack("venv", "no venv module. On Debian, as root: apt-get install python3-venv")
    else:
        report.found("venv", "the module is there")


def _odoo(report):
    try:
        folder = odoo.own()
    except Stop as stop:
        report.lack("Odoo", str(stop))
        return
    if folder:
        report.found("Odoo", f"{odoo.version(folder)}, yours ({folder})")
        return
    made = debian.complete()
    if made:
        report.found("Odoo", f"{odoo.version(odoo.package_folder())}, embedded")
        for name, (tested, taken) in made["moved"].items():
            report.info("Odoo", f"{name} is {taken}; {tested} was tested: Debian moved on")
        return
    lacking = [tool for tool in ("apt-get", "dpkg-deb") if not shutil.which(tool)]
    if lacking:
        report.lack("Odoo", f"no {lacking[0]} to get it from Debian. {debian.OWN_ODOO}")
    elif all(debian.cached(package) for package in debian.locked()):
        report.info("Odoo", "embedded: downloaded, to be unpacked")
    elif not debian.mirror() or not debian.keyring():
        report.lack("Odoo", f"no Debian mirror or keyring on this machine. {debian.OWN_ODOO}")
    else:
        report.info("Odoo", "embedded: to be downloaded from this machine's Debian mirror")


def _packages(report):
    if pyenv.complete():
        tests = "with" if pyenv.complete(pyenv.TEST) else "without"
        report.found("PyPI packages", f"as locked, {tests} the tools of the tests")
    else:
        report.info("PyPI packages", "to be installed in .ctai/venv, by pip's own settings")


def _postgresql(report):
    server = postgres.server()
    if not server.embedded:
        if not pyenv.complete():
            report.info("PostgreSQL", f"{server}, not tried yet")
            return
        try:
            with server:
                report.found("PostgreSQL", str(server))
        except Stop as stop:
            report.lack("PostgreSQL", str(stop))
        return
    user = f", run by the user {server.user}" if server.user else ""
    if pyenv.complete() and (server.data / "PG_VERSION").exists():
        state = "running" if server.running() else "stopped"
        report.found("PostgreSQL", f"{server}{user}, {state}")
    else:
        report.info("PostgreSQL", f"{server}{user}, to be made")


def _browser(report):
    browser = next(filter(None, map(shutil.which, checks.BROWSERS)), None)
    if browser:
        report.found("Chromium", browser)
    elif os.geteuid() == 0 and shutil.which("apt-get"):
        report.info("Chromium", "for the tests only: ./ctai test will install it")
    else:
        report.info("Chromium", "for the tests only. On Debian, as root: apt-get install chromium")


def _disk(report):
    left = files.room(paths.STATE) / 1e9
    needed = 0.2 if paths.FILESTORE.exists() else 2.8
    if left < needed:
        report.lack("disk", f"{left:.1f} GB left, {needed} GB needed for .ctai")
    else:
        report.found("disk", f"{left:.0f} GB left")
    report.info("downloads", f"kept in {paths.cache()}")


def _prepared(report):
    where = paths.shown(paths.STATE)
    if paths.FILESTORE.exists():
        made = sorted(path.name for path in paths.FILESTORE.iterdir())
        report.found("databases", f"files of {', '.join(made) or 'none'} in {where}/data")
    else:
        report.info("databases", "none yet")
