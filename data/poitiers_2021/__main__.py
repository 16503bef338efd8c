# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Run one step of the demonstration on a database, in one transaction.

`python -m poitiers_2021 -c ODOO_CONF -d DB play|orders|statements`, from the folder data/. A
failure is one sentence on standard error, with exit code 1, and nothing of what was begun stays in
the database. CTAI_DEBUG shows the traceback too.
"""

import argparse
import os
import sys
import traceback
from pathlib import Path

from odoo import SUPERUSER_ID, api
from odoo.modules.registry import Registry
from odoo.tools import config

from . import Refused, accounts, documents, load, open_data, orders, play, review, statements


def main():
    """Run the step of the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="poitiers_2021", description=__doc__.splitlines()[0])
    parser.add_argument("step", choices=("play", "orders", "statements"))
    parser.add_argument("-c", "--config", metavar="FILE", required=True)
    parser.add_argument("-d", "--database", metavar="DB", required=True)
    parser.add_argument("--output", metavar="DIR", type=Path, default=".")
    options = parser.parse_args()
    try:
        _run(options)
    except Exception as error:  # whatever it is, it is told in one sentence
        if os.environ.get("CTAI_DEBUG"):
            traceback.print_exc()
        print(" ".join(str(error).split()) or type(error).__name__, file=sys.stderr)
        return 1
    return 0


def _run(options):
    config.parse_config(
        ["-c", options.config, "-d", options.database, "--log-level=warn"], setup_logging=True
    )
    registry = Registry(options.database)
    if "grant.entry" not in registry:
        raise Refused(f"The add-on ctai_grants is not installed in {options.database}.")
    with registry.cursor() as cr:
        env = api.Environment(cr, SUPERUSER_ID, {"lang": "fr_FR"})
        if options.step == "orders":
            orders.run(env, options.output)
            documents.run(env, options.output)
            accounts.write(env, options.output)
            open_data.run(env, options.output)
        elif options.step == "statements":
            statements.run(env, options.output)
            review.run(env, options.output)
        else:
            load.run(env)
            play.run(env)
    # A server that runs on this database must forget what it has cached.
    registry.signal_changes()


if __name__ == "__main__":
    sys.exit(main())
