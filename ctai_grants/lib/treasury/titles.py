"""Whom the titles above the headings of an extract name: a city, by its SIRET or in words."""

import re
from typing import NamedTuple

from ..accounting.spreadsheet import Refusal, is_empty, normalise, parse_identifier

_SIRET = re.compile(r"(?<!\d)\d{3} ?\d{3} ?\d{3} ?\d{5}(?!\d)")
_KINDS = (
    "collectivite", "commune", "ville", "mairie", "communaute urbaine", "communaute de communes",
    "communaute d agglomeration", "metropole", "departement", "region", "syndicat", "ccas", "cias",
    "centre communal d action sociale", "caisse des ecoles", "office de tourisme",
)  # fmt: skip
_KIND = re.compile(rf"\b(?:{'|'.join(_KINDS)})\b")
# Bodies that are not the city itself, and are called by its name: they may stand behind it.
_OTHER_KINDS = "communaute urbaine|communaute de communes|communaute d agglomeration|metropole"
_OTHER = re.compile(
    rf"\b(?:{_OTHER_KINDS}|departement|region|syndicat|ccas|cias|centre communal d action sociale"
    r"|caisse des ecoles|office de tourisme)\b"
)
_CITY = re.compile(r"\b(?:commune|ville|mairie)\b")
_BEHIND = re.compile(rf"(.+?) (?:{_OTHER_KINDS})\b.*")
# Only what a cell begins with: “paid for the city in May” names nobody.
_NAMED = re.compile(rf"(?:(?:{'|'.join(_KINDS)}) )+(?:(?:d|de|du|des|la|le|les|l) )*(.+)")
# “Budget: X” names X, unless that is what the city calls one of its own budgets, or a year.
_BUDGET = re.compile(r"\s*budget\b.*?(?::|\s[-–—]\s)\s*(.+)", re.IGNORECASE | re.DOTALL)
_OWN_BUDGETS = re.compile(
    r"(?:(?:budget|principal|annexe|primitif|supplementaire|general|exercice|annee|bp|ba|m14|m57"
    r"|eau|assainissement|dechets|transports?|stationnement|lotissements?|restauration|culture"
    r"|ville|commune|mairie|collectivite"
    r"|\d+|et|du|de|des|la|le|les|l|d)(?: |$))*"
)
_WORDS = re.compile(r"\b(?:d|de|du|des|la|le|les|l)\b")


class Titles(NamedTuple):
    """SIRETs that titles have, and the cities that they name: (words to compare, as written)."""

    sirets: tuple
    names: tuple


def read_titles(rows) -> Titles:
    """Whom the rows above the headings name."""
    sirets, names = [], []
    for row in rows:
        cells = [cell for cell in row if not is_empty(cell)]
        for cell in cells:
            sirets += _find_sirets(cell)
        texts = [cell for cell in cells if isinstance(cell, str)]
        # A label and its value may stand in two cells.
        for text in (*texts, _join(texts)):
            if whose := _find_budget(text):
                names.append(whose)
                break
            without = _SIRET.split(text)[0].strip(" -–—:,;(") if text else ""
            words = normalise(without)
            if match := _NAMED.fullmatch(words) or _BEHIND.fullmatch(words):
                names.append((match[1], without))
                break
    return Titles(tuple(sirets), tuple(names))


def _join(texts):
    """A label and its value in two cells, as they would be in one."""
    if len(texts) > 1 and normalise(texts[0]).startswith("budget") and ":" not in texts[0]:
        return f"{texts[0]} : {' '.join(texts[1:])}"
    return " ".join(texts)


def _find_budget(text):
    """Whose budget a title says this is: (words to compare, as written), or None.

    >>> _find_budget("Budget : CCAS de Poitiers")
    ('poitiers', 'Budget : CCAS de Poitiers')
    >>> _find_budget("Budget : 001 - Budget principal 2021"), _find_budget("Budget primitif 2021")
    (None, None)
    """
    if not (match := _BUDGET.fullmatch(text)):
        return None
    words = normalise(_SIRET.split(match[1])[0])
    if _OWN_BUDGETS.fullmatch(words):
        return None
    named = _NAMED.fullmatch(words) or _BEHIND.fullmatch(words)
    return (named[1] if named else words), text.strip()


def _find_sirets(cell):
    if isinstance(cell, str):
        return [re.sub(" ", "", found) for found in _SIRET.findall(cell.replace("\u00a0", " "))]
    try:
        text = parse_identifier(cell)
    except Refusal:
        return []
    return [text.zfill(14)] if len(text) in (13, 14) else []


def is_other_body(text: str, name: str) -> bool:
    """Whether a title names a body that is not the city called ``name``, though called like it.

    >>> is_other_body("CCAS de Poitiers", "Ville de Poitiers")
    True
    >>> is_other_body("CCAS de Poitiers", "CCAS de Poitiers")
    False
    """
    words = normalise(name)
    return bool(
        _OTHER.search(normalise(text)) and _CITY.search(words) and not _OTHER.search(words)
    )


def names_city(words: str, name: str) -> bool:
    """Whether what a title says (normalised, after “city of”) is the city called ``name``.

    >>> names_city("poitiers paiements 2025", "Ville de Poitiers")
    True
    >>> names_city("grand poitiers", "Ville de Poitiers")
    False
    """
    core = _strip(_KIND.sub(" ", normalise(name)))
    named = f"{_strip(words)} "
    longer = tuple(f"{core} {word} " for word in ("sur", "sous", "lez", "en"))
    return not core or named.startswith(f"{core} ") and not named.startswith(longer)


def _strip(words):
    return " ".join(_WORDS.sub(" ", words).split())
