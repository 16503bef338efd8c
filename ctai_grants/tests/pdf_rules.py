"""Rules of PDF/A-2a and PDF/UA-1, read from the file itself (pikepdf), and those of ``pdfua``.

No validator of record (veraPDF) is on the machines that run these tests. What is looked at: what
makes such a file what it says it is. Not looked at: whether glyphs draw what they are said to be,
colours in pictures, the syntax of fonts.
"""

import io
import re
import tempfile
from pathlib import Path

import pikepdf

try:
    import pdfua
except ImportError:
    # A tool of who develops (requirements-dev.in).
    pdfua = None

FORBIDDEN = ("/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/AA", "/OpenAction", "/Movie")
# In this order a reader hears them.
KNOWN = {
    "Document", "Part", "Sect", "Div", "P", "H", "H1", "H2", "H3", "H4", "H5", "H6", "Table", "TR",
    "TH", "TD", "THead", "TBody", "TFoot", "Figure", "Caption", "L", "LI", "Lbl", "LBody", "Span",
    "Link", "Note", "Reference", "Code", "BlockQuote", "Em", "Strong", "Title", "NonStruct",
    "TOC", "TOCI", "Formula", "Quote", "Index", "Form", "Annot", "Art",
}  # fmt: skip


def find_faults(content: bytes) -> list[str]:
    """What keeps a file from being PDF/A-2a and PDF/UA-1: sentences, none of a right one."""
    try:
        with pikepdf.open(io.BytesIO(content)) as pdf:
            faults = [*_check_document(pdf), *_check_fonts(pdf), *_check_tree(pdf)]
    except pikepdf.PdfError as error:
        return [f"cannot be opened: {error}"]
    return faults + _ask_pdfua(content)


def _check_document(pdf):
    root = pdf.Root
    if pdf.is_encrypted:
        yield "encrypted"
    yield from _check_metadata(root)
    yield from _check_root(root)
    for thing in pdf.objects:
        yield from (f"{key} is not allowed" for key in _find_keys(thing) if key in FORBIDDEN)
    if "/ID" not in pdf.trailer:
        yield "no identifier"


def _check_metadata(root):
    metadata = bytes(root.Metadata.read_bytes()).decode() if "/Metadata" in root else ""
    for name, value in (("pdfaid:part", "2"), ("pdfaid:conformance", "A"), ("pdfuaid:part", "1")):
        if not re.search(rf"{name}(?:>|=\")\s*{value}", metadata):
            yield f"metadata does not say {name} {value}"
    if "dc:title" not in metadata:
        yield "no title in the metadata"


def _check_root(root):
    if not root.get("/MarkInfo", {}).get("/Marked", False):
        yield "not marked as tagged"
    if not str(root.get("/Lang", "")):
        yield "no language"
    if not root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False):
        yield "the title is not shown"
    intents = root.get("/OutputIntents", [])
    if not any("/DestOutputProfile" in intent for intent in intents):
        yield "no output intent with a profile"


def _find_keys(thing):
    """The keys of an object, and of those that are written into it."""
    if isinstance(thing, pikepdf.Array):
        inner = list(thing)
    elif isinstance(thing, pikepdf.Dictionary | pikepdf.Stream):
        pairs = list(thing.items())
        yield from (key for key, _value in pairs)
        inner = [value for _key, value in pairs]
    else:
        return
    for value in inner:
        if isinstance(value, pikepdf.Object) and not value.is_indirect:
            yield from _find_keys(value)


def _check_fonts(pdf):
    for number, page in enumerate(pdf.pages, 1):
        if page.get("/Tabs") != "/S" and "/Annots" in page:
            yield f"page {number}: tabs do not follow the structure"
        if "/StructParents" not in page:
            yield f"page {number}: its content is not in the structure"
        for name, font in (page.get("/Resources", {}).get("/Font", {}) or {}).items():
            inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
            descriptor = inner.get("/FontDescriptor", {})
            if not any(f"/FontFile{kind}" in descriptor for kind in ("", "2", "3")):
                yield f"page {number}: font {name} is not embedded"
            if "/ToUnicode" not in font:
                yield f"page {number}: the signs of font {name} are not told"


def _check_tree(pdf):
    root = pdf.Root.get("/StructTreeRoot")
    if root is None:
        yield "no structure"
        return
    if "/ParentTree" not in root:
        yield "no parent tree"
    roles = {str(key)[1:]: str(value)[1:] for key, value in root.get("/RoleMap", {}).items()}
    levels = []
    for kind, element in _walk(root):
        kind = roles.get(kind, kind)
        if kind not in KNOWN:
            yield f"structure of an unknown kind: {kind}"
        if kind == "Figure" and not str(element.get("/Alt", "")).strip():
            yield "a figure without a text"
        if kind == "Table" and "TH" not in [name for name, _element in _walk(element)]:
            yield "a table without headings"
        if re.fullmatch(r"H\d", kind):
            levels.append(int(kind[1]))
    yield from _check_levels(levels)


def _check_levels(levels):
    if levels and levels[0] != 1:
        yield f"the first heading is of level {levels[0]}"
    for before, after in zip(levels, levels[1:], strict=False):
        if after > before + 1:
            yield f"a heading of level {after} after one of level {before}"


def _walk(element):
    children = element.get("/K", [])
    for child in children if isinstance(children, pikepdf.Array) else [children]:
        if isinstance(child, pikepdf.Dictionary) and "/S" in child:
            yield str(child.S)[1:], child
            yield from _walk(child)


def _ask_pdfua(content):
    """What ``pdfua`` (16 of the 106 rules that machines can check) finds wrong."""
    if pdfua is None:
        return []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "file.pdf")
        path.write_bytes(content)
        report = pdfua.validate(str(path))
    return [
        f"pdfua: {finding.rule_id} {finding.message}"
        for outcome in report.outcomes
        for finding in outcome.findings
    ]
