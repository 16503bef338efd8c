"""An operator's pages with 10 and with 10 000 subsidies, beside Odoo's own purchase orders of as
many; handing in 20 MB, beside Odoo's own upload of them; the memory of uploads at once.

See README.md for what is measured and how to read it.
"""

import io
import os
import re
import resource
import threading
import time
from contextlib import ExitStack
from typing import NamedTuple

import pikepdf
from _common import (
    Clients,
    connect,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import _copy, copy_subsidy, make_contract, make_subsidy, make_user, post_entries
from werkzeug.test import Client, EnvironBuilder

from odoo import Command, http, sql_db
from odoo.service import security
from odoo.tools import config

SIZES = (10, 10_000)
REPETITIONS = 7
UPLOAD = 20 * 2**20  # bytes
AT_ONCE = (1, 4)


class Answer(NamedTuple):
    """What a request took: SQL queries, milliseconds by the clock and of the processor (this
    process's, without PostgreSQL's); and what came of it."""

    queries: int
    ms: float
    cpu: float
    text: str


class Visitor:
    """A browser without a network: Odoo's own WSGI application, with a session."""

    def __init__(self, database, login):
        self._client, self._database = Client(http.root), database
        with environment(database) as env:
            user = env["res.users"].search([("login", "=", login)])
            session = http.root.session_store.new()
            session.update(http.get_default_session(), db=database, _trace_disable=True)
            session.uid, session.login = user.id, login
            session.context = {"lang": "fr_FR", "tz": "Europe/Paris"}
            session.session_token = security.compute_session_token(session, env(user=user.id))
        http.root.session_store.save(session)
        self._client.set_cookie("session_id", session.sid, domain="localhost")

    def get(self, url):
        """Open a page: :class:`Answer`."""
        return self._open(url, method="GET")

    def post(self, url, fields):
        """Send a form: :class:`Answer`."""
        return self._open(url, method="POST", data=fields)

    def _open(self, url, **options):
        config["dbfilter"] = f"^{self._database}$"
        request = EnvironBuilder(url, base_url="http://localhost", **options)
        before, cpu, start = sql_db.sql_counter, time.process_time(), time.perf_counter()
        answer = self._client.open(request)
        text = answer.get_data(as_text=True)
        took, worked = time.perf_counter() - start, time.process_time() - cpu
        is_sent = options["method"] == "POST" and re.search(r"/deliverables/\d+$", url)
        if answer.status_code != (303 if is_sent else 200):
            raise RuntimeError(f"{url}: {answer.status_code}")
        return Answer(sql_db.sql_counter - before, 1000 * took, 1000 * worked, text)

    def get_token(self, url):
        """The token that the forms of a page are sent with."""
        return re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.get(url).text)[1]


# --- pages ------------------------------------------------------------------------------------


class City:
    """A database in which one operator has so many subsidies, and so many purchase orders."""

    def __init__(self, database, size):
        with environment(database) as env:
            env["ir.module.module"].search([("name", "=", "purchase")]).button_immediate_install()
        with environment(database) as env:
            coordinator = make_user(env, "coordinator")
            contract = make_contract(env, [10**9])
            subsidy = make_subsidy(env(user=coordinator.id), contract.envelope_ids, 10_000)
            operator = subsidy.partner_id
            operator.grant_role = "operator"
            ids = subsidy.ids + copy_subsidy(env, subsidy, size - 1, of_one=True)
            self.subsidy_id, operator_id = ids[0], operator.id
            self._make_login(env, operator_id)
            order = self._make_order(env, operator_id)
            self.order_id = order.id
            self._copy_order(env.cr, order, size - 1)
        connection = connect(database)
        post_entries(connection, ids, len(ids))
        connection.close()
        self.visitor = Visitor(database, "bench_operator")
        self.pages = {
            "list of subsidies": "/my/subsidies",
            "a subsidy": f"/my/subsidies/{self.subsidy_id}",
            "list of purchase orders": "/my/purchase",
            "a purchase order": f"/my/purchase/{self.order_id}",
        }

    def _make_login(self, env, operator_id):
        group = env.ref("ctai_grants.group_portal_operator")
        users = env["res.users"].with_context(no_reset_password=True)
        user = users.create(
            {
                "login": "bench_operator",
                "name": "Bench login",
                "email": "bench@asso.example",
                "group_ids": [Command.set(group.ids)],
            }
        )
        user.partner_id.parent_id = operator_id

    def _make_order(self, env, operator_id):
        product = env["product.product"].create({"name": "Bench product", "type": "service"})
        lines = [Command.create({"product_id": product.id, "product_qty": 1, "price_unit": 10})] * 3
        order = env["purchase.order"].create({"partner_id": operator_id, "order_line": lines})
        order.button_confirm()
        env.flush_all()
        return order

    def _copy_order(self, cr, order, count):
        orders = _copy(
            cr, "purchase_order", "generate_series(1, %s) n WHERE t.id = %s", [count, order.id],
            name="t.name || '-' || n", access_token="NULL",
        )  # fmt: skip
        source = "unnest(%s) s(id) WHERE t.order_id = %s"
        _copy(cr, "purchase_order_line", source, [orders, order.id], order_id="s.id")
        cr.execute("ANALYZE")


