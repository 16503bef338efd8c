# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Load the contract's files through Odoo's own import, by external id."""

import csv
from pathlib import Path

from launcher.inside.errors import Refused

DATA = Path(__file__).resolve().parents[2] / "data" / "poitiers_2021"

#: The files, in the order in which they refer to each other; each is named after its model.
MODELS = (
    "res.partner",
    "res.partner.bank",
    "res.users",
    "grant.contract",
    "grant.envelope",
    "grant.funding",
    "grant.subsidy",
    "grant.action",
    "grant.disbursement",
)
COMPANY = {
    "name": "Ville de Poitiers",
    "street": "15 place du Maréchal Leclerc",
    "zip": "86000",
    "city": "Poitiers",
    "company_registry": "21860194600013",
}


def run(env, folder=DATA):
    """Make the company a French city, then load every file; all or nothing.

    :raise Refused: naming the file, the line and the reason
    """
    env["res.lang"]._activate_lang("fr_FR")
    _set_up_company(env)
    _load_roles(env)
    for model in MODELS:
        count = _load_file(env, model, Path(folder) / f"{model}.csv")
        print(f"{model}.csv: {count} lines")


def _set_up_company(env):
    company = env.ref("base.main_company")
    if company.name == COMPANY["name"]:
        return
    has_entries = env["account.move.line"].search_count([("company_id", "=", company.id)], limit=1)
    company.partner_id.write({"country_id": env.ref("base.fr").id})
    company.write({**COMPANY, "country_id": env.ref("base.fr").id})
    if not has_entries:
        company.currency_id = env.ref("base.EUR")
        if not company.chart_template:
            env["account.chart.template"].try_loading("fr", company, install_demo=False)


def _load_roles(env):
    """The users by role are the add-on's demonstration data: one definition for both."""
    if not env.ref("ctai_grants.user_coordinator", raise_if_not_found=False):
        from odoo.tools.convert import convert_file

        convert_file(env, "ctai_grants", "demo/grants_users.xml", {}, mode="init", noupdate=True)
    users = env["res.users"].search([("login", "in", ["admin", *_get_role_logins(env)])])
    users.write({"lang": "fr_FR", "tz": "Europe/Paris"})


def _get_role_logins(env):
    return [
        data.name.removeprefix("user_")
        for data in env["ir.model.data"].search(
            [("module", "=", "ctai_grants"), ("model", "=", "res.users")]
        )
    ]


def _load_file(env, model, path):
    """Import one file and return how many of its lines were read in.

    :raise Refused: naming the file, the line and the reason
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream)
            header = next(reader, [])
            rows, lines = [], []
            for row in reader:
                rows.append(row)
                lines.append(reader.line_num)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Refused(f"{path.name} cannot be read: {error}") from error
    for row, line in zip(rows, lines, strict=True):
        if len(row) != len(header):
            raise Refused(
                f"{path.name}, line {line}: {len(row)} values for {len(header)} columns."
            )
    if model == "res.users":
        # Who is there already may have another login or password by now, and would get mails.
        known = [bool(env.ref(row[0], raise_if_not_found=False)) for row in rows]
        rows = [row for row, old in zip(rows, known, strict=True) if not old]
        lines = [line for line, old in zip(lines, known, strict=True) if not old]
    # Loading again must not tell anyone again that a document is theirs.
    quiet = {
        "tracking_disable": True,
        "mail_auto_subscribe_no_notify": True,
        "no_reset_password": True,
    }
    result = env[model].with_context(**quiet).load(header, rows)
    for message in result["messages"]:
        if message["type"] == "error":
            line = lines[message["rows"]["from"]] if "rows" in message else "?"
            field = f", column {message['field']}" if message.get("field") else ""
            raise Refused(f"{path.name}, line {line}{field}: {message['message']}")
    return len(result["ids"] or ())

