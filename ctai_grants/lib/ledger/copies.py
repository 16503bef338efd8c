"""Older copies of the ledger beside the ledger of today, line by line: memory stays flat whatever
their length.

- ``ledger.csv``, as it comes with a statement, in its archive or taken out of it;
- a list of heads (:mod:`.heads`), as they leave the database each day.
"""

import codecs
import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple

from ..guard.received import DAMAGED
from .chain import GENESIS, LEDGER_FIELDS, entry_hash
from .heads import HEAD_FIELDS, Head, read_head

#: Bytes that a line can have; lines that an entry can have: its memo.
LONGEST_LINE, LONGEST_ENTRY = 1 << 20, 10_000
#: How many heads are looked up at once.
BATCH = 1000
_ID = r"[1-9][0-9]{0,17}"
#: What is written in each field of an entry; what a spreadsheet makes of it is something else.
_FORMS = {
    "number": _ID,
    "envelope_id": _ID,
    "date": r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "kind": r"[a-z_]+",
    "amount": r"-?[0-9]+\.[0-9]{2}",
    "subsidy_id": rf"({_ID})?",
    "action_id": rf"({_ID})?",
    "partner_id": rf"({_ID})?",
    "origin_model": r"[a-z0-9_.]+",
    "origin_id": _ID,
    "user_id": _ID,
    "posted_at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}",
    "previous_hash": r"[0-9a-f]{64}",
    "hash": r"[0-9a-f]{64}",
}
_FORMS = {name: re.compile(form) for name, form in _FORMS.items()}


class CopyError(Exception):
    """A file that cannot be compared: ``code``, and where: line, field, what stands there."""

    def __init__(self, code, line=None, cell="", field=""):
        super().__init__(code)
        self.code, self.line, self.cell, self.field = code, line, cell[:60], field


class Difference(NamedTuple):
    """The first thing that is not as the copy says, or that was changed in the copy itself.

    ``field``: of the entry; ``unknown`` (no such chain), ``missing`` (entry), ``head``; or in the
    copy ``copy_gap``, ``copy_link``, ``copy_content``.
    """

    line: int
    chain: tuple[str, int]  # kind and id
    number: int
    field: str
    copy: str = ""
    ledger: str = ""
    date: str = ""


# --- what kind of file it is ----------------------------------------------------------------


@contextmanager
def open_copy(stream: BinaryIO) -> Iterator[tuple[str, BinaryIO]]:
    """Yield the kind of a file, ``ledger`` or ``heads``, and the stream of its lines.

    :param stream: binary file, seekable
    :raise CopyError: ``empty``, ``bad_zip``, ``no_ledger``, ``not_text``, ``spreadsheet``,
        ``columns``, ``unknown``
    """
    if not zipfile.is_zipfile(stream):
        stream.seek(0)
        yield _recognise(stream), stream
        return
    with _open_member(stream) as member:
        yield _recognise(member), member


def _open_member(stream):
    """The ledger in the archive of a statement, wherever somebody put it there."""
    with _damage_told():
        archive = zipfile.ZipFile(stream)
        names = [name for name in archive.namelist() if name.split("/")[-1] == "ledger.csv"]
        if not names:
            raise CopyError("no_ledger")
        # Buffered: by itself it reads a line of limited length byte by byte.
        return io.BufferedReader(archive.open(names[0]), 1 << 16)


@contextmanager
def _damage_told():
    try:
        yield
    except DAMAGED as error:
        raise CopyError("bad_zip") from error


