"""Spreadsheets that others send (ODS, XLSX, CSV): their rows, and what their cells say.

A cell is read one way or not at all: an amount that could be two amounts is refused.
"""

import codecs
import csv
import datetime
import functools
import io
import pickle
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from ..guard.apart import Failed, begin_apart
from ..proof.upload import CSV, ODS, XLSX, media_type

#: Bytes of an office document once unpacked, and rows of all its sheets.
LARGEST_UNPACKED = 500 * 2**20
MOST_ROWS = 200_000
#: Cells of all sheets, each from its first to its last row and column, the empty ones among them:
#: the widest extract that a treasury sends, of the most rows.
MOST_CELLS = 50 * MOST_ROWS
DELIMITERS = ";,\t"
#: Bytes of memory and seconds that reading it may take: two cells at opposite ends need room for
#: all between them, and a text that cells share or repeat is stored once, and read as many times.
#: Where there is no room, the reader ends its whole process.
MEMORY, SECONDS = 2 * 2**30, 60
#: Bytes of what is read: who asked for it has to hold it, and twice at once.
MOST_READ = 256 * 2**20
# What a program says by how it ends: more rows, cells or text than are read.
_TOO_MANY = 3
# Writes the rows of the visible sheets, a hundred at a time, with the name of the sheet where it
# begins. Rows are counted where they are seen, cells from the first of each sheet to its last: of
# the hidden ones too, the reader makes room for all.
_PROGRAM = f"""
import io, pickle, sys
from itertools import islice
import python_calamine
book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
rows, cells, visible = 0, 0, []
for about in book.sheets_metadata:
    is_visible = about.visible == python_calamine.SheetVisibleEnum.Visible
    if is_visible or about.typ == python_calamine.SheetTypeEnum.WorkSheet:
        sheet = book.get_sheet_by_name(about.name)
        # Counted from 0; none of an empty sheet.
        row, column = sheet.end or (-1, -1)
        rows += (row + 1) * is_visible
        cells += (row + 1) * (column + 1)
        if rows > {MOST_ROWS} or cells > {MOST_CELLS}:
            sys.exit({_TOO_MANY})
        if is_visible:
            # Its rows begin with its first column that says something: as seen, with A.
            left = [""] * (sheet.start or (0, 0))[1]
            visible.append((about.name, left, sheet.iter_rows()))
read = 0
for name, left, source in visible:
    while (part := list(islice(source, 100))) or name is not None:
        for row in part if left else ():
            row[:0] = left
        data = pickle.dumps((name, part))
        read += len(data)
        if read > {MOST_READ}:
            sys.exit({_TOO_MANY})
        sys.stdout.buffer.write(data)
        name = None
"""


class _Reader(pickle.Unpickler):
    """Takes what the program has written: plain values and dates, and nothing else that could be
    written so."""

    def find_class(self, module, name):
        if (module, name) in _DATES:
            return getattr(datetime, name)
        raise pickle.UnpicklingError(name)


_DATES = {("datetime", name) for name in ("date", "datetime", "time", "timedelta")}
_CENT = Decimal("0.01")
# Excel counts days from there, and our dates stay in this century and the end of the last.
_EPOCH = datetime.date(1899, 12, 30)
_SERIALS = range(32874, 73051)  # 1990 to 2099

# Spaces that French numbers are written with: plain, no-break, narrow no-break, thin, figure.
_SPACES = re.compile("[ \u00a0\u202f\u2009\u2007]")
_CURRENCY = re.compile(r"^(?:euros?|eur|€) ?| ?(?:euros?|eur|€)$", re.IGNORECASE)
_SIGNED = re.compile(r"([-\u2212+]?)(.*?)(-?)", re.DOTALL)
_PLAIN = re.compile(r"([0-9]+)(?:[.,]([0-9]{1,2}))?")
# Thousands apart, by one and the same separator; then decimals, by another one.
_GROUPED = re.compile(r"([1-9][0-9]{0,2}(?:([ .,])[0-9]{3})(?:\2[0-9]{3})*)(?:([.,])([0-9]{1,2}))?")
_TWO_READINGS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")
_DAY_FIRST = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_YEAR_FIRST = re.compile(r"([0-9]{4})([/.-])([0-9]{1,2})\2([0-9]{1,2})")
_DIGITS = re.compile(r"([0-9]{4})()([0-9]{2})([0-9]{2})")
_TIME = re.compile(r"[T ][0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?Z?$")


