"""A letter as a PDF that can be archived and read aloud (PDF/A-2a, PDF/UA-1), with typst.

The same data makes the same bytes.
"""

import json
from pathlib import Path

import typst

TEMPLATE = Path(__file__).parent.parent / "report" / "letter.typ"


def make_pdf(title, lang, date, sender, recipient, reference, text, signature):
    """The PDF, as bytes.

    :param str lang: two letters, for hyphenation and screen readers
    :param date: date of the letter
    :param sender: lines, the name first; so for ``recipient``
    :param str text: paragraphs, separated by an empty line
    """
    letter = {
        "title": title,
        "lang": lang,
        "date": [date.year, date.month, date.day],
        "sender": sender,
        "recipient": recipient,
        "reference": reference,
        "paragraphs": [part.strip() for part in text.split("\n\n") if part.strip()],
        "signature": signature,
    }
    return typst.compile(
        str(TEMPLATE), sys_inputs={"data": json.dumps(letter)}, pdf_standards=["a-2a", "ua-1"]
    )
