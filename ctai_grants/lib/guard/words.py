"""Words that a person wrote, or only seems to have written."""

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
