"""Awards in files of the SCDL's shape, or nearly: what cities, their request portals and
spreadsheets make of it. Each cell is read one way or not at all, and what is wrong is said of its
line and column."""

import datetime
import hashlib
import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from stdnum.fr import siren, siret

from odoo.addons.ctai_grants.lib.accounting.spreadsheet import (
    Refusal,
    is_empty,
    normalise,
    parse_amount,
    parse_date,
    read_sheets,
)
from odoo.addons.ctai_grants.lib.accounting.tables import Layout, find_tables
from odoo.addons.ctai_grants.lib.guard.money import round_euros

from .scdl import IN_KIND, LONGEST, MONEY

#: What each column is called: by the schema, by the city, and as people write it.
COLUMNS = {
    "exercise": ("exercice", "exercice budgetaire", "annee"),
    "grantor": ("nomattribuant", "nom attribuant", "nom de l attribuant", "attribuant"),
    "grantor_number": (
        "idattribuant", "id attribuant", "identification de l attribuant", "siret attribuant",
        "siret de l attribuant",
    ),
    "convention_date": (
        "dateconvention", "date convention", "date de la convention",
        "date de la convention de subvention", "date de convention", "date",
    ),
    "decision": (
        "referencedecision", "reference decision", "reference de la decision", "deliberation",
        "n deliberation", "numero de deliberation",
    ),
    "beneficiary": (
        "nombeneficiaire", "nom beneficiaire", "nom du beneficiaire", "beneficiaire",
        "association", "nom de l association", "raison sociale",
    ),
    "number": (
        "idbeneficiaire", "id beneficiaire", "identification siret du beneficiaire",
        "identification du beneficiaire", "siret beneficiaire", "siret du beneficiaire", "siret",
        "n siret", "numero siret", "siren", "n siren",
    ),
    "rna": (
        "rnabeneficiaire", "rna beneficiaire", "identification rna du beneficiaire", "rna", "n rna",
        "numero rna",
    ),
    "purpose": (
        "objet", "objet de la subvention", "object", "intitule", "projet", "objet subvention",
    ),
    "amount": (
        "montant", "montant total de la subvention", "montant de la subvention", "montant attribue",
        "montant subvention", "montant accorde", "montant vote",
    ),
    "nature": ("nature", "nature de la subvention", "nature aide", "type d aide"),
    "terms": (
        "conditionsversement", "conditions versement", "conditions de versement",
        "conditions de versement de la subvention",
    ),
    "period": (
        "datesperiodeversement", "dates periode versement", "dates periode de versement",
        "date ou periode de versement", "dateperiodeversement", "periode de versement",
        "date de versement", "date versement",
    ),
    "share": (
        "pourcentagesubvention", "pourcentage subvention", "pourcentage",
        "pourcentage du montant total de la subvention attribuee au beneficiaire",
    ),
}  # fmt: skip
AWARDS = Layout("awards", COLUMNS, ("number", "amount", "purpose"))
# A file that names associations by their RNA alone.
BY_RNA = Layout("awards", COLUMNS, ("rna", "amount", "purpose"))

RNA = re.compile(r"W\d[A-Z\d]\d{7}")
# A number that a spreadsheet shows in short: most of its digits are lost.
ROUNDED = re.compile(r"\d+([.,]\d+)?E[+]?\d+", re.IGNORECASE)
DECIMALS = re.compile(r"(\d+)[.,](\d+)")
NATURES = {
    "aide en numeraire": MONEY, "numeraire": MONEY, "": MONEY, "financiere": MONEY,
    "aide financiere": MONEY,
    "aide en nature": IN_KIND, "nature": IN_KIND,
}  # fmt: skip
# A year before or after is a slip of the pen.
FIRST_DAY, LAST_DAY = datetime.date(1990, 1, 1), datetime.date(2099, 12, 31)


class Fault(NamedTuple):
    """What is wrong with a cell: its column as the file calls it, a code, and the cell."""

    column: str
    code: str
    cell: str


class Award:
    """One line of a file; ``faults`` say what of it cannot be used."""

    exercise = convention_date = paid_from = paid_to = amount = share = None
    grantor_number = number = rna = beneficiary = purpose = decision = terms = ""
    nature, key = MONEY, ""

    def __init__(self, sheet, row):
        self.sheet, self.row, self.faults = sheet, row, []

    def get_text(self):
        """All that the line says, as it is compared with what was imported before."""
        facts = (
            self.grantor_number, self.number, self.rna, self.decision, self.purpose, self.amount,
            self.convention_date, self.paid_from, self.paid_to, self.exercise,
        )  # fmt: skip
        # Without a number, the name says who it is.
        name = "" if self.number or self.rna else self.beneficiary
        return "\n".join(normalise(str(fact or "")) for fact in (*facts, name))


