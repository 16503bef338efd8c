"""What the add-ons' commands (the files in ``cli/``) share: options, database, exit codes.

0: done, all holds. 1: something is wrong, and told in one sentence. 2: not asked rightly.
"""

from contextlib import contextmanager

import psycopg2

from odoo import SUPERUSER_ID, api
from odoo.exceptions import UserError
from odoo.modules.db import is_initialized
from odoo.modules.registry import Registry
from odoo.sql_db import db_connect
from odoo.tools import config

WRONG, USAGE = 1, 2


def add_options(parser):
    """Give a command the options that say where, and in which language."""
    parser.add_argument("-c", "--config", metavar="FILE", help="Odoo's configuration file")
    parser.add_argument("-d", "--database", metavar="DB", help="unless the configuration names one")
    parser.add_argument(
        "--lang",
        metavar="CODE",
        default="en_US",
        help="language of what is written: en_US (default), fr_FR, or another active one",
    )


@contextmanager
def reading(parser, options, model):
    """Yield an environment whose transaction cannot write, whatever the code it calls does.

    Errors that are meant for people end the program with their sentence and exit code 1.

    :param str model: what has to be installed
    """
    with _using(parser, options, model, read_only=True) as env:
        yield env


@contextmanager
def writing(parser, options, model):
    """As :func:`reading`, in a transaction that is kept when no error ends it."""
    with _using(parser, options, model, read_only=False) as env:
        yield env


@contextmanager
def _using(parser, options, model, read_only):
    registry = _open(parser, options)
    if model not in registry:
        parser.error(f"the add-on with {model} is not installed in {registry.db_name}")
    with registry.cursor() as cr:
        if read_only:
            cr.execute("SET TRANSACTION READ ONLY")
        env = api.Environment(cr, SUPERUSER_ID, {})
        env = env(context={"lang": _find_language(parser, env, options.lang)})
        try:
            yield env
        except (UserError, OSError) as error:
            parser.exit(WRONG, f"{error}\n")


def _open(parser, options):
    words = ["--no-http", "--log-level=warn"]
    words += ["-c", options.config] if options.config else []
    words += ["-d", options.database] if options.database else []
    config.parse_config(words, setup_logging=True)
    if len(config["db_name"]) != 1:
        parser.error("name one database with -d")
    name = config["db_name"][0]
    try:
        with db_connect(name).cursor() as cr:
            # Odoo would begin to write its tables into a database of something else.
            if not is_initialized(cr):
                parser.error(f"{name} is not a database of Odoo")
        return Registry(name)
    except psycopg2.OperationalError as error:
        parser.error(" ".join(str(error).split()))


def _find_language(parser, env, code):
    named = env["res.lang"].search(["|", ("code", "=", code), ("iso_code", "=", code)], limit=1)
    # Which is there even where it is not active.
    if not named and code != "en_US":
        parser.error(f"the language {code} is not active in {env.cr.dbname}")
    return named.code or code
