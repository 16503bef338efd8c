"""Names between double braces, in a wording that a city edits: text is put in their place, and
nothing in it is ever run."""

import re

from markupsafe import Markup, escape

#: ``{{ name }}``, and whatever else stands between braces or is left of them.
PLACEHOLDER = re.compile(r"\{\{(.*?)\}\}|\{\{|\}\}", re.S)
#: What Odoo would run in a template of its own.
CODE = re.compile(r"""<t\b|\st-[\w-]+\s*=|<%|\$\{""", re.I)


def find_errors(text: str, names) -> list[str]:
    """What stands in a wording and may not: names that are not of ``names``, and code.

    >>> find_errors("<p>{{ city }} {{amount}}</p>", {"city", "amount"})
    []
    >>> find_errors("{{ object.env }} {{ city", {"city"})
    ['{{ object.env }}', '{{']
    >>> find_errors('<p t-out="object.env.cr.commit()"/>', {"city"})
    ['t-out=']
    """
    found = [match[0].strip() for match in CODE.finditer(text or "")]
    for match in PLACEHOLDER.finditer(text or ""):
        if (match[1] or "").strip() not in names:
            found.append(match[0])
    return found


def fill(text: str, values: dict) -> str:
    """A plain text with the values in the place of their names.

    >>> fill("{{ city }}: {{amount}}", {"city": "Poitiers", "amount": "5 €"})
    'Poitiers: 5 €'
    """
    return PLACEHOLDER.sub(lambda match: str(values[match[1].strip()]), text)


def fill_html(html: str, values: dict) -> Markup:
    """The same of HTML: what is put in is text there, too.

    >>> fill_html("<b>{{ name }}</b>", {"name": "A & <i>B</i>"})
    Markup('<b>A &amp; &lt;i&gt;B&lt;/i&gt;</b>')
    """
    return Markup(PLACEHOLDER.sub(lambda match: str(escape(values[match[1].strip()])), html))
