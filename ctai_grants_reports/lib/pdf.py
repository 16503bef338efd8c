"""The document (PDF/A-2a, PDF/UA-1) of a statement: what people read and sign. No Odoo here.

The ledger's lines stay in the other files; the document says where its chains stood.
"""

import datetime
from pathlib import Path
from typing import BinaryIO

from odoo.addons.ctai_grants.lib.guard.typeset import make

from .csv_files import show_siret
from .statement import Column, Statement, Table

MIMETYPE = "application/pdf"
TEMPLATE = Path(__file__).parents[1] / "report" / "statement" / "statement.typ"
#: What fits on paper of the wide tables: their columns, by key of the table.
SHOWN = {
    "city": (0, 4, 5, 6, 7, 8, 9, 10, 11, 12),
    "direct": (0, 4, 5, 6, 7, 10, 11, 12),
    "operators": (0, 1, 3, 4, 8, 9, 11, 12, 13, 14, 15),
    "tranches": (0, 1, 4, 6, 7, 8, 9, 11, 12),
    "pieces": (0, 1, 2, 5, 6, 7, 8),
    # The kind of a chain is a code, for programs.
    "heads": (1, 2, 3, 4),
}
#: The last ones, after everything that is read.
PROOFS = ("heads",)
#: Points of a line chart that can be told apart.
MOST_MONTHS = 120


def write(statement: Statement, stream: BinaryIO, digest: str = "", note: str = "") -> None:
    """Write the document to ``stream``.

    :param digest: SHA-256 of the statement's data (its JSON)
    :param note: printed where a sign had to be replaced
    :raise Unprintable: it cannot be made
    """
    logo = statement.about.get("logo")
    assets = {"logo.svg": logo.encode()} if logo else {}
    stream.write(make(TEMPLATE, get_data(statement, digest), note=note, assets=assets))


def get_data(statement: Statement, digest: str = "") -> dict:
    """What the template prints."""
    about = statement.about
    lang = (about.get("lang") or "fr")[:2]
    made = about.get("issued_at", "")[:10] or statement.made_at.isoformat()[:10]
    words = about.get("words", {})
    data = {
        "title": statement.title,
        "lang": lang,
        "date": [int(part) for part in made.split("-")],
        "city": statement.author,
        "sender": about.get("sender") or [statement.author],
        "running": statement.running_head,
        "footer": f"{about.get('number', '')} · {statement.title}".strip(" ·"),
        "cover": statement.cover,
        "notes": statement.notes,
        "blocks": [_get_table(table, lang) for table in statement.blocks],
        "chart": _get_bars(statement, lang),
        "curves": _get_curves(statement.find("months"), lang),
        "lists": [
            _get_table(table, lang, statement.empty)
            for table in statement.lists
            if table.key not in PROOFS
        ],
        "proofs": [
            _get_table(table, lang)
            for table in (statement.positions, *filter(None, map(statement.find, PROOFS)))
        ],
        "signatures": about.get("signatures", []),
        "certified": words.get("certified", ""),
        "words": words,
        "digest": digest,
    }
    if about.get("logo"):
        data |= {"logo": "logo.svg", "logo_alt": words.get("logo", statement.author)}
    return data


def _get_table(table: Table, lang: str, empty: str = "") -> dict:
    places = SHOWN.get(table.key, range(len(table.columns)))
    columns = [table.columns[place] for place in places]
    rows = [
        [show(column, row[place], lang) for place, column in zip(places, columns, strict=True)]
        for row in table.read()
    ]
    totals = [
        [
            total.label if number == 0 else show(column, total.values.get(place), lang)
            for number, (place, column) in enumerate(zip(places, columns, strict=True))
        ]
        for total in table.totals
    ]
    return {
        "title": table.title,
        "headings": [column.label for column in columns],
        "widths": [0 if column.kind in ("amount", "rate", "date", "integer", "datetime", "siret")
                   else column.width for column in columns],
        "right": [column.kind in ("amount", "rate", "integer") for column in columns],
        "hash": [column.kind == "hash" for column in columns],
        "rows": rows,
        "totals": totals,
        "empty": empty,
    }  # fmt: skip


def show(column: Column, value, lang: str = "fr") -> str:
    """A value as people of that language read it.

    >>> from decimal import Decimal
    >>> show(Column("", "amount"), Decimal("-1234.5")).replace("\\u202f", " ")
    '−1 234,50'
    >>> show(Column("", "amount"), Decimal("1234.5"), "en")
    '1,234.50'
    """
    if value is None or value == "":
        return ""
    match column.kind:
        case "amount":
            return _show_number(f"{value:,.2f}", lang)
        case "rate":
            return _show_number(f"{100 * value:.1f}", lang) + "\u00a0%"
        case "date" | "datetime":
            return _show_day(value, lang)
        case "siret":
            return show_siret(value).replace(" ", "\u00a0")
    return str(value)


def _show_number(text: str, lang: str) -> str:
    text = text.replace("-", "−")
    return text.replace(",", "\u202f").replace(".", ",") if lang == "fr" else text


def _show_day(day: datetime.date, lang: str) -> str:
    text = day.strftime("%d/%m/%Y" if lang == "fr" else "%Y-%m-%d")
    return f"{text} {day:%H:%M}" if isinstance(day, datetime.datetime) else text


def _get_bars(statement: Statement, lang: str) -> dict:
    """Allocated, committed, paid, justified of each envelope; the same in words."""
    block = statement.blocks[0]
    flows = ("allocation", "commitment", "payment", "justification")
    places = [[c.flow for c in block.columns].index(flow) for flow in flows]
    names = [block.columns[place].label for place in places]
    rows = [
        (row[0], [row[place] for place in places])
        for block in statement.blocks
        for row in block.read()
    ]
    column = Column("", "amount")
    said = "; ".join(
        f"{label}: "
        + ", ".join(
            f"{name} {show(column, value, lang)} €"
            for name, value in zip(names, values, strict=True)
        )
        for label, values in rows
    )
    return {
        "names": names,
        "rows": [[label, [float(value) for value in values]] for label, values in rows],
        "alt": f"{statement.chart_title}. {said}",
        "title": statement.chart_title,
    }


def _get_curves(table: Table | None, lang: str) -> dict | None:
    rows = list(table.read())[-MOST_MONTHS:] if table else []
    if not rows or table is None:
        return None
    names = [column.label for column in table.columns[1:]]
    last = rows[-1]
    said = ", ".join(
        f"{name} {show(column, value, lang)} €"
        for name, column, value in zip(names, table.columns[1:], last[1:], strict=True)
    )
    return {
        "names": names,
        "labels": [row[0].strftime("%m/%Y") for row in rows],
        "series": [[float(row[place]) for row in rows] for place in range(1, len(names) + 1)],
        "alt": f"{table.title}. {_show_day(last[0], lang)}: {said}",
        "title": table.title,
    }
