"""The pivot of the ledger as at a date, beside the same sums in bare SQL.

See README.md for what is measured and how to read it.
"""

import time

from _common import (
    CONTEXT,
    connect,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    vacuum,
    write_json,
)
from _records import copy_subsidy, make_contract, make_subsidy, make_user, post_entries

from odoo import api
from odoo.modules.registry import Registry
from odoo.service.model import call_kw

POSTED = 10_000  # through the ledger; the others are copies of these
SIZES = (100_000,)
FULL_SIZE = 1_000_000
SUBSIDIES = 200
REPETITIONS = 5
# In the middle of what is posted.
AS_AT = "2021-10-25"
KINDS = {"committed": "commitment", "paid": "payment", "justified": "justification"}
# What the pivot is opened with: rows, the column that bare SQL groups by, and what it joins.
PIVOTS = {
    "by envelope": ("envelope_id", "entry.envelope_id", "", "entry.amount"),
    "by operator": ("partner_id", "entry.partner_id", "", "entry.amount"),
    "by month": ("date:month", "date_trunc('month', entry.date)", "", "entry.amount"),
    # Shared in the same way, nothing rounded to the cent.
    "by theme": (
        "themes", "action.name",
        """LEFT JOIN (
               SELECT action.*, amount / sum(amount) OVER (PARTITION BY subsidy_id) AS part,
                      (SELECT string_agg(theme.name->>'en_US', ' + ')
                         FROM grant_action_grant_theme_rel link
                         JOIN grant_theme theme ON theme.id = link.grant_theme_id
                        WHERE link.grant_action_id = action.id) AS name
                 FROM (SELECT id, subsidy_id, amount FROM grant_action) action) action
           ON action.subsidy_id = entry.subsidy_id
          AND (action.id = entry.action_id OR entry.action_id IS NULL)""",
        "entry.amount * CASE WHEN entry.action_id IS NULL THEN action.part ELSE 1 END",
    ),
}  # fmt: skip


def prepare(database):
    """A contract of two envelopes and its subsidies; whoever looks at the pivot."""
    with environment(database) as env:
        user_id = make_user(env, "coordinator").id
        contract = make_contract(env, [10**9, 10**9])
        subsidy_ids = []
        for envelope in contract.envelope_ids:
            subsidy = make_subsidy(env(user=user_id), envelope, 100_000)
            subsidy_ids += subsidy.ids + copy_subsidy(env, subsidy, SUBSIDIES // 2 - 1)
    connection = connect(database)
    post_entries(connection, subsidy_ids, POSTED)
    connection.close()
    return user_id


def multiply(database, size):
    """Copy the entries, without what makes a ledger of them: the pivot only adds them up."""
    with environment(database) as env:
        columns = [
            name for name, field in env["grant.entry"]._fields.items()
            if field.store and field.column_type and name not in ("id", "number", "date")
        ]  # fmt: skip
        names = ", ".join(f'"{name}"' for name in columns)
        env.cr.execute("ALTER TABLE grant_entry DISABLE TRIGGER USER")
        env.cr.execute(
            f"""INSERT INTO grant_entry (number, date, {names})
                SELECT number + n * %s, date + n %% 3, {names}
                  FROM grant_entry, generate_series(1, %s) n
                 WHERE number <= %s""",
            (POSTED, size // POSTED - 1, POSTED),
        )
        env.cr.execute("ALTER TABLE grant_entry ENABLE TRIGGER USER")
    vacuum(database)


def measure(database, user_id, groupby):
    """Milliseconds of the web client's call, with nothing read yet."""
    with Registry(database).cursor() as cr:
        figures = api.Environment(cr, user_id, CONTEXT)["grant.figure"]
        aggregates = ["committed:sum", "paid:sum", "justified:sum", "__count"]
        start = time.perf_counter()
        sums = call_kw(
            figures, "formatted_read_grouping_sets",
            [[("date", "<=", AS_AT)], [[], [groupby]], aggregates], {},
        )  # fmt: skip
        return 1000 * (time.perf_counter() - start), sums[0][0]["paid:sum"]


def measure_bare(database, column, join, amount):
    """Milliseconds of the same sums."""
    sums = ", ".join(
        f"sum({amount}) FILTER (WHERE entry.kind = '{kind}')" for kind in KINDS.values()
    )
    with environment(database) as env:
        start = time.perf_counter()
        env.cr.execute(
            f"""SELECT {column}, {sums}, count(DISTINCT entry.id)
                  FROM grant_entry entry {join}
                 WHERE entry.date <= %s GROUP BY GROUPING SETS ((), ({column}))"""
            if join else
            f"""SELECT {column}, {sums}, count(*)
                  FROM grant_entry entry
                 WHERE entry.date <= %s GROUP BY GROUPING SETS ((), ({column}))""",
            [AS_AT],
        )  # fmt: skip
        rows = env.cr.fetchall()
        # The line of all of them has the largest sum.
        return 1000 * (time.perf_counter() - start), max(float(row[2] or 0) for row in rows)


def main():
    options = parse_arguments(__doc__)
    results = []
    for size in (*SIZES, *((FULL_SIZE,) if options.full else ())):
        with scratch_database(f"pivot{size}") as database:
            user_id = prepare(database)
            multiply(database, size)
            for name, (groupby, *bare_sql) in PIVOTS.items():
                ours, bare = [], []
                for repetition in range(-1, REPETITIONS):
                    mine, total = measure(database, user_id, groupby)
                    other, expected = measure_bare(database, *bare_sql)
                    if abs(total - expected) > 0.01:
                        raise AssertionError(f"{name}: {total} is not {expected}")
                    if repetition >= 0:  # the first time fills caches
                        ours.append(mine)
                        bare.append(other)
                ratios = [one / two for one, two in zip(ours, bare, strict=True)]
                results.append(
                    {"entries": size, "pivot": name, "ms": median(ours, 0),
                     "bare_ms": median(bare, 0), "ratio": median(ratios)}
                )  # fmt: skip
    show(
        "The pivot as at a date, beside bare SQL (aim: at most 1.5)",
        ("entries", "pivot", "ms", "bare, ms", "ratio"),
        [tuple(row.values()) for row in results],
    )
    write_json(options.json, "pivot", {"pivots": results})


if __name__ == "__main__":
    main()
