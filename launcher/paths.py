# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Where things are: the checkout, its `.ctai` state, the user's cache."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".ctai"
LAUNCHER = ROOT / "launcher"
DATA = ROOT / "data"

ADDONS = ("ctai_grants", "ctai_grants_reports")

VENV = STATE / "venv"
PYTHON = VENV / "bin" / "python"
ODOO_TREE = STATE / "odoo"
ODOO_BIN = STATE / "odoo-bin"
FILESTORE = STATE / "data" / "filestore"
LOGS = STATE / "logs"


def cache():
    """Return the folder of the user's downloads, shared by all checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "ctai-grants"


def shown(path):
    """Return a path as short as a person would type it."""
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
