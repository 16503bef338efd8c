# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Serves a database: Odoo on a port, and again when the embedded PostgreSQL died under it."""

import os
import re
import socket
import time
import urllib.request

from . import odoo, paths, process, ui
from .errors import Stop

#: Seconds that the Odoo of a killed launcher needs to end.
LAST_BREATH = 3
#: How often in a row PostgreSQL may die; after a quiet spell of seconds it is a new row.
MOST_DEATHS, QUIET = 5, 60


def refuse_taken_port(port):
    """Stop when a port cannot be served on."""
    if not 0 < port < 65536:
        raise Stop(f"{port} is not a port number.", "Give one from 1024 to 65535.", code=2)
    if port < 1024 and os.geteuid():
        raise Stop(f"Port {port} is for root only.", "Give one from 1024 to 65535.", code=2)
    with ui.step(f"Wait for port {port}"):
        deadline = time.monotonic() + LAST_BREATH
        while not _is_free(port):
            if time.monotonic() > deadline:
                raise Stop(
                    f"Port {port} of this machine is taken, maybe by another ./ctai serve.",
                    f"End that program, or choose another port: --port {port + 1}",
                )
            time.sleep(0.2)


def _is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def serve(server, database, port, told):
    """Serve a database until Ctrl-C; `told` is said once it answers."""
    serving = _Serving(server, database, port)
    try:
        serving.start()
        serving.wait_for_pages("Start Odoo")
        ui.say(f"\nOpen {serving.address}\n\n{told}")
        ui.say(f"Odoo's log: {paths.shown(serving.log)}. Ctrl-C stops it.")
        while True:
            serving.wait()
    except KeyboardInterrupt:
        ui.note("\nStopping.")
        return 0
    finally:
        serving.stop()


class _Serving:
    """An Odoo that serves, and what watches its database server."""

    def __init__(self, server, database, port):
        self.server = server
        self.log = paths.LOGS / "server.log"
        self.address = f"http://127.0.0.1:{port}"
        config = odoo.configure(server, database, port)
        self.words = odoo.command(config, "--http-port", port)
        self.running = self.watch = None
        self.deaths, self.last_death = 0, 0.0

    def start(self):
        """Start Odoo and the watch."""
        self.watch = self.server.watch()
        with open(self.log, "ab") as stream:
            self.running = process.launch(
                self.words,
                stdout=stream,
                stderr=stream,
                env=self.server.environment(),
                cwd=paths.ROOT,
                start_new_session=True,  # Ctrl-C is for us: Odoo is stopped in order
            )

    def stop(self):
        """End both."""
        for child in filter(None, (self.running, self.watch)):
            process.end(child)

    def wait(self):
        """Wait for the end of Odoo, or of its database server: that one is started again."""
        while self.running.poll() is None and not self._is_cut():
            time.sleep(0.3)
        # Odoo may have ended because of the other, which tells us later.
        time.sleep(0 if self._is_cut() else 2)
        if not self._is_cut():
            code = self.running.wait()
            raise Stop(
                f"Odoo ended by itself (code {code}): {process.tail(self.log)}",
                f"Its log is {self.log}.",
            )
        ui.note(f"{time.strftime('%H:%M:%S')} PostgreSQL broke off. What was under way failed.")
        self._revive()
        # It would answer by itself, but its scheduled actions have ended for good.
        self.stop()
        self.start()
        self.wait_for_pages("Start Odoo again")
        ui.note(f"{time.strftime('%H:%M:%S')} Serving again.")

    def _is_cut(self):
        return self.watch is not None and self.watch.poll() is not None

    def _revive(self):
        while True:
            now = time.monotonic()
            self.deaths = self.deaths + 1 if now - self.last_death < QUIET else 1
            self.last_death = now
            if self.deaths > MOST_DEATHS:
                raise Stop(
                    f"PostgreSQL died {MOST_DEATHS} times in a row: given up.",
                    f"Its log ({self.server.log()}) says why; ./ctai serve tries again.",
                )
            try:
                return self.server.revive()
            except Stop as stop:
                ui.note(str(stop))
                time.sleep(2)

    def wait_for_pages(self, title):
        """Wait until a page is really answered, style sheets made."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with ui.step(title):
            for _ in range(3000):
                if self._is_cut():
                    return  # what waits next sees to it
                if self.running.poll() is not None:
                    raise Stop(
                        f"Odoo did not start: {process.tail(self.log)}", f"Its log is {self.log}."
                    )
                try:
                    page = opener.open(f"{self.address}/web/login", timeout=60).read()
                    for path in re.findall(rb'href="(/web/assets/[^"]+\.css)"', page):
                        opener.open(self.address + path.decode(), timeout=120).read()
                    return
                except OSError:
                    time.sleep(0.2)
        raise Stop("Odoo did not answer within ten minutes.", f"Its log is {self.log}.")
