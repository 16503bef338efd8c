"""The reference that a printed document bears as a QR code: opaque, signed, of no person.

A number of the kind of document, the number of the record, and a code that only this database can
make: 15 bytes, 24 signs of base 32.
"""

import base64
import re
import struct
from collections.abc import Callable

import qrcode
from qrcode.constants import ERROR_CORRECT_M

PREFIX = "CTAI"
_WRITTEN = re.compile(rf"{PREFIX}[ -]?((?:[A-Z2-7]{{4}}[ -]?){{5}}[A-Z2-7]{{4}})\Z")


def pack(kind: int, record_id: int, sign: Callable[[bytes], bytes]) -> str:
    """The reference of a record.

    :param sign: code of authentication of some bytes, ten bytes or more

    >>> pack(1, 7, lambda told: told * 3)
    'CTAI-AEAA-AAAH-AEAA-AAAH-AEAA-AAAH'
    """
    told = struct.pack(">BI", kind, record_id)
    code = base64.b32encode(told + sign(told)[:10]).decode()
    return "-".join([PREFIX, *(code[place : place + 4] for place in range(0, 24, 4))])


def unpack(text: str, same: Callable[[bytes, bytes], bool]) -> tuple[int, int] | None:
    """Kind and record of a reference; None of anything else.

    :param same: whether ten bytes are the code of the first ones

    >>> unpack("CTAI-AEAA-AAAH-AEAA-AAAH-AEAA-AAAH", lambda told, code: code == told * 2)
    (1, 7)
    >>> unpack("https://example.com", lambda *_: True), unpack("CTAI-AEAA", lambda *_: True)
    (None, None)
    """
    found = _WRITTEN.match((text or "").strip().upper())
    if not found:
        return None
    content = base64.b32decode(re.sub("[ -]", "", found[1]))
    return struct.unpack(">BI", content[:5]) if same(content[:5], content[5:]) else None


def draw(text: str) -> bytes:
    """A QR code as SVG: squares, sharp at any size, with the quiet border that readers need."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=3)
    code.add_data(text)
    rows = code.get_matrix()
    squares = "".join(
        f"M{column} {line}h1v1h-1z"
        for line, row in enumerate(rows)
        for column, dark in enumerate(row)
        if dark
    )
    size = len(rows)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size} {size}" width="{size}" '
        f'height="{size}"><rect width="{size}" height="{size}" fill="#fff"/>'
        f'<path d="{squares}" fill="#000"/></svg>'
    ).encode()