def _recognise(stream):
    with _damage_told():
        first = stream.readline(LONGEST_LINE)
        stream.seek(0)
    if not first.strip():
        raise CopyError("unknown" if first else "empty", 1)
    text = _decode(first, 1).strip()
    try:
        row = next(csv.reader([text]), [])
    except csv.Error as error:  # longer than any field of ours
        raise CopyError("unknown", 1, text) from error
    if row == list(LEDGER_FIELDS):
        return "ledger"
    if row == list(HEAD_FIELDS) or read_head(row):
        return "heads"
    for delimiter in ";\t|":
        if text.replace('"', "").split(delimiter) in (list(LEDGER_FIELDS), list(HEAD_FIELDS)):
            raise CopyError("spreadsheet", 1, delimiter)
    missing = [name for name in LEDGER_FIELDS if name not in row]
    if len(missing) < len(LEDGER_FIELDS) / 2:
        raise CopyError("columns", 1, ", ".join(missing))
    # The chain of the first line, when only something else of it is damaged.
    if len(row) == len(HEAD_FIELDS) and re.match(r"[a-z_]+ [0-9]+ ", row[0]):
        return "heads"
    raise CopyError("unknown", 1, text)


def _decode(raw, line):
    if len(raw) == LONGEST_LINE and not raw.endswith(b"\n"):
        raise CopyError("not_text", line)
    try:
        # A byte order mark says nothing about the content: that is what the hashes are for.
        return raw.removeprefix(codecs.BOM_UTF8 if line == 1 else b"").decode()
    except UnicodeDecodeError as error:
        raise CopyError("not_text", line) from error


def _read_lines(stream):
    line = 0
    while True:
        with _damage_told():
            raw = stream.readline(LONGEST_LINE)
        if not raw:
            return
        line += 1
        yield line, raw


# --- ledger.csv -----------------------------------------------------------------------------


