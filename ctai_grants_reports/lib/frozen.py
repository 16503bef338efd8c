"""The JSON of a statement: all that it says, for machines, and what it is rendered from again.

What was issued is this file. The other files of a statement are made of it: read again
(:func:`read`), it gives the same :class:`.statement.Statement`, and that the same bytes. Amounts
are texts with a point, dates as ISO 8601 writes them, the ledger a line each, so that it is
written (not read) in flat memory.
"""

import datetime
import json
from collections.abc import Callable, Iterable
from decimal import Decimal
from functools import partial
from typing import BinaryIO

from odoo.addons.ctai_grants.lib.ledger.chain import LEDGER_FIELDS, first_break

from .statement import Column, Statement, Table, TieOutError, Total

FORMAT = "ctai-grants-statement/1"
MIMETYPE = "application/json"
#: What a statement says besides its tables, in the order of the file.
TEXTS = (
    "name", "title", "author", "running_head", "currency", "summary_title", "chart_title", "empty",
)  # fmt: skip

_DECODERS: dict[str, Callable] = {
    "amount": Decimal,
    "rate": Decimal,
    "date": datetime.date.fromisoformat,
    "datetime": datetime.datetime.fromisoformat,
}


class FrozenError(ValueError):
    """This is no statement: what of it is missing, or not as it is written."""


# --- writing --------------------------------------------------------------------------------


def write(statement: Statement, stream: BinaryIO) -> None:
    """Write the statement to ``stream``.

    :raise TieOutError: the lines do not add up, or a chain is broken
    """

    def put(text: str) -> None:
        stream.write(text.encode())

    put("{\n")
    put(f'"format": {_dump(FORMAT)},\n"about": {_dump(dict(statement.about))},\n')
    for name in TEXTS:
        put(f'"{name}": {_dump(getattr(statement, name))},\n')
    put(f'"made_at": {_dump(statement.made_at.isoformat())},\n')
    put(f'"cover": {_dump(list(statement.cover))},\n"notes": {_dump(list(statement.notes))},\n')
    put(f'"kinds": {_dump(dict(statement.kinds))},\n"ledger_size": {statement.ledger_size},\n')
    for name, tables in (("blocks", statement.blocks), ("lists", statement.lists)):
        put(f'"{name}": [')
        for number, table in enumerate(tables):
            put(",\n" if number else "\n")
            _write_table(put, table)
        put("],\n")
    for name in ("positions", "ledger"):
        put(f'"{name}": ')
        _write_table(put, getattr(statement, name))
        put(",\n")
    put('"chains": [')
    for number, (label, head, read_entries) in enumerate(statement.chains):
        put(",\n" if number else "\n")
        put(f'{{"label": {_dump(label)}, "head": {_dump(head)}, "entries": [')
        broken = first_break(_put_entries(put, read_entries()), head)
        if broken:
            raise TieOutError(f"{label}: {broken}")
        put("]}")
    put("]\n}\n")


def _dump(value) -> str:
    return json.dumps(value, ensure_ascii=False)


def _put_entries(put, entries):
    separator = "\n"
    for entry in entries:
        put(separator + _dump([entry[name] for name in LEDGER_FIELDS]))
        separator = ",\n"
        yield entry


def _write_table(put, table: Table) -> None:
    columns = [
        {
            "label": column.label,
            "kind": column.kind,
            "width": column.width,
            **({"flow": column.flow} if column.flow else {}),
            **({"terms": column.terms} if column.terms else {}),
            **({"base": column.base} if column.base else {}),
        }
        for column in table.columns
    ]
    put(f'{{"key": {_dump(table.key)}, "title": {_dump(table.title)},\n')
    put(f'"columns": {_dump(columns)},\n"rows": [')
    separator = "\n"
    kinds = [column.kind for column in table.columns]
    for row in table.read():
        put(separator + _dump([_encode(*pair) for pair in zip(kinds, row, strict=True)]))
        separator = ",\n"
    totals = [
        {
            "label": total.label,
            "only": total.only,
            "values": {
                str(index): _encode(kinds[index], value) for index, value in total.values.items()
            },
        }
        for total in table.totals
    ]
    put(f'],\n"totals": {_dump(totals)}}}')


def _encode(kind: str, value):
    if value is None or kind not in _DECODERS:
        return value
    # An amount that is missing may be an empty text.
    return value.isoformat() if kind in ("date", "datetime") and value else str(value)


# --- reading --------------------------------------------------------------------------------


def load(stream: BinaryIO) -> dict:
    """What the file holds, as it stands there.

    :raise FrozenError: it is no statement
    """
    try:
        content = json.load(stream)
    except (ValueError, RecursionError) as error:
        raise FrozenError(str(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise FrozenError(FORMAT)
    return content


def read(stream: BinaryIO) -> Statement:
    """The statement that was written to this file.

    :raise FrozenError: it is no statement, or something of it is missing or damaged
    """
    content = load(stream)
    try:
        return Statement(
            **{name: content[name] for name in TEXTS},
            made_at=datetime.datetime.fromisoformat(content["made_at"]),
            cover=[tuple(pair) for pair in content["cover"]],
            notes=content["notes"],
            kinds=content["kinds"],
            ledger_size=content["ledger_size"],
            blocks=[read_table(table) for table in content["blocks"]],
            lists=[read_table(table) for table in content["lists"]],
            positions=read_table(content["positions"]),
            ledger=read_table(content["ledger"]),
            chains=[
                (chain["label"], chain["head"], partial(read_entries, chain["entries"]))
                for chain in content["chains"]
            ],
            about=content["about"],
        )
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise FrozenError(f"{type(error).__name__}: {error}") from error


def read_entries(entries: Iterable) -> Iterable[dict]:
    """The entries of a chain, as :mod:`ctai_grants.lib.ledger.chain` reads them."""
    return (dict(zip(LEDGER_FIELDS, entry, strict=True)) for entry in entries)


def read_table(table: dict) -> Table:
    """A table of the file."""
    columns = [
        Column(
            column["label"], column["kind"], column["width"], column.get("flow"),
            _read_terms(column.get("terms", ())), _read_terms(column.get("base", ())),
        )
        for column in table["columns"]
    ]  # fmt: skip
    kinds = [column.kind for column in columns]
    rows = [tuple(_decode(*pair) for pair in zip(kinds, row, strict=True)) for row in table["rows"]]
    totals = [
        Total(
            total["label"],
            {int(index): _decode(kinds[int(index)], value)
             for index, value in total["values"].items()},
            tuple(total["only"]) if total["only"] else None,
        )
        for total in table["totals"]
    ]  # fmt: skip
    return Table(table["title"], columns, partial(iter, rows), totals, table["key"])


def _read_terms(terms) -> tuple[tuple[str, int], ...]:
    return tuple((flow, sign) for flow, sign in terms)


def _decode(kind: str, value):
    if value is None or value == "" or kind not in _DECODERS:
        return value
    return _DECODERS[kind](value)
