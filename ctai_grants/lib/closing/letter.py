"""Letters and lists as PDF that can be archived and read aloud (PDF/A-2a, PDF/UA-1), with typst.

The same data makes the same bytes, with the same fonts. Of a sign that none of them has, these
kinds of PDF cannot be made: another stands in its place, and a note says so.
"""

import json
import unicodedata
from pathlib import Path

import typst

TEMPLATES = Path(__file__).parents[2] / "report"
#: in the place of a sign that no font has
SUBSTITUTE = "□"


class Unprintable(ValueError):
    """No PDF can be made of this: what the typesetter says."""


def make_pdf(title, lang, date, sender, recipient, reference, text, signature, note=""):
    """A letter, as bytes.

    :param str lang: two letters, for hyphenation and screen readers
    :param date: date of the letter
    :param sender: lines, the name first; so for ``recipient``
    :param str text: paragraphs, separated by an empty line
    :param signature: lines
    :param str note: printed where signs had to be replaced
    :raise Unprintable: it cannot be made
    """
    return _compile(
        "letter.typ",
        {
            "title": title,
            "lang": lang,
            "date": [date.year, date.month, date.day],
            "sender": sender,
            "recipient": recipient,
            "reference": reference,
            "paragraphs": [part.strip() for part in text.split("\n\n") if part.strip()],
            "signature": signature,
            "note": note,
        },
    )


def make_batch_list(**batch):
    """The list of a batch of orders, as bytes; ``batch`` holds what ``report/batch.typ`` prints,
    in the reader's language: title, lang, date, sender, about, headings, rows, total_label, total,
    words, signature, note (as for a letter).

    :raise Unprintable: it cannot be made
    """
    date = batch["date"]
    return _compile("batch.typ", {**batch, "date": [date.year, date.month, date.day]})


def _compile(template, data):
    note, data = data["note"], _map_texts(data, _clean)
    try:
        return _typeset(template, {**data, "note": ""})
    except typst.TypstError as error:
        lacking = _find_lacking(json.dumps(data, ensure_ascii=False))
        if not lacking:
            raise Unprintable(str(error)) from error
    table = str.maketrans(dict.fromkeys(lacking, SUBSTITUTE))
    try:
        shown = _map_texts(data, lambda text: text.translate(table))
        return _typeset(template, {**shown, "note": note})
    except typst.TypstError as error:
        raise Unprintable(str(error)) from error


def _typeset(template, data):
    return typst.compile(
        str(TEMPLATES / template),
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["a-2a", "ua-1"],
    )


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
    """Without what no document shows: control characters."""
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")


def _find_lacking(text):
    """The signs of ``text`` that no font here has, or that no such PDF may hold."""
    compiler, lacking = typst.Compiler(str(TEMPLATES / "sign.typ")), []
    for sign in sorted(set(text)):
        # French has all of these.
        if sign < "\u0180" or sign.isspace():
            continue
        try:
            compiler.compile(
                sys_inputs={"data": json.dumps(sign)}, pdf_standards=["a-2a", "ua-1"]
            )
        except typst.TypstError:
            lacking.append(sign)
    return lacking
