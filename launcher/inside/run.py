# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Run one command inside Odoo, on one database, in one transaction.

`python launcher/inside/run.py COMMAND [ARGUMENTS] --config ODOO_CONF --database DB`. Progress
goes to standard output; a refusal is one sentence at the end of standard error, with exit code 1,
and nothing of what was begun stays in the database.
"""

import argparse
import os
import sys
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


def _verify(env, options):
    from launcher.inside import verify

    verify.run(env)


def _logins(env, options):
    from launcher.inside import logins

    logins.run(env)


def _parse(words):
    parser = argparse.ArgumentParser(description="Run a command inside Odoo.")
    parser.add_argument("--config", required=True)
    parser.add_argument("--database", required=True)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, call in (("load", _load), ("play", _play), ("verify", _verify), ("logins", _logins)):
        commands.add_parser(name).set_defaults(call=call)
    statement = commands.add_parser("statement")
    statement.add_argument("--contract", required=True)
    statement.add_argument("--as-at", required=True)
    statement.add_argument("--output", required=True)
    statement.set_defaults(call=_statement)
    # --config and --database may come after the command too.
    options, rest = parser.parse_known_args(_first(words, ("--config", "--database")))
    if rest:
        parser.error(f"unknown: {' '.join(rest)}")
    return options


def _first(words, names):
    """Put the options of that name, and their values, before the others."""
    ahead, behind = [], []
    words = iter(words)
    for word in words:
        if word in names:
            ahead += [word, next(words, "")]
        else:
            behind.append(word)
    return ahead + behind


def main(words):
    """Run the command; return the exit code."""
    options = _parse(words)
    from odoo import SUPERUSER_ID, api
    from odoo.exceptions import UserError
    from odoo.modules.registry import Registry
    from odoo.tools import config

    config.parse_config(["-c", options.config, "-d", options.database, "--log-level", "warn"])
    try:
        with Registry(options.database).cursor() as cr:
            options.call(api.Environment(cr, SUPERUSER_ID, {"lang": "fr_FR"}), options)
    except (Refused, UserError) as error:
        if os.environ.get("CTAI_DEBUG"):
            raise
        print(" ".join(str(error).split()), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
