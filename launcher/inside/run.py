# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Run one command inside Odoo, on one database, in one transaction.

`python launcher/inside/run.py --config ODOO_CONF --database DB COMMAND [ARGUMENTS]`. Progress
goes to standard output; a failure is one sentence, the last line of standard error, with exit
code 1, and nothing of what was begun stays in the database. CTAI_DEBUG shows the traceback too.
"""

import argparse
import os
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from launcher.inside.errors import Refused  # noqa: E402


def _load(env, options):
    from launcher.inside import load

    load.run(env)


def _play(env, options):
    from launcher.inside import play

    play.run(env)


def _statement(env, options):
    from launcher.inside import statement

    statement.run(env, options.contract, options.as_at, options.output)


def _batches(env, options):
    from launcher.inside import batches

    batches.run(env, options.output)


def _verify(env, options):
    from launcher.inside import verify

    verify.run(env)


def _logins(env, options):
    from launcher.inside import logins

    logins.run(env)


def _parse(words):
    # --config and --database may come before the command or after it.
    where = argparse.ArgumentParser(add_help=False)
    where.add_argument("--config", required=True)
    where.add_argument("--database", required=True)
    options, words = where.parse_known_args(words)
    parser = argparse.ArgumentParser(
        description="Run a command inside Odoo.",
        usage="run.py --config ODOO_CONF --database DB COMMAND [ARGUMENTS]",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, call in (("load", _load), ("play", _play), ("verify", _verify), ("logins", _logins)):
        commands.add_parser(name).set_defaults(call=call)
    batches = commands.add_parser("batches")
    batches.add_argument("--output", required=True)
    batches.set_defaults(call=_batches)
    statement = commands.add_parser("statement")
    statement.add_argument("--contract", required=True)
    statement.add_argument("--as-at", required=True)
    statement.add_argument("--output", required=True)
    statement.set_defaults(call=_statement)
    return parser.parse_args(words, options)


def _run(options):
    from odoo import SUPERUSER_ID, api
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["-c", options.config, "-d", options.database, "--log-level", "warn"])
    registry = Registry(options.database)
    if "grant.entry" not in registry:
        raise Refused(f"The add-on ctai_grants is not installed in {options.database}.")
    with registry.cursor() as cr:
        options.call(api.Environment(cr, SUPERUSER_ID, {"lang": "fr_FR"}), options)
    # A server that runs on this database must forget what it has cached.
    registry.signal_changes()


def main(words):
    """Run the command; return the exit code."""
    options = _parse(words)
    try:
        if not Path(options.config).is_file():
            raise Refused(f"There is no configuration file {options.config}.")
        _run(options)
    except Exception as error:  # whatever it is, it is told in one sentence
        if os.environ.get("CTAI_DEBUG"):
            traceback.print_exc()
        sentence = " ".join(str(error).split()) or type(error).__name__
        print(sentence, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
