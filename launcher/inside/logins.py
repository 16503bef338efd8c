# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Tell one login a role, as lines of JSON."""

import json

LOGINS = (
    ("Coordinator", "coordinator", "/odoo/grant-subsidies"),
    ("Finance officer", "finance_officer", "/odoo/tranches-to-order"),
    ("Finance manager", "finance_manager", "/odoo/grant-contracts"),
    ("Reader", "reader", "/odoo/grant-ledger"),
    ("Grants administrator", "administrator", "/odoo/grant-schedule-templates"),
    ("Operator (portal)", "coallia", "/my"),
    ("Operator paid by the State", "toit-du-monde", "/my"),
    ("Prefecture (portal)", "prefecture86", "/my"),
)


def run(env):
    """Print each role with its login; the demonstration's passwords are the logins."""
    known = set(env["res.users"].search([]).mapped("login"))
    for role, login, page in LOGINS:
        if login in known:
            print(json.dumps({"role": role, "login": login, "password": login, "page": page}))
