"""Words that a person wrote, or only seems to have written."""

import unicodedata

# Letters to Unicode, and nothing to see: the fillers of Hangul.
FILLERS = frozenset("\u115f\u1160\u3164\uffa0")


def has_words(text):
    """Whether somebody reads anything in a text: a letter or a digit at least. Spaces of any width,
    none included, dashes and dots say nothing.

    >>> has_words("Doublon"), has_words(" n° 7 "), has_words("écrit\u200b")
    (True, True, True)
    >>> has_words(" \\t\\n\u00a0\u200b\ufeff\u2060"), has_words("…"), has_words("\u3164")
    (False, False, False)
    >>> has_words(None)
    False
    """
    return isinstance(text, str) and any(c.isalnum() and c not in FILLERS for c in text)


def clean(text, longest):
    r"""A text from outside as it may be stored and shown: without what controls a terminal, a
    database or the direction of reading; lines stay. Cut to ``longest`` characters.

    >>> clean("bilan\x00\u202efdp.exe ", 200), clean("a\r\nb\tc", 200), clean("abc", 2)
    ('bilanfdp.exe', 'a\nb c', 'ab')
    >>> clean(None, 5), clean(["x"], 5)
    ('', '')
    """
    if not isinstance(text, str):
        return ""
    text = text.replace("\r\n", "\n").replace("\t", " ")
    # Cc: controls; Cf: direction, joiners and the like; Cs: half a character.
    kept = (c for c in text if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs"))
    return "".join(kept).strip()[:longest].strip()
