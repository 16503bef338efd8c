"""What a file is, judged by its content: the name is only what its sender says."""

import base64
import binascii
import hashlib
import io
import re
import unicodedata
import zipfile

from ..guard.words import clean
from .office import COMPOUND, check_compound, check_office
from .parts import DOCX, ODS, ODT, XLSX
from .pdf import HEADER, check_pdf
from .picture import check_picture, is_heic
from .refusal import Refused

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
HEIC = "image/heic"
CSV = "text/csv"
PHOTOS = frozenset({PNG, JPEG, HEIC})

#: Allowed extensions, and what the content of each must be.
ALLOWED = {
    "pdf": PDF,
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "heic": HEIC,
    "odt": ODT,
    "ods": ODS,
    "docx": DOCX,
    "xlsx": XLSX,
    "csv": CSV,
}

# What is said of others, so that their senders know what to make of them.
_OTHERS = {
    "word": "doc docm dot dotm dotx rtf txt md odp ppt pptx pptm pages key odg epub html htm xml "
    "eml msg".split(),
    "sheet": "xls xlsm xlsb xlt xltx xltm numbers tsv".split(),
    "picture": "gif bmp tif tiff webp heif avif svg raw dng psd".split(),
    "archive": "zip rar 7z tar gz tgz bz2 xz iso".split(),
}  # fmt: skip
_HINTS = {extension: code for code, extensions in _OTHERS.items() for extension in extensions}
# Before the last dot, they are there to be taken for the file's own.
_RUN = frozenset(
    "exe bat cmd scr pif js jse mjs vbs vbe wsf wsh hta msi ps1 jar lnk htm html xhtml svg php "
    "phtml asp aspx jsp sh py docm dotm xlsm xltm xlam pptm dll reg url app apk iso zip rar "
    "7z".split()
)
# Direction of reading and the like: what is shown is not what is stored.
_UNSEEN = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f")

# How other files begin that a browser or a shell would run, within a kilobyte as they look.
_PAGE = re.compile(
    rb"<(?:!doctype|html|head|body|script|iframe|svg|object|embed|\?php|\?=|%@)", re.IGNORECASE
)
_LOOKED_AT = 1024
# Other formats of text, that begin with their name.
_OTHER_TEXTS = (b"<", b"%PDF", b"%!", b"{\\rtf", b"#!", b"GIF8", b"MIME-Version", b"\x7fELF", b"MZ")
# Where pictures and PDF end; what follows is not read by who reads them.
_ENDS = {PDF: b"%%EOF", PNG: b"IEND\xaeB`\x82", JPEG: b"\xff\xd9"}
_APPENDED = re.compile(rb"\A\s{0,8}(?:MZ|\x7fELF|PK\x03\x04|Rar!|7z\xbc\xaf|#!)")
# A cell that asks another program for its value.
_FETCHES = re.compile(rb"(?:^|[;,\t\n\"])\s*[=+@-][^\n;,\t]{0,200}\|[^\n]{0,200}!", re.MULTILINE)

#: Characters of a file's name, its extension included, and of a comment.
LONGEST_NAME = 200
LONGEST_COMMENT = 4000


def clean_name(name) -> str:
    r"""The name that a file is kept under: no folders, nothing unseen; the extension always stays.

    >>> clean_name("C:\\notes\\bilan.pdf"), clean_name("../x/\u202ebilan.pdf"), clean_name("")
    ('bilan.pdf', 'bilan.pdf', 'file')
    >>> len(clean_name("a" * 300 + ".pdf")), clean_name("a" * 300 + ".pdf")[-5:]
    (200, 'a.pdf')
    """
    name = clean(re.split(r"[\\/]", name or "")[-1].replace("\n", " "), 10_000)
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[:LONGEST_NAME] or "file"
    return stem[: LONGEST_NAME - len(extension) - 1] + dot + extension


def spread_names(names: list[str]) -> list[str]:
    """Names of files of one set, each with its own: telephones call every photo the same.

    >>> spread_names(["image.jpg", "a.pdf", "Image.jpg", "image.jpg"])
    ['image.jpg', 'a.pdf', 'Image (2).jpg', 'image (3).jpg']
    """
    taken, spread = set(), []
    for name in names:
        stem, dot, extension = name.rpartition(".")
        own, number = name, 1
        while own.lower() in taken:
            number += 1
            own = f"{stem} ({number}){dot}{extension}"
        taken.add(own.lower())
        spread.append(own)
    return spread