def read_awards(content: bytes, today) -> list[Award]:
    """The awards of a file, whatever it is and wherever its headings are.

    Two lines that say the same are two awards: their keys differ by their number.

    :param today: after which no convention is signed
    :raise Refusal: as :func:`read_sheets`; ``no_columns``, ``double_column``, ``no_rows``
    """
    try:
        _layout, tables = find_tables(read_sheets(content), (AWARDS,))
    except Refusal as refusal:
        if refusal.code != "no_columns":
            raise
        missing = refusal
        try:
            _layout, tables = find_tables(read_sheets(content), (BY_RNA,))
        except Refusal as error:
            raise missing from error
    awards = []
    for sheet, head, columns in tables:
        if sheet.error:
            raise sheet.error
        reader = _Reader(sheet, head, columns, today)
        rows = enumerate(sheet.rows[head + 1 :], head + 2)
        awards += [reader.read_row(row, cells) for row, cells in rows if reader.is_award(cells)]
    if not awards:
        raise Refusal("no_rows")
    _set_keys(awards)
    return awards


# Letters and a symbol by their category, that draw nothing.
_FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def _set_keys(awards):
    counts = {}
    for award in awards:
        text = award.get_text()
        counts[text] = counts.get(text, 0) + 1
        award.key = hashlib.sha256(f"{text}\n#{counts[text]}".encode()).hexdigest()


def _is_unseen(cell):
    """Whether a text draws nothing: zero-width signs, marks without a letter, fillers."""
    return isinstance(cell, str) and not any(
        unicodedata.category(char)[0] in "LNPS" and char not in _FILLERS for char in cell
    )


class _Reader:
    """Reads the rows of one table."""

    def __init__(self, sheet, head, columns, today):
        self.sheet, self.columns, self.today = sheet, columns, today
        self.headings = sheet.rows[head]

    def cell(self, cells, name):
        place = self.columns.get(name)
        cell = cells[place] if place is not None and place < len(cells) else None
        return None if is_empty(cell) or _is_unseen(cell) else cell

    def is_award(self, cells):
        """Whether a row says anything of an award: neither a note nor a total."""
        names = ("number", "rna", "beneficiary", "purpose")
        if any(self.cell(cells, name) is not None for name in names):
            first = next(cell for cell in cells if not is_empty(cell))
            words = normalise(first) if isinstance(first, str) else ""
            is_total = re.match(r"(sous )?total\b|totaux\b", words)
            return not (is_total and self.cell(cells, "number") is None
                        and self.cell(cells, "rna") is None)  # fmt: skip
        return False

    def read_row(self, number, cells):
        """The award of a row."""
        award = Award(self.sheet.name, number)
        extra = cells[len(self.headings) :]
        if not all(map(is_empty, extra)):
            award.faults.append(Fault("", "shifted", str(next(filter(None, extra)))))
        for name, parse in PARSERS.items():
            if name in self.columns:
                self._read_cell(award, name, parse, self.cell(cells, name))
        if award.amount is not None and award.share is not None:
            # The amount is that before it is split between several.
            award.amount = round_euros(award.amount * award.share)
        for name in ("amount", "purpose"):
            if self.cell(cells, name) is None:
                award.faults.append(Fault(self._heading(name), "missing", ""))
        if not self.cell(cells, "number") and not self.cell(cells, "rna"):
            award.faults.append(Fault(self._heading("number", "rna"), "missing", ""))
        self._check(award)
        return award

    def _read_cell(self, award, name, parse, cell):
        if cell is None:
            return
        try:
            value = parse(cell)
        except Refusal as refusal:
            award.faults.append(Fault(self._heading(name), refusal.code, _show(cell)))
            return
        if name == "period":
            award.paid_from, award.paid_to = value
        else:
            setattr(award, name, value)

    def _heading(self, *names):
        name = next(name for name in names if name in self.columns)
        return " ".join(str(self.headings[self.columns[name]]).split())

    def _check(self, award):
        if award.amount is not None and award.amount <= 0:
            award.faults.append(Fault(self._heading("amount"), "nothing", str(award.amount)))
        if award.convention_date and award.convention_date > self.today:
            day = award.convention_date.isoformat()
            award.faults.append(Fault(self._heading("convention_date"), "future", day))
        if award.paid_from and award.paid_to < award.paid_from:
            period = f"{award.paid_from} / {award.paid_to}"
            award.faults.append(Fault(self._heading("period"), "order", period))


def _show(cell):
    """A cell in a sentence: short, and a number of a spreadsheet without its decimal point."""
    text = str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
    return text if len(text) <= 60 else f"{text[:59]}…"


def parse_text(cell) -> str:
    """A text on one line."""
    return " ".join(_show_whole(cell).split())


