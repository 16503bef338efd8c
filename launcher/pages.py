# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Pages that are made of others: the manual that the application opens, of `docs/manuel/`; each
add-on's README and its page in Odoo's list of applications, of its `readme/`, as OCA does.

Run by `./ctai pages` with the environment's Python; a test compares what is kept with it.
"""

import ast
import html
import re
import unicodedata
from pathlib import Path

from docutils.core import publish_parts
from markdown_it import MarkdownIt

ROOT = Path(__file__).resolve().parents[1]
MANUAL = ROOT / "docs" / "manuel"
#: What the application serves, pictures included: the Markdown shows the same ones.
SERVED = ROOT / "ctai_grants" / "static" / "manual"
FIRST = "index"
#: Fragments of a `readme/`, in their order; the first has no heading.
FRAGMENTS = {"DESCRIPTION": "", "CONFIGURE": "Configuration", "USAGE": "Usage"}

_PAGE = """<!doctype html>
<html lang="fr">
<head>
<meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<title>{title} – Manuel des subventions</title>
<link rel="stylesheet" href="manual.css"/>
</head>
<body>
<nav aria-label="Manuel">
{links}
</nav>
<main>
{body}</main>
</body>
</html>
"""


def make_anchor(heading):
    """What a heading is linked by.

    >>> make_anchor("Certifier le service fait"), make_anchor("L’argent de l’État")
    ('certifier-le-service-fait', 'l-argent-de-l-etat')
    """
    letters = unicodedata.normalize("NFKD", heading).lower()
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _render(text):
    """HTML of a page of the manual, its headings with their anchors."""
    parser = MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    for opening, inline in zip(tokens, tokens[1:], strict=False):
        if opening.type == "heading_open":
            opening.attrSet("id", make_anchor(inline.content))
    body = parser.renderer.render(tokens, parser.options, {})
    body = re.sub(r'href="([a-z-]+)\.md', r'href="\1.html', body)
    return re.sub(r'src="(?:\.\./)*ctai_grants/static/manual/', 'src="', body)


def make_manual():
    """Text of each page of the manual, by its path."""
    texts = {path.stem: path.read_text(encoding="utf-8") for path in MANUAL.glob("*.md")}
    titles = {name: text.removeprefix("# ").split("\n", 1)[0] for name, text in texts.items()}
    order = sorted(texts, key=lambda name: (name != FIRST, titles[name]))
    pages = {}
    for name, text in texts.items():
        here = {name: ' aria-current="page"'}
        links = "\n".join(
            f'<a href="{other}.html"{here.get(other, "")}>{html.escape(titles[other])}</a>'
            for other in order
        )
        page = _PAGE.format(title=html.escape(titles[name]), links=links, body=_render(text))
        pages[SERVED / f"{name}.html"] = page
    return pages


def make_descriptions():
    """Text of the README of each add-on that has fragments, and of its page, by their paths."""
    pages = {}
    for folder in sorted(ROOT.glob("ctai_*/readme")):
        addon = folder.parent
        name = ast.literal_eval((addon / "__manifest__.py").read_text(encoding="utf-8"))["name"]
        parts = [f"{'=' * len(name)}\n{name}\n{'=' * len(name)}"]
        for fragment, heading in FRAGMENTS.items():
            path = folder / f"{fragment}.rst"
            if path.exists():
                title = f"{heading}\n{'=' * len(heading)}\n\n" if heading else ""
                parts.append(title + path.read_text(encoding="utf-8").strip())
        text = "\n\n".join(parts) + "\n"
        pages[addon / "README.rst"] = text
        settings = {"report_level": 2, "halt_level": 2, "initial_header_level": 2}
        made = publish_parts(text, writer_name="html5", settings_overrides=settings)
        body = made["html_body"].replace("<main ", '<section class="oe_container" ')
        pages[addon / "static/description/index.html"] = body.replace("</main>", "</section>")
    return pages


def main():
    """Write what has changed."""
    for path, text in (make_manual() | make_descriptions()).items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
