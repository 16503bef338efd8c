# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Rules on the tree itself."""

import ast
import csv
import re
import subprocess
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parent.parent
ADDONS = sorted(path.parent for path in ROOT.glob("ctai_*/__manifest__.py"))
ADDON_IDS = [addon.name for addon in ADDONS]
each_addon = pytest.mark.parametrize("addon", ADDONS, ids=ADDON_IDS)


def tracked():
    """Return the files of the repository, also those about to be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
    )
    if listed.returncode:  # an archive, not a clone
        found = [path for path in ROOT.rglob("*") if ".ctai" not in path.parts]
    else:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    return [path for path in found if path.is_file()]


def python_files(addon):
    """Return an add-on's Python files without its tests."""
    return [path for path in addon.rglob("*.py") if "tests" not in path.relative_to(addon).parts]


def manifest(addon):
    """Return an add-on's manifest."""
    return ast.literal_eval((addon / "__manifest__.py").read_text(encoding="utf-8"))


def catalogue(addon, name):
    """Return the entries of a translation file."""
    path = addon / "i18n" / name
    assert path.exists(), f"{path} is missing: ./ctai i18n writes it"
    return polib.pofile(str(path))


# --- the tree ---------------------------------------------------------------------------


def test_both_addons_are_here():
    assert ADDON_IDS == ["ctai_grants", "ctai_grants_reports"]


def test_no_registry_is_named():
    """Where packages come from is the machine's affair (apt's and pip's own settings)."""
    # In pieces, or this file would name them.
    hosts = ["pypi" + ".org", "python" + "hosted.org", "deb." + "debian", "snapshot." + "debian"]
    hosts += ["archive." + "ubuntu", "registry." + "npmjs", "http.us." + "debian"]
    hosts = re.compile("|".join(map(re.escape, hosts)).encode())
    assert [str(path) for path in tracked() if hosts.search(path.read_bytes())] == []


def test_no_package_at_the_top():
    """An `__init__.py` at the root would make pytest import the add-ons under wrong names."""
    assert not (ROOT / "__init__.py").exists()
    assert not (ROOT / "odoo").exists()


def test_tests_of_the_tree_have_the_names_they_are_run_by():
    assert (ROOT / "tests" / "test_launcher.py").exists()


@each_addon
def test_licence(addon):
    assert manifest(addon)["license"] == "AGPL-3"
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (ROOT / "LICENSE").read_text(encoding="utf-8")


@each_addon
def test_every_file_of_a_package_is_imported(addon):
    """A model file that its package forgets is dead code that looks alive."""
    forgotten = []
    for init in addon.rglob("__init__.py"):
        folder = init.parent
        if {"tests", "lib"} & set(folder.relative_to(addon).parts):
            continue
        imported = set()
        # By the package, or by a module of it: a helper of the others.
        for path in folder.glob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ImportFrom):
                    imported.update({alias.name for alias in node.names} | {node.module})
        present = {path.stem for path in folder.glob("*.py")} - {"__init__", "__manifest__"}
        forgotten += [str(folder / name) for name in present - imported]
    assert forgotten == []


@each_addon
def test_today_is_the_citys(addon):
    """The day of a posting or of a delay is neither the server's nor that of a browser:
    ``res.company._grant_today`` says which it is."""
    other = {
        ".py": r"context_today|\b[dD]ate\.today|\bdatetime\.now\(\)",
        ".sql": r"(?i)current_date|now\(\)\s*::\s*date",
        ".xml": r"current_date|\btoday\(\)\.iso|'today'",
    }
    found = [
        str(path)
        for path in addon.rglob("*.*")
        if path.suffix in other
        and "tests" not in path.relative_to(addon).parts
        and re.search(other[path.suffix], path.read_text(encoding="utf-8"))
    ]
    # What the ledger's filters read by month is chosen by who reads.
    assert [path for path in found if not path.endswith("grant_entry_views.xml")] == []


@each_addon
def test_every_test_file_is_imported(addon):
    """Odoo's runner sees only the tests that tests/__init__.py imports."""
    init = addon / "tests" / "__init__.py"
    text = init.read_text(encoding="utf-8") if init.exists() else ""
    names = [path.stem for path in addon.rglob("tests/**/test_*.py")]
    assert [name for name in names if not re.search(rf"\b{name}\b", text)] == []


@each_addon
def test_every_data_file_is_listed(addon):
    """A view file that the manifest forgets is never loaded."""
    facts = manifest(addon)
    listed = set(facts.get("data", [])) | set(facts.get("demo", []))
    present = {
        path.relative_to(addon).as_posix()
        for suffix in ("xml", "csv")
        for path in addon.rglob(f"*.{suffix}")
        if not {"static", "tests", "i18n"} & set(path.relative_to(addon).parts)
    }
    assert sorted(present - listed) == []


@each_addon
def test_every_sudo_says_why(addon):
    """Stepping over access rights takes a reason beside it."""
    silent = []
    for path in python_files(addon):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            code = line.split("#")[0]
            before = lines[number - 1] if number else ""
            if ".sudo(" in code and "#" not in line and "#" not in before:
                silent.append(f"{path.relative_to(ROOT)}:{number + 1}")
    assert silent == []


@each_addon
def test_french_is_complete(addon):
    """Every term has its French, and none is a guess."""
    french = {entry.msgid: entry for entry in catalogue(addon, "fr.po")}
    missing = [
        entry.msgid
        for entry in catalogue(addon, f"{addon.name}.pot")
        if entry.msgid not in french or not french[entry.msgid].translated()
    ]
    assert missing == []


@each_addon
def test_french_keeps_the_placeholders(addon):
    """A placeholder lost or invented in a translation is an error page for its reader."""
    placeholder = re.compile(r"%\(\w+\)[sdf]|%[sd]")
    wrong = [
        entry.msgid
        for entry in catalogue(addon, "fr.po")
        if sorted(placeholder.findall(entry.msgid)) != sorted(placeholder.findall(entry.msgstr))
    ]
    assert wrong == []


@each_addon
def test_french_needs_no_space_before_what_a_term_begins_with(addon):
    """At an update Odoo strips the no-break space that French puts there, and `-u` changes a page:
    `portal_colon` writes it."""
    entries = [entry for entry in catalogue(addon, "fr.po") if not entry.obsolete]
    assert [entry.msgid for entry in entries if entry.msgid[:1] in {*":;?!»"}] == []


@each_addon
def test_french_marks_stay_on_the_line(addon):
    """No line begins with “:” or “!”, nor ends with “«”: the space there is a no-break one."""
    loose = re.compile(r"[^\s=(] [:;!?»](?![^\W\d_]|[=:/])|« ")
    entries = [entry for entry in catalogue(addon, "fr.po") if not entry.obsolete]
    texts = [re.sub(r"<[^>]*>", "", entry.msgstr) for entry in entries]
    assert [text for text in texts if loose.search(text)] == []


# --- releases ---------------------------------------------------------------------------


def test_guards_change_with_the_version():
    """A database knows its guards by the add-on's version: a released one keeps its SQL."""
    from releases.make import GUARDS, get_guards

    released = list(csv.reader(GUARDS.read_text(encoding="utf-8").splitlines()))
    kept = {(addon, version): digest for addon, version, digest in released}
    assert len(kept) == len(released) > 0
    changed = [row for row in get_guards(ROOT) if kept.get((*row[:2],), row[2]) != row[2]]
    assert changed == [], "Raise the version in the manifest: this one was released with other SQL."
