"""Time and memory of the financial statement, beside a cursor and xlsxwriter alone.

See README.md for what is measured and how to read it.
"""

import datetime
import html
import re
import shutil
import subprocess
import tempfile
import time
from decimal import Decimal
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

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


def write_export(_until, database, user_id, contract_id):
    """The same lines by Odoo's own export of a list, as its web client asks for it."""
    from odoo.addons.web.controllers import export

    names = ["envelope_id", "number", "date", "kind", "envelope_id/code", "partner_id",
             "subsidy_id/code", "action_id", "amount", "origin_model", "memo", "hash"]  # fmt: skip
    with environment(database, user_id) as env, Peak() as peak:
        domain = [("contract_id", "=", contract_id), ("date", "<=", str(AS_AT))]
        entries = env["grant.entry"].with_context(**CONTEXT, import_compat=False).search(domain)
        rows = entries.export_data(names)["datas"]
        fields = [{"name": name, "type": "char"} for name in names]
        with patch.object(export, "request", SimpleNamespace(env=env)):
            peak.size = len(export.ExcelExport().from_data(fields, names, rows))
    return peak.figures()


LINES = 500


def write_document(_until):
    """The PDF of a statement with a table of so many lines."""
    from odoo.addons.ctai_grants_reports.lib import pdf
    from odoo.addons.ctai_grants_reports.lib.statement import Column, Statement, Table

    columns = [Column("Operator", width=28), Column("Action", width=38),
               Column("Paid", "amount", flow="payment"), Column("State", width=12)]  # fmt: skip
    flows = ("allocation", "commitment", "payment", "justification")
    amounts = [Column(flow, "amount", flow=flow) for flow in flows]
    block = Table("Envelopes", [Column("Envelope"), *amounts], lambda: ())
    statement = Statement(
        name="bench", title="Statement", author="City", running_head="Contract", currency="€",
        made_at=datetime.datetime(2022, 1, 1), cover=[("Contract", "Bench")], blocks=[block],
        notes=[], positions=Table("Position", [Column("Chain", "integer")], lambda: ()),
        summary_title="Summary", chart_title="Use", empty="Nothing", lists=[
            Table("Operators", columns, partial(iter, get_lines()), key="bench")],
        ledger=Table("Ledger", columns, lambda: ()), ledger_size=0, kinds={}, chains=[],
        about={"lang": "fr", "words": {}},
    )  # fmt: skip
    with tempfile.TemporaryFile() as stream, Peak() as peak:
        pdf.write(statement, stream)
        peak.size = stream.tell()
    return peak.figures()


def get_lines():
    return [
        (f"Association {number}", f"Ateliers {number}", Decimal(number), "Signed")
        for number in range(LINES)
    ]


# What the template does to a table: headings on each page, every second row shaded.
STYLE = """<style>
body { font-family: serif; font-size: 9pt } table { border-collapse: collapse; width: 100% }
thead { display: table-header-group } tr { page-break-inside: avoid }
th { background: #1f3a5f; color: white } td, th { padding: 3.6pt 4pt; text-align: left }
tr:nth-child(even) { background: #eef2f7 } td:nth-child(3) { text-align: right }
</style>"""
# Debian's has no running heads nor numbers of pages.
PAGE = ("--orientation", "Landscape", "--title", "Statement")


def write_wkhtmltopdf(_until, program):
    """The same content by wkhtmltopdf, which Odoo's own reports use; neither tagged nor PDF/A."""
    cells = ("".join(f"<td>{html.escape(str(cell))}</td>" for cell in row) for row in get_lines())
    rows = "".join(f"<tr>{row}</tr>" for row in cells)
    heads = "".join(f"<th>{name}</th>" for name in ("Operator", "Action", "Paid", "State"))
    table = f"<table><thead><tr>{heads}</tr></thead>{rows}</table>"
    page = f"<html><meta charset='utf-8'>{STYLE}<h1>Statement</h1><h2>Operators</h2>{table}</html>"
    with tempfile.TemporaryDirectory() as folder, Peak() as peak:
        source, target = Path(folder, "page.html"), Path(folder, "page.pdf")
        source.write_text(page, encoding="utf-8")
        subprocess.run([program, "--quiet", *PAGE, source, target], check=True, timeout=300)
        peak.size = target.stat().st_size
    return peak.figures()


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
    memory, ours, floor, exported, posted = [], [], [], [], 0
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
                    exported.append(measure(database, write_export, user_id, contract_id))
            memory.append({"entries": size, "statement": _round(mine), "floor": _round(other)})
        documents = measure_documents(database)
    ratios = [a["seconds"] / b["seconds"] for a, b in zip(ours, floor, strict=True)]
    figures = {
        "entries": COMPARED,
        "statement_seconds": median([run["seconds"] for run in ours]),
        "floor_seconds": median([run["seconds"] for run in floor]),
        "ratio": median(ratios),
        "memory": memory,
        "export": _beside(ours, exported),
        **documents,
    }
    _show(figures)
    write_json(options.json, "statement", figures)


def measure_documents(database):
    """Seconds of the PDF, beside wkhtmltopdf where it is installed."""
    with Clients(database, 1) as clients:
        runs = [clients.run(write_document, [()], 0)[0][0] for _n in range(REPETITIONS)]
        figures = {"pdf_seconds": median([run["seconds"] for run in runs])}
        if program := shutil.which("wkhtmltopdf"):
            runs = [
                clients.run(write_wkhtmltopdf, [(program,)], 0)[0][0] for _n in range(REPETITIONS)
            ]
            figures["wkhtmltopdf_seconds"] = median([run["seconds"] for run in runs])
    return figures


def _beside(ours, theirs):
    """How many times their time and memory ours takes: medians of what ran in turn."""
    pairs = list(zip(ours, theirs, strict=True))
    return {
        name: median([theirs[name] / max(mine[name], 0.1) for mine, theirs in pairs])
        for name in ("seconds", "grown_mb")
    }


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
        f"ratio {figures['ratio']} (aim: at most 1.2)."
    )
    export = figures["export"]
    print(
        f"Odoo's export of the same lines takes {export['seconds']} times as long (aim: 2.5) and "
        f"{export['grown_mb']} times the memory (aim: 5)."
    )
    beside = figures.get("wkhtmltopdf_seconds", "not installed here")
    print(
        f"PDF of {LINES} lines: {figures['pdf_seconds']} s, wkhtmltopdf: {beside} (aim: 5 times "
        "as long)."
    )


if __name__ == "__main__":
    main()
