# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Clients of a database, each in a process of its own: they read calls from a socket, one JSON
line each, and answer.

A call goes the whole way of the web client's: a session, Odoo's HTTP application, its retries; or,
with a `server`, to that one, over HTTP, as a user who logs in there with a password. `code` runs a
text as some other add-on would, under the same retries.
"""

import json
import logging
import os
import random
import socket
import sys
import time
from contextlib import nullcontext
from functools import cache, partial
from unittest.mock import patch

import requests
import werkzeug.test

import odoo
from odoo import api, http
from odoo.modules.registry import Registry
from odoo.service.model import retrying
from odoo.service.security import compute_session_token

REFUSALS = ("UserError", "ValidationError", "AccessError", "LockError", "MissingError")


class Retries(logging.Handler):
    """Counts what Odoo's `retrying` says it tries again."""

    count = 0

    def emit(self, record):
        self.count += "try again" in record.msg


class Refused(Exception):
    """The answer to a call is an error; its class, and its message."""


def run(registry, call):
    """Run the text of a call, as some other add-on's code; `runs` says how often it has begun."""
    with registry.cursor() as cr:
        env = api.Environment(cr, call["uid"], {})
        env.transaction.default_env = env
        names = {"env": env, "time": time, "out": [], "runs": []}

        def act():
            names["out"].clear()
            names["runs"].append(1)
            exec(call["code"], names)

        if call.get("restartable"):
            retrying(partial(env["grant.entry"]._restartable, act), env)
        else:
            retrying(act, env)
        return names["out"]


def open_session(database, uid, is_new=False):
    """Log a user in without asking for a password, as Odoo's own HTTP tests do."""
    session = http.root.session_store.new()
    session.update(http.get_default_session(), db=database)
    with Registry(database).cursor() as cr:
        user = api.Environment(cr, uid, {})["res.users"].browse(uid)
        session.update(uid=uid, login=user.login, context=dict(user.context_get()))
        session.session_token = compute_session_token(session, user.env)
        # The first request of a new one writes the device.
        session["_trace_disable"] = not is_new
    http.root.session_store.save(session)
    return session.sid


cache_session = cache(open_session)


def post(registry, call):
    """Call a method of a model, as the web client does."""
    is_new = call.get("is_new", False)
    session = (open_session if is_new else cache_session)(registry.db_name, call["uid"], is_new)
    client = werkzeug.test.Client(http.root)
    client.set_cookie("session_id", session)
    if call.get("json2"):
        return post_json2(client, call)
    params = {name: call[name] for name in ("model", "method", "args")}
    params["kwargs"] = call.get("kwargs", {})
    path = call.get("path", "/web/dataset/call_kw")
    answer = client.post(path, json={"params": params}).get_json()
    if "error" in answer:
        raise Refused(answer["error"]["data"]["name"], answer["error"]["data"]["message"])
    return answer.get("result")


@cache
def log_in(server, database, login):
    """A session of a user at a server, with the password that tests give: the login."""
    session = requests.Session()
    params = {"db": database, "login": login, "password": login}
    answer = session.post(f"{server}/web/session/authenticate", json={"params": params}).json()
    assert answer["result"]["uid"], answer
    return session


def post_to(database, call):
    """Call a method of a model at a server."""
    session = log_in(call["server"], database, call["login"])
    params = {name: call[name] for name in ("model", "method", "args")} | {"kwargs": {}}
    answer = session.post(f"{call['server']}/web/dataset/call_kw", json={"params": params})
    if answer.status_code != 200:
        raise RuntimeError(f"HTTP {answer.status_code}: {answer.text[:200]}")
    answer = answer.json()
    if "error" in answer:
        raise Refused(answer["error"]["data"]["name"], answer["error"]["data"]["message"])
    return answer.get("result")


def post_json2(client, call):
    """Call a method with the current API, which takes the session of a page alone."""
    headers = {"Dest": "document", "Mode": "navigate", "Site": "same-origin", "User": "?1"}
    answer = client.post(
        f"/json/2/{call['model']}/{call['method']}",
        json={"ids": call["args"][0]},
        headers={f"Sec-Fetch-{name}": value for name, value in headers.items()},
    )
    if answer.status_code != 200:
        raise Refused(answer.get_json()["name"], answer.get_json()["message"])
    return answer.get_json()


def hold_savepoint(registry):
    """Let another add-on's override of `_dispatch` hold a savepoint."""
    dispatch = registry["ir.http"]._dispatch

    def dispatch_within(endpoint):
        with http.request.env.cr.savepoint():
            return dispatch(endpoint)

    return patch.object(registry["ir.http"], "_dispatch", staticmethod(dispatch_within))


def answer(database, retries, call):
    time.sleep(max(0.0, call.get("at", 0) + call.get("after", 0) - time.time()))
    retries.count, start = 0, time.monotonic()
    if "server" in call:
        return {**ask_server(database, call), "seconds": time.monotonic() - start}
    registry = Registry(database).check_signaling()
    try:
        with hold_savepoint(registry) if call.get("savepoint") else nullcontext():
            result = {"value": (run if "code" in call else post)(registry, call)}
        registry.signal_changes()
    except Exception as error:
        registry.reset_changes()
        result = describe(error)
    return {**result, "retries": retries.count, "seconds": time.monotonic() - start}


def ask_server(database, call):
    try:
        return {"value": post_to(database, call)}
    except Exception as error:
        return describe(error)


def describe(error):
    """A user is refused; anything else is an error."""
    kind, text = type(error).__name__, str(error)
    if isinstance(error, Refused):
        kind, text = error.args[0].rpartition(".")[2], error.args[1]
    if kind in REFUSALS:
        return {"refused": text, "kind": kind}
    return {"error": f"{kind}: {text}"}


def serve(connection, database, retries):
    with connection, connection.makefile("rw", encoding="utf-8") as stream:
        for line in stream:
            result = answer(database, retries, json.loads(line))
            print(json.dumps({**result, "pid": os.getpid()}, default=str), file=stream, flush=True)


def main(config, database, path):
    options = ["-c", config, "-d", database, f"--db-filter=^{database}$", "--log-level=critical"]
    odoo.tools.config.parse_config(options)
    retries = Retries()
    logger = logging.getLogger("odoo.service.model")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logger.addHandler(retries)
    http.root.initialize()
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
