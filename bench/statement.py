"""Time and memory of the financial statement, beside a cursor and xlsxwriter alone.

See README.md for what is measured and how to read it.
"""

import datetime
import re
import tempfile
import time
from pathlib import Path

import xlsxwriter
from _common import (
    CONTEXT,
    Clients,
    connect,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import copy_subsidy, make_contract, make_subsidy, make_user, post_entries

SIZES = (10_000, 100_000)
FULL_SIZE = 1_000_000
COMPARED = 100_000  # entries of the comparison of times
REPETITIONS = 3
SUBSIDIES = 200
AS_AT = datetime.date(2021, 12, 31)
# Cells of the ledger's sheet, in order: how the statement formats them.
KINDS = (
    "integer", "integer", "date", "text", "text", "text", "text", "text", "amount", "text", "text",
    "hash",
)  # fmt: skip
FORMATS = {
    "integer": {"valign": "top", "align": "right", "num_format": "0"},
    "date": {"valign": "top", "align": "center", "num_format": "dd/mm/yyyy"},
    "text": {"valign": "top", "indent": 1},
    "amount": {"valign": "top", "align": "right", "num_format": '#,##0.00\\ "€"'},
    "hash": {"valign": "top", "indent": 1, "font_name": "Consolas", "font_size": 8},
}


# --- what is measured, each time in a process of its own ----------------------------------------


def write_statement(_until, database, user_id, contract_id):
    """The statement, as its coordinator downloads it."""
    with environment(database, user_id) as env, Peak() as peak:
        contract = env["grant.contract"].with_context(**CONTEXT).browse(contract_id)
        stream, _name, _type = contract.env["grant.statement.data"]._make(contract, AS_AT, "xlsx")
        peak.size = stream.seek(0, 2)
        stream.close()
    return peak.figures()


def write_floor(_until, database, contract_id):
    """The same cells of the ledger, by a server-side cursor and xlsxwriter, nothing checked."""
    connection = connect(database)
    with Peak() as peak, tempfile.TemporaryFile() as stream:
        cr = connection.cursor("ledger")
        cr.itersize = 5000
        cr.execute(
            """SELECT entry.envelope_id, entry.number, entry.date, initcap(entry.kind),
                      envelope.code, partner.name, subsidy.code, action.name, entry.amount::float,
                      'Subsidy – ' || subsidy.code, entry.memo, entry.hash
                 FROM grant_entry entry
                 JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
                 LEFT JOIN res_partner partner ON partner.id = entry.partner_id
                 LEFT JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                 LEFT JOIN grant_action action ON action.id = entry.action_id
                WHERE entry.contract_id = %s AND entry.date <= %s
                ORDER BY entry.envelope_id, entry.number""",
            (contract_id, AS_AT),
        )
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with xlsxwriter.Workbook(stream, options) as book:
            _write_rows(book, cr)
        peak.size = stream.seek(0, 2)
    connection.close()
    return peak.figures()


def _write_rows(book, rows):
    sheet = book.add_worksheet("Ledger")
    formats = [book.add_format(FORMATS[kind]) for kind in KINDS]
    texts = [kind in ("text", "hash") for kind in KINDS]
    for row, values in enumerate(rows, 1):
        for column, value in enumerate(values):
            if value is None:
                continue
            if texts[column]:
                sheet.write_string(row, column, value, formats[column])
            elif column == 2:
                sheet.write_number(row, column, value.toordinal() - 693594, formats[column])
            else:
                sheet.write_number(row, column, value, formats[column])


class Peak:
    """Seconds, and megabytes of memory above what the process had before."""

    def __enter__(self):
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        self.before = self._read("VmRSS")
        self.start = time.perf_counter()
        return self

    def __exit__(self, *_):
        self.seconds = time.perf_counter() - self.start
        self.grown = self._read("VmHWM") - self.before

    def _read(self, name):
        status = Path("/proc/self/status").read_text()
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) / 1024

    def figures(self):
        return {"seconds": self.seconds, "grown_mb": self.grown, "file_mb": self.size / 2**20}


# --- the bench ----------------------------------------------------------------------------------


def prepare(database):
    """A contract of two envelopes and its subsidies; whoever asks for the statement."""
    with environment(database) as env:
        user_id = make_user(env, "coordinator").id
        contract = make_contract(env, [10**9, 10**9])
        subsidy_ids = []
        for envelope in contract.envelope_ids:
            subsidy = make_subsidy(env(user=user_id), envelope, 100_000)
            subsidy_ids += subsidy.ids + copy_subsidy(env, subsidy, SUBSIDIES // 2 - 1)
        return user_id, contract.id, subsidy_ids


def measure(database, work, *arguments):
    """Run ``work`` once, in a fresh process."""
    with Clients(database, 1) as clients:
        (figures,), _seconds = clients.run(work, [(database, *arguments)], 0)
    return figures


def main():
    options = parse_arguments(__doc__)
    sizes = (*SIZES, FULL_SIZE) if options.full else SIZES
    memory, ours, floor, posted = [], [], [], 0
    with scratch_database("statement") as database:
        user_id, contract_id, subsidy_ids = prepare(database)
        for size in sizes:
            connection = connect(database)
            post_entries(connection, subsidy_ids, size, begin=posted)
            connection.close()
            posted = size
            for _repetition in range(REPETITIONS if size == COMPARED else 1):
                mine = measure(database, write_statement, user_id, contract_id)
                other = measure(database, write_floor, contract_id)
                if size == COMPARED:
                    ours.append(mine)
                    floor.append(other)
            memory.append({"entries": size, "statement": _round(mine), "floor": _round(other)})
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(ours, floor, strict=True)]
    figures = {
        "entries": COMPARED,
        "statement_seconds": median([run["seconds"] for run in ours]),
        "floor_seconds": median([run["seconds"] for run in floor]),
        "ratio": median(ratios),
        "memory": memory,
    }
    _show(figures)
    write_json(options.json, "statement", figures)


def _round(figures):
    return {name: round(value, 1) for name, value in figures.items()}


def _show(figures):
    rows = [
        (
            run["entries"], run["statement"]["seconds"], run["floor"]["seconds"],
            run["statement"]["grown_mb"], run["floor"]["grown_mb"], run["statement"]["file_mb"],
        )
        for run in figures["memory"]
    ]  # fmt: skip
    head = ("entries", "statement, s", "floor, s", "statement, MB", "floor, MB", "file, MB")
    show("The statement beside a cursor and xlsxwriter (aim: memory flat)", head, rows)
    print(
        f"\n{figures['entries']} entries, median of {REPETITIONS}: "
        f"{figures['statement_seconds']} s, floor {figures['floor_seconds']} s, "
        f"ratio {figures['ratio']} (aim: at most 1.3)."
    )


if __name__ == "__main__":
    main()
