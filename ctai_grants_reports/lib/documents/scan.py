"""QR codes of scanned papers: PDF and pictures that others send, read in a process of its own,
with little memory and time."""

import json

from odoo.addons.ctai_grants.lib.guard.apart import Failed, run_apart

#: Pages of one file that are looked at, seconds and bytes of memory.
PAGES, SECONDS, MEMORY = 12, 60, 3 * 2**30

# Alone, without this package: what reads strangers' bytes imports nothing of the application.
_READER = f"""
import io, json, sys
import zxingcpp
from PIL import Image
content, found = sys.stdin.buffer.read(), []
def pages():
    if content.lstrip()[:5] == b"%PDF-":
        import pypdfium2
        document = pypdfium2.PdfDocument(content)
        for number in range(min(len(document), {PAGES})):
            page = document[number]
            # A page of any size becomes a picture of one: about 200 dots to the inch of A4.
            yield page.render(scale=2340 / max(page.get_size()), grayscale=True).to_pil()
    else:
        if content[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1"):
            import pillow_heif
            pillow_heif.register_heif_opener()
        picture = Image.open(io.BytesIO(content))
        picture.thumbnail((4000, 4000))
        yield picture.convert("L")
for picture in pages():
    for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.BarcodeFormat.QRCode):
        if code.text not in found:
            found.append(code.text)
sys.stdout.write(json.dumps(found[:50]))
"""


def read_codes(content: bytes) -> list[str] | None:
    """Texts of the QR codes of a file, each once; None when it cannot be read within the limits."""
    try:
        return json.loads(run_apart(_READER, content, memory=MEMORY, seconds=SECONDS))
    except Failed:
        return None