def _show_whole(cell):
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def parse_number(cell) -> str:
    """A SIRET, or a SIREN: nothing is guessed of one that a spreadsheet changed.

    >>> parse_number("218 601 946 00013"), parse_number(21860194600013.0), parse_number("218601946")
    ('21860194600013', '21860194600013', '218601946')

    :raise Refusal: ``siret_rounded`` (2,43E+13), ``siret_decimals`` (840690.0), ``siret_zero`` (a
        zero at its head is lost), ``siret_length``, ``siret_key``, ``siret_letters``
    """
    text = "".join(_show_number(cell).split()).lstrip("'").replace("-", "")
    if ROUNDED.fullmatch(text):
        raise Refusal("siret_rounded")
    if match := DECIMALS.fullmatch(text):
        # What is left is a whole SIRET, or says nothing of the one that was there.
        if match[2].strip("0") or len(match[1]) != 14:
            raise Refusal("siret_decimals")
        text = match[1]
    if not re.fullmatch("[0-9]+", text):
        raise Refusal("siret_letters")
    if len(text) in (13, 8) and _is_valid(f"0{text}"):
        raise Refusal("siret_zero")
    if len(text) not in (9, 14):
        raise Refusal("siret_length")
    if not _is_valid(text):
        raise Refusal("siret_key")
    return text


def _show_number(cell):
    if isinstance(cell, float) and not (abs(cell) < 1e15 and cell.is_integer()):
        raise Refusal("siret_decimals")
    return _show_whole(cell)


def _is_valid(number):
    return siret.is_valid(number) if len(number) == 14 else siren.is_valid(number)


def parse_rna(cell) -> str:
    """:raise Refusal: ``rna``"""
    text = "".join(str(cell).split()).upper()
    if not RNA.fullmatch(text):
        raise Refusal("rna")
    return text


def parse_purpose(cell) -> str:
    """:raise Refusal: ``length``"""
    text = parse_text(cell)
    if len(text) > LONGEST:
        raise Refusal("length")
    return text


def parse_day(cell) -> datetime.date:
    """A day of our time. :raise Refusal: ``bad_date``"""
    day = parse_date(cell)
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Refusal("bad_date")
    return day


def parse_period(cell) -> tuple:
    """A day, or two of a period, whatever separates them.

    >>> [day.isoformat() for day in parse_period("20/01/2022 au 20/03/2022")]
    ['2022-01-20', '2022-03-20']
    >>> [day.isoformat() for day in parse_period("2022/01/20")]
    ['2022-01-20', '2022-01-20']
    >>> parse_period("2017-03-14/2018-03-14") == parse_period("2017-03-14_2018-03-14")
    True

    :raise Refusal: ``bad_period``
    """
    try:
        day = parse_day(cell)
        return day, day
    except Refusal as refusal:
        if not isinstance(cell, str):
            raise Refusal("bad_period") from refusal
    text = "".join(cell.split())
    for mark in ("_", "au", "à", ";", "/", "-"):
        # In the middle: the dates themselves may have it too.
        places = [match.start() for match in re.finditer(re.escape(mark), text)]
        if not places or not len(places) % 2:
            continue
        place = places[len(places) // 2]
        try:
            start, end = text[:place], text[place + len(mark) :]
            return parse_day(start.removeprefix("du")), parse_day(end)
        except Refusal:
            continue
    raise Refusal("bad_period")


def parse_year(cell) -> int:
    """:raise Refusal: ``bad_year``"""
    text = _show_whole(cell).strip()
    if not re.fullmatch("(19|20)[0-9]{2}", text):
        raise Refusal("bad_year")
    return int(text)


def parse_nature(cell) -> str:
    """:raise Refusal: ``both`` kinds at once; ``nature``"""
    words = normalise(str(cell))
    if words in NATURES:
        return NATURES[words]
    raise Refusal("both" if "nature" in words and "numeraire" in words else "nature")


def parse_share(cell) -> Decimal:
    """The share of the beneficiary in the amount: 0.01 to 1.

    :raise Refusal: ``share``: 100 may be all of it or a slip
    """
    text = str(cell).strip().replace(",", ".")
    if not re.fullmatch(r"[01]?(\.[0-9]{1,6})?", text) or not 0 < Decimal(text or 0) <= 1:
        raise Refusal("share")
    return Decimal(text)


# In the order of the columns, in which faults are told.
PARSERS = {
    "exercise": parse_year,
    "grantor_number": parse_number,
    "convention_date": parse_day,
    "decision": parse_text,
    "beneficiary": parse_text,
    "number": parse_number,
    "rna": parse_rna,
    "purpose": parse_purpose,
    "amount": parse_amount,
    "nature": parse_nature,
    "terms": parse_text,
    "period": parse_period,
    "share": parse_share,
}
