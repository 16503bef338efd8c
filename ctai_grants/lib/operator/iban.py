"""IBANs in the text of a PDF: what a RIB that was handed in says.

The PDF is a stranger's, and what reads it is large: it reads in a process of its own, with little
memory and little time, and of the first pages only. Pictures say nothing here.
"""

import re

from stdnum.iso7064 import mod_97_10

from ..guard.apart import Failed, run_apart

#: Pages, characters of each, seconds and bytes of memory.
PAGES, CHARACTERS, SECONDS, MEMORY = 5, 50_000, 10, 512 * 2**20
# A country, two digits of control, then groups; spaces and the like between any two of them.
_WRITTEN = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}[ .\u00a0\u202f-]?\d{2}(?:[ .\u00a0\u202f\n-]?[A-Z0-9]){11,30}"
)

_READER = f"""
import io, sys
try:
    from pypdf import PdfReader
except ImportError:
    from PyPDF2 import PdfReader
reader = PdfReader(io.BytesIO(sys.stdin.buffer.read()))
for number, page in enumerate(reader.pages):
    if number == {PAGES}:
        break
    sys.stdout.buffer.write((page.extract_text() or "")[:{CHARACTERS}].encode("utf-8", "replace"))
    sys.stdout.buffer.write(b"\\n")
"""


def find_ibans(text: str) -> list[str]:
    """The valid IBANs in a text, in its order, each once, without spaces.

    >>> find_ibans("IBAN : FR76 3000 6000 0112 3456 7890 189 BIC AGRIFRPP")
    ['FR7630006000011234567890189']
    >>> find_ibans("FR76 3000 6000 0112 3456 7890 188"), find_ibans("")
    ([], [])
    """
    found = []
    for written in _WRITTEN.findall(text.upper()):
        compact = re.sub(r"[^A-Z0-9]", "", written)
        # What stands behind may look like a part of it: cut until it is valid.
        for length in range(len(compact), 14, -1):
            if _is_valid(candidate := compact[:length]):
                if candidate not in found:
                    found.append(candidate)
                break
    return found


def _is_valid(candidate):
    """Whether the digits of control are right (ISO 13616), and the length is that of France."""
    if not mod_97_10.is_valid(candidate[4:] + candidate[:4]):
        return False
    # One of 97 random ones passes: of the accounts that are usual here, more is known.
    return len(candidate) == 27 if candidate.startswith("FR") else len(candidate) >= 15


def read_text(content: bytes) -> str | None:
    """Text of the first pages of a PDF; None when it cannot be read within the limits."""
    try:
        found = run_apart(_READER, content, memory=MEMORY, seconds=SECONDS)
    except Failed:
        return None
    return found.decode("utf-8", "replace")
