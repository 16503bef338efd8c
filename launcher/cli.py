# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The command line of `./ctai`."""

import argparse
import signal
import sys

from . import backup, benches, checks, databases, demo, doctor, files, paths, restore, ui
from .errors import Stop, disk_full, from_os_error

#: Bytes: PostgreSQL stops when it cannot have its next 16 MB of journal.
ALMOST_FULL = 50_000_000


def _option(*words, **settings):
    return words, settings


def _flag(word, text):
    return _option(word, action="store_true", help=text)


PORT = _option("--port", type=int, default=8069, help="the web port (8069 by default)")
OUTPUT = _option("--output", metavar="DIR", default="out", help="where files go (out/)")
DATABASE = _option(
    "--database", metavar="NAME", default=databases.DEMO, help="a restored copy, say"
)
FOLDER = _option("folder", metavar="DIR", help="the folder of the backup")
#: Name, function, description, options.
COMMANDS = (
    (
        *("demo", demo.demo, "Prepare everything, play the year 2021 of Poitiers, serve."),
        *(OUTPUT, PORT),
        _flag("--no-serve", "stop when all is prepared"),
        _flag("--fresh", "start again from an empty database"),
    ),
    ("serve", demo.serve, "Serve what `demo` prepared.", DATABASE, PORT),
    (
        *("test", checks.test, "Run every check, and each test once."),
        _flag("--fast", "only the tests: no linters, packaging, translations"),
        _flag("--long", "thousands of contended calls, 100 kills, all in pytest too"),
        _option("-k", metavar="NAME", dest="expression", help="only these (pytest's -k), at once"),
    ),
    ("lint", checks.lint, "Run the linters alone."),
    (
        *("statement", demo.statement, "Write the statement of a contract at a date."),
        _option("--contract", metavar="CODE", required=True),
        _option("--as-at", metavar="DATE", required=True, help="YYYY-MM-DD"),
        OUTPUT,
    ),
    (
        *("verify", demo.verify, "Verify the ledger of the demonstration; 1: something is wrong."),
        DATABASE,
        _option("--against", metavar="FILE", help="an older ledger.csv, or a list of heads"),
    ),
    (
        *("backup", backup.backup, "Write database, files and heads of the ledger into a folder."),
        *(FOLDER, DATABASE),
        _option("--filestore", metavar="DIR", help="its files, when ./ctai did not make it"),
    ),
    (
        *("restore", restore.restore, "Restore a backup into a new database, and verify it."),
        FOLDER,
        _option("--database", metavar="NAME", help="another name than the original's"),
        _flag("--neutralize", "a copy that sends no mail and runs no scheduled action"),
        _flag("--keep", "keep what was restored although it does not hold"),
    ),
    (
        *("bench", benches.bench, "Measure; all benches when none is named."),
        _option("name", nargs="?", metavar="NAME"),
        _option("--json", metavar="FILE", required=True, help="where the results go"),
        _flag("--full", "the largest sizes too (minutes more)"),
    ),
    ("shell", demo.shell, "Open Odoo's Python shell on the demonstration."),
    ("i18n", checks.i18n, "Rewrite the .pot files and merge new terms into fr.po."),
    ("pages", checks.pages, "Make the manual's pages and the add-ons' READMEs of their sources."),
    ("doctor", doctor.doctor, "Say what is found and what is missing."),
)


class _Parser(argparse.ArgumentParser):
    """The parser whose errors show what there is, not only that something was wrong."""

    def error(self, message):
        self.print_help(sys.stderr)
        self.exit(2, f"\nctai: {message}\n")


def parser():
    """Return the parser of the command line."""
    top = _Parser(
        prog="ctai",
        description="Runs the grant ledger on Odoo 19: a demonstration, its tests, its measures.",
        epilog="CTAI_ODOO names an Odoo 19 of yours, the PG* variables a PostgreSQL of yours;"
        " without them both are prepared in .ctai, without root.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, function, text, *options in COMMANDS:
        command = commands.add_parser(name, help=text, description=text)
        command.set_defaults(function=function)
        for words, settings in options:
            command.add_argument(*words, **settings)
    return top


def _terminate(_signal, _frame):
    raise SystemExit(143)


def main(arguments):
    """Run a command and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")
    # Ended by a signal, we still stop what we started.
    signal.signal(signal.SIGTERM, _terminate)
    signal.signal(signal.SIGHUP, _terminate)
    options = parser().parse_args(arguments)
    try:
        return options.function(options) or 0
    except Stop as stop:
        problem = stop
    except KeyboardInterrupt:
        ui.note("\nctai: interrupted. The same command goes on from here.")
        return 130
    except BrokenPipeError:
        return 1
    except OSError as error:
        problem = from_os_error(error)
    # Programs tell a full disk in their own ways, or not at all when their log is on it.
    if problem.code == 1 and files.room(paths.STATE) < ALMOST_FULL:
        problem = disk_full(paths.ROOT)
    ui.note(f"ctai: {problem}")
    return problem.code
