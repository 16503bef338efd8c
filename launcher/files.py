# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Files that stay right whenever the power goes: atomic writes, digests, locks."""

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path

from . import ui


def write(path, text):
    """Write a text file whole or not at all."""
    side = path.with_name(f"{path.name}.{os.getpid()}.new")
    side.write_text(text, encoding="utf-8")
    os.replace(side, path)


def read(path):
    """Return the text of a file, or "" when there is none."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return ""


def sha256(path):
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest(*parts, without=()):
    """Return a short digest of texts, files and whole folders of files.

    `without` names folders that do not count.
    """
    total = hashlib.sha256()
    for part in parts:
        if not isinstance(part, Path):
            total.update(f"text {part}\0".encode())
            continue
        for path in [part] if part.is_file() else sorted(part.rglob("*")):
            name = path.relative_to(part.parent)
            if path.is_file() and not {"__pycache__", *without} & set(name.parts):
                total.update(f"file {name} {sha256(path)}\0".encode())
    return total.hexdigest()[:20]


def remove(path):
    """Delete a file or a whole folder; nothing there is fine."""
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def room(path):
    """Return the free bytes of the file system that holds, or will hold, a path."""
    while not path.exists():
        path = path.parent
    return shutil.disk_usage(path).free


class Lock:
    """An advisory lock on a file; the kernel drops it when the process dies.

    Programs started while it is held alone (see `process.start`) inherit it: when the
    launcher is killed, the lock lasts until what it had started has ended too.
    """

    #: file descriptors of the locks held alone
    held = set()

    def __init__(self, path):
        self.path = path
        self._stream = None

    def _take(self, mode):
        if self._stream is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = open(self.path, "a")  # noqa: SIM115 - kept open while locked
        fcntl.flock(self._stream, mode)

    def share(self):
        """Hold the lock together with others."""
        self._take(fcntl.LOCK_SH)

    def try_alone(self):
        """Hold the lock alone; return False when someone else holds it."""
        try:
            self._take(fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self):
        """Let go of the lock."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    @contextmanager
    def alone(self, waiting):
        """Hold the lock alone, saying `waiting` when that takes a wait."""
        if not self.try_alone():
            with ui.step(waiting):
                self._take(fcntl.LOCK_EX)
        descriptor = self._stream.fileno()
        self.held.add(descriptor)
        try:
            yield
        finally:
            self.held.discard(descriptor)
            self.release()
