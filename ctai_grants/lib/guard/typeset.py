"""Documents as PDF that can be archived and read aloud (PDF/A-2a, PDF/UA-1), with typst.

A template (a ``.typ`` file) and the data that it prints go to a process of its own, with little
memory and time, which sees these and nothing else of the disk but fonts. Data is data: no text is
ever read as Typst. The same data makes the same bytes, with the same fonts. Of a sign that none
of them has, these kinds of PDF cannot be made: another stands in its place, and a note says so.
"""

import base64
import json
import unicodedata
from collections.abc import Mapping
from pathlib import Path

from .apart import Failed, run_apart

#: What every template may import: ``#import "/style.typ": *``.
STYLE = Path(__file__).parents[2] / "report" / "style.typ"
#: in the place of a sign that no font has
SUBSTITUTE = "□"
#: Seconds and bytes of memory that one document may take.
SECONDS, MEMORY = 60, 3 * 2**30
#: Signs of a document that are tried one by one; each takes some hundredths of a second.
TRIED = 300
# They turn the text around, or hide what it says.
_DIRECTIONS = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SPACES = set(" \u00a0\u2009\u202f")

# Alone, without this package. In: the files, and signs to try; out: a PDF, or what was wrong.
_PROGRAM = """
import base64, json, sys
import typst
asked = json.load(sys.stdin.buffer)
standards = ["a-2a", "ua-1"]
answer = {}
if "signs" in asked:
    main = '#set document(title: "x")\\n#set text(font: "Libertinus Serif")\\n#json("/data.json")'
    answer["lacking"] = []
    for sign in asked["signs"]:
        try:
            files = {"main.typ": main.encode(), "data.json": json.dumps(sign).encode()}
            typst.compile(files, pdf_standards=standards)
        except typst.TypstError:
            answer["lacking"].append(sign)
else:
    files = {name: base64.b64decode(content) for name, content in asked["files"].items()}
    try:
        # Nothing of the disk: a root that is no folder.
        content = typst.compile(files, root="/dev/null", pdf_standards=standards)
        answer["pdf"] = base64.b64encode(content).decode()
    except (typst.TypstError, RuntimeError) as error:
        answer["error"] = str(error)
json.dump(answer, sys.stdout)
"""


def wrap(picture: bytes, width: int, height: int) -> bytes:
    """An SVG that is this PNG: files that typst is given in memory are texts."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}"><image width="{width}" height="{height}" '
        f'href="data:image/png;base64,{base64.b64encode(picture).decode()}"/></svg>'
    ).encode()


class Unprintable(ValueError):
    """No PDF can be made of this: what the typesetter says."""


class TooLong(Unprintable):
    """It takes more time or memory than one document may: trying again takes as much."""


def make(
    template: Path, data: dict, *, note: str = "", assets: Mapping[str, bytes] | None = None
) -> bytes:
    """What ``template`` makes of ``data``, as a PDF.

    The template reads ``json("/data.json")``, imports ``/style.typ``, and finds each of the assets
    under its own name: ``image("/logo.svg")``. Assets are SVG: of a photo, :func:`wrap` makes one.

    :param data: texts, numbers, lists and dicts; ``data["note"]`` is set here
    :param note: printed where signs had to be replaced
    :raise Unprintable: it cannot be made, or not in time
    """
    files = {name: bytes(content) for name, content in (assets or {}).items()}
    files |= {"main.typ": template.read_bytes(), "style.typ": STYLE.read_bytes()}
    data = _map_texts(data, _clean)
    try:
        return _typeset(files, {**data, "note": ""})
    except TooLong:
        raise
    except Unprintable as error:
        refusal = error
    for replaced in _propose(json.dumps(data, ensure_ascii=False)):
        table = str.maketrans(dict.fromkeys(replaced, SUBSTITUTE))
        shown = _map_texts(data, lambda text, table=table: text.translate(table))
        try:
            return _typeset(files, {**shown, "note": note})
        except TooLong:
            raise
        except Unprintable as error:
            refusal = error
    raise refusal


def _propose(text):
    """Yield sets of signs to replace: those that no font has; where signs have fonts and together
    none (a digit in a frame), all marks and symbols, then all letters of other scripts. Better a
    document without them than none."""
    replaced = set(_find_lacking(text))
    if replaced:
        yield replaced
    for kinds in (("C", "M", "So", "Sk", "Sm"), ("L", "N")):
        found = {
            sign
            for sign in set(text)
            if sign >= "\u0180" and unicodedata.category(sign).startswith(kinds)
        }
        if not found <= replaced:
            replaced = replaced | found
            yield replaced


def _typeset(files, data):
    content = {**files, "data.json": json.dumps(data).encode()}
    encoded = {name: base64.b64encode(part).decode() for name, part in content.items()}
    answer = _ask({"files": encoded})
    if "error" in answer:
        raise Unprintable(answer["error"])
    return base64.b64decode(answer["pdf"])


def _find_lacking(text):
    """The signs of ``text`` that no font here has, or that no such PDF may hold."""
    # French has all of the first ones.
    signs = [sign for sign in sorted(set(text)) if sign >= "\u0180" and not sign.isspace()]
    # So many kinds of signs are no French document: the others are taken for lacking, in time.
    return [*_ask({"signs": signs[:TRIED]})["lacking"], *signs[TRIED:]] if signs else []


def _ask(question):
    asked = json.dumps(question).encode()
    try:
        return json.loads(run_apart(_PROGRAM, asked, memory=MEMORY, seconds=SECONDS))
    except Failed as error:
        raise TooLong(f"no answer within {SECONDS} s and {MEMORY // 2**20} MB") from error


def _map_texts(data, change):
    match data:
        case str():
            return change(data)
        case dict():
            return {name: _map_texts(value, change) for name, value in data.items()}
        case list() | tuple():
            return [_map_texts(value, change) for value in data]
    return data


def _clean(text):
    """Without what no document shows: control characters, and those that turn text around; spaces
    of other scripts, which no font here has, as ours."""
    return "".join(
        " " if unicodedata.category(sign) == "Zs" and sign not in _SPACES else sign
        for sign in text
        if sign in "\n\t"
        or (unicodedata.category(sign) not in ("Cc", "Cs") and sign not in _DIRECTIONS)
    )
