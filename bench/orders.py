"""Ordering many tranches in one batch, beside posting as many plain vendor bills.

See README.md for what is measured and how to read it.
"""

import datetime
import time

from _common import (
    CONTEXT,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    vacuum,
    write_json,
)
from _records import make_certified_tranches

from odoo import api
from odoo.modules.registry import Registry

DAY = datetime.date(2021, 11, 20)
SIZES, FULL_SIZES = (30, 150), (100, 1_000)
REPETITIONS = 3
PAID_BEFORE = 100  # bills


def measure(database, uid, count, ours):
    """Order ``count`` tranches, or post the bills that this would make: seconds and queries. What
    was done is rolled back."""
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, uid, CONTEXT)
        tranches = env["grant.disbursement"].search([("state", "=", "certified")], limit=count)
        assert len(tranches) == count
        values = [] if ours else [tranche._prepare_bill(DAY) for tranche in tranches]
        env.flush_all()
        env.invalidate_all()
        queries, start = cr.sql_log_count, time.perf_counter()
        if ours:
            tranches._do_order("1", DAY)
        else:
            env["account.move"].create(values)._post(soft=False)
        env.flush_all()
        seconds, queries = time.perf_counter() - start, cr.sql_log_count - queries
        assert not ours or set(tranches.mapped("state")) == {"ordered"}
        cr.rollback()
    return seconds, queries


def furnish(database):
    """Post and pay bills: a city's accounting is not empty, and while it is, PostgreSQL plans some
    of Odoo's own queries so badly that they take minutes."""
    with environment(database) as env:
        tranche = env["grant.disbursement"].search([("state", "=", "certified")], limit=1)
        for _turn in range(PAID_BEFORE // 20):
            bills = env["account.move"].create([tranche._prepare_bill(DAY)] * 20)
            bills._post(soft=False)
            env["account.payment.register"].with_context(
                active_model=bills._name, active_ids=bills.ids
            ).create({"group_payment": False})._create_payments()


def main():
    options = parse_arguments(__doc__)
    sizes = FULL_SIZES if options.full else SIZES
    with scratch_database("orders") as database:
        uid = make_certified_tranches(database, max(sizes))
        furnish(database)
        results = {(size, ours): [] for size in sizes for ours in (True, False)}
        for repetition in range(-1, REPETITIONS):
            for (size, ours), figures in results.items():
                if repetition >= 0 or size == sizes[0]:  # the first time fills caches
                    vacuum(database)
                    figure = measure(database, uid, size, ours)
                    figures.extend([figure] if repetition >= 0 else [])
    figures = [_sum_up(results, size) for size in sizes]
    head = ("orders", "seconds", "bills, s", "ratio", "queries per order", "per bill")
    show(
        "Orders beside plain vendor bills (aim: 1.5 at most)",
        head,
        [
            (row["orders"], row["seconds"], row["bills_seconds"], row["ratio"],
             row["queries_per_order"], row["queries_per_bill"])
            for row in figures
        ],
    )  # fmt: skip
    write_json(options.json, "orders", {"sizes": figures})


def _sum_up(results, size):
    ours, theirs = results[size, True], results[size, False]
    return {
        "orders": size,
        "seconds": median([seconds for seconds, _queries in ours]),
        "bills_seconds": median([seconds for seconds, _queries in theirs]),
        "ratio": median([a / b for (a, _n), (b, _m) in zip(ours, theirs, strict=True)]),
        "queries_per_order": round(ours[0][1] / size, 1),
        "queries_per_bill": round(theirs[0][1] / size, 1),
    }


if __name__ == "__main__":
    main()
