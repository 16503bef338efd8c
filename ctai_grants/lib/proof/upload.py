"""What a file is, judged by its content: the name is only what its sender says."""

import base64
import binascii
import io
import re
import zipfile

from ..guard.received import DAMAGED
from ..guard.words import clean

PDF = "application/pdf"
PNG = "image/png"
JPEG = "image/jpeg"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv"

#: Allowed extensions, and what the content of each must be.
ALLOWED = {
    "pdf": PDF,
    "png": PNG,
    "jpg": JPEG,
    "jpeg": JPEG,
    "odt": ODT,
    "ods": ODS,
    "docx": DOCX,
    "xlsx": XLSX,
    "csv": CSV,
}


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


def sniff(content: bytes, extension: str) -> str | None:
    """Media type of ``content`` if it is what ``extension`` promises and is allowed, else None.

    >>> sniff(b"%PDF-1.7 ...", "pdf")
    'application/pdf'
    >>> sniff(b"<html><script>", "pdf")
    >>> sniff(b"MZ...", "exe")
    """
    promised = ALLOWED.get(extension)
    return promised if promised and promised == media_type(content) else None


def media_type(content: bytes) -> str | None:
    """Media type of ``content`` if it is one of the allowed ones, else None."""
    # Readers accept a PDF header within the first kilobyte, and so would a polyglot file:
    # only the very start counts here.
    if content.startswith(b"%PDF-"):
        return PDF
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if content.startswith(b"\xff\xd8\xff"):
        return JPEG
    if content.startswith(b"PK\x03\x04"):
        return _office_type(content)
    return CSV if _is_plain_text(content) else None


def _office_type(content: bytes) -> str | None:
    """Type of an office document, None for other archives and for documents with macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if any(
                name.lower().endswith(("vbaproject.bin", ".exe", ".js", ".vbs"))
                or name.startswith(("Basic/", "Scripts/"))
                for name in names
            ):
                return None
            if "mimetype" in names:
                # No more than that: a small archive may unpack to gigabytes.
                declared = archive.open("mimetype").read(100).decode("ascii", "replace")
                return declared if declared in (ODT, ODS) else None
            if "[Content_Types].xml" in names:
                if "word/document.xml" in names:
                    return DOCX
                if "xl/workbook.xml" in names:
                    return XLSX
    except DAMAGED:
        return None
    return None


def _is_plain_text(content: bytes) -> bool:
    # What begins so may be a page or a drawing with a script, for a browser to run.
    if b"\x00" in content or content.lstrip()[:1] == b"<":
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
