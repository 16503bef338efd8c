"""What the treasury and the State's accounting extract for a city: the payments of its orders,
and those of the State's commitments (Chorus). Columns are found by their names.

Layouts seen: ``treasury/helios_extract.ods`` and ``treasury/chorus_extract.xlsx`` of the shared
data; other headings are the words that finance software uses for the same things.
"""

import datetime
import functools
import math
import re
from decimal import Decimal
from typing import NamedTuple

from ..accounting.spreadsheet import (
    Refusal,
    is_empty,
    normalise,
    parse_amount,
    parse_date,
    parse_identifier,
)
from ..accounting.tables import Layout, find_tables
from .titles import read_titles

# Columns that are filled for what was not paid.
REJECTIONS = (
    "motif rejet", "motif de rejet", "motif du rejet", "motifs de rejet", "rejet", "rejete",
    "motif de suspension", "motif suspension", "motif d annulation", "motif annulation",
    "code rejet", "libelle rejet", "rejet o n",
    "date rejet", "date de rejet", "date du rejet", "rejete le", "date de suspension",
    "date annulation", "date d annulation",
)  # fmt: skip
ORDERS = Layout(
    "orders",
    {
        "number": (
            "num mandat", "numero mandat", "n mandat", "no mandat", "numero de mandat",
            "n de mandat", "numero du mandat", "mandat", "num piece", "numero de piece", "n piece",
        ),
        "amount": (
            "montant paiement", "montant paye", "montant du paiement", "montant regle", "montant",
        ),
        "date": (
            "date paiement", "date de paiement", "date du paiement", "date reglement",
            "date de reglement", "paye le",
        ),
        "identifier": (
            "immatriculation", "siret", "siret tiers", "siret du tiers", "siret beneficiaire",
            "numero siret", "n siret", "no siret",
        ),
        "name": ("nom", "nom tiers", "nom du tiers", "tiers", "beneficiaire", "raison sociale"),
        "exercise": ("exercice", "exercice budgetaire", "exercice comptable", "annee"),
        "issued": ("date emission", "date d emission", "date mandat", "date du mandat"),
        "type": ("type mandat", "type de mandat", "type piece"),
        "stage": (
            "etat", "etat mandat", "etat du mandat", "etat paiement", "etat du paiement",
            "etat piece", "statut", "statut mandat", "statut du mandat", "statut paiement",
            "statut du paiement", "etat virement", "etat du virement", "statut virement",
            "statut du virement", "etat reglement", "statut reglement", "situation",
        ),
        "rejection": REJECTIONS,
        "city": (
            "code insee bc", "siret collectivite", "siret de la collectivite", "siret budget",
            "code collectivite", "idcoll", "id coll",
        ),
    },
    ("number", "amount", "date"),
)  # fmt: skip
STATE = Layout(
    "state",
    {
        "number": (
            "n ej", "no ej", "num ej", "numero ej", "ej", "numero d ej", "engagement juridique",
            "n engagement juridique",
        ),
        "amount": ("montant paye", "montant paiement", "montant du paiement"),
        "date": (
            "date de derniere operation sur la dp", "date de paiement", "date paiement",
            "date du paiement",
        ),
        "identifier": ("code taxe 1", "siret", "n siret", "no siret", "siret fournisseur"),
        "name": ("fournisseur paye dp", "fournisseur paye", "fournisseur", "beneficiaire"),
        "exercise": ("exercice comptable", "exercice"),
        "reference": ("n dp", "no dp", "num dp", "numero dp", "demande de paiement"),
        "stage": ("statut dp", "statut de la dp", "etat dp", "etat de la dp", "statut", "etat"),
        "rejection": REJECTIONS,
    },
    ("number", "amount", "date"),
)  # fmt: skip
LAYOUTS = (ORDERS, STATE)
# Classes of cells that equal no cell of another class.
UNLIKE = (str, datetime.date)
# Columns whose cells hardly ever come twice.
UNIQUE = ("amount", "number", "reference")
# Digits of a number that a spreadsheet takes for an amount, zeros at its head lost.
COMMITMENT_DIGITS = 10
# How the state of an order says that its money did not leave, or came back.
UNPAID = re.compile(
    r"\b(rejet|annul|refus|suspen|bloqu|impay|non (paye|regle|abouti)|a payer|retourn|renvoy|echec"
    r"|echou|differ|sans suite|re ?imput|(nok?|ko|npai)\b|en cours\b"
    r"|(en )?(attente|instance)\b)|^r$"
)
# How it says that it did. Of whatever else it says, people judge.
PAID = re.compile(
    r"^(?!.*\b(?:non|pas|avant|sans)\b).*\b(?:(?:pay|regl|vers|vir|valid|trait|sold|mandat|vis"
    r"|acquitt|decaiss|comptabilis|execut|effectu|realis|termin|clotur)ee?s?|emis(?:es?)?"
    r"|transmis(?:es?)?|(?:pris|mis)e?s? en (?:charge|paiement)|ok|oui)\b"
)
# Headings of what else may say that money did not leave, or came back.
RETURNED = re.compile(r"\b(?:rejet|annul|suspen|retour|impaye|anomalie|extourn)")
# Headings of what people write beside a payment.
COMMENTS = re.compile(r"\b(?:observations?|commentaires?|remarques?|motifs?|precisions?)\b")
# How a cell about rejections says that there is none.
NOT_REJECTED = ("", "n", "non", "neant", "aucun", "sans objet", "so", "na", "false")
# What is no order to pay, and may have the number of one.
NOT_A_PAYMENT = re.compile(r"\b(titre|recette|encaissement|recouvrement|reversement)s?\b")
# An amount below zero, even one that cannot be read.
BELOW_ZERO = re.compile(r"^(?:euros?|eur|\W)*?[-\u2212\u2013(]|[-\u2212]\W*$", re.IGNORECASE)
# How a row of totals begins, and the formula of one that is shown instead of its value.
TOTALS = ("total", "sous total", "somme", "montant total", "totaux", "ensemble", "cumul")
MORE_TOTALS = ("total general", "montant global")
FORMULA = re.compile(
    r"=(?:SUM|SOMME|SUBTOTAL|SOUS\.TOTAL)\((?:\d+[;,])?\$?[A-Z]+\$?(\d+):\$?[A-Z]+\$?(\d+)\)",
    re.IGNORECASE,
)


