"""Our own reading of the rules of open data on subsidies: no network, and nothing shared with what
writes the files (:mod:`.scdl`), but the names of their columns.

All that the schema « subventions » 2.1.1 asks, its checks of SIRET included, and what it lets
through: dates that no calendar has, periods that end before they begin, payments said to be single
that have a period, amounts of nothing, conventions of the future.
"""

import csv
import datetime
import io
import re
from typing import NamedTuple

from stdnum.fr import siret

from .scdl import DIALECTS, IN_KIND, MONEY, ONCE

NATURES = (MONEY, IN_KIND, f"{MONEY};{IN_KIND}", f"{IN_KIND};{MONEY}")
REQUIRED = (
    "exercice", "nomAttribuant", "idAttribuant", "dateConvention", "nomBeneficiaire", "objet",
    "montant", "nature", "conditionsVersement", "datesPeriodeVersement", "notificationUE",
    "pourcentageSubvention",
)  # fmt: skip
LENGTHS = {"objet": 256, "conditionsVersement": 256, "idRAE": 5}
# From where a year is no slip of the pen.
FIRST_YEAR = 1990


class Problem(NamedTuple):
    """What is wrong with a cell: its line (the first below the headings is 1), its column, a code
    and the cell."""

    line: int
    column: str
    code: str
    cell: str = ""


def check(content: bytes, name: str, today) -> list:
    """Read a file of the dialect ``name`` as its receiver does: its problems, none when it is good.

    :param today: after which no convention is signed
    """
    dialect = DIALECTS[name]
    try:
        rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        return [Problem(0, "", "file")]
    if not rows or tuple(rows[0]) != dialect.columns:
        return [Problem(0, "", "columns")]
    problems = []
    for number, row in enumerate(rows[1:], 1):
        if len(row) != len(dialect.columns):
            problems.append(Problem(number, "", "cells"))
            continue
        cells = dict(zip(dialect.columns, row, strict=True))
        found = _check_cells(cells, dialect.separator, today)
        problems += [Problem(number, column, code, cells[column]) for column, code in found]
    return problems


def _check_cells(cells, separator, today):
    """Pairs of column and code."""
    for column, cell in cells.items():
        if not cell:
            if column in REQUIRED:
                yield column, "required"
            continue
        if len(cell) > LENGTHS.get(column, len(cell)):
            yield column, "length"
        if column in CHECKS and (code := CHECKS[column](cell)):
            yield column, code
    yield from _check_identity(cells)
    convention = _read_date(cells["dateConvention"])
    if convention and convention > today:
        yield "dateConvention", "future"
    yield from _check_period(cells, separator)


def _check_identity(cells):
    if cells["idBeneficiaire"]:
        return
    # Only an association that is helped in kind may have no SIRET.
    if MONEY in cells["nature"]:
        yield "idBeneficiaire", "required"
    elif not cells.get("rnaBeneficiaire"):
        yield "idBeneficiaire", "one_of"


def _check_period(cells, separator):
    column = "datesPeriodeVersement"
    if not cells[column]:
        return
    dates = [_read_date(part) for part in cells[column].split(separator)]
    if len(dates) > 2 or not all(dates):
        yield column, "period"
    elif len(dates) == 2 and dates[1] < dates[0]:
        yield column, "order"
    elif len(dates) == 2 and cells["conditionsVersement"] == ONCE:
        yield column, "single"


def _read_date(text):
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return None
    try:
        day = datetime.date.fromisoformat(text)
    except ValueError:
        return None
    return day if day.year >= FIRST_YEAR else None


def _check_siret(cell):
    return None if re.fullmatch(r"[0-9]{14}", cell) and siret.is_valid(cell) else "siret"


def _check_amount(cell):
    if not re.fullmatch(r"[0-9]{1,12}(\.[0-9]{1,2})?", cell):
        return "amount"
    return None if float(cell) else "nothing"


def _check_share(cell):
    is_share = re.fullmatch(r"[01](\.[0-9]+)?", cell) and 0.01 <= float(cell) <= 1
    return None if is_share else "share"


def _match(pattern, code):
    return lambda cell: None if re.fullmatch(pattern, cell) else code


CHECKS = {
    "exercice": _match("[0-9]{4}", "year"),
    "idAttribuant": _check_siret,
    "idBeneficiaire": _check_siret,
    "rnaBeneficiaire": _match("W[0-9]{9}", "rna"),
    "dateConvention": lambda cell: None if _read_date(cell) else "date",
    "montant": _check_amount,
    "nature": lambda cell: None if cell in NATURES else "nature",
    "notificationUE": _match("oui|non", "yes_no"),
    "pourcentageSubvention": _check_share,
}
