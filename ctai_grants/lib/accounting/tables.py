"""Tables in a spreadsheet, found by their headings, wherever they stand and whatever the order of
their columns."""

import re
from typing import NamedTuple

from .spreadsheet import Refusal, is_empty, normalise

#: Rows of titles above the headings that are looked through.
TITLE_ROWS = 50
# What programs put where a letter was that they could not read.
_LOST = re.compile("[?\ufffd]")


class Layout(NamedTuple):
    """Columns of an extract: what each is called, best name first, and those it must have."""

    kind: str
    columns: dict
    required: tuple


def find_tables(sheets, layouts):
    """Which of ``layouts`` the sheets of a file have, and where: list of (sheet, row of the
    headings, columns).

    :raise Refusal: as the sheets, which may still be read; ``no_columns``, ``double_column``,
        ``two_kinds``
    """
    best, found, is_blank = (0, None, ()), {}, True
    for sheet in sheets:
        is_blank = is_blank and all(is_empty(cell) for row in sheet.rows for cell in row)
        for layout in layouts:
            head, columns = _find_head(sheet, layout)
            missing = [name for name in layout.required if name not in columns]
            if not missing:
                found.setdefault(layout.kind, []).append((sheet, head, columns))
            elif len(columns) > best[0]:
                best = (len(columns), layout.kind, missing)
        # A text is read with each delimiter that it may have: the first that makes columns is it.
        if found and sheet.delimiter:
            break
    if is_blank:
        raise Refusal("empty")
    if not found:
        raise Refusal("no_columns", kind=best[1], missing=best[2])
    if len(found) > 1:
        raise Refusal("two_kinds")
    kind, tables = found.popitem()
    return next(layout for layout in layouts if layout.kind == kind), tables


def _find_head(sheet, layout):
    """Index of the row of headings, the one with the most columns, and where these are."""
    head, columns = None, {}
    for index, row in enumerate(sheet.rows[:TITLE_ROWS]):
        here = _find_columns(row, layout)
        if len(here) > len(columns):
            head, columns = index, here
    if all(name in columns for name in layout.required):
        for positions in columns.values():
            if len(positions) > 1:
                raise Refusal("double_column", column=sheet.rows[head][positions[0]])
    return head, {name: positions[0] for name, positions in columns.items()}


def _find_columns(row, layout):
    """Positions of the columns whose headings a row has."""
    names = {}
    for position, cell in enumerate(row):
        if isinstance(cell, str) and cell:
            names.setdefault(_get_name(cell, layout), []).append(position)
    found = {
        column: next((names[name] for name in synonyms if name in names), None)
        for column, synonyms in layout.columns.items()
    }
    return {column: positions for column, positions in found.items() if positions}


def _get_name(heading, layout):
    """The name of a column by its heading, of which letters may be lost: « B?n?ficiaire »."""
    parts = _LOST.split(heading)
    if len(parts) == 1 or len(heading) > 80:
        return normalise(heading)
    pattern = re.compile(".?".join(re.escape(normalise(part)) for part in parts))
    names = {name for synonyms in layout.columns.values() for name in synonyms}
    found = [name for name in names if pattern.fullmatch(name)]
    return found[0] if len(found) == 1 else normalise(heading)
