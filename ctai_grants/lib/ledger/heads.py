"""Heads of the chains, as they leave the database: a line each, ``chain,number,head,time``.

A line is complete by itself. The head is the hash of the last entry of the chain (see
:mod:`.chain`), which vouches for all those before it: whoever keeps the line can tell later
whether any of them was changed. The chain is its kind and id, and its name for who reads it; the
time is that of the city, with its distance to UTC.
"""

import csv
import datetime
import errno
import fcntl
import io
import os
import re
import stat
from collections.abc import Iterable
from typing import NamedTuple

HEAD_FIELDS = ("chain", "number", "head", "time")
_CHAIN = re.compile(r"([a-z_]{1,40}) ([0-9]{1,10})(?: .*)?", re.DOTALL)
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_HASH = re.compile(r"[0-9a-f]{64}")


class Head(NamedTuple):
    """Where a chain stands, or stood."""

    kind: str  # of the chain: envelope
    id: int
    name: str
    number: int  # of its last entry
    hash: str
    time: str = ""

    @property
    def chain(self) -> str:
        """
        >>> Head("envelope", 3, "CTAI-2021/A", 12, "ab").chain
        'envelope 3 CTAI-2021/A'
        """
        # In one line, or half of it would be lost with the other.
        return " ".join(f"{self.kind} {self.id} {self.name}".split())


def write_heads(heads: Iterable[Head], time: str, header: bool = False) -> str:
    """The lines of ``heads`` at ``time``.

    >>> write_heads([Head("envelope", 3, "A, B", 12, "ab")], "2026-11-26T00:05:00+01:00")
    '"envelope 3 A, B",12,ab,2026-11-26T00:05:00+01:00\\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if header:
        writer.writerow(HEAD_FIELDS)
    writer.writerows((head.chain, head.number, head.hash, time) for head in heads)
    return text.getvalue()


def read_head(row: list[str]) -> Head | None:
    """A line of such a list; None when it is none.

    >>> read_head(["envelope 3 A", "12", "0" * 64, "2026-11-26T00:05:00+01:00"])[:4]
    ('envelope', 3, 'envelope 3 A', 12)
    >>> read_head(["envelope 3 A", "12", "0" * 63, "2026-11-26T00:05:00+01:00"])
    >>> read_head(["envelope 3 A", "12", "0" * 64, "26/11/2026 00:05"])
    """
    if len(row) != len(HEAD_FIELDS):
        return None
    chain, number, head, time = row
    found = _CHAIN.fullmatch(chain)
    if not (found and _NUMBER.fullmatch(number) and _HASH.fullmatch(head)):
        return None
    try:
        datetime.datetime.fromisoformat(time)
    except ValueError:
        return None
    return Head(found[1], int(found[2]), chain, int(number), head, time)


def _write_all(file, left):
    while left:
        left = left[os.write(file, left) :]
    os.fsync(file)


def append_heads(path: str, heads: Iterable[Head], time: str) -> None:
    """Append to a file that is never rewritten; on the disk when this returns.

    :raise OSError: no folder, no right, a full disk, or not a file of its own
    """
    # Not through a link: who may write the folder could have us write elsewhere.
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    file = os.open(path, flags, 0o640)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        text = write_heads(heads, time, header=not status.st_size)
        # A line that a full disk has cut stays, and damages no other.
        if status.st_size and os.pread(file, 1, status.st_size - 1) != b"\n":
            text = "\n" + text
        _write_all(file, text.encode())
    finally:
        os.close(file)
    if not status.st_size:
        _keep_name(os.path.dirname(path))


def _keep_name(folder):
    """Bring a new file's name to the disk too."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
