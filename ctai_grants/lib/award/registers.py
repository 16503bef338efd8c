"""Public extracts of the registers of bodies, read line by line: memory stays flat whatever their
length.

- Sirene (Insee): ``StockEtablissement`` and ``StockUniteLegale``, CSV with commas;
- RNA (ministry of the interior): ``rna_waldec`` and ``rna_import``, CSV with semicolons;

as they are published on data.gouv.fr, zipped or not. Their columns say which of them a file is.
"""

import codecs
import csv
import datetime
import io
import re
import unicodedata
import zipfile
from typing import NamedTuple

from ..guard.received import DAMAGED

# The kinds of streets that Sirene shortens.
STREETS = {
    "all": "allee", "av": "avenue", "ave": "avenue", "bd": "boulevard", "bld": "boulevard",
    "che": "chemin", "chem": "chemin", "crs": "cours", "imp": "impasse", "pl": "place",
    "q": "quai", "res": "residence", "rte": "route", "r": "rue", "sq": "square", "st": "saint",
    "ste": "sainte",
}  # fmt: skip


class RegisterError(Exception):
    """A file that cannot be read: ``code``, and the number of the line where there is one."""

    def __init__(self, code, line=None, cell=""):
        super().__init__(code)
        self.code, self.line, self.cell = code, line, cell


class Answer(NamedTuple):
    """What a register says of a body, or of one of its establishments."""

    register: str  # sirene or rna
    line: int
    key: str  # SIRET, SIREN or RNA, as it was looked for
    is_open: bool
    closed_on: datetime.date | None = None
    name: str = ""
    street: str = ""
    zip: str = ""
    city: str = ""
    # SIRET of the head office, where the register says it
    siret: str = ""


def read_register(stream, filename, keys):
    """Yield what a file says of ``keys``: an :class:`Answer` each.

    :param stream: binary file, seekable
    :param keys: set of SIRET, SIREN and RNA
    :raise RegisterError: ``bad_zip``, ``not_text``, ``unknown_columns``, ``empty``, ``bad_line``,
        ``bad_number``, ``bad_state``
    """
    if zipfile.is_zipfile(stream):
        yield from _read_zip(stream, keys)
    elif filename.lower().endswith(".zip"):
        raise RegisterError("bad_zip")
    else:
        yield from _read_csv(stream, keys)


def _read_zip(stream, keys):
    try:
        with zipfile.ZipFile(stream) as archive:
            names = [name for name in archive.namelist() if name.lower().endswith(".csv")]
            if not names:
                raise RegisterError("bad_zip")
            for name in names:
                with archive.open(name) as member:
                    yield from _read_csv(member, keys)
    except RegisterError:
        raise
    except DAMAGED as error:
        raise RegisterError("bad_zip") from error


def _read_csv(stream, keys):
    stream.seek(0)
    head = stream.read(1 << 16)
    stream.seek(0)
    if not head.strip():
        raise RegisterError("empty")
    text = io.TextIOWrapper(stream, encoding=_get_encoding(head), newline="")
    first = head.decode("latin-1").partition("\n")[0]
    rows = csv.reader(text, delimiter=";" if first.count(";") > first.count(",") else ",")
    try:
        columns = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
        key, pattern, read = _get_reader(columns)
        place = columns.index(key)
        for cells in rows:
            if not cells:
                continue
            if len(cells) != len(columns):
                raise RegisterError("bad_line", rows.line_num)
            if cells[place] in keys:
                yield read(dict(zip(columns, cells, strict=True)), rows.line_num)
            # A spreadsheet makes 2,43E+13 of a SIRET: nothing would be found in such a file.
            elif not pattern.fullmatch(cells[place]):
                raise RegisterError("bad_number", rows.line_num, cells[place][:40])
    except UnicodeDecodeError as error:
        raise RegisterError("not_text", rows.line_num + 1) from error
    except csv.Error as error:
        raise RegisterError("bad_line", rows.line_num) from error
    finally:
        # The stream is the caller's, who may have closed it when another answer was wanted.
        if not stream.closed:
            text.detach()


