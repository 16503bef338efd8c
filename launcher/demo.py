# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The commands around the demonstration: demo, serve, statement, verify, shell."""

import csv
import errno
import io
import os
import re
import signal
import sys
import time
from contextlib import contextmanager
from pathlib import Path

from . import backup, databases, files, odoo, paths, process, pyenv, serving, ui, workshop
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
        serving.refuse_taken_port(options.port)
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
        _story(server, "statements", "--output", output)
        ui.note(f"Ready in {ui.seconds(time.monotonic() - started)}.")
        if not options.no_serve:
            return _serve(server, options.port)
        ui.say(f"\n{LOGINS.read_text()}\nServe it with: ./ctai serve")


def _story(server, step, *arguments):
    """Run one step of the story in data/, which says itself what it does."""
    config = odoo.configure(server, databases.DEMO)
    words = [paths.PYTHON, "-m", STORY, step, "-c", config, "-d", databases.DEMO, *arguments]
    if process.start(words, env=server.environment(), cwd=paths.DATA):
        raise Stop(
            f"The demonstration failed in its step `{step}` (see above).",
            "If somebody has worked in it: ./ctai demo --fresh makes it anew.",
        )


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
    serving.refuse_taken_port(options.port)
    with _prepared(options.database) as server:
        return _serve(server, options.port, options.database)


def _serve(server, port, database=databases.DEMO):
    return serving.serve(server, database, port, LOGINS.read_text())


# --- on what is prepared --------------------------------------------------------------------


@contextmanager
def _prepared(database=databases.DEMO):
    """Yield the server with the demonstration, when there is one, or with another database."""
    if database != databases.DEMO:
        with backup.server_with(backup.check_name(database)) as server:
            yield server
        return
    missing = Stop("Nothing is prepared yet.", "Run ./ctai demo first.")
    if not pyenv.complete():
        raise missing
    with workshop.running() as server:
        if not (databases.info(server, databases.DEMO) or {}).get("played"):
            raise missing
        yield server


def _call(server, name, *arguments, database=databases.DEMO, **options):
    """Call a command of Odoo's: what it says is for the user, and so is its exit code."""
    words = odoo.command(odoo.configure(server, database), *arguments, name=name)
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
    with _prepared(options.database) as server:
        return _call(server, "grants_verify", *words, database=options.database)


def shell(_options):
    """Open Odoo's Python shell on the demonstration."""
    with _prepared() as server:
        # Ctrl-C is for the shell, which takes it back.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return _call(server, "shell", "--no-http", stdin=sys.stdin)
