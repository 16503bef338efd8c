"""Office documents: what is in the archive, whatever its parts are called."""

import io
import re
import zipfile

from lxml import etree

from ..guard.received import DAMAGED
from .opendocument import check_opendocument
from .openxml import check_openxml
from .parts import XLSX, Parts
from .refusal import Refused

#: Parts of a document, and bytes of all of them once unpacked.
MOST_PARTS = 5000
LARGEST_UNPACKED = 500 * 2**20

COMPOUND = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PROTECTED = "EncryptedPackage".encode("utf-16-le")
# How a part begins that is a program, or an object or the macros of Microsoft's formats.
_PROGRAMS = (b"MZ", b"\x7fELF", COMPOUND, b"Rar!", b"7z\xbc\xaf")
_PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_WRONG_NAME = re.compile(r"[\\:\x00-\x1f]|(?:^|/)\.\.(?:/|$)|^/")


def check_compound(content: bytes):
    """Refuse what Microsoft's older formats hold under a newer name.

    :raise Refused: protected, or content
    """
    raise Refused("protected" if _PROTECTED in content else "content")


def check_office(content: bytes, *kinds: str, within=False) -> str:
    """Refuse an office document that cannot be opened, or does more than being read.

    :param kinds: media types, one of which it is to have
    :param within: whether it is a part of another one
    :return: which of them it has
    :raise Refused: damaged, protected, content, macros, active, bomb or hidden
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_archive(archive)
            _check_parts(archive, within)
            return _find_kind(Parts(archive), kinds)
    except Refused:
        raise
    except (*DAMAGED, KeyError, etree.LxmlError) as error:
        raise Refused("damaged") from error


def _find_kind(parts, kinds):
    check = check_opendocument if "mimetype" in parts.names else check_openxml
    *others, last = kinds
    for kind in others:
        try:
            check(parts, kind)
            return kind
        except Refused as error:
            if error.code != "content":
                raise
    check(parts, last)
    return last


def _check_archive(archive):
    """Names, sizes and places of the parts, as the archive says them."""
    infos = archive.infolist()
    if len(infos) > MOST_PARTS or sum(info.file_size for info in infos) > LARGEST_UNPACKED:
        raise Refused("bomb")
    if any(info.flag_bits & 1 for info in infos):
        raise Refused("protected")
    names = [info.filename.lower() for info in infos]
    if not infos or archive.comment or min(info.header_offset for info in infos):
        # Before the first part, or behind the last, there may be a file of another kind.
        raise Refused("hidden")
    if len(set(names)) < len(names) or any(map(_WRONG_NAME.search, names)):
        # Which of two is read depends on the reader.
        raise Refused("hidden")
    if any(info.compress_type not in _PACKED for info in infos):
        raise Refused("damaged")


def _check_parts(archive, within):
    """Unpack each part once: what it begins with, its sum, and how much there is in all."""
    left = LARGEST_UNPACKED
    for info in archive.infolist():
        with archive.open(info) as stream:
            begin = stream.read(64)
            left -= len(begin)
            while block := stream.read(2**20):
                left -= len(block)
                if left < 0:
                    raise Refused("bomb")
        if begin.startswith(_PROGRAMS):
            # A part of macros is one, too, under any name; of programs there are no good ones.
            raise Refused("macros" if "vba" in info.filename.lower() else "active")
        if begin.startswith(b"PK\x03\x04"):
            _check_inner(archive, info, within)


def _check_inner(archive, info, within):
    """The figures of a chart are a workbook within the text: judged as it is by itself."""
    if within:
        raise Refused("active")
    content = archive.read(info)
    with zipfile.ZipFile(io.BytesIO(content)) as inner:
        is_workbook = "xl/workbook.xml" in inner.namelist()
    if not is_workbook:
        raise Refused("active")
    check_office(content, XLSX, within=True)
