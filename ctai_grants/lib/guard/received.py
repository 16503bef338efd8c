"""Files as a browser sends them to a form."""

import base64
import binascii
import io
import lzma
import zipfile
import zlib
from typing import BinaryIO

PIECE = 1 << 20
#: What Python says of an archive that is damaged anywhere, protected by a password, or packed in a
#: way that it does not know.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, RuntimeError, NotImplementedError, OSError,
    EOFError, ValueError,
    # LZMA takes the memory that the archive asks for.
    MemoryError,
)  # fmt: skip


def decode(encoded: bytes, stream: BinaryIO) -> bool:
    """Write what was encoded in base 64 to ``stream``, and go back to its beginning; False when it
    was not received whole.

    By pieces, of a multiple of four: the file is not in memory a third time.

    >>> stream = io.BytesIO()
    >>> decode(b"ZmljaGllcg==", stream), stream.read(), decode(b"Zml", io.BytesIO())
    (True, b'fichier', False)
    """
    source = io.BytesIO(encoded)
    try:
        while piece := source.read(4 * PIECE):
            stream.write(base64.b64decode(piece, validate=True))
    except binascii.Error:
        return False
    stream.seek(0)
    return True
