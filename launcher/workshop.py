# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Prepares what a command needs, once, and hands it over with PostgreSQL running."""

from contextlib import contextmanager

from . import debian, files, odoo, paths, postgres, pyenv
from .errors import Stop


def lock():
    """Return the lock under which the checkout's state is changed."""
    return files.Lock(paths.STATE / "lock").alone(
        "Wait for another ./ctai that is preparing this checkout"
    )


def prepare(test=False):
    """Make Odoo and the environment, unless they are there. Call it under the lock."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    own = odoo.own()  # a wrong CTAI_ODOO is told before any long work
    refuse_small_disk()
    if not own:
        debian.prepare()
    pyenv.prepare(test=test)
    odoo.prepare()


def refuse_small_disk():
    """Stop when the disk has no room for what is still to be made."""
    needed = 0.2
    needed += 0 if odoo.own() or debian.complete() else 1.4
    needed += 0 if pyenv.complete() else 0.6
    needed += 0 if paths.FILESTORE.exists() else 0.6
    left = files.room(paths.STATE) / 1e9
    if left < needed:
        raise Stop(
            f"The disk that holds {paths.ROOT} has {left:.1f} GB left; this takes about"
            f" {needed:.1f} GB.",
            "Free some room and run the same command again.",
        )


@contextmanager
def running(test=False):
    """Prepare everything under the lock, and yield the running database server."""
    with lock():
        prepare(test=test)
    with postgres.server() as server:
        yield server
