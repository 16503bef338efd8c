# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Builds one wheel with both add-ons, found by Odoo 19 without addons_path.

`odoo` and `odoo.addons` are namespace packages in 19.0, so the add-ons are installed as
`odoo/addons/<name>` beside those of any other wheel, and no `__init__.py` may come along.
"""

import ast
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
ADDONS = [path.parent.name for path in sorted(ROOT.glob("ctai_*/__manifest__.py"))]


def manifest(addon):
    """Return an add-on's manifest."""
    return ast.literal_eval((ROOT / addon / "__manifest__.py").read_text(encoding="utf-8"))


def packages():
    """Return every Python package of the add-ons, under the name it is installed as."""
    for addon in ADDONS:
        yield f"odoo.addons.{addon}"
        for name in find_packages(addon):
            yield f"odoo.addons.{addon}.{name}"


def requirements():
    """Return what the manifests ask of PyPI for Python.

    Not `odoo`: no index has it, and where pip sees it, what it asks for would be fetched and
    compiled (psycopg2, beside psycopg2-binary). Nor OCA's add-on, which asks for `odoo`: README
    says how it is installed.
    """
    facts = [manifest(addon).get("external_dependencies", {}) for addon in ADDONS]
    return sorted({name for one in facts for name in one.get("python", [])})


def readme():
    """Return the project's description."""
    path = ROOT / "README.md"
    return path.read_text(encoding="utf-8") if path.exists() else ""


setup(
    name="ctai-grants-suite",
    version=manifest("ctai_grants")["version"],
    description="Public subsidies after the award, in Odoo 19: contracts, tranches, statements",
    long_description=readme(),
    long_description_content_type="text/markdown",
    author="CTAI Grants contributors",
    license="AGPL-3.0-or-later",
    license_files=["LICENSE"],
    classifiers=["Framework :: Odoo :: 19.0", "Programming Language :: Python :: 3"],
    python_requires=">=3.10",
    install_requires=requirements(),
    packages=list(packages()),
    package_dir={f"odoo.addons.{addon}": addon for addon in ADDONS},
    # Views, data, translations, static files: whatever an add-on holds.
    package_data={f"odoo.addons.{addon}": ["**/*"] for addon in ADDONS},
    exclude_package_data={"": ["*.py[co]", "**/__pycache__/*"]},
    zip_safe=False,
)
