# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The commands around the demonstration: demo, serve, statement, verify, shell."""

import errno
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from . import databases, files, odoo, paths, process, pyenv, ui, workshop
from .errors import Stop

#: What `demo` writes: the year that is played, at its end.
YEAR_END = "2021-12-31"


def inside(server, command, *arguments, title=None):
    """Run a command of `inside/run.py` on the demonstration; return what it printed.

    With a title it is shown as a step.
    """
    config = odoo.configure(server, databases.DEMO)
    words = [paths.PYTHON, paths.INSIDE, command, *arguments]
    words += ["--config", config, "--database", databases.DEMO]
    log = paths.LOGS / f"{command}.log"
    env = pyenv.environment(server.environment())

    def ask():
        with open(log, "wb") as errors:
            result = subprocess.run(
                [str(word) for word in words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=env,
                preexec_fn=process.die_with_parent,
            )
        printed = result.stdout.decode("utf-8", "replace")
        if result.returncode:
            if printed.strip():
                ui.say(printed.rstrip())
            raise Stop(process.tail(log) or f"{command} failed without a word.", f"(Log: {log}.)")
        return printed

    if title is None:
        return ask()
    with ui.Step(title):
        return ask()


def _port_is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _refuse_taken_port(port):
    if not 0 < port < 65536:
        raise Stop(f"{port} is not a port number.", "Give one from 1024 to 65535.", code=2)
    if port < 1024 and os.geteuid():
        raise Stop(f"Port {port} is for root only.", "Give one from 1024 to 65535.", code=2)
    if not _port_is_free(port):
        raise Stop(
            f"Port {port} of this machine is taken, maybe by another ./ctai serve.",
            f"End that program, or choose another port: --port {port + 1}",
        )


# --- demo -----------------------------------------------------------------------------------


def demo(options):
    """Prepare everything, play the year, write the statement, tell the logins, serve."""
    started = time.monotonic()
    if not options.no_serve:
        _refuse_taken_port(options.port)
    output = _make_output(options)
    with workshop.running() as server:
        with workshop.lock():
            databases.ensure_base(server)
            databases.ensure_demo(server, fresh=options.fresh)
            _play(server)
        for code in _contracts():
            ui.say(_statement(server, code, YEAR_END, output).rstrip())
        words = ("--output", output)
        ui.say(inside(server, "batches", *words, title="Lists and files of the orders").rstrip())
        logins = _logins(server)
        ui.note(f"Ready in {ui.seconds(time.monotonic() - started)}.")
        if options.no_serve:
            _tell(logins, None)
            ui.say("Serve it with: ./ctai serve")
            return 0
        return _serve(server, options.port, logins)


def _play(server):
    """Load the contract and play its year, unless this was done with the same data."""
    facts = databases.info(server, databases.DEMO)
    wanted = files.digest(paths.DATA, paths.INSIDE.parent, facts["sources"])
    if facts.get("played") == wanted:
        return
    for command, title in (("load", "Load the contract"), ("play", "Play the year")):
        printed = inside(server, command, title=title)
        if printed.strip():
            ui.say(printed.rstrip())
    logins = inside(server, "logins")
    databases.describe(server, databases.DEMO, {**facts, "played": wanted, "logins": logins})


def _contracts():
    """Return the codes of the contracts in the data files."""
    import csv

    codes = []
    for path in sorted(paths.DATA.glob("*/grant.contract.csv")):
        with open(path, encoding="utf-8-sig", newline="") as stream:
            codes += [row["code"] for row in csv.DictReader(stream) if row.get("code")]
    return codes


def _logins(server):
    lines = (databases.info(server, databases.DEMO).get("logins") or "").splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _tell(logins, address):
    if address:
        ui.say(f"\nOpen {address}")
    if logins:
        ui.say("\n  role                      login                     password")
        for one in logins:
            ui.say(f"  {one['role']:<25} {one['login']:<25} {one['password']}")
        ui.say()


# --- serve ----------------------------------------------------------------------------------


def _ready(server):
    facts = databases.info(server, databases.DEMO)
    if not facts or not facts.get("played"):
        raise Stop("Nothing is prepared yet.", "Run ./ctai demo first.")


def serve(options):
    """Serve what `demo` prepared."""
    _refuse_unprepared()
    _refuse_taken_port(options.port)
    with workshop.running() as server:
        _ready(server)
        return _serve(server, options.port, _logins(server))


def _serve(server, port, logins):
    config = odoo.configure(server, databases.DEMO, port)
    log = paths.LOGS / "server.log"
    address = f"http://127.0.0.1:{port}"
    with open(log, "ab") as stream:
        running = subprocess.Popen(
            [str(word) for word in odoo.command(config, "--http-port", str(port))],
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            env=pyenv.environment(server.environment()),
            cwd=paths.ROOT,
            start_new_session=True,  # Ctrl-C is for us: Odoo is stopped in order
            preexec_fn=process.die_with_parent,
        )
    try:
        with ui.Step("Start Odoo"):
            _wait_for(running, f"{address}/web/login", log)
        _tell(logins, address)
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
    for _ in range(600):
        if running.poll() is not None:
            raise Stop(f"Odoo did not start: {process.tail(log)}", f"Its log is {log}.")
        try:
            page = opener.open(address, timeout=60).read().decode("utf-8", "replace")
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
            continue
        for path in re.findall(r'href="(/web/assets/[^"]+\.css)"', page):
            opener.open(address.replace("/web/login", path), timeout=120).read()
        return
    raise Stop("Odoo did not answer within ten minutes.", f"Its log is {log}.")


# --- on what is prepared --------------------------------------------------------------------


def _refuse_unprepared():
    if not pyenv.complete():
        raise Stop("Nothing is prepared yet.", "Run ./ctai demo first.")


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


def _statement(server, code, as_at, output):
    arguments = ("--contract", code, "--as-at", as_at, "--output", output)
    return inside(server, "statement", *arguments, title=f"Write the statement of {code}")


def statement(options):
    """Write the statement of a contract as at a date."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", options.as_at):
        raise Stop(f"{options.as_at} is not a date.", "Write it as YYYY-MM-DD.", code=2)
    _refuse_unprepared()
    output = _make_output(options)
    with workshop.running() as server:
        _ready(server)
        ui.say(_statement(server, options.contract, options.as_at, output).rstrip())


def verify(_options):
    """Verify the ledger of the demonstration."""
    _refuse_unprepared()
    with workshop.running() as server:
        _ready(server)
        ui.say(inside(server, "verify").rstrip())


def shell(_options):
    """Open Odoo's Python shell on the demonstration."""
    _refuse_unprepared()
    with workshop.running() as server:
        _ready(server)
        config = odoo.configure(server, databases.DEMO)
        return subprocess.call(
            [str(paths.PYTHON), str(paths.ODOO_BIN), "shell", "-c", str(config), "--no-http"],
            stdin=sys.stdin,
            env=pyenv.environment(server.environment()),
        )
