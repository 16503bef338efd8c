# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The virtual environment: Odoo's requirements from PyPI, all locked with hashes.

Where PyPI is, pip knows from its own settings. Downloads stay in the user's cache, so a
second checkout needs no network.
"""

import os
import re
import sys

from . import files, paths, process
from .errors import Stop

#: In this order: the first builds the few requirements that have no wheel.
RUN = ("requirements-build.txt", "requirements.txt", "requirements-addons.txt")
TEST = ("requirements-dev.txt",)
#: What would change Odoo's behaviour, or (the fourth) compile it anew at every start.
DROPPED = (
    *("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE"),
    *("ODOO_RC", "OPENERP_SERVER", "PGDATABASE"),
)


def environment(extra=None):
    """Return the variables for everything that runs in the environment."""
    return {
        **{key: value for key, value in os.environ.items() if key not in DROPPED},
        "PYTHONPYCACHEPREFIX": str(paths.STATE / "pycache"),
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        **(extra or {}),
    }


def _digest(names):
    return files.digest(sys.version, *[paths.ROOT / name for name in names])


def complete(names=RUN):
    """Tell whether these requirements are installed as locked."""
    marker = paths.VENV / f".complete-{names[0]}"
    return paths.PYTHON.exists() and files.read(marker) == _digest(names)


def prepare(test=False):
    """Make the environment, with the tools of the tests too when asked."""
    if not complete(RUN):
        # An environment cannot be moved, so this one is made in place: it counts only
        # once its marker is written, and without it the next call starts it afresh.
        files.remove(paths.VENV)
        _create()
        _install(RUN)
    if test and not complete(TEST):
        _install(TEST)


def _create():
    def no_venv(_text):
        return Stop(
            "This Python cannot make a virtual environment.",
            "On Debian: apt-get install python3-venv (as root), then run the same command again.",
        )

    words = [sys.executable, "-m", "venv", paths.VENV]
    log = paths.LOGS / "venv.log"
    process.run(words, "Create the Python environment", log, on_error=no_venv, env=environment())


def _install(names):
    for name in names:
        downloaded = _wheels() / f"{name}-{_digest([name])}.complete"
        if not downloaded.exists():
            _pip(f"Download Python packages ({name})", name, "download", "--dest", _wheels())
            downloaded.touch()
        try:
            _pip(f"Install Python packages ({name})", name, "install", "--no-compile", "--no-index")
        except Stop:
            # Someone may have emptied the cache: the next call looks again.
            downloaded.unlink(missing_ok=True)
            raise
    files.write(paths.VENV / f".complete-{names[0]}", _digest(names))


def _wheels():
    return paths.cache() / "pypi"


def _pip(title, name, command, *options):
    _wheels().mkdir(parents=True, exist_ok=True)
    log = paths.LOGS / f"pip-{command}.log"

    def refused(text):
        if "DO NOT MATCH THE HASHES" in text:
            return Stop(
                f"A Python package is not the file that was tested ({name}).",
                f"Do not use it before someone knows why. The whole output is in {log}.",
            )
        errors = re.findall(r"^ERROR: (.*)$", text, re.M) or ["pip said nothing"]
        network = re.findall(
            r"ProxyError|Temporary failure in name resolution|Connection refused", text
        )
        return Stop(
            f"The Python packages could not be {command}ed ({(network or errors)[-1]}).",
            "Check the network, the proxy and pip's settings (pip config list), then run the same"
            " command again: what is done is kept.",
        )

    words = [
        *(paths.PYTHON, "-m", "pip", command, "--no-deps", "--require-hashes"),
        *("--no-build-isolation", "--find-links", _wheels(), *options),
        *("-r", paths.ROOT / name),
    ]
    process.run(words, title, log, on_error=refused, env=environment())
