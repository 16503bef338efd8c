# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Clients of a database, each in a process of its own: they read calls from a socket, one JSON
line each, and answer.

A call goes the way of a remote one: the registry's signals, a cursor, `execute_cr` and Odoo's
retries. `code` runs a text as some other add-on would, under the same retries.
"""

import json
import logging
import os
import random
import socket
import sys
import time
from functools import partial

import odoo
from odoo import api
from odoo.exceptions import UserError
from odoo.modules.registry import Registry
from odoo.service.model import execute_cr, retrying


class Retries(logging.Handler):
    """Counts what Odoo's `retrying` says it tries again."""

    count = 0

    def emit(self, record):
        self.count += "try again" in record.msg


def run(registry, call):
    with registry.cursor() as cr:
        if "code" in call:
            env = api.Environment(cr, call["uid"], {})
            names = {"env": env, "time": time, "out": []}
            retrying(partial(exec, call["code"], names), env)
            return names["out"]
        return execute_cr(
            cr, call["uid"], call["model"], call["method"], call["args"], call.get("kwargs", {})
        )


def answer(database, retries, call):
    time.sleep(max(0.0, call.get("at", 0) - time.time()))
    retries.count, start = 0, time.monotonic()
    registry = Registry(database).check_signaling()
    try:
        result = {"value": run(registry, call)}
        registry.signal_changes()
    except UserError as refusal:
        registry.reset_changes()
        result = {"refused": str(refusal), "kind": type(refusal).__name__}
    except Exception as error:
        registry.reset_changes()
        result = {"error": f"{type(error).__name__}: {error}"}
    return {**result, "retries": retries.count, "seconds": time.monotonic() - start}


def serve(connection, database, retries):
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            result = answer(database, retries, json.loads(line))
            print(json.dumps({**result, "pid": os.getpid()}, default=str), file=stream, flush=True)


def main(config, database, path):
    odoo.tools.config.parse_config(["-c", config, "-d", database, "--log-level", "critical"])
    retries = Retries()
    logger = logging.getLogger("odoo.service.model")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(retries)
    # As Odoo's own server with workers: the registry is loaded once, each process then opens
    # its connections.
    Registry(database)
    odoo.sql_db.close_all()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()
        print("ready", flush=True)
        while True:
            connection, _address = server.accept()
            if not os.fork():
                random.seed()
                serve(connection, database, retries)
                # Nothing to tidy up: taking a registry apart takes seconds.
                os._exit(0)
            connection.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