def digest_of_set(digests: list[str]) -> str:
    """What a set of files has for a SHA-256: that of its only file, or of the lines that those of
    its files make, whatever order they were chosen in.

    >>> digest_of_set(["ab"]), digest_of_set(["b", "a"]) == hashlib.sha256(b"a\\nb\\n").hexdigest()
    ('ab', True)
    """
    if len(digests) == 1:
        return digests[0]
    return hashlib.sha256("".join(f"{one}\n" for one in sorted(digests)).encode()).hexdigest()


def decode(value) -> bytes:
    """Bytes of a binary field; none when a client sent something else than base64.

    >>> decode("JVBERi0x"), decode("é"), decode(False)
    (b'%PDF-1', b'', b'')
    """
    text = value.encode() if isinstance(value, str) else value or b""
    try:
        # Base64 may be cut into lines, which “validate” would refuse.
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return b""


def judge(name: str, content: bytes) -> str:
    """Media type of a file that is what its name says, can be opened, and does nothing.

    :param name: as its sender gave it
    :raise Refused: it is not; nothing else is raised, whatever the bytes are

    >>> judge("note.csv", b"public;nombre"), judge("IMG.CSV", b"a")
    ('text/csv', 'text/csv')
    """
    kind = _judge_name(name)
    if not content:
        raise Refused("empty")
    try:
        _judge_content(content, kind)
    except Refused:
        raise
    # Libraries of several hundred thousand lines read what strangers send: what none of them names
    # is a file that cannot be opened, and no trouble of ours.
    except Exception as error:
        raise Refused("damaged") from error
    return kind


def _judge_name(name):
    """The kind of file that a name promises."""
    if re.search(r"[\\/]", name) or any(
        unicodedata.category(c) == "Cc" or c in _UNSEEN for c in name
    ):
        raise Refused("name")
    *stems, extension = name.lower().split(".")
    if not stems or extension not in ALLOWED:
        raise Refused(_HINTS.get(extension.strip(), "type"))
    if any(stem.strip() in _RUN for stem in stems[1:]):
        raise Refused("double")
    return ALLOWED[extension]


def _judge_content(content, kind):
    if kind in (DOCX, XLSX, ODT, ODS):
        if content.startswith(COMPOUND):
            check_compound(content)
        if not content.startswith(b"PK\x03\x04"):
            raise Refused("content")
        check_office(content, kind)
    elif media_type(content) != kind:
        raise Refused("content")
    elif kind == CSV:
        _check_text(content)
    else:
        _check_alone(content, kind)
        (check_pdf if kind == PDF else check_picture)(content)


def _check_alone(content, kind):
    """Refuse a file that is one of another kind too, for who looks at it from its other end."""
    begin = content[:_LOOKED_AT]
    if _PAGE.search(begin) or (kind != PDF and b"%PDF-" in begin):
        raise Refused("hidden")
    if end := _ENDS.get(kind):
        # Looked for once, from where it is: megabytes may lie before it.
        found = content.rfind(end)
        behind = content[found + len(end) :] if found >= 0 else b""
        if _APPENDED.match(behind) or _PAGE.search(behind):
            raise Refused("hidden")
    if zipfile.is_zipfile(io.BytesIO(content)):
        raise Refused("hidden")


def _check_text(content):
    if _PAGE.search(content[:_LOOKED_AT]):
        raise Refused("hidden")
    if _FETCHES.search(content):
        raise Refused("active")


def media_type(content: bytes) -> str | None:
    r"""Media type that ``content`` seems to be, if it is one of the allowed ones, else None: by how
    it begins. What :func:`judge` takes was opened besides.

    >>> media_type(b"%PDF-1.7 ..."), media_type(b"\xef\xbb\xbf\n%PDF-1.7"), media_type(b"MZ\0")
    ('application/pdf', 'application/pdf', None)
    """
    # Readers accept a PDF header within the first kilobyte, and so would a polyglot file.
    if HEADER.match(content):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if is_heic(content):
        return HEIC
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    return CSV if _is_plain_text(content) else None


def _office_type(content: bytes) -> str | None:
    for kind in (DOCX, XLSX, ODT, ODS):
        try:
            check_office(content, kind)
            return kind
        except Refused as error:
            if error.code != "content":
                return None
    return None


def _is_plain_text(content: bytes) -> bool:
    begin = content.lstrip(b"\xef\xbb\xbf \t\r\n")
    # What begins with “<” may be a page or a drawing with a script, for a browser to run.
    if begin.startswith(_OTHER_TEXTS) or re.search(rb"[\x00-\x08\x0e-\x19\x1b-\x1f]", content):
        return False
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Spreadsheets of Windows users export in this one; it has five undefined bytes.
        try:
            content.decode("cp1252")
        except UnicodeDecodeError:
            return False
    return True