class Line:
    """One payment of an extract; ``reason`` says why it cannot be used, ``about`` what of it."""

    # What the file does not say; an extract has ten thousands of lines.
    amount = date = exercise = issued = None
    number = identifier = name = city = reference = type = ""
    status = reason = about = method = tranche_id = None
    # The line that this one repeats cell by cell; whether its state says that nothing was paid.
    twin, is_rejected, kept = "", False, False
    # Whether it takes money back, though its amount or its date cannot be used.
    is_return = False
    # Whom the titles of its sheet name, and why an officer has to keep it: (reason, about).
    titles = doubt = None
    # What it says of itself that may mean that nothing was paid.
    unclear = ""

    def __init__(self, sheet, row):
        self.sheet, self.row = sheet, row

    def refuse(self, reason, about=""):
        """Say why this line is not used; the first reason stays."""
        if not self.reason:
            self.status, self.reason, self.about = "refused", reason, str(about)

    def set(self, status, reason=None, about=""):
        """Say what becomes of this line, whatever was said of it."""
        self.status, self.reason, self.about = status, reason, str(about)

    def get_place(self):
        """Where this line stands in its file."""
        return f"{self.sheet} {self.row}".strip()

    def doubt_by(self, reason, about):
        """Leave this payment out for a reason that an officer settles; not once that is done."""
        if not self.kept:
            self.set("left_out", reason, about)

    def keep(self):
        """An officer has looked at it: nobody doubts it any more."""
        self.twin, self.unclear, self.doubt, self.kept = "", "", None, True
        if self.reason == "duplicate":
            self.set(None)


class Extract(NamedTuple):
    """The lines of a file, of orders or of the State's payments."""

    kind: str
    lines: list


