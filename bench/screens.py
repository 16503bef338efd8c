"""SQL queries and time of the main screens with 10 and with 10 000 subsidies.

See README.md for what is measured and how to read it.
"""

import time
from contextlib import ExitStack

from _common import (
    CONTEXT,
    connect,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import copy_subsidy, make_contract, make_subsidy, make_user, post_entries
from lxml import etree

from odoo import api
from odoo.modules.registry import Registry
from odoo.service.model import call_kw

SIZES = (10, 10_000)
REPETITIONS = 7
PAGE = 80  # lines of a list that the web client asks for
COUNT_LIMIT = 10_001  # how far it has them counted
# What a widget reads besides its own field.
WIDGETS = {
    "list_activity": (
        "activity_exception_decoration", "activity_exception_icon", "activity_state",
        "activity_summary", "activity_type_icon", "activity_type_id",
    ),
}  # fmt: skip


# --- what the web client asks for -----------------------------------------------------------


def specification(env, model, view_type):
    """The fields of a model's view, as the web client names them when it reads records."""
    arch = env[model].get_views([(False, view_type)])["views"][view_type]["arch"]
    return _read_view(env[model], etree.fromstring(arch))


def _read_view(records, view):
    wanted = {}
    depth = view.xpath("count(ancestor-or-self::field)")
    for node in view.xpath(f".//field[count(ancestor::field) = {depth}]"):
        name = node.get("name")
        wanted[name] = _read_field(records, node)
        for other in WIDGETS.get(node.get("widget"), ()):
            wanted[other] = {}
    return wanted


def _read_field(records, node):
    field = records._fields[node.get("name")]
    invisible = "True" in (node.get("invisible"), node.get("column_invisible"))
    if not field.relational or invisible or node.get("widget") in WIDGETS:
        return {}
    if field.type == "many2one" or node.get("widget") == "many2many_tags":
        return {"fields": {"display_name": {}}}
    inline = node.xpath("./list | ./kanban")
    lines = records.env[field.comodel_name]
    if inline:
        return {"fields": _read_view(lines, inline[0])}
    mode = (node.get("mode") or "list").split(",")[0]
    return {"fields": specification(records.env, lines._name, mode)}


def grouping_sets(env):
    """What the ledger's pivot view groups by when it opens: each beginning of its rows with each
    beginning of its columns."""
    arch = etree.fromstring(env["grant.entry"].get_view(view_type="pivot")["arch"])
    rows, columns = (arch.xpath(f"./field[@type='{side}']/@name") for side in ("row", "col"))
    return [
        [*rows[:row], *columns[:column]]
        for row in range(len(rows) + 1)
        for column in range(len(columns) + 1)
    ]


# --- measuring ------------------------------------------------------------------------------


class City:
    """A database with so many subsidies, their schedules and their ledger."""

    def __init__(self, database, size):
        self.database = database
        with environment(database) as env:
            self.user_id = make_user(env, "coordinator").id
            contract = make_contract(env, [10**9, 10**9])
            subsidy_ids = []
            for envelope in contract.envelope_ids:
                subsidy = make_subsidy(env(user=self.user_id), envelope, 10_000)
                subsidy_ids += subsidy.ids + copy_subsidy(env, subsidy, size // 2 - 1)
            partner = env["grant.subsidy"].browse(subsidy_ids[0]).partner_id
            # Copies of one operator: its contact form would look through all those of its SIRET.
            env.cr.execute("UPDATE res_partner SET company_registry = NULL WHERE is_company")
        connection = connect(database)
        post_entries(connection, subsidy_ids, 3 * size)
        connection.close()
        with environment(database, self.user_id) as env:
            self.calls = self._prepare_calls(env, contract.id, subsidy_ids[0], partner.id)

    def _prepare_calls(self, env, contract_id, subsidy_id, partner_id):
        """Each screen, and one of Odoo's own of the same kind: (model, method, args, kwargs)."""

        def form(model, record_id):
            return model, "web_read", [[record_id], specification(env, model, "form")], {}

        def table(model, domain):
            wanted = specification(env, model, "list")
            limits = {"limit": PAGE, "count_limit": COUNT_LIMIT}
            return model, "web_search_read", [domain, wanted], limits

        return {
            "contract form": form("grant.contract", contract_id),
            "subsidy form": form("grant.subsidy", subsidy_id),
            "subsidy list": table("grant.subsidy", []),
            "ledger pivot": (
                "grant.entry", "formatted_read_grouping_sets",
                [[], grouping_sets(env), ["amount:sum"]], {},
            ),
            "contact form": form("res.partner", partner_id),
            "contact list": table("res.partner", [("is_company", "=", True)]),
        }  # fmt: skip

    def measure(self, name):
        """Open one screen as the coordinator, with nothing read yet: queries, milliseconds."""
        model, method, args, kwargs = self.calls[name]
        with Registry(self.database).cursor() as cr:
            env = api.Environment(cr, self.user_id, CONTEXT)
            start, queries = time.perf_counter(), cr.sql_log_count
            call_kw(env[model], method, args, kwargs)
            return cr.sql_log_count - queries, 1000 * (time.perf_counter() - start)

    def measure_pivot_in_sql(self):
        """The sums of the pivot by a bare query: queries, milliseconds."""
        with environment(self.database, self.user_id) as env:
            groups = grouping_sets(env)
            sets = ", ".join(f"({', '.join(group)})" for group in groups)
            start = time.perf_counter()
            env.cr.execute(
                f"SELECT {', '.join(groups[-1])}, sum(amount), count(*) FROM grant_entry "
                f"GROUP BY GROUPING SETS ({sets})"
            )
            env.cr.fetchall()
            return 1, 1000 * (time.perf_counter() - start)


PIVOT_FLOOR = "the same in bare SQL"
# Each screen beside Odoo's own of the same kind, or the bare query.
PEERS = {
    "contract form": "contact form",
    "subsidy form": "contact form",
    "subsidy list": "contact list",
    "ledger pivot": PIVOT_FLOOR,
}


def main():
    options = parse_arguments(__doc__)
    with ExitStack() as stack:
        cities = {
            size: City(stack.enter_context(scratch_database(f"screens{size}")), size)
            for size in SIZES
        }
        measures = {(name, size): [] for name in (*PEERS, *PEERS.values()) for size in SIZES}
        for repetition in range(-1, REPETITIONS):
            for (name, size), results in measures.items():
                city = cities[size]
                result = city.measure_pivot_in_sql() if name == PIVOT_FLOOR else city.measure(name)
                if repetition >= 0:  # the first time fills caches
                    results.append(result)
    figures = {"screens": [_sum_up(measures, name) for name in PEERS]}
    _show(figures)
    write_json(options.json, "screens", figures)


def _sum_up(measures, name):
    figures = {"screen": name, "peer": PEERS[name]}
    for size in SIZES:
        ours, theirs = measures[name, size], measures[PEERS[name], size]
        figures[str(size)] = {
            "queries": max(queries for queries, _ms in ours),
            "ms": median([ms for _queries, ms in ours], 1),
            "peer_queries": max(queries for queries, _ms in theirs),
            "peer_ms": median([ms for _queries, ms in theirs], 1),
            "ratio": median([a / b for (_n, a), (_m, b) in zip(ours, theirs, strict=True)]),
        }
    return figures


def _show(figures):
    few, many = map(str, SIZES)
    head = (
        "screen", f"queries, {few}", f"queries, {many}", f"ms, {few}", f"ms, {many}",
        f"beside, {many}", "its queries", "its ms", "ratio",
    )  # fmt: skip
    rows = [
        (
            screen["screen"], screen[few]["queries"], screen[many]["queries"], screen[few]["ms"],
            screen[many]["ms"], screen["peer"], screen[many]["peer_queries"],
            screen[many]["peer_ms"], screen[many]["ratio"],
        )
        for screen in figures["screens"]
    ]  # fmt: skip
    show("Screens with few and many subsidies (aim: the same number of queries)", head, rows)


if __name__ == "__main__":
    main()
