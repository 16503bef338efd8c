"""Importing a treasury's extract, beside reading it and matching in plain dictionaries.

See README.md for what is measured and how to read it.
"""

import datetime
import io
import time

import python_calamine
import xlsxwriter
from _common import (
    CONTEXT,
    environment,
    median,
    parse_arguments,
    scratch_database,
    show,
    write_json,
)
from _records import SIRET, make_certified_tranches

from odoo import api
from odoo.modules.registry import Registry

ORDERED, PAID = datetime.date(2021, 11, 20), datetime.date(2021, 12, 3)
SIZES, FULL_SIZES = (5_000,), (5_000, 50_000)
OURS = 50  # one row in so many pays a grant; the others, other orders of the city
REPETITIONS = 9
# A city and a party of nobody: no SIREN begins with 000.
CITY, OTHER = "00000002600013", "00000003400017"
HEAD = (
    "ID", "CODE_INSEE_BC", "COLLEC", "TYPE MANDAT", "DATE_EMISSION", "NUM_MANDAT", "NUMERO_LIGNE",
    "OBJET_MANDAT", "MONTANT_PAIEMENT", "DATE_PAIEMENT", "NOM", "TYPE_IMMATRICULATION",
    "IMMATRICULATION",
)  # fmt: skip


def make_extract(rows):
    """An extract of so many invented payments; grants' orders have the first numbers."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"constant_memory": True}) as book:
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        sheet = book.add_worksheet("Extraction")
        sheet.write_row(0, 0, HEAD)
        for row in range(1, rows + 1):
            grant = row % OURS == 0
            number = row // OURS if grant else rows + row
            sheet.write_row(row, 0, ("", CITY, "VILLE", "1-Mandat(s) ordinaire(s)"))
            sheet.write_datetime(row, 4, ORDERED, day)
            sheet.write_row(row, 5, (number, 1, f"Invented {row}"))
            sheet.write_number(row, 8, 3_000 if grant else row / 100)
            sheet.write_datetime(row, 9, PAID, day)
            sheet.write_row(row, 10, ("Invented", "SIRET", SIRET if grant else OTHER))
    return stream.getvalue()


def order_all(database, uid, count):
    """Order ``count`` tranches, numbered from 1; what they are for the bare matching."""
    with environment(database) as env:
        env.company.partner_id.write(
            {"country_id": env.ref("base.fr").id, "company_registry": CITY}
        )
        # One amount and one operator, those of the extract.
        env.cr.execute("UPDATE grant_disbursement SET amount = 3000")
        env.cr.execute(
            "UPDATE res_partner SET grant_body = %s WHERE company_registry = %s",
            [SIRET[:9], SIRET],
        )
        env.invalidate_all()
        tranches = env["grant.disbursement"].search([("state", "=", "certified")], limit=count)
        tranches.with_user(uid)._do_order("1", ORDERED)
        return {int(t.order_number): (t.id, t.amount) for t in tranches}


def measure(database, uid, content):
    """Read, match and show a preview of the extract, as its officer: seconds, queries, lines to
    book. What was done is rolled back."""
    with Registry(database).cursor() as cr:
        env = api.Environment(cr, uid, CONTEXT)
        queries, start = cr.sql_log_count, time.perf_counter()
        found = env["grant.treasury.import"]._import("extract.xlsx", content)
        env.flush_all()
        seconds, queries = time.perf_counter() - start, cr.sql_log_count - queries
        booked = found.to_book_count
        cr.rollback()
    return seconds, queries, booked


def measure_floor(known, content):
    """Read with the same reader and match by number, then by party and amount: seconds, and how
    many match."""
    start = time.perf_counter()
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    rows = book.get_sheet_by_index(0).to_python()
    lines = [dict(zip(rows[0], row, strict=True)) for row in rows[1:]]
    by_party = {(SIRET, amount): tranche_id for tranche_id, amount in known.values()}
    matched = []
    for line in lines:
        amount = line["MONTANT_PAIEMENT"]
        order = known.get(int(line["NUM_MANDAT"]))
        tranche_id = order and order[1] == amount and order[0]
        tranche_id = tranche_id or by_party.get((line["IMMATRICULATION"], amount))
        if tranche_id and line["DATE_PAIEMENT"] >= ORDERED:
            matched.append((tranche_id, line))
    return time.perf_counter() - start, len(matched)


def main():
    options = parse_arguments(__doc__)
    sizes = FULL_SIZES if options.full else SIZES
    results = {}
    with scratch_database("treasury") as database:
        uid = make_certified_tranches(database, max(sizes) // OURS)
        known = order_all(database, uid, max(sizes) // OURS)
        for size in sizes:
            content = make_extract(size)
            results[size] = []
            for repetition in range(-1, REPETITIONS):
                ours, floor = measure(database, uid, content), measure_floor(known, content)
                assert ours[2] == floor[1] == size // OURS, (ours, floor)
                if repetition >= 0:  # the first time fills caches
                    results[size].append((ours, floor))
    figures = [_sum_up(size, pairs) for size, pairs in results.items()]
    head = ("rows", "to book", "seconds", "floor, s", "ratio", "queries")
    show(
        "Extracts beside reading and matching in dictionaries (aim: 3 at most)",
        head,
        [tuple(row.values()) for row in figures],
    )
    write_json(options.json, "treasury", {"sizes": figures})


def _sum_up(size, pairs):
    return {
        "rows": size,
        "to_book": size // OURS,
        "seconds": median([ours[0] for ours, _floor in pairs]),
        "floor_seconds": median([floor[0] for _ours, floor in pairs]),
        "ratio": median([ours[0] / floor[0] for ours, floor in pairs]),
        "queries": max(ours[1] for ours, _floor in pairs),
    }


if __name__ == "__main__":
    main()