def _get_encoding(head):
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    try:
        # The last character may be cut.
        codecs.getincrementaldecoder("utf-8")().decode(head)
        return "utf-8"
    except UnicodeDecodeError:
        return "cp1252" if b"\0" not in head else "utf-8"


def _get_reader(columns):
    """The column of its numbers, what they look like, and what reads a line."""
    for key, needed, pattern, read in LAYOUTS:
        if {key, needed} <= set(columns):
            return key, pattern, read
    raise RegisterError("unknown_columns", 1, ", ".join(columns[:6])[:100])


def _read_establishment(row, line):
    return _read_sirene(
        row,
        line,
        ("siret", "etatAdministratifEtablissement", "F"),
        street=_join(
            row.get(f"{name}Etablissement")
            for name in ("numeroVoie", "indiceRepetition", "typeVoie", "libelleVoie")
        ),
        zip=_get(row, "codePostalEtablissement"),
        city=_get(row, "libelleCommuneEtablissement"),
    )


def _read_unit(row, line):
    nic = _get(row, "nicSiegeUniteLegale")
    return _read_sirene(
        row,
        line,
        ("siren", "etatAdministratifUniteLegale", "C"),
        name=_get(row, "denominationUniteLegale"),
        siret=row["siren"] + nic if nic else "",
    )


def _read_sirene(row, line, columns, **about):
    """An answer of Sirene; ``columns``: of its number and of its state, and the state of what is
    closed."""
    key, state, closed = columns
    is_open = _is_open(row, line, state, "A", closed)
    closed_on = None if is_open else _get_date(row, "dateDebut")
    return Answer(
        register="sirene", line=line, key=row[key], is_open=is_open, closed_on=closed_on, **about
    )


def _read_association(row, line):
    dissolved = _get_date(row, "date_disso")
    street = _join(
        row.get(f"adrs_{name}") for name in ("numvoie", "repetition", "typevoie", "libvoie")
    )
    return Answer(
        register="rna",
        line=line,
        key=row["id"],
        is_open=not dissolved and row.get("position", "A") in ("A", ""),
        closed_on=dissolved,
        name=_get(row, "titre"),
        street=street or _get(row, "adr1"),
        zip=_get(row, "adrs_codepostal"),
        city=_get(row, "adrs_libcommune") or _get(row, "libcom"),
    )


def _is_open(row, line, name, opened, closed):
    if row[name] not in (opened, closed):
        raise RegisterError("bad_state", line, row[name][:40])
    return row[name] == opened


def _get(row, name):
    value = (row.get(name) or "").strip()
    # What its owner does not publish.
    return "" if value == "[ND]" else value


def _get_date(row, name):
    try:
        date = datetime.date.fromisoformat(_get(row, name)[:10])
    except ValueError:
        return None
    # The RNA writes none as the first day of all.
    return date if date.year > 1 else None


def _join(parts):
    return " ".join(part.strip() for part in parts if part and part.strip() not in ("", "[ND]"))


def simplify(text):
    """The words of a name or an address as registers compare: no accents, capitals or signs, and
    streets in full.

    >>> simplify("12, av. de l'Église")
    ['12', 'avenue', 'de', 'l', 'eglise']
    """
    plain = unicodedata.normalize("NFKD", text or "").encode("ascii", "ignore").decode().lower()
    return [STREETS.get(word, word) for word in re.findall(r"[a-z0-9]+", plain)]


# Column of the number, another one that tells the layout, what the number looks like, reader.
LAYOUTS = (
    ("siret", "etatAdministratifEtablissement", re.compile(r"\d{14}"), _read_establishment),
    ("siren", "etatAdministratifUniteLegale", re.compile(r"\d{9}"), _read_unit),
    ("id", "titre", re.compile(r"\w{4,14}"), _read_association),
)
