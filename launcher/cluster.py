# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The processes of a PostgreSQL cluster and the lock files in which it names its first one.

After a crash these files lie: `pg_ctl status` calls a cluster alive whose process was killed and
not yet buried, or whose number now belongs to another program; `pg_ctl start` then refuses, and
`pg_ctl stop` would end that other program. What lives is read from /proc instead, from what any
user may see there.
"""

import os
import signal
import time
from pathlib import Path

from . import files

#: Higher than any process of Linux: to PostgreSQL, that of one that ended.
NOBODY = 2**22 + 1


def _is_ours(pid, data, name):
    """Tell whether a process is of the cluster in `data` that calls itself `name`."""
    folder = Path("/proc", str(pid))
    try:
        if (folder / "comm").read_text().strip() != "postgres":
            return False
        words = (folder / "cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:  # it just ended
        return False
    # The first one, or one that it just forked; then what a backend says of itself.
    return str(data) in words or words[0].startswith(f"postgres: {name}:")


def processes(data, name):
    """Return the living processes of a cluster."""
    found = [int(path.name) for path in Path("/proc").glob("[0-9]*")]
    return [pid for pid in found if _is_ours(pid, data, name)]


def first(data, name):
    """Return the process that runs a cluster, or None when it does not live."""
    pid = _named(data / "postmaster.pid")
    return pid if pid and _is_ours(pid, data, name) else None


def end(data, name, patience=5):
    """End all processes of a cluster at once: what is committed stays."""
    deadline = time.monotonic() + patience
    while left := processes(data, name):
        insist = time.monotonic() > deadline
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL if insist else signal.SIGQUIT)
            except ProcessLookupError:
                continue
        time.sleep(0.1)


def forget(*lock_files):
    """Let files that name a dead cluster's process name nobody, so that it can start again.

    They are not deleted: by what else they say, PostgreSQL looks for processes that still use
    the cluster's memory, and refuses to start beside one.
    """
    for path in lock_files:
        if pid := _named(path):
            with open(path, "r+", encoding="utf-8") as stream:
                rest = stream.read()[len(str(pid)) :]
                stream.seek(0)
                stream.write(f"{NOBODY}{rest}")
        elif path.exists() and not path.stat().st_size:
            path.unlink()  # a power cut took what it said


def _named(path):
    word = files.read(path).partition("\n")[0].strip()
    return int(word) if word.isdigit() else None
