"""Verifying the ledger, beside one sequential read and hash of its entries in Python.

See README.md for what is measured and how to read it.
"""

import hashlib
import time

from _common import (
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

SIZES, FULL_SIZES = (100_000,), (100_000, 1_000_000)
SUBSIDIES = 500
REPETITIONS = 3


def measure(database):
    """Verify the ledger of all envelopes, in a cold cache: seconds. Not whether its documents say
    the same: what is posted here by the hundred thousand comes from none."""
    with environment(database) as env:
        entries, envelopes = env["grant.entry"], env["grant.envelope"].search([])
        start = time.perf_counter()
        wrong = entries._get_untied(envelopes) + entries._get_broken_days(envelopes)
        seconds = time.perf_counter() - start
        assert not wrong, wrong
    return seconds


def measure_floor(database):
    """Read the entries once, as text, and hash each chained to the one before: seconds."""
    connection = connect(database)
    start = time.perf_counter()
    cr = connection.cursor("floor")
    cr.itersize = 5_000
    cr.execute(
        """SELECT number::text, envelope_id::text, to_char(date, 'YYYY-MM-DD'), kind,
                  amount::numeric(16, 2)::text, COALESCE(subsidy_id::text, ''),
                  COALESCE(action_id::text, ''), COALESCE(partner_id::text, ''), origin_model,
                  origin_id::text, user_id::text,
                  to_char(posted_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), COALESCE(memo, ''), hash
             FROM grant_entry entry ORDER BY entry.envelope_id, entry.number"""
    )
    previous = "0" * 64
    for number, *values, stored in cr:
        previous = "0" * 64 if number == "1" else previous
        text = "\n".join([previous, number, *values])
        previous = hashlib.sha256(text.encode()).hexdigest()
        assert previous == stored
    seconds = time.perf_counter() - start
    connection.close()
    return seconds


def main():
    options = parse_arguments(__doc__)
    figures = []
    with scratch_database("verify") as database:
        with environment(database) as env:
            coordinator = make_user(env, "coordinator")
            contract = make_contract(env, [10**9])
            subsidy = make_subsidy(env(user=coordinator.id), contract.envelope_ids, 10**6)
            ids = subsidy.ids + copy_subsidy(env, subsidy, SUBSIDIES - 1)
        posted = 0
        for size in FULL_SIZES if options.full else SIZES:
            connection = connect(database)
            post_entries(connection, ids, size, posted)
            connection.close()
            vacuum(database)
            posted = size
            pairs = [(measure(database), measure_floor(database)) for _ in range(REPETITIONS)]
            figures.append(
                {
                    "entries": size,
                    "seconds": median([ours for ours, _floor in pairs]),
                    "floor_seconds": median([floor for _ours, floor in pairs]),
                    "ratio": median([ours / floor for ours, floor in pairs]),
                }
            )
    head = ("entries", "seconds", "floor, s", "ratio")
    rows = [tuple(row.values()) for row in figures]
    show("Verifying beside reading and hashing once (aim: 2 at most)", head, rows)
    write_json(options.json, "verify", {"sizes": figures})


if __name__ == "__main__":
    main()
