# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""The manual says what the screens say: its words are theirs, its links lead somewhere, and the
pages that the application opens are made of it. Its pictures are made by `test_play.py`."""

import re
import sys
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "launcher"))

import pages  # noqa: E402

MANUAL = sorted((ROOT / "docs/manuel").glob("*.md"))
each_page = pytest.mark.parametrize("path", MANUAL, ids=[path.stem for path in MANUAL])
#: Emphasis of the text, not words of a screen; and Odoo's own.
OWN_WORDS = {
    *("Un seul registre.", "Deux personnes.", "Rien au-delà.", "Un refus dit quoi faire."),
}


def normalise(text):
    return " ".join(text.replace("'", "’").split()).casefold()


@pytest.fixture(scope="module")
def words():
    """What our screens say in French."""
    catalogues = ROOT.glob("ctai_*/i18n/fr.po")
    return {normalise(entry.msgstr) for path in catalogues for entry in polib.pofile(str(path))}


@each_page
def test_its_words_are_on_the_screens(path, words):
    named = re.findall(r"\*\*(.+?)\*\*", path.read_text(encoding="utf-8"), re.DOTALL)
    named = [part for name in named if name not in OWN_WORDS for part in name.split(" > ")]
    assert not [name for name in named if normalise(name) not in words]


@each_page
def test_its_pictures_are_there(path):
    pictures = re.findall(r"\]\(([^)]+\.png)\)", path.read_text(encoding="utf-8"))
    assert not [name for name in pictures if not (path.parent / name).exists()]


def test_pictures_are_those_of_the_play():
    shown = "".join(path.read_text(encoding="utf-8") for path in MANUAL)
    play = (ROOT / "tests/test_play.py").read_text(encoding="utf-8")
    made = set(re.findall(r'\.shoot\("([a-z-]+)"\)', play))
    kept = {path.stem for path in (pages.SERVED / "img").glob("*")}
    assert kept == made == set(re.findall(r"/img/([a-z-]+)\.png", shown))


def test_pages_are_made_of_their_sources():
    """`./ctai pages` makes them anew."""
    made = pages.make_manual() | pages.make_descriptions()
    assert made
    stale = [path for path, text in made.items() if path.read_text(encoding="utf-8") != text]
    assert not [str(path.relative_to(ROOT)) for path in stale]
    assert {path.stem for path in pages.SERVED.glob("*.html")} == {path.stem for path in MANUAL}


def test_links_lead_somewhere():
    """Those of the pages, and those of the question marks on the screens."""
    made = {path.name: text for path, text in pages.make_manual().items()}
    links = re.findall(r'href="([a-z-]+\.html(?:#[a-z-]+)?)"', "".join(made.values()))
    for script in ROOT.glob("ctai_*/static/src/**/manual.js"):
        text = script.read_text(encoding="utf-8")
        for page, chapters in re.findall(r'explain\("([a-z-]+)", \{(.*?)\}\);', text, re.DOTALL):
            names = re.findall(r'^\s*"?([a-z-]+)"?: \[', chapters, re.MULTILINE)
            names += re.findall(r'^ "?([a-z-]+)"?: \[', chapters)
            links += [f"{page}.html#{name}" for name in names]
    assert len(links) > 20
    for link in set(links):
        page, _hash, anchor = link.partition("#")
        assert page in made and (not anchor or f'id="{anchor}"' in made[page]), link
