"""Paragraphs that somebody writes around figures that nobody types: ``{{paid}}`` stands for what
the ledger says. Without Odoo."""

import difflib
import re
import unicodedata
from typing import NamedTuple

PLACE = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
# The only numbers that one writes oneself: years, and days.
DATE = re.compile(r"(?<![\d.,/-])\d{1,2}/\d{1,2}/(?:19|20)\d\d(?![\d/])")
YEAR = re.compile(
    r"(?<![\d.,/])(?<!\d[ \u00a0\u202f])(?:19|20)\d\d"
    r"(?![\d/]|[.,]\d|[ \u00a0\u202f]\d|[ \u00a0\u202f]*[€%])"
)
FIRST = re.compile(r"(?<!\d)1er\b")
# Numbers in words: from ten, whatever they count; below, of people and euros, since small counts
# are what may not be told (R9). “Two partners meet” is prose.
TENS = re.compile(
    r"\b(?:dix|onze|douze|treize|quatorze|quinze|seize|vingts?|trente|quarante|cinquante|soixante"
    r"|septante|huitante|octante|nonante|cents?|mille|milliers?|millions?|milliards?"
    r"|(?:diz|douz|quinz|vingt|trent|quarant|cinquant|soixant|cent)aines?"
    r"|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty"
    r"|fifty|sixty|seventy|eighty|ninety|hundreds?|thousands?|dozens?)\b",
    re.IGNORECASE,
)
_PEOPLE = (
    r"\s+(?:[\w’'-]+\s+){0,2}?(?:personnes?|femmes?|hommes?|enfants?|mineure?s?|adultes?|jeunes"
    r"|familles?|ménages?|bénéficiaires?|réfugiée?s?|arrivante?s?|participante?s?|stagiaires?"
    r"|apprenante?s?|salariée?s?|bénévoles?|euros?|people|women|men|children|adults|families"
    r"|households|refugees|participants|trainees|employees|volunteers)\b"
)
FEW = re.compile(
    r"\b(?:deux|trois|quatre|cinq|six|sept|huit|neuf|two|three|four|five|seven|eight|nine)"
    + _PEOPLE,
    re.IGNORECASE,
)
# “2021 personnes” is no year; “en 2021 les personnes” is one.
NO_YEAR = re.compile(r"(?<![\d.,/])(?:19|20)\d\d" + _PEOPLE.replace("{0,2}?", "{0}"), re.IGNORECASE)


class Fault(NamedTuple):
    """What is wrong with a paragraph: ``unknown`` (what stands there, what is meant perhaps),
    ``open`` (braces) or ``typed`` (the number)."""

    kind: str
    what: str
    meant: str = ""


def fill(text, facts):
    """The paragraph with its figures; what stands for nothing stays as it is.

    >>> fill("Versé : {{paid}}, {{ paid }}.", {"paid": "10 €"})
    'Versé : 10 €, 10 €.'
    >>> fill("{{unknown}}", {})
    '{{unknown}}'
    """
    return PLACE.sub(lambda found: facts.get(found[1], found[0]), text or "")


def judge(text, facts):
    """What keeps a paragraph from being published: list of :class:`Fault`.

    >>> facts = {"paid": "10 €", "committed": "20 €"}
    >>> judge("En 2021, {{paid}} ont été versés le 21/10/2021.", facts)
    []
    >>> judge("{{payd}}", facts)
    [Fault(kind='unknown', what='payd', meant='paid')]
    >>> judge("10 000 € et {paid}}", facts)
    [Fault(kind='open', what='{paid}}', meant=''), Fault(kind='typed', what='10 000', meant='')]
    >>> judge("٥ personnes, ½, 2021 €, 1 2021", facts)[0].what
    '٥'
    """
    text = text or ""
    faults = [
        Fault("unknown", name, "".join(difflib.get_close_matches(name, facts, 1, 0.5)))
        for name in dict.fromkeys(PLACE.findall(text))
        if name not in facts
    ]
    rest = PLACE.sub(" ", text)
    if brace := re.search(r"\S*[{}]\S*", rest):
        faults.append(Fault("open", brace[0]))
    return faults + [Fault("typed", number) for number in find_numbers(rest)]


def find_numbers(text):
    """Numbers that somebody typed, in whatever digits; years and days are none.

    >>> find_numbers("De 2021 à 2022, 45 personnes (12,5 %), le 1er juin 2021")
    ['45', '12,5']
    >>> find_numbers("２０ places"), find_numbers("2021 €"), find_numbers("12 2021")
    (['２０'], ['2021'], ['12 2021'])
    >>> find_numbers("Une vingtaine de personnes, dont trois jeunes femmes ; deux partenaires")
    ['vingtaine', 'trois jeunes']
    >>> find_numbers("En 2021 les personnes ; 2021 personnes")
    ['2021 personnes']
    """
    text = text or ""
    numbers, number = [found[0] for found in NO_YEAR.finditer(text)], ""
    for allowed in (DATE, FIRST, YEAR):
        text = allowed.sub(lambda found: "x" * len(found[0]), text)
    for sign in f"{text}\n":
        if unicodedata.category(sign).startswith("N"):
            number += sign
        elif number and sign in " \u00a0\u202f.,":
            number += sign
        elif number:
            numbers.append(number.strip(" \u00a0\u202f.,"))
            number = ""
    said = [found[0] for words in (TENS, FEW) for found in words.finditer(text)]
    return numbers + said
