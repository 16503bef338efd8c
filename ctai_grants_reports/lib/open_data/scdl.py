"""Essential data of subsidies as open data: a line, and the CSV files that are made of lines.

Décret 2017-779 and its arrêté of 17 November 2017 (14 columns, period with ``_``); the schema
« subventions » 2.1.1 of the SCDL (16 columns, period with ``/``, ISO 8601); and the shape that the
city publishes on its own site (the year first, without the identifiers of programmes).
"""

import csv
import datetime
import io
import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

MONEY, IN_KIND = "aide en numéraire", "aide en nature"
ONCE, SPREAD = "unique", "échelonné"
# Conditions that are neither: of aid in kind, which has a period and no payment.
LENT = "mise à disposition"
#: Characters of an object, and of conditions.
LONGEST = 256
MIMETYPE = "text/csv"
# The schema's own form; the State's has letters overseas (domain note, point 9).
RNA = re.compile(r"W\d{9}")

OFFICIAL = (
    "nomAttribuant", "idAttribuant", "dateConvention", "referenceDecision", "nomBeneficiaire",
    "idBeneficiaire", "rnaBeneficiaire", "objet", "montant", "nature", "conditionsVersement",
    "datesPeriodeVersement", "idRAE", "notificationUE", "pourcentageSubvention", "dispositifAide",
)  # fmt: skip
DECREE = tuple(name for name in OFFICIAL if name not in ("rnaBeneficiaire", "dispositifAide"))
CITY = ("exercice", *(name for name in DECREE if name != "idRAE"))


class Dialect(NamedTuple):
    """A shape of the file: its columns, and what separates two dates of payment."""

    columns: tuple
    separator: str


DIALECTS = {
    "scdl": Dialect(OFFICIAL, "/"),
    "city": Dialect(CITY, "/"),
    "etalab": Dialect(DECREE, "_"),
}


class Line(NamedTuple):
    """What is published of one grant to one beneficiary."""

    exercise: int
    grantor: str
    grantor_siret: str
    convention_date: datetime.date | None
    decision: str
    beneficiary: str
    beneficiary_siret: str
    beneficiary_rna: str
    purpose: str
    amount: Decimal
    nature: str
    terms: str
    paid_from: datetime.date | None
    paid_to: datetime.date | None


def clean(text, longest=0):
    """A text on one line, that no spreadsheet takes for a formula and no reader turns round.

    >>> clean(" =1+1 "), clean("Ateliers\\n de français"), clean("a\\u202eb"), clean("mot " * 9, 12)
    ('1+1', 'Ateliers de français', 'ab', 'mot mot mot…')
    """
    # Those of the wide forms are signs of formulas too, once a spreadsheet has read them.
    plain = "".join(c for c in text or "" if c.isspace() or unicodedata.category(c)[0] != "C")
    plain = " ".join(plain.split()).lstrip("=+-@＝＋－＠ ")
    if longest and len(plain) > longest:
        return plain[: longest - 1].rstrip() + "…"
    return plain


def get_cells(line: Line, separator: str) -> dict:
    """Texts of all the columns that a line has, by their names."""
    # A number that the schema does not know is left out: the SIRET says who it is.
    rna = line.beneficiary_rna if RNA.fullmatch(line.beneficiary_rna) else ""
    return {
        "exercice": str(line.exercise or ""),
        "nomAttribuant": clean(line.grantor),
        "idAttribuant": line.grantor_siret,
        "dateConvention": _show_date(line.convention_date),
        "referenceDecision": clean(line.decision),
        "nomBeneficiaire": clean(line.beneficiary),
        "idBeneficiaire": line.beneficiary_siret,
        "rnaBeneficiaire": rna,
        "objet": clean(line.purpose, LONGEST),
        "montant": f"{line.amount:.2f}",
        "nature": line.nature,
        "conditionsVersement": clean(line.terms, LONGEST),
        "datesPeriodeVersement": _show_period(line, separator),
        # Ours go to associations and public bodies: none is an aid of that register, or notified.
        "idRAE": "",
        "notificationUE": "non",
        # Each has one beneficiary.
        "pourcentageSubvention": "1.00",
        "dispositifAide": "",
    }


def write(lines, name: str) -> bytes:
    """The CSV file of ``lines`` in the dialect ``name``: UTF-8, commas, quotes doubled."""
    dialect = DIALECTS[name]
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(dialect.columns)
    for line in lines:
        cells = get_cells(line, dialect.separator)
        writer.writerow([cells[column] for column in dialect.columns])
    return stream.getvalue().encode()


def _show_date(day):
    return day.isoformat() if day else ""


def _show_period(line, separator):
    start, end = _show_date(line.paid_from), _show_date(line.paid_to)
    if line.terms == ONCE and start == end:
        return start
    return f"{start}{separator}{end}" if start or end else ""