def read_entries(stream: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the entries of a ``ledger.csv`` with the line that each begins in: the values of
    :data:`LEDGER_FIELDS`.

    :raise CopyError: ``not_text``, ``bad_line``
    """
    begun = 1

    def read_texts():
        for line, raw in _read_lines(stream):
            # A quotation mark too many would swallow the rest of the file.
            if line - begun > LONGEST_ENTRY:
                raise CopyError("bad_line", begun)
            yield _decode(raw, line)

    rows = csv.reader(read_texts(), strict=True)
    try:
        for row in rows:
            if row and begun > 1:
                if len(row) != len(LEDGER_FIELDS):
                    raise CopyError("bad_line", begun)
                yield begun, row
            begun = rows.line_num + 1
    except csv.Error as error:
        raise CopyError("bad_line", begun) from error


class LedgerComparison:
    """The entries of a ``ledger.csv`` beside those of the ledger.

    :param find_entries: called with the id of an envelope and a number, yields its entries from
        that number on (mappings of :data:`LEDGER_FIELDS`); None when there is no such envelope
    """

    def __init__(self, find_entries: Callable[[int, int], Iterator[Mapping] | None]):
        self._find_entries = find_entries
        self._entries = {}
        #: envelope id: the last number and hash read
        self._last = {}
        self.count = 0

    def find_difference(self, entries: Iterable[tuple[int, list[str]]]) -> Difference | None:
        """The first difference, None when all entries are those of the ledger.

        :raise CopyError: ``bad_field``: a value that the ledger never writes so
        """
        for line, values in entries:
            self.count += 1
            entry = dict(zip(LEDGER_FIELDS, values, strict=True))
            _check_form(line, entry, ("number", "envelope_id"))
            chain, number = int(entry["envelope_id"]), int(entry["number"])
            found = self._check_itself(line, chain, number, entry) or self._compare(
                chain, number, values
            )
            if found:
                field, *texts = found
                key = ("envelope", chain)
                return Difference(line, key, number, field, *texts, date=entry["date"])
            self._last[chain] = number, entry["hash"]
        return None

    def _check_itself(self, line, chain, number, entry):
        """What the copy's own hashes say of the copy."""
        # A part of a chain is a copy too: its first line says what it follows.
        first = (number - 1, GENESIS if number == 1 else entry["previous_hash"])
        last, previous = self._last.get(chain, first)
        if number != last + 1:
            return "copy_gap", str(last)
        if entry["previous_hash"] != previous:
            _check_form(line, entry, _FORMS)
            return ("copy_link",)
        if entry["hash"] != entry_hash(previous, entry):
            _check_form(line, entry, _FORMS)
            return ("copy_content",)
        return None

    def _compare(self, chain, number, values):
        """The first field in which an entry is not that of the ledger, and both its values."""
        if chain not in self._entries:
            self._entries[chain] = self._find_entries(chain, number)
        if self._entries[chain] is None:
            return ("unknown",)
        entry = next(self._entries[chain], None)
        if entry is None or int(entry["number"]) != number:
            return ("missing",)
        for name, copied in zip(LEDGER_FIELDS, values, strict=True):
            kept = "" if entry[name] is None else str(entry[name])
            if copied != kept:
                return name, copied, kept
        return None

    @property
    def chains(self) -> list[int]:
        """The envelopes of which the copy has entries."""
        return list(self._last)


def _check_form(line, entry, names):
    for name in names:
        if name in _FORMS and not _FORMS[name].fullmatch(entry[name]):
            raise CopyError("bad_field", line, entry[name], name)


# --- lists of heads -------------------------------------------------------------------------


def read_heads(stream: BinaryIO) -> Iterator[tuple[int, Head | None]]:
    """Yield the heads of a list with their lines; None for a line that is damaged."""
    for line, raw in _read_lines(stream):
        try:
            row = next(csv.reader([_decode(raw, line).strip()], strict=True), [])
        except (CopyError, csv.Error):
            yield line, None
            continue
        # Not only in the first line: somebody puts the lists of several days together.
        if row and row != list(HEAD_FIELDS):
            yield line, read_head(row)


class HeadsComparison:
    """The heads of a list beside the chains of the ledger.

    :param find_hashes: called with the kind of a chain and a list of pairs (id, number), returns
        the hashes of these entries, by pair; None when there is no such kind of chain
    """

    def __init__(self, find_hashes: Callable[[str, list], Mapping | None]):
        self._find_hashes = find_hashes
        #: kind and id of a chain: the last head that was looked at
        self._last = {}
        self.count = 0
        self.damaged = None
        self.times = ("", "")

    def find_difference(self, heads: Iterable[tuple[int, Head | None]]) -> Difference | None:
        """The first difference, None when all heads are hashes of the ledger.

        A damaged line hides none of the others.

        :raise CopyError: ``bad_head``: there is no difference, and a line is damaged
        """
        batch = []
        for line, head in heads:
            if head is None:
                self.damaged = self.damaged or line
                continue
            self._count(head)
            # Most chains do not move each day.
            known = self._last.get((head.kind, head.id))
            if known == (head.number, head.hash):
                continue
            self._last[head.kind, head.id] = head.number, head.hash
            batch.append((line, head))
            if len(batch) == BATCH:
                if found := self._compare(batch):
                    return found
                batch = []
        if found := self._compare(batch):
            return found
        if self.damaged:
            raise CopyError("bad_head", self.damaged)
        return None

    def _count(self, head):
        self.count += 1
        self.times = (self.times[0] or head.time, head.time)

    def _compare(self, batch):
        hashes = {}
        for kind in {head.kind for _line, head in batch}:
            pairs = [(head.id, head.number) for _line, head in batch if head.kind == kind]
            hashes[kind] = self._find_hashes(kind, pairs)
        for line, head in batch:
            found = hashes[head.kind]
            kept = found and found.get((head.id, head.number))
            if kept != head.hash:
                field = "unknown" if found is None else "head" if kept else "missing"
                key = (head.kind, head.id)
                return Difference(line, key, head.number, field, head.hash, kept or "", head.time)
        return None

    @property
    def chains(self) -> list[tuple[str, int]]:
        """Kind and id of the chains of which the list has heads."""
        return list(self._last)
