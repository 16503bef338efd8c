"""Files as operators and attackers make them, small and whole. Without Odoo."""

import functools
import io
import zipfile

import pikepdf
import pillow_heif
from PIL import Image

NS = "http://schemas.openxmlformats.org"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ODT = "application/vnd.oasis.opendocument.text"
ODS = "application/vnd.oasis.opendocument.spreadsheet"

# The smallest that opens: one empty page.
PDF = b"""%PDF-1.7
% demonstration file, invented
1 0 obj
<</Type/Catalog/Pages 2 0 R>>
endobj
2 0 obj
<</Type/Pages/Count 1/Kids[3 0 R]>>
endobj
3 0 obj
<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>
endobj
trailer
<</Root 1 0 R/Size 4>>
%%EOF
"""


def make_pdf(size=0, opening=None, protect=None):
    """A PDF: of ``size`` bytes, or one that does ``opening`` when it opens (an action, in the
    syntax of PDF), or protected by a password."""
    if opening is not None:
        changed = PDF.replace(b"/Pages 2 0 R>>", b"/Pages 2 0 R/OpenAction 4 0 R>>", 1)
        changed = changed.replace(b"trailer", b"4 0 obj\n" + opening + b"\nendobj\ntrailer")
        return changed.replace(b"/Size 4", b"/Size 5")
    if protect is not None:
        stream = io.BytesIO()
        with pikepdf.open(io.BytesIO(PDF)) as document:
            document.save(stream, encryption=pikepdf.Encryption(owner="o", user=protect))
        return stream.getvalue()
    return PDF.replace(b"invented", b"invented" + b"x" * max(0, size - len(PDF)), 1)


def make_archive(parts, compression=zipfile.ZIP_DEFLATED):
    """An archive of ``parts``: dict {name: text or bytes}."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, content in parts.items():
            packed = zipfile.ZIP_STORED if name == "mimetype" else compression
            archive.writestr(zipfile.ZipInfo(name), content, packed)
    return stream.getvalue()


def _relations(*relations):
    rows = "".join(
        f'<Relationship Id="r{number}" Type="{kind}" Target="{target}"'
        f"{' TargetMode=' + chr(34) + 'External' + chr(34) if outside else ''}/>"
        for number, (kind, target, outside) in enumerate(relations)
    )
    return f'<Relationships xmlns="{NS}/package/2006/relationships">{rows}</Relationships>'


def _types(main, kind, more=()):
    rows = "".join(
        f'<Override PartName="{name}" ContentType="{declared}"/>'
        for name, declared in ((main, kind), *more)
    )
    return (
        f'<Types xmlns="{NS}/package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Default Extension="xml" ContentType="application/xml"/>{rows}</Types>'
    )


def make_openxml(kind, main_type=None, types=(), relations=(), parts=None, body=""):
    """A DOCX or XLSX.

    :param main_type: content type of its main part, when it is not that of ``kind``
    :param types: further content types: pairs of part and type
    :param relations: of the main part: (type, target, whether it is outside)
    :param dict parts: further parts
    :param body: within the main part
    """
    folder, main, root = ("word", "document", "document") if kind == DOCX else (
        "xl", "workbook", "workbook"
    )  # fmt: skip
    space = "wordprocessingml" if kind == DOCX else "spreadsheetml"
    return make_archive({
        "[Content_Types].xml": _types(
            f"/{folder}/{main}.xml", main_type or f"{kind}.main+xml", types
        ),
        "_rels/.rels": _relations((f"{OFFICE}/officeDocument", f"{folder}/{main}.xml", False)),
        f"{folder}/{main}.xml": f'<w:{root} xmlns:w="{NS}/{space}/2006/main">{body}</w:{root}>',
        f"{folder}/_rels/{main}.xml.rels": _relations(*relations),
        **(parts or {}),
    })  # fmt: skip


def make_opendocument(kind, parts=None, manifest="", body="", scripts=""):
    """An ODT or ODS.

    :param dict parts: further parts
    :param manifest: further entries of the manifest
    :param body: within its text
    """
    within = "text" if kind == ODT else "spreadsheet"
    spaces = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "table", "draw", "script")
    )
    return make_archive({
        "mimetype": kind,
        "content.xml": f'<office:document-content {spaces} '
        f'xmlns:xlink="http://www.w3.org/1999/xlink"><office:scripts>{scripts}</office:scripts>'
        f"<office:body><office:{within}>{body}</office:{within}></office:body>"
        "</office:document-content>",
        "META-INF/manifest.xml": "<manifest:manifest "
        'xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        f"{manifest}</manifest:manifest>",
        **(parts or {}),
    })  # fmt: skip


@functools.cache
def make_picture(kind="JPEG", turned=False, size=(64, 48), seed=0):
    """A picture: JPEG, PNG or HEIC, with a coloured edge above; turned, as a telephone held upright
    takes it."""
    picture = Image.linear_gradient("L").resize(size).rotate(90 * seed).convert("RGB")
    picture.paste((200, 30, seed % 250), (0, 0, size[0], size[1] // 4))
    stream = io.BytesIO()
    exif = Image.Exif()
    if turned:
        exif[0x0112] = 6
    if kind == "HEIC":
        pillow_heif.from_pillow(picture).save(stream, exif=exif.tobytes() if turned else None)
    else:
        picture.save(stream, kind, exif=exif)
    return stream.getvalue()
