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
    try:
        with open(path, "rb") as stream:
            stream.seek(0, os.SEEK_END)
            stream.seek(max(0, stream.tell() - 20000))
            lines = stream.read().decode("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return ""
    return "\n".join([line for line in lines if line.strip()][-count:])


def run(argv, title, log, env=None, cwd=None, detail=None, on_error=None, **options):
    """Run a program as a step, its output in the file `log`; raise Stop when it fails.

    `on_error(code)` may return the Stop to raise.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with ui.Step(title, detail or (lambda: tail(log)[-60:])):
        with open(log, "wb") as stream:
            code = start(argv, env=env, cwd=cwd, stdout=stream, stderr=stream, **options)
        if code == 0:
            return
        if "No space left on device" in tail(log, 200):
            raise disk_full(log.parent)
        stop = on_error(code) if on_error else None
        raise stop or Stop(f"{title} failed: {tail(log)}", f"The whole output is in {log}.")


def start(argv, **options):
    """Run a program to its end and return its exit code; ended with us."""
    options.setdefault("stdin", subprocess.DEVNULL)
    try:
        process = subprocess.Popen(
            [str(word) for word in argv],
            preexec_fn=die_with_parent,
            pass_fds=tuple(files.Lock.held),
            **options,
        )
    except FileNotFoundError as error:
        raise Stop(f"The program {error.filename} is missing.") from None
    try:
        return process.wait()
    except BaseException:
        end(process)
        raise


def end(process, patience=20):
    """Ask a program to end, then insist."""
    for ask in (process.terminate, process.kill):
        if process.poll() is None:
            ask()
            try:
                process.wait(patience)
            except subprocess.TimeoutExpired:
                continue


def output(argv, **options):
    """Return what a quick program prints, or None when it fails or is missing."""
    try:
        result = subprocess.run(
            [str(word) for word in argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            **options,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.decode("utf-8", "replace")
