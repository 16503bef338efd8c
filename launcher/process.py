# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Runs other programs: with a log, a live line, and no orphan when we are killed."""

import ctypes
import os
import signal
import subprocess
import sys

from . import files, ui
from .errors import Stop, disk_full

PR_SET_PDEATHSIG = 1
# Loaded here: between fork and exec is no place to load a library.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent():
    """In a child just forked: end it when the launcher dies, even by SIGKILL (Linux)."""
    if _LIBC:
        _LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def tail(path, count=1):
    """Return the last lines of a log that say something."""
    lines = [line for line in files.read(path).splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def run(argv, title, log, detail=None, on_error=None, place=None, **options):
    """Run a program as a step, its output in the file `log`; raise Stop when it fails.

    `on_error` is given the log's text and returns the Stop to raise; `place` is where it
    fills a disk and leaves nothing, unless it is work that goes on from where it stopped.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with ui.step(title, detail or (lambda: tail(log)[-60:])):
        with open(log, "wb") as stream:
            code = start(argv, **{"stdout": stream, "stderr": stream, **options})
        if code == 0:
            return
        if "No space left on device" in tail(log, 200):
            again = "Nothing was left there: free some room and run the same command again."
            raise disk_full(place, again) if place else disk_full(log.parent)
        if on_error:
            raise on_error(files.read(log))
        raise Stop(f"{title} failed: {tail(log)}", f"The whole output is in {log}.")


def start(argv, **options):
    """Run a program to its end and return its exit code; ended with us."""
    child = launch(argv, **options)
    try:
        return child.wait()
    except BaseException:
        end(child)
        raise


def launch(argv, **options):
    """Start a program that does not outlive us."""
    options.setdefault("stdin", subprocess.DEVNULL)
    words = [str(word) for word in argv]
    held = tuple(files.Lock.held)
    try:
        return subprocess.Popen(words, preexec_fn=die_with_parent, pass_fds=held, **options)
    except FileNotFoundError as error:
        raise Stop(f"The program {error.filename} is missing.") from None


def end(child, patience=20):
    """Ask a program to end, then insist: with all that it started where it leads a group."""
    for ask in (signal.SIGTERM, signal.SIGKILL):
        if child.poll() is None:
            if os.getpgid(child.pid) == child.pid:
                os.killpg(child.pid, ask)
            else:
                child.send_signal(ask)
            try:
                child.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def output(argv, **options):
    """Return what a quick program prints, or None when it fails or is missing."""
    options = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, **options}
    try:
        return subprocess.check_output([str(word) for word in argv], text=True, **options)
    except (OSError, subprocess.CalledProcessError):
        return None
