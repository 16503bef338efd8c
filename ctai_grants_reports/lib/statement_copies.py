"""An older statement file beside the ledger of today: its JSON or its workbook, alone.

What the file says of each entry is compared with the entry that the ledger has under that chain and
number, what it says of the heads with the chains. Who edited the file by hand is told apart from
who changed the ledger: the hash of an entry vouches for what the ledger said when it was posted.
"""

import datetime
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import BinaryIO, NamedTuple

import openpyxl

from odoo.addons.ctai_grants.lib.ledger.chain import LEDGER_FIELDS
from odoo.addons.ctai_grants.lib.ledger.heads import Head

from . import frozen

#: What a workbook may unpack to.
LARGEST = 2 * 2**30
#: What readers of ZIP, XML and workbooks raise on strangers' bytes (of XML: a kind of SyntaxError).
DAMAGED = (
    zipfile.BadZipFile, zlib.error, struct.error, LookupError, ValueError, TypeError, OSError,
    AttributeError, ArithmeticError, RuntimeError, SyntaxError, EOFError, AssertionError,
)  # fmt: skip


class UnreadableError(ValueError):
    """This is no statement, or a damaged one: what the program says."""


class Line(NamedTuple):
    """What a file says of an entry."""

    place: str
    chain: int
    number: int
    date: str
    amount: str
    hash: str


class Copy(NamedTuple):
    """A statement as its file tells it."""

    number: str
    as_at: str
    lines: Iterable[Line]
    heads: list[Head]
    #: sums of flows by chain, as its summary says them
    figures: dict[tuple[int, str], str]
    #: entries of whole chains (JSON only): place, values of LEDGER_FIELDS
    entries: Iterable[tuple[int, list[str]]] = ()


def read(stream: BinaryIO) -> Copy:
    """What a file says.

    :param stream: binary file, seekable
    :raise UnreadableError: it is neither the JSON nor the workbook of a statement
    """
    is_book = zipfile.is_zipfile(stream)
    stream.seek(0)
    try:
        return _read_book(stream) if is_book else _read_json(stream)
    except (frozen.FrozenError, *DAMAGED) as error:
        raise UnreadableError(f"{type(error).__name__}: {error}"[:200]) from error


def _head(row) -> Head:
    kind, chain, name, number, sha256 = row
    return Head(_text(kind), _number(chain), str(name), _number(number), _text(sha256))


def _number(value) -> int:
    """A number that the database can have, and not what else a file may hold in its place."""
    # A spreadsheet writes 7 as 7.0.
    if type(value) not in (int, float) or value != int(value) or not 0 <= value < 2**31:
        raise ValueError(f"{value!r:.40} is no number of a chain")
    return int(value)


def _text(value) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError(f"{value!r:.40} is no text")
    return value


# --- JSON -----------------------------------------------------------------------------------


def _read_json(stream: BinaryIO) -> Copy:
    content = frozen.load(stream)
    about = content["about"]
    ledger = [
        Line(f"ledger {place}", *map(_number, row[:2]), *map(_text, (row[2], row[8], row[-1])))
        for place, row in enumerate(content["ledger"]["rows"], 1)
    ]
    heads = [
        _head(row) for table in content["lists"] if table["key"] == "heads" for row in table["rows"]
    ]
    figures = {
        (_number(row[1]), _text(column["flow"])): _text(row[place])
        for table in content["blocks"]
        for row in table["rows"]
        for place, column in enumerate(table["columns"])
        if column.get("flow")
    }
    entries = (
        (place, [str(value) for value in entry])
        for chain in content["chains"]
        for place, entry in enumerate(chain["entries"], 1)
        if len(entry) == len(LEDGER_FIELDS)
    )
    number = _text(about.get("number") or "")
    return Copy(number, _text(about["as_at"]), ledger, heads, figures, entries)


# --- workbook -------------------------------------------------------------------------------

#: Flows in the columns of the summary, in their order.
SUMMARY = ("allocation", "commitment", "payment", "justification", "receipt", "recovery")


def _read_book(stream: BinaryIO) -> Copy:
    with zipfile.ZipFile(stream) as archive:
        if sum(info.file_size for info in archive.infolist()) > LARGEST:
            raise UnreadableError(f"> {LARGEST} bytes")
    stream.seek(0)
    # Values, not formulas: what whoever opens it reads.
    book = openpyxl.load_workbook(stream, data_only=True, read_only=True)
    numbers = [prop.value for prop in book.custom_doc_props.props if prop.name == "statement"]
    if "statement_ledger" not in book.defined_names:
        raise UnreadableError("statement_ledger")
    heads = [
        _head(row) for _place, row in _read_range(book, "heads")
    ]
    figures = {
        (_number(row[1]), flow): _write_amount(row[4 + place])
        for path in ("city", "direct")
        for _place, row in _read_range(book, path)
        for place, flow in enumerate(SUMMARY)
    }
    return Copy(str(numbers[0] or "") if numbers else "", "", _read_lines(book), heads, figures)


def _read_range(book, key: str) -> Iterator[tuple[str, tuple]]:
    """Yield the rows of what a workbook names so, and where each is."""
    name = book.defined_names.get(f"statement_{key}")
    if name is None:
        return
    ((title, cells),) = name.destinations
    first, _separator, last = cells.replace("$", "").partition(":")
    left, top, right, bottom = openpyxl.utils.range_boundaries(f"{first}:{last or first}")
    rows = book[title].iter_rows(
        min_row=top, max_row=bottom, min_col=left, max_col=right, values_only=True
    )
    for number, row in enumerate(rows, top):
        yield f"{title} {number}", row


def _read_lines(book) -> Iterator[Line]:
    for place, row in _read_range(book, "ledger"):
        day = row[2].date() if isinstance(row[2], datetime.datetime) else row[2]
        chain, number = map(_number, row[:2])
        yield Line(place, chain, number, str(day), _write_amount(row[8]), _text(row[11]))


def _write_amount(value) -> str:
    return f"{Decimal(repr(value) if isinstance(value, float) else str(value)):.2f}"
