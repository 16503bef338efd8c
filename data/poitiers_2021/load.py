# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Load the contract's files through Odoo's own import, by external id."""

import base64
import csv
import datetime
import io
from pathlib import Path

from . import Refused

DATA = Path(__file__).resolve().parent
NAMESPACE = "poitiers_2021."

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
    "grant.context.figure",
)
COMPANY = {
    "name": "Ville de Poitiers",
    "street": "15 place du Maréchal Leclerc",
    "zip": "86000",
    "city": "Poitiers",
    "company_registry": "21860194600013",
    # How the treasury names the city: invented.
    "grant_pes_post": "086999",
    "grant_pes_entity": "001",
    "grant_pes_budget": "00",
    "grant_pes_budget_label": "Budget principal (démonstration)",
    # What the portal says of the city: invented (that telephone number is kept for fiction).
    "phone": "05 36 49 00 00",
    "email": "subventions@ville.example",
    "grant_publication_director": "La maire (démonstration)",
    "grant_host": "Hébergeur de démonstration, 1 rue de l’Exemple, 86000 Poitiers, 05 36 49 00 01",
    "grant_dpo": "dpo@ville.example (démonstration)",
}


def run(env, folder=DATA):
    """Make the company a French city, then load every file; all or nothing.

    :raise Refused: naming the file, the line and the reason
    """
    # Every file is read before anything is changed.
    files = {model: _read(Path(folder) / f"{model}.csv") for model in MODELS}
    if not env.ref(f"{NAMESPACE}contract", raise_if_not_found=False):
        # Once only: loading the files again leaves what people have set up since.
        _set_up_language(env)
        _set_up_company(env.ref("base.main_company"))
        _set_up_users(env)
    for model, (header, rows) in files.items():
        _load(env, model, header, rows)
        print(f"{model}.csv: {len(rows)} records")


# --- the city -------------------------------------------------------------------------------


def _set_up_language(env):
    if not env["res.lang"].search_count([("code", "=", "fr_FR")]):
        env["res.lang"]._activate_lang("fr_FR")
        installed = env["ir.module.module"].search([("state", "=", "installed")])
        installed._update_translations(["fr_FR"])


def _date_identity(env, partner):
    """The city was called so before the contract: papers of 2021 name it as it is."""
    version = env["grant.identity"].search([("partner_id", "=", partner.id)], limit=1)
    if version.date_from:
        version._do_hold_from(datetime.date(2020, 1, 1), "Identité de la démonstration")


def _set_up_company(company):
    env = company.env
    company.partner_id.country_id = env.ref("base.fr")
    company.write({**COMPANY, "country_id": env.ref("base.fr").id})
    _date_identity(env, company.partner_id)
    if company.uses_default_logo:
        company.logo = _make_logo(company.name)
    if env["account.move.line"].search_count([("company_id", "=", company.id)], limit=1):
        print("The company has journal entries: it keeps its currency and chart of accounts.")
        return
    company.currency_id = env.ref("base.EUR")
    if company.chart_template != "fr":
        env["account.chart.template"].try_loading("fr", company, install_demo=False)
    company._set_up_grant_accounting()


def _make_logo(name):
    """The city's name and the word demonstration, for every page and letter."""
    from PIL import Image, ImageDraw, ImageFont

    from odoo.tools.misc import file_path

    font = file_path("web/static/fonts/lato/Lato-Bol-webfont.ttf")
    image = Image.new("RGB", (340, 92), "white")
    draw = ImageDraw.Draw(image)
    draw.text((10, 2), name, "#1d2b53", ImageFont.truetype(font, 42))
    draw.text((10, 52), "démonstration", "#b00020", ImageFont.truetype(font, 28))
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return base64.b64encode(stream.getvalue())


def _set_up_users(env):
    """The users by role are the add-on's demonstration data: one definition for both."""
    if not env.ref("ctai_grants.user_coordinator", raise_if_not_found=False):
        from odoo.tools.convert import convert_file

        convert_file(env, "ctai_grants", "demo/grants_users.xml", {}, mode="init", noupdate=True)
    roles = env["ir.model.data"].search(
        [("module", "=", "ctai_grants"), ("model", "=", "res.users")]
    )
    users = env["res.users"].browse(roles.mapped("res_id")) | env.ref("base.user_admin")
    users.write({"lang": "fr_FR", "tz": "Europe/Paris"})


# --- the files ------------------------------------------------------------------------------


def _read(path):
    """Return the header of a file, and its rows as pairs of line number and values.

    :raise Refused: naming the file, and the line where there is one
    """
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True)
    rows = []
    try:
        header = next(reader, [])
        _check_header(path, header)
        line = reader.line_num + 1
        for row in reader:
            if row:
                rows.append((line, row))
            line = reader.line_num + 1
    except csv.Error as error:
        raise Refused(f"{path.name}, line {reader.line_num}: {error}.") from error
    _check_rows(path, header, rows)
    return header, rows


def _read_text(path):
    try:
        content = path.read_bytes()
    except OSError as error:
        raise Refused(f"{path.name} cannot be read: {error.strerror}.") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"{path.name}, line {line}: this is not UTF-8 text. Save the file as UTF-8."
        ) from error


def _check_header(path, header):
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise Refused(f"{path.name}, line 1: the columns must be separated by commas.")
    if "id" not in header:
        raise Refused(f"{path.name}, line 1: the column “id” is missing.")
    for name in header:
        if header.count(name) > 1:
            raise Refused(f"{path.name}, line 1: the column “{name}” comes twice.")


def _check_rows(path, header, rows):
    """What Odoo's import would take, or report without a line."""
    seen = {}
    for line, row in rows:
        if len(row) != len(header):
            raise Refused(f"{path.name}, line {line}: {len(row)} values, {len(header)} columns.")
        xmlid = row[header.index("id")]
        if not xmlid.startswith(NAMESPACE):
            raise Refused(
                f"{path.name}, line {line}: the id “{xmlid}” does not begin with {NAMESPACE}"
            )
        if xmlid in seen:
            raise Refused(
                f"{path.name}, line {line}: the id “{xmlid}” is that of line {seen[xmlid]} too."
            )
        seen[xmlid] = line


def _load(env, model, header, rows):
    """Import the rows.

    :raise Refused: naming the file, the line and the reason
    """
    name = f"{model}.csv"
    for column in header:
        if column.partition("/")[0] not in env[model]._fields:
            raise Refused(f"{name}, line 1: {model} has no field “{column}”.")
    known = header.index("id")
    rows = [
        row for row in rows
        if not _has_own_life(env.ref(row[1][known], raise_if_not_found=False))
    ]  # fmt: skip
    # Nobody is to be written to, and loading again must not say that values changed.
    quiet = {
        "tracking_disable": True,
        "mail_auto_subscribe_no_notify": True,
        "no_reset_password": True,
    }
    result = env[model].with_context(**quiet).load(header, [row for _line, row in rows])
    for message in result["messages"]:
        if message["type"] == "error":
            line = f", line {rows[message['rows']['from']][0]}" if "rows" in message else ""
            column = f", column {message['field']}" if message.get("field") else ""
            raise Refused(f"{name}{line}{column}: {message['message']}")


def _has_own_life(record):
    """Whether a record that is there already may say something else by now: the login and password
    of a person, what an amendment has changed of a signed subsidy."""
    if not record:
        return False
    return record._name == "res.users" or (
        record._name == "grant.subsidy" and record.state != "draft"
    )
