# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Odoo as a city runs it: a server of its own with two workers, reached over HTTP."""

import ctypes
import os
import signal
import socket
import subprocess
import time
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

    def __init__(self, database, log, *options, env=None):
        self.database, self.log, self.env = database, Path(log), env
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.words = [
            *(os.environ["CTAI_PYTHON"], os.environ["CTAI_ODOO_BIN"], "server"),
            *("-c", os.environ["CTAI_CONFIG"], "-d", database, f"--db-filter=^{database}$"),
            *("--workers=2", "--max-cron-threads=0", f"--http-port={self.port}"),
            *(f"--gevent-port={free_port()}", "--limit-time-real=300", *options),
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

    def wait_until_ready(self, patience=90):
        """Wait until it answers a page that asks the database."""
        until = time.monotonic() + patience
        while time.monotonic() < until:
            assert self.process.poll() is None, f"the server ended: {self.read_log()[-3000:]}"
            try:
                answer = requests.get(f"{self.url}/web/health?db_server_status=1", timeout=20)
                if answer.status_code == 200:
                    return
            except requests.RequestException:
                pass
            time.sleep(0.05)
        raise AssertionError(f"the server does not answer: {self.read_log()[-3000:]}")

    def get_workers(self):
        """The process ids of its HTTP workers: those that it forked."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [pid for pid in map(int, children.split()) if not self.is_gevent(pid)]

    @staticmethod
    def is_gevent(pid):
        try:
            return b"gevent" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except FileNotFoundError:
            return True

    def read_log(self):
        return self.log.read_text(encoding="utf-8", errors="replace")

    def stop(self):
        """End it, and all that it started."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