# The longer marks first: one begins with the mark of another.
_MARKS = {
    "utf-32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
    "utf-16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
}
_EMPTY_PLACES = {
    "utf-32-le": (1, 2, 3), "utf-32-be": (0, 1, 2), "utf-16-le": (1, 3), "utf-16-be": (0, 2)
}  # fmt: skip


class Refusal(ValueError):
    """A file or a cell that cannot be read: a code, and what a sentence about it names."""

    def __init__(self, code, **about):
        super().__init__(code)
        self.code = code
        self.about = about


class Sheet(NamedTuple):
    """Rows of cells. Of a text: what separates its cells, and why it is not read to its end."""

    name: str
    rows: list
    delimiter: str = ""
    error: Refusal | None = None


# --- files --------------------------------------------------------------------------------------


def read_sheets(content: bytes) -> Iterable[Sheet]:
    """Visible sheets of a file, whatever its name says it is.

    A text is one sheet, read with each delimiter it may have: who knows the columns takes the
    reading that has them, and asks for no other.

    :raise Refusal: ``empty``, ``not_a_spreadsheet``, ``damaged``, ``too_large``
    """
    content = _as_utf8(content)
    if not content.removeprefix(codecs.BOM_UTF8).strip():
        raise Refusal("empty")
    kind = media_type(content)
    if kind in (ODS, XLSX):
        return _read_workbook(content)
    if kind == CSV:
        return _read_text(content)
    raise Refusal("not_a_spreadsheet")


def _as_utf8(content):
    """A text in UTF-16, which is what Excel calls Unicode, or UTF-32, in UTF-8; anything else as it
    is."""
    encoding = _find_wide_encoding(content)
    try:
        return content.decode(encoding).encode() if encoding else content
    except UnicodeError:
        return content


