"""Documents of Microsoft's XML formats (DOCX, XLSX): content types, parts and relations."""

import re

from .parts import DOCX, XLSX, Parts, attribute, local
from .refusal import Refused

TYPES = "[Content_Types].xml"
_MAIN = {DOCX: "word/document.xml", XLSX: "xl/workbook.xml"}
_ROOT = {DOCX: "document", XLSX: "workbook"}
# In a content type or the type of a relation: they stand for the part, whatever it is called.
_MACROS = re.compile(r"macro|vba", re.IGNORECASE)
_ACTIVE = re.compile(
    r"activex|oleobject|/control$|attachedtemplate|/subdocument$|/frame$|/afchunk$|externallink"
    r"|ddelink|x-msdownload|customui",
    re.IGNORECASE,
)
# What may lead out of the document: a link that somebody clicks.
_CLICKED = ("/hyperlink",)
_SCRIPT = re.compile(r"\s*(?:javascript|vbscript|data|ms-[a-z]+|search-ms):", re.IGNORECASE)
_DDE = re.compile(r"\bDDE(?:AUTO)?\b", re.IGNORECASE)
_BY_ITSELF = re.compile(r"(?:_xlnm\.)?auto_(?:open|close|activate|deactivate)", re.IGNORECASE)


def check_openxml(parts: Parts, kind: str):
    """Refuse a document of another kind than ``kind``, or one that acts.

    :raise Refused: content, macros or active
    """
    main = _MAIN.get(kind)
    if TYPES not in parts.names or main not in parts.names:
        raise Refused("content")
    if _check_types(parts, f"/{main}") != f"{kind}.main+xml":
        raise Refused("content")
    for name in parts.names:
        if name.lower().endswith(".rels"):
            _check_relations(parts, name)
        elif "vbaproject" in name.lower() or "vbadata" in name.lower():
            raise Refused("macros")
    _check_fields(parts, kind, main)


def _check_types(parts, main):
    """Judge the types of all parts; return that of the main one."""
    found = None
    for element in parts.walk(TYPES):
        declared = attribute(element, "ContentType")
        _judge(declared)
        if attribute(element, "PartName") == main:
            found = declared
    return found


def _judge(declared):
    if _MACROS.search(declared):
        raise Refused("macros")
    if _ACTIVE.search(declared):
        raise Refused("active")


def _check_relations(parts, name):
    for element in parts.walk(name):
        kind = attribute(element, "Type")
        _judge(kind)
        outside = attribute(element, "TargetMode") == "External"
        if outside and not kind.endswith(_CLICKED):
            raise Refused("active")
        if outside and _SCRIPT.match(attribute(element, "Target")):
            raise Refused("active")


def _check_fields(parts, kind, main):
    """What a text or a workbook says that acts: fields that fetch, names that run."""
    texts = [main]
    if kind == DOCX:
        texts += [
            name
            for name in parts.names
            if name.startswith("word/") and name.endswith(".xml") and name != main
        ]
    for number, name in enumerate(texts):
        instruction, tag = "", None
        for element in parts.walk(name):
            tag = local(element.tag)
            if tag == "definedName":
                _check_name(element)
            instruction += _get_instruction(tag, element)
        if number == 0 and tag != _ROOT[kind]:
            raise Refused("damaged")
        if _DDE.search(instruction):
            raise Refused("active")


def _get_instruction(tag, element):
    """What a field is told to do, which may be in pieces; a paragraph ends it."""
    if tag == "instrText":
        return element.text or ""
    if tag == "fldSimple":
        return attribute(element, "instr")
    return " " if tag == "p" else ""


def _check_name(element):
    runs = any(attribute(element, flag) in ("1", "true") for flag in ("xlm", "vbProcedure"))
    if runs or _BY_ITSELF.match(attribute(element, "name")):
        raise Refused("macros")
