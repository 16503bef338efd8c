"""IBANs in the text of a PDF: what a RIB that was handed in says.

The PDF is a stranger's, and what reads it is large: it reads in a process of its own, with little
memory and little time, and of the first pages only. Pictures say nothing here.
"""

import re
import subprocess
import sys
from pathlib import Path

from stdnum.iso7064 import mod_97_10

#: Pages, characters of each, seconds and bytes of memory.
PAGES, CHARACTERS, SECONDS, MEMORY = 5, 50_000, 10, 512 * 2**20
# A country, two digits of control, then groups; spaces and the like between any two of them.
_WRITTEN = re.compile(
    r"(?<![A-Z0-9])[A-Z]{2}[ .\u00a0\u202f-]?\d{2}(?:[ .\u00a0\u202f\n-]?[A-Z0-9]){11,30}"
)

# Alone, without this package: what reads strangers' bytes imports nothing of the application.
_READER = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({MEMORY}, {MEMORY}))
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
import io
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
        done = subprocess.run(  # noqa: S603 (our own program, of this file)
            [sys.executable, "-c", _READER],
            input=content,
            capture_output=True,
            timeout=SECONDS + 5,
            check=False,
            cwd=Path("/"),
            # Neither passwords of the database nor paths of ours.
            env={"PYTHONDONTWRITEBYTECODE": "1"},
        )
    except (subprocess.TimeoutExpired, OSError):
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