def _find_wide_encoding(content):
    for encoding, marks in _MARKS.items():
        if content.startswith(marks):
            return encoding
    # Without a mark: of four bytes, Latin letters leave those that these encodings fill up empty.
    head = content[: min(len(content), 4096) // 4 * 4]
    if not head:
        return None
    zeros = tuple(head[place::4].count(0) * 4 / len(head) for place in range(4))
    for encoding, places in _EMPTY_PLACES.items():
        empty = all(zeros[place] > 0.8 for place in places)
        if empty and not any(zeros[place] for place in range(4) if place not in places):
            return encoding
    return None


def _read_workbook(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > LARGEST_UNPACKED:
            raise Refusal("too_large")
    return _take_sheets(begin_apart(_PROGRAM, content, memory=MEMORY, seconds=SECONDS))


def _take_sheets(get_written):
    """The sheets that the program has written, once they are asked for."""
    try:
        written = get_written()
    except Failed as error:
        is_damaged = error.code and error.code != _TOO_MANY
        raise Refusal("damaged" if is_damaged else "too_large") from error
    sheets, stream = [], io.BytesIO(written)
    while stream.tell() < len(written):
        name, rows = _Reader(stream).load()
        if name is None:
            sheets[-1].rows.extend(rows)
        else:
            sheets.append(Sheet(name, rows))
    yield from sheets


def _read_text(content):
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252")
    if text.count("\n") + text.count("\r") > 2 * MOST_ROWS:
        raise Refusal("too_large")
    return (_split(text, delimiter) for delimiter in DELIMITERS)


def _split(text, delimiter):
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, refusal = [], None
    try:
        rows.extend(reader)
    except csv.Error:
        # A quotation mark that is not closed: the rows after it would be one cell.
        refusal = Refusal("quotes", line=reader.line_num)
    return Sheet("", rows, delimiter, refusal)


# --- cells --------------------------------------------------------------------------------------


@functools.lru_cache(4096)
def normalise(text: str) -> str:
    """A heading without accents, case and punctuation.

    >>> normalise("N° EJ"), normalise("DATE_ÉMISSION"), normalise(" Montant\\npayé ")
    ('n ej', 'date emission', 'montant paye')
    >>> normalise("Date dâ€™Ã©mission")
    'date d emission'
    """
    text = _mend(text)
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(re.split(r"[\W_]+", kept)).strip()


def _mend(text):
    """A text in UTF-8 that a program took for one of Windows, as it was."""
    try:
        return text.encode("cp1252").decode() if "Ã" in text or "â€" in text else text
    except UnicodeError:
        return text


def is_empty(cell) -> bool:
    """Whether a cell says nothing; ``#`` is how the State's accounting writes it."""
    return cell is None or isinstance(cell, str) and cell.strip() in ("", "#")


def parse_amount(cell) -> Decimal:
    """Euros of a cell, to the cent.

    >>> parse_amount("10 000,50"), parse_amount("1.234,56 €"), parse_amount("(123,45)")
    (Decimal('10000.50'), Decimal('1234.56'), Decimal('-123.45'))

    :raise Refusal: ``ambiguous_amount`` (``1.234`` may be a thousand), ``bad_amount``
    """
    if isinstance(cell, str):
        return _parse_amount_text(cell)
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        # A number that a spreadsheet stores is off by its last bits, a third decimal by more.
        cents = cell * 100
        if abs(cents) < 1e14 and abs(cents - (whole := round(cents))) < 1e-4:
            return whole * _CENT
    raise Refusal("bad_amount")


@functools.lru_cache(4096)
def _parse_amount_text(text):
    text = _CURRENCY.sub("", _SPACES.sub(" ", text).strip(), count=1)
    in_brackets = text.startswith("(") and text.endswith(")")
    before, digits, after = _SIGNED.fullmatch(text[1:-1] if in_brackets else text).groups()
    digits = digits.strip()
    if (in_brackets + bool(before) + bool(after)) > 1:
        raise Refusal("bad_amount")
    if _TWO_READINGS.fullmatch(digits):
        raise Refusal("ambiguous_amount")
    if match := _PLAIN.fullmatch(digits):
        whole, decimals = match.groups()
    elif match := _GROUPED.fullmatch(digits):
        whole, separator, point, decimals = match.groups()
        if point == separator:
            raise Refusal("bad_amount")
        whole = whole.replace(separator, "")
    else:
        raise Refusal("bad_amount")
    if len(whole) > 12:
        raise Refusal("bad_amount")
    amount = Decimal(f"{whole}.{decimals or 0}").quantize(Decimal("0.01"))
    return -amount if in_brackets or before not in ("", "+") or after else amount


def parse_date(cell) -> datetime.date:
    """Day of a cell: a date, a day of Excel, or as the French and ISO 8601 write it.

    >>> parse_date("11/06/2025"), parse_date("2025/06/11"), parse_date(45819.0)
    (datetime.date(2025, 6, 11), datetime.date(2025, 6, 11), datetime.date(2025, 6, 11))

    :raise Refusal: ``bad_date``
    """
    if isinstance(cell, datetime.datetime):
        return cell.date()
    if isinstance(cell, datetime.date):
        return cell
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        whole = int(cell) if abs(cell) < 1e9 else 0  # nor is “not a number” below it
        if whole in _SERIALS:
            return _EPOCH + datetime.timedelta(days=whole)
        cell = str(whole)
    return _parse_date_text(cell) if isinstance(cell, str) else _refuse("bad_date")


@functools.lru_cache(4096)
def _parse_date_text(text):
    text = _TIME.sub("", text.strip().lstrip("'"))
    if match := _DAY_FIRST.fullmatch(text):
        day, _separator, month, year = match.groups()
        year = f"20{year}" if len(year) == 2 else year
    elif match := _YEAR_FIRST.fullmatch(text) or _DIGITS.fullmatch(text):
        year, _separator, month, day = match.groups()
    else:
        _refuse("bad_date")
    try:
        return datetime.date(int(year), int(month), int(day))
    except ValueError as error:
        raise Refusal("bad_date") from error


def parse_identifier(cell, length: int = 0) -> str:
    """Number or code of a cell, without spaces; numbers get back the zeros they lost.

    >>> parse_identifier(526.0), parse_identifier("732 829"), parse_identifier(1821732, 10)
    ('526', '732829', '0001821732')

    :raise Refusal: ``bad_number``: not whole, or cut by a spreadsheet (``2,43E+13``)
    """
    if isinstance(cell, (int, float)) and not isinstance(cell, bool):
        if not -1e15 < cell < 1e15 or cell != (whole := int(cell)):  # nor is “not a number” between
            _refuse("bad_number")
        return str(whole).zfill(length)
    return _parse_identifier_text(cell) if isinstance(cell, str) else _refuse("bad_number")


@functools.lru_cache(65536)
def _parse_identifier_text(text):
    text = "".join(text.split()).lstrip("'").upper()
    if re.fullmatch(r"[0-9]+[.,][0-9]+E\+?[0-9]+", text):
        _refuse("bad_number")
    # A number with decimals; three zeros would be thousands.
    return re.sub(r"^([0-9]+)[.,]0{1,2}$", r"\1", text)


def _refuse(code):
    raise Refusal(code)
