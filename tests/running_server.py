# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo as a city runs it: a server of its own with two workers, reached over HTTP."""

import ctypes
import os
import signal
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    """In a child just forked: no server outlives its tests."""
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class OdooServer:
    """Odoo with two workers (prefork) on a database; scheduled actions do not run by themselves."""

    def __init__(self, database, log, config=None, env=None):
        self.database, self.log, self.env = database, Path(log), env
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.words = [
            *(os.environ["CTAI_PYTHON"], os.environ["CTAI_ODOO_BIN"], "server"),
            *("-c", str(config or os.environ["CTAI_CONFIG"]), "-d", database),
            f"--db-filter=^{database}$",
            *("--workers=2", "--max-cron-threads=0", f"--http-port={self.port}"),
            *(f"--gevent-port={free_port()}", "--limit-time-real=300"),
        ]
        self.process = None

    def start(self):
        """Start it, and wait until each worker can answer."""
        with open(self.log, "ab") as stream:
            self.process = subprocess.Popen(
                self.words, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, env=self.env,
                preexec_fn=die_with_parent,
            )  # fmt: skip
        self.wait_until_ready()

    def wait_until_ready(self, patience=120):
        """Wait until it answers pages of the database: each worker, whichever takes the request.

        The first request of one whose connections died with the database fails.
        """
        until, rounds = time.monotonic() + patience, 0
        while rounds < 3:
            assert self.process.poll() is None, f"the server ended: {self.read_log()[-3000:]}"
            assert time.monotonic() < until, f"no answer: {self.read_log()[-3000:]}"
            # At once: of what comes one by one, one worker may take all.
            with ThreadPoolExecutor(4) as senders:
                rounds = rounds + 1 if all(senders.map(self.answers, range(4))) else 0

    def answers(self, _number=0):
        """Whether it answers a page now."""
        try:
            return requests.get(f"{self.url}/web/login", timeout=30).status_code == 200
        except requests.RequestException:
            time.sleep(0.05)
            return False

    def wait_until_gone(self, patience=30):
        """Wait until nobody holds its port any more."""
        until = time.monotonic() + patience
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)):
                    return
            assert time.monotonic() < until, "somebody still holds the port"
            time.sleep(0.05)

    def get_children(self):
        """The process ids of its workers."""
        pid = self.process.pid
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def get_work(self):
        """How long each of its children has worked: {process: ticks of its clock}."""
        work = {}
        for pid in self.get_children():
            try:
                numbers = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            except FileNotFoundError:
                continue
            work[pid] = int(numbers[11]) + int(numbers[12])
        return work

    def read_log(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self):
        """As a power cut of this process alone: its workers find out later."""
        workers = self.get_children()
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        return workers

    def stop(self):
        """End it, and all that it started."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
