"""Reminding 1 000 and 10 000 operators that are late, beside bare mails of the same text.

See README.md for what is measured and how to read it.
"""

import time
from unittest.mock import patch

from _common import environment, parse_arguments, scratch_database, show, write_json
from _records import copy_subsidy, make_contract, make_subsidy, make_user

SIZES = (1_000, 10_000)


def make_late(env, subsidies):
    """Let pieces be late since yesterday, of signed subsidies of operators with an address."""
    cr, yesterday = env.cr, env.company._grant_today()
    cr.execute("UPDATE grant_subsidy SET state = 'signed' WHERE id = ANY(%s)", [subsidies])
    for table, column in (("milestone", "date"), ("deliverable", "due_date")):
        cr.execute(
            f"UPDATE grant_{table} SET {column} = %s::date - 1 WHERE subsidy_id = ANY(%s)",
            [yesterday, subsidies],
        )
    cr.execute(
        "UPDATE res_partner SET email = 'a' || id || '@asso.example',"
        " email_normalized = 'a' || id || '@asso.example', commercial_partner_id = id"
        " WHERE id IN (SELECT partner_id FROM grant_subsidy WHERE id = ANY(%s))",
        [subsidies],
    )
    cr.execute("ANALYZE")


def measure(database):
    """Remind everybody: seconds (by the clock, of the processor), statements, mails, and the text
    of one."""
    with environment(database) as env:
        company = env.registry["res.company"]
        with patch.object(company, "_is_reminder_time", lambda *_: True):
            start, before = _read_clocks(), env.cr.sql_log_count
            env["grant.reminder"]._cron_remind()
            env.flush_all()
        seconds, statements = _get_seconds(start), env.cr.sql_log_count - before
        mails = env["mail.mail"].search([("model", "=", "grant.subsidy")], order="id")
        return seconds, statements, len(mails), mails[0].body_html


def _read_clocks():
    return time.perf_counter(), time.process_time()


def _get_seconds(start):
    return [now - before for now, before in zip(_read_clocks(), start, strict=True)]


def measure_floor(database, count, body, batch=100):
    """As many mails of the same text, made and committed by as many: seconds, as above."""
    with environment(database) as env:
        start = _read_clocks()
        for _first in range(0, count, batch):
            env["mail.mail"].create(
                [
                    {"subject": "Bench", "body_html": body, "email_to": "a@asso.example",
                     "email_from": "b@city.example", "reply_to": "b@city.example"}
                    for _number in range(batch)
                ]
            )  # fmt: skip
            env.cr.commit()
        return _get_seconds(start)


def main():
    options = parse_arguments(__doc__)
    figures = []
    for size in SIZES:
        with scratch_database("reminders") as database:
            with environment(database) as env:
                coordinator = make_user(env, "coordinator")
                contract = make_contract(env, [10**9])
                subsidy = make_subsidy(env(user=coordinator.id), contract.envelope_ids, 1_000)
                ids = subsidy.ids + copy_subsidy(env, subsidy, size - 1)
                make_late(env, ids)
            (seconds, worked), statements, mails, body = measure(database)
            assert mails == size, mails
            floor, floor_worked = measure_floor(database, size, body)
            figures.append(
                {
                    "operators": size,
                    "seconds": round(seconds, 1),
                    "ms_each": round(seconds / size * 1000, 2),
                    "floor_ms_each": round(floor / size * 1000, 2),
                    "ratio": round(seconds / floor, 2),
                    "cpu_ratio": round(worked / floor_worked, 2),
                    "statements_a_batch": round(statements / (size / 100), 1),
                }
            )
    head = ("operators", "seconds", "ms each", "bare mail, ms", "ratio", "of CPU", "a batch")
    rows = [tuple(row.values()) for row in figures]
    show("Reminding operators (aim: linear, one set of statements a batch of 100)", head, rows)
    write_json(options.json, "reminders", {"sizes": figures})


if __name__ == "__main__":
    main()
