# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The commands around the demonstration: demo, serve, statement, verify, shell."""

import csv
import errno
import io
import os
import re
import signal
import socket
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from . import databases, files, odoo, paths, process, pyenv, ui, workshop
from .errors import Stop

#: What `demo` writes: the year that is played, at its end.
YEAR_END = "2021-12-31"
STORY = "poitiers_2021"
LOGINS = paths.DATA / STORY / "logins.txt"


# --- demo -----------------------------------------------------------------------------------


def demo(options):
    """Prepare everything, play the year, write the statement, tell the logins, serve."""
    started = time.monotonic()
    if not options.no_serve:
        _refuse_taken_port(options.port)
    output = _make_output(options)
    with workshop.running() as server:
        with workshop.lock():
            facts = databases.ensure(server, databases.DEMO, fresh=options.fresh)
            played = files.digest(paths.DATA, facts["sources"])
            if facts.get("played") != played:
                _story(server, "play")
                databases.describe(server, databases.DEMO, {**facts, "played": played})
        for code in _contracts():
            if _statement(server, code, YEAR_END, output):
                raise Stop(f"The statement of {code} could not be written (see above).")
        _story(server, "orders", "--output", output)
        ui.note(f"Ready in {ui.seconds(time.monotonic() - started)}.")
        if not options.no_serve:
            return _serve(server, options.port)
        ui.say(f"\n{LOGINS.read_text()}\nServe it with: ./ctai serve")


def _story(server, step, *arguments):
    """Run one step of the story in data/, which says itself what it does."""
    config = odoo.configure(server, databases.DEMO)
    words = [paths.PYTHON, "-m", STORY, step, "-c", config, "-d", databases.DEMO, *arguments]
    if process.start(words, env=server.environment(), cwd=paths.DATA):
        raise Stop(f"The demonstration failed in its step `{step}` (see above).")


def _contracts():
    """Return the codes of the contracts in the data files."""
    return [
        row["code"]
        for path in sorted(paths.DATA.glob("*/grant.contract.csv"))
        for row in csv.DictReader(io.StringIO(files.read(path).removeprefix("\ufeff")))
        if row["code"]
    ]


def _make_output(options):
    output = Path(options.output).absolute()
    try:
        output.mkdir(parents=True, exist_ok=True)
        if not os.access(output, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise Stop(
            f"Cannot write into {output} ({error.strerror}).", "Name a folder with --output."
        ) from error
    return output


# --- serve ----------------------------------------------------------------------------------


def serve(options):
    """Serve what `demo` prepared."""
    _refuse_taken_port(options.port)
    with _prepared() as server:
        return _serve(server, options.port)


def _refuse_taken_port(port):
    if not 0 < port < 65536:
        raise Stop(f"{port} is not a port number.", "Give one from 1024 to 65535.", code=2)
    if port < 1024 and os.geteuid():
        raise Stop(f"Port {port} is for root only.", "Give one from 1024 to 65535.", code=2)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Stop(
                f"Port {port} of this machine is taken, maybe by another ./ctai serve.",
                f"End that program, or choose another port: --port {port + 1}",
            ) from None


def _serve(server, port):
    log = paths.LOGS / "server.log"
    address = f"http://127.0.0.1:{port}"
    words = odoo.command(odoo.configure(server, databases.DEMO, port), "--http-port", port)
    with open(log, "ab") as stream:
        running = process.launch(
            words,
            stdout=stream,
            stderr=stream,
            env=server.environment(),
            cwd=paths.ROOT,
            start_new_session=True,  # Ctrl-C is for us: Odoo is stopped in order
        )
    try:
        with ui.step("Start Odoo"):
            _wait_for(running, address, log)
        ui.say(f"\nOpen {address}\n\n{LOGINS.read_text()}")
        ui.say(f"Odoo's log: {paths.shown(log)}. Ctrl-C stops it.")
        code = running.wait()
        raise Stop(f"Odoo ended by itself (code {code}): {process.tail(log)}", f"Its log is {log}.")
    except KeyboardInterrupt:
        ui.note("\nStopping.")
        return 0
    finally:
        process.end(running)


def _wait_for(running, address, log):
    """Wait until a page is really answered, style sheets made."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for _ in range(3000):
        if running.poll() is not None:
            raise Stop(f"Odoo did not start: {process.tail(log)}", f"Its log is {log}.")
        try:
            page = opener.open(f"{address}/web/login", timeout=60).read().decode("utf-8", "replace")
        except OSError:
            time.sleep(0.2)
            continue
        for path in re.findall(r'href="(/web/assets/[^"]+\.css)"', page):
            opener.open(address + path, timeout=120).read()
        return
    raise Stop("Odoo did not answer within ten minutes.", f"Its log is {log}.")


# --- on what is prepared --------------------------------------------------------------------


@contextmanager
def _prepared():
    """Yield the server with the demonstration, when there is one."""
    missing = Stop("Nothing is prepared yet.", "Run ./ctai demo first.")
    if not pyenv.complete():
        raise missing
    with workshop.running() as server:
        if not (databases.info(server, databases.DEMO) or {}).get("played"):
            raise missing
        yield server


def _call(server, name, *arguments, **options):
    """Call a command of Odoo's: what it says is for the user, and so is its exit code."""
    words = odoo.command(odoo.configure(server, databases.DEMO), *arguments, name=name)
    return process.start(words, env=server.environment(), **options)


def _statement(server, code, as_at, output):
    words = ("--contract", code, "--as-at", as_at, "--output", output, "--lang", "fr_FR")
    return _call(server, "grants_statement", *words)


def statement(options):
    """Write the statement of a contract as at a date."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", options.as_at):
        raise Stop(f"{options.as_at} is not a date.", "Write it as YYYY-MM-DD.", code=2)
    output = _make_output(options)
    with _prepared() as server:
        return _statement(server, options.contract, options.as_at, output)


def verify(options):
    """Verify the ledger of the demonstration; beside an older copy of it, when one is named."""
    words = ("--against", Path(options.against).absolute()) if options.against else ()
    with _prepared() as server:
        return _call(server, "grants_verify", *words)


def shell(_options):
    """Open Odoo's Python shell on the demonstration."""
    with _prepared() as server:
        # Ctrl-C is for the shell, which takes it back.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return _call(server, "shell", "--no-http", stdin=sys.stdin)
