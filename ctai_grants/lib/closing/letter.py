"""Letters and lists as PDF that can be archived and read aloud (PDF/A-2a, PDF/UA-1), with typst.

The same data makes the same bytes.
"""

import json
from pathlib import Path

import typst

TEMPLATES = Path(__file__).parents[2] / "report"


def make_pdf(title, lang, date, sender, recipient, reference, text, signature):
    """A letter, as bytes.

    :param str lang: two letters, for hyphenation and screen readers
    :param date: date of the letter
    :param sender: lines, the name first; so for ``recipient``
    :param str text: paragraphs, separated by an empty line
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
        },
    )


def make_batch_list(**batch):
    """The list of a batch of orders, as bytes; ``batch`` holds what ``report/batch.typ`` prints,
    in the reader's language: title, lang, date, sender, about, headings, rows, total_label, total,
    words, signature.
    """
    date = batch["date"]
    return _compile("batch.typ", {**batch, "date": [date.year, date.month, date.day]})


def _compile(template, data):
    return typst.compile(
        str(TEMPLATES / template),
        sys_inputs={"data": json.dumps(data)},
        pdf_standards=["a-2a", "ua-1"],
    )
