"""What the benches share: Odoo on a scratch database, client processes, figures."""

import argparse
import json
import logging
import multiprocessing
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import psycopg2
from psycopg2.extensions import ISOLATION_LEVEL_AUTOCOMMIT

from odoo import SUPERUSER_ID, api, sql_db
from odoo.modules.registry import Registry
from odoo.tools import config

# What the web client sends along with each call.
CONTEXT = {"lang": "fr_FR", "tz": "Europe/Paris"}
HEAD_START = 0.2  # seconds between telling clients to start and their starting


def parse_arguments(description):
    """Read the command line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", required=True, metavar="FILE", help="where the figures go")
    parser.add_argument("--full", action="store_true", help="the largest sizes too (minutes more)")
    return parser.parse_args()


# --- databases --------------------------------------------------------------------------------


def configure(database):
    """Let Odoo read its configuration (CTAI_CONFIG) for ``database``."""
    options = ["-c", os.environ["CTAI_CONFIG"], "-d", database, "--log-level=critical"]
    config.parse_config(options, setup_logging=True)
    logging.getLogger("py.warnings").setLevel(logging.CRITICAL)


@contextmanager
def scratch_database(name):
    """Clone the database CTAI_DB for this bench, and drop the clone whatever happens."""
    for variable in ("CTAI_CONFIG", "CTAI_DB"):
        if variable not in os.environ:
            sys.exit(f"{variable} is not set: run ./ctai bench, or read bench/README.md.")
    source = os.environ["CTAI_DB"]
    database = f"{source}_{name}_{os.getpid()}"
    configure(database)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        _administer(f'CREATE DATABASE "{database}" TEMPLATE "{source}"')
        yield database
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        sql_db.close_all()
        _administer(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
        shutil.rmtree(config.filestore(database), ignore_errors=True)


def vacuum(database):
    """Give PostgreSQL the figures it plans with, as its own daemon does in time."""
    _administer("VACUUM ANALYZE", database)


def _administer(statement, database="postgres"):
    connection = psycopg2.connect(**sql_db.connection_info_for(database)[1])
    connection.set_isolation_level(ISOLATION_LEVEL_AUTOCOMMIT)
    with connection.cursor() as cr:
        cr.execute(statement)
    connection.close()


def connect(database):
    """A bare connection, at the isolation Odoo works at."""
    connection = psycopg2.connect(**sql_db.connection_info_for(database)[1])
    connection.set_session(isolation_level="REPEATABLE READ")
    return connection


@contextmanager
def environment(database, uid=SUPERUSER_ID):
    """An Odoo environment with a cursor of its own, committed at the end."""
    with Registry(database).cursor() as cr:
        yield api.Environment(cr, uid, {})
        cr.commit()


# --- processes --------------------------------------------------------------------------------


class Clients:
    """Processes with a registry each, forked as Odoo's own server forks its workers."""

    def __init__(self, database, count):
        Registry(database)
        sql_db.close_all()
        context = multiprocessing.get_context("fork")
        self._pipes, self._processes = [], []
        for _number in range(count):
            ours, theirs = context.Pipe()
            process = context.Process(target=_serve, args=(theirs,), daemon=True)
            process.start()
            self._pipes.append(ours)
            self._processes.append(process)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self._processes:
            process.terminate()
            process.join()

    def run(self, work, arguments, seconds):
        """Call ``work(until, *arguments)`` in as many processes as there are arguments, all at
        once; ``until`` is when they have to stop, on time.monotonic's clock.

        :return: their results, and the seconds from the start to the end of the last one
        """
        start = time.monotonic() + HEAD_START
        pipes = self._pipes[: len(arguments)]
        for pipe, argument in zip(pipes, arguments, strict=True):
            pipe.send((work, start, seconds, argument))
        results, ends = zip(*(pipe.recv() for pipe in pipes), strict=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return results, max(ends) - start


def _serve(pipe):
    """One client: do what is asked until the bench is over."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    while True:
        work, start, seconds, arguments = pipe.recv()
        time.sleep(max(0.0, start - time.monotonic()))
        try:
            result = work(start + seconds, *arguments)
        except Exception as error:
            result = RuntimeError(f"{work.__name__}: {type(error).__name__}: {error}")
        pipe.send((result, time.monotonic()))


# --- figures ----------------------------------------------------------------------------------


def median(values, digits=2):
    """Median, rounded; the machine may be shared, so no figure is one measure."""
    return round(statistics.median(values), digits)


def show(title, head, rows):
    """Print a table, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for row in cells:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    sys.stdout.flush()


def find_commit():
    """The commit that is measured, with ``+`` when files differ from it; none outside of git."""
    here = Path(__file__).parent
    words = ["git", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def write_json(path, name, figures):
    """Write the figures, and what they were measured on."""
    about = {
        "bench": name,
        "commit": find_commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }
    print(f"\nMeasured at commit {about['commit']}, {about['date']}, load {about['load']}.")
    Path(path).write_text(json.dumps({**about, **figures}, indent=2) + "\n")
