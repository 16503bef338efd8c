# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Brings a translation up to date with its template, keeping what is translated.

Run by `./ctai i18n` with the environment's Python: catalogue.py TEMPLATE.pot fr.po
"""

import sys
from pathlib import Path

import polib


def merge(template_path, target_path):
    """Merge a template into a catalogue; return the terms still to translate."""
    template = polib.pofile(str(template_path), wrapwidth=78)
    if Path(target_path).exists():
        target = polib.pofile(str(target_path), wrapwidth=78)
    else:
        target = polib.POFile(wrapwidth=78)
        target.metadata = {
            **template.metadata,
            "Language-Team": "French",
            "Language": "fr",
            "Plural-Forms": "nplurals=2; plural=(n > 1);",
        }
    target.merge(template)
    for entry in target.obsolete_entries():
        target.remove(entry)
    # In the template's order, so that a diff shows only what changed.
    order = {entry.msgid: place for place, entry in enumerate(template)}
    target.sort(key=lambda entry: order[entry.msgid])
    target.save(str(target_path))
    return [entry.msgid for entry in target if not entry.translated()]


if __name__ == "__main__":
    missing = merge(sys.argv[1], sys.argv[2])
    print(f"{sys.argv[2]}: {len(missing)} terms to translate")