# Each page beside Odoo's own of the same kind.
PEERS = {"list of subsidies": "list of purchase orders", "a subsidy": "a purchase order"}


def measure_pages(cities):
    """Each page and its peer in turn: figures of each size."""
    measures = {(page, size): [] for page in (*PEERS, *PEERS.values()) for size in cities}
    for repetition in range(-1, REPETITIONS):
        for (page, size), results in measures.items():
            city = cities[size]
            answer = city.visitor.get(city.pages[page])
            if repetition >= 0:  # the first time fills caches
                results.append(answer)
    return [_sum_up(measures, page, size) for page in PEERS for size in cities]


def _sum_up(measures, page, size):
    ours, theirs = measures[page, size], measures[PEERS[page], size]
    return {
        "page": page,
        "subsidies": size,
        "queries": max(one.queries for one in ours),
        "ms": median([one.ms for one in ours], 1),
        "kB": round(max(len(one.text.encode()) for one in ours) / 1024),
        "peer_queries": max(one.queries for one in theirs),
        "peer_ms": median([one.ms for one in theirs], 1),
        **_compare(ours, theirs),
    }


def _compare(ours, theirs):
    """How many times as long ours took as theirs, measured in turn."""
    pairs = list(zip(ours, theirs, strict=True))
    return {
        "ratio": median([our.ms / their.ms for our, their in pairs]),
        "cpu_ratio": median([our.cpu / their.cpu for our, their in pairs]),
    }


# --- uploads ----------------------------------------------------------------------------------


def make_pdf(number):
    """A PDF of a size that a scan may have, unlike any other."""
    stream = io.BytesIO()
    with pikepdf.new() as pdf:
        pdf.add_blank_page()
        pdf.Root.Bench = pdf.make_stream(os.urandom(UPLOAD - 2000) + bytes([number]))
        pdf.save(stream)
    return stream.getvalue()


class Uploads:
    """Pieces to hand in, one for each upload: how often one may be sent again is limited."""

    def __init__(self, database, city, count):
        self.database, self.city = database, city
        with environment(database) as env:
            env.company.grant_upload_max_mb = 30
            milestone = env["grant.milestone"].search(
                [("subsidy_id", "=", city.subsidy_id)], limit=1
            )
            # sudo: who plans pieces is not measured here
            pieces = env["grant.deliverable"].create(
                [{"name": f"Piece {n}", "milestone_id": milestone.id} for n in range(count)]
            )
            self.piece_ids = pieces.ids
        self.token = city.visitor.get_token(self._get_url(self.piece_ids[0]))

    def _get_url(self, piece_id):
        return f"/my/subsidies/{self.city.subsidy_id}/deliverables/{piece_id}"

    def hand_in(self, content):
        """Hand one file in with the form, at once, as without JavaScript."""
        url = self._get_url(self.piece_ids.pop())
        return self.city.visitor.post(url, {**self._get_file(content), "csrf_token": self.token})

    def keep(self, content):
        """Hand one file in as the page does it: it is uploaded, judged and kept when it is chosen,
        and handed in with a click: what each of the two takes."""
        url, token = self._get_url(self.piece_ids.pop()), {"csrf_token": self.token}
        kept = self.city.visitor.post(f"{url}/draft", {**self._get_file(content), **token})
        return kept, self.city.visitor.post(url, token)

    def attach(self, content, visitor, token):
        """Let Odoo take it as an attachment."""
        fields = {"csrf_token": token, "model": "res.partner", "id": "0"}
        return visitor.post("/web/binary/upload_attachment", {**fields, **self._get_file(content)})

    def _get_file(self, content):
        return {"ufile": (io.BytesIO(content), "scan.pdf")}


