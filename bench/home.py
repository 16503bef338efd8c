"""Today, and the counts of its menus, with 10 and with 10 000 subsidies.

See README.md for what is measured and how to read it.
"""

import time
from contextlib import ExitStack

from _common import (
    CONTEXT,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import copy_subsidy, make_contract, make_subsidy, make_user

from odoo import api
from odoo.modules.registry import Registry
from odoo.service.model import call_kw

SIZES = (10, 10_000)
REPETITIONS = 7
CALLS = {"today": "get_today", "menus": "get_counts"}


class City:
    """A database with so many signed subsidies, each with pieces, tranches and a late task."""

    def __init__(self, database, size):
        self.database = database
        with environment(database) as env:
            coordinator = make_user(env, "coordinator")
            # Who has all tiles.
            self.user_id = make_user(env, "administrator").id
            contract = make_contract(env, [10**9])
            subsidy = make_subsidy(env(user=coordinator.id), contract.envelope_ids, 10_000)
            ids = subsidy.ids + copy_subsidy(env, subsidy, size - 1)
            self._spread(env.cr, ids)

    def _spread(self, cr, ids):
        """Signed, with something in each tile: of their tranches and pieces, some in each state."""
        cr.execute("UPDATE grant_subsidy SET state = 'signed' WHERE id = ANY(%s)", [ids])
        cr.execute(
            "UPDATE grant_disbursement SET payment_deadline = now()::date + (id %% 40 - 10)::int,"
            " state = (ARRAY['planned', 'ready', 'certified', 'ordered'])[id %% 4 + 1]"
            " WHERE subsidy_id = ANY(%s)",
            [ids],
        )
        cr.execute(
            "UPDATE grant_deliverable SET due_date = now()::date + (id %% 60 - 30)::int,"
            " state = (ARRAY['expected', 'submitted'])[id %% 2 + 1] WHERE subsidy_id = ANY(%s)",
            [ids],
        )
        cr.execute("ANALYZE")

    def measure(self, name):
        """What the browser asks for, with nothing read yet: queries, milliseconds, what it got."""
        with Registry(self.database).cursor() as cr:
            env = api.Environment(cr, self.user_id, CONTEXT)
            start, queries = time.perf_counter(), cr.sql_log_count
            result = call_kw(env["grant.today"], CALLS[name], [], {})
            return cr.sql_log_count - queries, 1000 * (time.perf_counter() - start), result


def main():
    options = parse_arguments(__doc__)
    with ExitStack() as stack:
        cities = {
            size: City(stack.enter_context(scratch_database(f"home{size}")), size)
            for size in SIZES
        }
        measures = {(name, size): [] for name in CALLS for size in SIZES}
        for repetition in range(-1, REPETITIONS):
            for (name, size), results in measures.items():
                *figures, result = cities[size].measure(name)
                if repetition >= 0:  # the first time fills caches
                    results.append(figures)
                assert len(result["tiles"] if name == "today" else result) >= 5, result
    figures = [_sum_up(measures, name) for name in CALLS]
    head = ("call", *(f"{what}, {size}" for size in SIZES for what in ("queries", "ms")))
    rows = [
        (each["call"], *(each[str(size)][what] for size in SIZES for what in ("queries", "ms")))
        for each in figures
    ]
    show("Today (aim: as many statements for few as for many)", head, rows)
    write_json(options.json, "home", {"calls": figures})


def _sum_up(measures, name):
    return {
        "call": name,
        **{
            str(size): {
                "queries": max(queries for queries, _ms in measures[name, size]),
                "ms": median([ms for _queries, ms in measures[name, size]], 1),
            }
            for size in SIZES
        },
    }


if __name__ == "__main__":
    main()
