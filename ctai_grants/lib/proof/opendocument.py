"""Documents of the OpenDocument format (ODT, ODS), as LibreOffice writes them."""

import re

from .parts import ODS, ODT, Parts, attribute, local
from .refusal import Refused

_MANIFEST = "META-INF/manifest.xml"
_MACROS = ("basic/", "scripts/", "dialogs/")
_BODY = {ODT: "text", ODS: "spreadsheet"}
# Objects within a document that only show: of others nobody knows what they do.
_SHOWN = {
    "application/vnd.oasis.opendocument.chart",
    "application/vnd.oasis.opendocument.formula",
    "application/vnd.oasis.opendocument.graphics",
}
# Elements by which a document runs something, or shows what is not its own.
_RUNS = {"event-listener", "script", "macro"}
_ACTS = {
    "object-ole", "plugin", "applet", "floating-frame", "dde-connection-decl", "dde-connection",
    "dde-link", "dde-source", "table-source", "section-source",
}  # fmt: skip
# Where somebody has to click to be led out of the document.
_CLICKED = {"a", "form", "template", "button", "auto-reload"}
_SCHEME = re.compile(r"\s*[a-z][a-z0-9+.-]*:|\s*//|\s*\.\./", re.IGNORECASE)
_RUN = re.compile(
    r"\s*(?:vnd\.sun\.star\.|macro|javascript|vbscript|service|data|\.uno)", re.IGNORECASE
)


def check_opendocument(parts: Parts, kind: str):
    """Refuse a document of another kind than ``kind``, or one that acts.

    :raise Refused: content, protected, macros or active
    """
    if parts.archive.read("mimetype").strip() != kind.encode() or kind not in _BODY:
        raise Refused("content")
    if any(name.lower().startswith(_MACROS) for name in parts.names):
        raise Refused("macros")
    _check_manifest(parts)
    previous = inside = root = None
    for name in parts.names:
        if name.rpartition("/")[2] in ("content.xml", "styles.xml"):
            for element in parts.walk(name):
                _judge(element)
                if name == "content.xml":
                    root, previous = local(element.tag), root
                    inside = previous if root == "body" else inside
    if root != "document-content" or inside != _BODY[kind]:
        raise Refused("damaged")


def _check_manifest(parts):
    for element in parts.walk(_MANIFEST):
        if local(element.tag) in ("encryption-data", "encrypted-key"):
            raise Refused("protected")
        path, kind = attribute(element, "full-path"), attribute(element, "media-type")
        if path.lower().startswith(_MACROS):
            raise Refused("macros")
        # “Object 1/” is a document within this one, “Object 1” something else.
        if re.fullmatch(r"[^/]*object[^/]*/?", path, re.IGNORECASE) and kind not in _SHOWN:
            if not path.lower().startswith("objectreplacements"):
                raise Refused("active")


def _judge(element):
    tag = local(element.tag)
    if tag in _RUNS:
        raise Refused("macros")
    if tag in _ACTS:
        raise Refused("active")
    target = attribute(element, "href")
    if tag in _CLICKED:
        if _RUN.match(target):
            raise Refused("macros")
    elif _SCHEME.match(target):
        raise Refused("active")