UPLOADS = ("the upload", "the click", "both at once, without JavaScript")


def measure_uploads(database, uploads):
    """Ours and Odoo's in turn: figures of each of ours."""
    staff = Visitor(database, "bench_coordinator")
    token = re.search(r'csrf_token: "([^"]+)"', staff.get("/odoo").text)[1]
    measures, theirs = {name: [] for name in UPLOADS}, []
    for repetition in range(-1, REPETITIONS):
        # Each is new to the store of files: one that is there already is not written again.
        answers = *uploads.keep(make_pdf(1)), uploads.hand_in(make_pdf(2))
        attached = uploads.attach(make_pdf(3), staff, token)
        if repetition >= 0:
            theirs.append(attached)
            for name, answer in zip(UPLOADS, answers, strict=True):
                measures[name].append(answer)
    count = _count_taken(database)
    assert count == 2 * (REPETITIONS + 1), count
    return [
        {
            "what": name,
            "MB": 0 if name == "the click" else UPLOAD >> 20,
            "queries": max(one.queries for one in ours),
            "ms": median([one.ms for one in ours], 0),
            "peer_ms": median([one.ms for one in theirs], 0),
            **_compare(ours, theirs),
        }
        for name, ours in measures.items()
    ]


def _count_taken(database):
    with environment(database) as env:
        return env["grant.deliverable.version"].search_count([])


def measure_memory(database, uploads, at_once):
    """What a server's memory grew by at most, with so many uploads at once, in a process of its
    own: in times of all their bytes."""
    with Clients(database, 1) as clients:
        (grown,), _seconds = clients.run(_upload_at_once, [(uploads, at_once)], 0)
    return {"at_once": at_once, "times_their_bytes": round(grown / (at_once * UPLOAD), 2)}


def _upload_at_once(_until, uploads, at_once):
    contents = [make_pdf(number) for number in range(at_once)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    threads = [threading.Thread(target=uploads.hand_in, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)


def main():
    options = parse_arguments(__doc__)
    with ExitStack() as stack:
        databases = {size: stack.enter_context(scratch_database(f"portal{size}")) for size in SIZES}
        cities = {size: City(database, size) for size, database in databases.items()}
        pages = measure_pages(cities)
        database = databases[SIZES[0]]
        uploads = Uploads(database, cities[SIZES[0]], 2 * (REPETITIONS + 1) + sum(AT_ONCE))
        upload = measure_uploads(database, uploads)
        memory = []
        for at_once in AT_ONCE:
            known = _count_taken(database)
            memory.append(measure_memory(database, uploads, at_once))
            assert _count_taken(database) == known + at_once
            del uploads.piece_ids[-at_once:]
    head = ("page", "subsidies", "queries", "ms", "kB", "its queries", "its ms", "ratio", "of CPU")
    show(
        "Pages beside Odoo's purchase orders (aim: the same queries, at most 1.3 times)",
        head, [tuple(row.values()) for row in pages],
    )  # fmt: skip
    show(
        "Handing in beside an attachment (aim: at most 1.3 times)",
        ("", "MB", "queries", "ms", "its ms", "ratio", "of CPU"),
        [tuple(row.values()) for row in upload],
    )  # fmt: skip
    show(
        "Memory of uploads at once",
        ("at once", "times their bytes"), [tuple(row.values()) for row in memory],
    )  # fmt: skip
    write_json(options.json, "portal", {"pages": pages, "upload": upload, "memory": memory})


if __name__ == "__main__":
    main()