def read_extract(sheets, today) -> Extract:
    """Read the sheets of an extract, of orders or of the State's payments: its columns say which.

    A payment after ``today`` is refused. Rows without amount, date and number are notes. A row
    of totals has to be the sum of the rows before it, and is a line only when it is not.

    :raise Refusal: as :func:`read_sheets`; ``no_columns``, ``double_column``, ``two_kinds``,
        ``quotes``, ``no_rows``
    """
    layout, tables = find_tables(sheets, LAYOUTS)
    lines, seen = [], {}
    for sheet, head, columns in tables:
        if sheet.error:
            raise sheet.error
        lines += _read_table(sheet, head, columns, layout, seen, today)
    if not lines:
        raise Refusal("no_rows")
    return Extract(layout.kind, lines)


def _read_table(sheet, head, columns, layout, seen, today):
    """Lines below the headings; ``seen`` holds where each row was read, in all sheets."""
    reader = _RowReader(sheet, head, columns, layout, today)
    lines, titles = [], read_titles(sheet.rows[:head])
    date, party = columns["date"], columns.get("identifier", math.inf)
    for number, cells in enumerate(sheet.rows[head + 1 :], head + 2):
        if len(cells) > date and not is_empty(cells[date]):
            # Most rows name their payee: no total does.
            is_named = len(cells) > party and not is_empty(cells[party])
            is_total = not is_named and reader.is_dated_total(cells)
            line = (reader.check_total if is_total else reader.read_row)(number, cells)
        elif all(map(is_empty, cells)) or reader.is_note(cells):
            continue
        elif reader.is_total(cells):
            line = reader.check_total(number, cells)
        else:
            line = reader.read_row(number, cells)
        if not line:
            continue
        lines.append(line)
        line.titles = titles
        if line.reason in ("wrong_total", "unread_total"):
            continue
        first = seen.setdefault(tuple(cells), line)
        if first is not line:
            line.twin = first.get_place()
            line.refuse("duplicate", line.twin)
    return lines


def _parse_siret(cell):
    """An identifier; a SIRET gets back the zeros that a spreadsheet took from its head."""
    text = parse_identifier(cell)
    return text.zfill(14) if len(text) in (12, 13) and text.isdecimal() else text


def _parse_year(cell):
    year = parse_identifier(cell)
    if not (year.isdecimal() and len(year) == 4):
        raise Refusal("bad_number")
    return int(year)


def _normalise_any(cell):
    return normalise(str(cell))


def _judge_stage(words):
    """What a state of an order, normalised, says of its payment: ``unpaid``, ``unclear`` or
    nothing."""
    if UNPAID.search(words):
        return "unpaid"
    return None if PAID.search(words) or not words else "unclear"


@functools.lru_cache(256)
def _judge_type(words):
    """What a type of order, normalised, says: ``other`` than an order to pay, money that comes
    ``back``, ``unpaid``, or nothing of the kind."""
    if NOT_A_PAYMENT.search(words) and "mandat" not in words:
        return "other"
    if "annul" in words or "reduc" in words:
        return "back"
    return "unpaid" if "rejet" in words else None


def _judge_rejection(words):
    return None if _says_no(words) else "unpaid"


def _judge_other(words):
    return None if _says_no(words) else "unclear"


def _judge_comment(words):
    return "unclear" if UNPAID.search(words) or RETURNED.search(words) else None


def _says_no(words):
    # An amount of nothing, too.
    return words in NOT_REJECTED or not words.strip("0 ")


