"""What an aggregator or a validator reports of a published file: one line of it a row."""

import re
from typing import NamedTuple

from odoo.addons.ctai_grants.lib.accounting.spreadsheet import (
    Refusal,
    is_empty,
    normalise,
    read_sheets,
)
from odoo.addons.ctai_grants.lib.accounting.tables import Layout, find_tables

_COLUMNS = {
    "line": (
        "ligne", "n ligne", "numero de ligne", "n de ligne", "numero ligne", "row", "row number",
        "rownumber", "line", "no ligne",
    ),
    "field": ("champ", "colonne", "field", "field name", "fieldname", "column"),
    "message": (
        "message", "erreur", "description", "motif", "note", "error", "reason", "detail",
        "libelle de l erreur", "message d erreur",
    ),
    "verdict": ("statut", "resultat", "status", "result", "etat", "verdict", "valide"),
}  # fmt: skip
REPORT = Layout("report", _COLUMNS, ("line", "message"))
VERDICTS = Layout("verdicts", {**_COLUMNS, "message": ()}, ("line", "verdict"))
# How a report says that a line was taken, or not; of anything else nobody knows.
TAKEN = re.compile(r"ok|oui|vrai|true|valide?|acceptee?|prise?|integree?")
REFUSED = re.compile(r"ko|non|faux|false|(in|non )valide?|refusee?|rejetee?|erreurs?|errors?")


class Answer(NamedTuple):
    """What is said of a line: in which row of the report, of which line, and how it names it."""

    row: int
    line: int
    cell: str
    verdict: str | None
    message: str


def read_report(content: bytes) -> list[Answer]:
    """What a report says, row by row.

    :raise Refusal: as :func:`read_sheets` and :func:`find_tables`; ``no_rows``
    """
    try:
        _layout, tables = find_tables(read_sheets(content), (REPORT,))
    except Refusal as refusal:
        if refusal.code != "no_columns":
            raise
        _layout, tables = find_tables(read_sheets(content), (VERDICTS,))
    answers = []
    for sheet, head, columns in tables:
        if sheet.error:
            raise sheet.error
        for number, cells in enumerate(sheet.rows[head + 1 :], head + 2):
            if not all(map(is_empty, cells)):
                answers.append(_read_row(number, cells, columns))
    if not answers:
        raise Refusal("no_rows")
    return answers


def _read_row(number, cells, columns):
    def get(name):
        place = columns.get(name)
        cell = cells[place] if place is not None and place < len(cells) else ""
        return "" if is_empty(cell) else cell

    cell = get("line")
    text = _show_number(cell)
    line = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    field, message, verdict = (" ".join(str(get(name)).split()) for name in
                               ("field", "message", "verdict"))  # fmt: skip
    said = ": ".join(filter(None, (field, message))) or verdict
    return Answer(number, line, text, _judge(verdict, message), said)


def _judge(verdict, message):
    words = normalise(verdict or message)
    if TAKEN.fullmatch(words):
        return "taken"
    # A report of errors names what is wrong, and nothing else.
    return "refused" if not verdict or REFUSED.fullmatch(words) else None


def _show_number(cell):
    """A number of a spreadsheet as a person writes it; neither infinite ones nor “not a number”.

    >>> _show_number(12.0), _show_number("7 ")
    ('12', '7')
    """
    is_whole = isinstance(cell, float) and abs(cell) < 1e9 and cell == int(cell)
    return str(int(cell)) if is_whole else str(cell).strip()