class _RowReader:
    """Reads the rows of one table."""

    def __init__(self, sheet, head, columns, layout, today):
        self.sheet, self.columns, self.layout, self.today = sheet, columns, layout, today
        self.headings = sheet.rows[head]
        self.name, self.width = sheet.name, len(self.headings)
        self.is_state = layout is STATE
        self.total = self.subtotal = Decimal(0)
        self.amounts = []  # with their rows, for the totals
        self.readers = self._make_readers()
        self.judges = self._make_judges()
        self.name_column = columns.get("name")
        if self.is_state and self.name_column is not None:
            # The number of a supplier has the heading, and its name the next column, without one.
            following = self.name_column + 1
            if following < len(self.headings) and is_empty(self.headings[following]):
                self.name_column = following

    def cell(self, cells, column):
        position = self.columns.get(column)
        return cells[position] if position is not None and position < len(cells) else None

    def _make_readers(self):
        """For each column, in the order of the reasons: how to read a cell, and what cells were
        found to say where they come again and again: dates, cities, parties."""
        digits = COMMITMENT_DIGITS if self.is_state else 0
        parsers = {
            "amount": parse_amount,
            "date": parse_date,
            "number": functools.partial(parse_identifier, length=digits),
            "identifier": _parse_siret,
            "city": _parse_siret,
            "reference": parse_identifier,
            "issued": parse_date,
            "exercise": _parse_year,
            "type": _normalise_any,
        }
        return [
            (column, self.columns[column], parse, None if column in UNIQUE else {})
            for column, parse in parsers.items()
            if column in self.columns
        ]

    def _make_judges(self):
        """For each column that says of a payment whether it was one (there may be several): how to
        judge a cell, and what was judged before."""
        judges, used = [], set(self.columns.values())
        for position, heading in enumerate(self.headings):
            name = normalise(heading) if isinstance(heading, str) else ""
            if name in self.layout.columns["stage"]:
                judges.append((position, _judge_stage, {}))
            elif name in self.layout.columns["rejection"]:
                judges.append((position, _judge_rejection, {}))
            elif position not in used and RETURNED.search(name):
                judges.append((position, _judge_other, {}))
            elif position not in used and COMMENTS.search(name):
                judges.append((position, _judge_comment, {}))
        return judges

    def is_note(self, cells):
        """Whether a row without date says nothing of a payment, nor that it is a total."""
        has_facts = any(not is_empty(self.cell(cells, name)) for name in self.layout.required)
        return not has_facts and not self.is_total(cells)

    def read_row(self, row, cells):
        """The line of a row."""
        line, width = Line(self.name, row), len(cells)
        if width > self.width or self.sheet.delimiter:
            self._check_width(line, cells)
        for column, position, parse, known in self.readers:
            cell = cells[position] if position < width else None
            if known is None:
                value = self._parse(line, column, parse, cell)
            else:
                # Numbers by class too: to a dictionary, 1 and True are the same.
                key = cell if cell.__class__ in UNLIKE else (cell.__class__, cell)
                value = known.get(key)
                if value is None:
                    value = known[key] = self._parse(line, column, parse, cell)
            if value is not None:
                setattr(line, column, value)
        if self.name_column is not None and self.name_column < len(cells):
            line.name = str(cells[self.name_column] or "").strip()
        if line.amount is not None:
            self.total += line.amount
            self.subtotal += line.amount
            self.amounts.append((row, line.amount))
        self._check_payment(line, cells)
        return line

    def _parse(self, line, column, parse, cell):
        """What a cell says; None when it says nothing, or nothing one can use."""
        try:
            # A number is never empty; most are.
            if cell.__class__ is float or not is_empty(cell):
                return parse(cell)
            if column in ("amount", "date"):
                line.refuse("missing", self._heading(column))
        except Refusal as refusal:
            line.refuse(refusal.code, f"{self._heading(column)}: {cell}")
            if column == "amount" and BELOW_ZERO.search(str(cell)):
                line.is_return = True
        return None

    def _heading(self, column):
        return " ".join(str(self.headings[self.columns[column]]).split())

    def _check_width(self, line, cells):
        """Refuse a row whose cells are not below their headings.

        In a text with commas, the amount ``40000,50`` is two cells when it has no quotation
        marks: 40 000 € would be read.
        """
        extra = cells[len(self.headings) :]
        position = self.columns["amount"] + 1
        if self.sheet.delimiter == "," and position < len(self.headings) <= len(cells):
            extra = extra + (cells[position:][:1] if is_empty(self.headings[position]) else [])
        if not all(map(is_empty, extra)):
            line.refuse("shifted")
        elif self.sheet.delimiter and any(
            isinstance(cell, str) and "\n" in cell and self.sheet.delimiter in cell
            for cell in cells
        ):
            # Rows between two quotation marks that belong to no pair.
            line.refuse("shifted")

    def _check_payment(self, line, cells):
        """Say of a line that it is no payment, or takes one back."""
        judged = _judge_type(line.type)
        if judged == "other":
            line.reason = None
            line.refuse("not_a_payment", line.type)
            line.amount, line.is_return = line.amount and abs(line.amount), False
            return
        if judged == "back":
            # Some write what a reduction takes back above zero.
            line.amount, line.is_return = line.amount and -abs(line.amount), True
        elif line.amount is not None and line.amount <= 0:
            line.is_return = True
        said = None
        if judged == "unpaid" and not line.is_return:
            said = line.type
        elif self.judges and not line.is_return:
            said = self._find_unpaid(line, cells)
        if said:
            line.is_rejected = True
        if line.date and line.date > self.today:
            # Nothing has happened yet: it is no payment, and takes back none.
            line.refuse("future")
        elif line.is_return:
            line.refuse("reversal")
        elif said:
            # Whatever else is wrong with it, for instance that it has no date.
            line.reason = None
            line.refuse("rejected", said)

    def _find_unpaid(self, line, cells):
        """What the line says of itself that means it was not paid: in its state, or a column about
        rejections; what may mean it is noted on the line."""
        for position, judge, known in self.judges:
            cell = cells[position] if position < len(cells) else None
            key = (cell.__class__, cell)
            if key not in known:
                known[key] = None if is_empty(cell) else judge(normalise(str(cell)))
            if known[key] == "unpaid":
                return str(cell).strip()
            if known[key]:
                line.unclear = line.unclear or str(cell).strip()
        return None

    # --- totals ---------------------------------------------------------------------------------

    def is_total(self, cells):
        """Whether a row without date is a total: it says so, or has an amount and nothing else."""
        number, amount = self.cell(cells, "number"), self.cell(cells, "amount")
        filled = [cell for cell in cells if not is_empty(cell)]
        if len(filled) == 1 and not is_empty(amount):
            return bool(self.amounts) and self._read_total(amount) is not None
        if not is_empty(number) and number != filled[0]:
            return False
        texts = [normalise(cell) for cell in filled if isinstance(cell, str)]
        is_first = isinstance(filled[0], str) and texts[0].startswith(TOTALS)
        # The word may stand beside the amount: alone, since a payee may be called “Ensemble vocal”.
        return is_first or any(text in (*TOTALS, *MORE_TOTALS) for text in texts)

    def is_dated_total(self, cells):
        """Whether a row that has a date is a total: it says so, and names neither order nor payee,
        since one may be called “Ensemble vocal”."""
        if not is_empty(self.cell(cells, "identifier")):
            return False
        number = self.cell(cells, "number")
        filled = [cell for cell in cells if not is_empty(cell)]
        label = normalise(filled[0]) if isinstance(filled[0], str) else ""
        if not (is_empty(number) or number is filled[0]) or not label.startswith(TOTALS):
            return False
        has_payee = self.name_column is not None and self.name_column < len(cells)
        payee = cells[self.name_column] if has_payee else None
        return is_empty(payee) or payee is filled[0] and label in (*TOTALS, *MORE_TOTALS)

    def check_total(self, row, cells):
        """A line saying that a total is wrong, or not to be read; None when it is the sum of what
        precedes it."""
        line, cell = Line(self.sheet.name, row), self.cell(cells, "amount")
        if is_empty(cell) or cell == 0 != self.total:
            # A formula that nothing has calculated: programs that write files leave it so.
            line.refuse("unread_total", self.total)
            return line
        amount = self._read_total(cell)
        if amount in (self.total, self.subtotal):
            self.subtotal = Decimal(0)
            return None
        line.amount = amount
        line.refuse("wrong_total", self.total)
        return line

    def _read_total(self, cell):
        if isinstance(cell, str) and (match := FORMULA.fullmatch(cell.replace(" ", ""))):
            first, last = map(int, match.groups())
            return sum((a for row, a in self.amounts if first <= row <= last), Decimal(0))
        try:
            return parse_amount(cell)
        except Refusal:
            return None
