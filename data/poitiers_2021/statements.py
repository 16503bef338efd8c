"""The statement of 2021, and the one that replaced it when a cost of December was booked late."""

import base64

from dateutil.relativedelta import relativedelta
from freezegun import freeze_time

from odoo.fields import Date

ISSUED, CORRECTED = "2023-01-16 09:30:00", "2023-02-06 14:00:00"
YEAR_END = Date.to_date("2021-12-31")
WHY = (
    "Un rappel de paie de décembre 2021 (inventé) a été comptabilisé après l'émission de l'état : "
    "120,00 € de plus sont payés au titre de la coordination."
)


def play(actors, contract):
    """Issue and send the statement of 2021, book a cost of December late, and correct it."""
    statement = (
        actors.env["grant.statement"]
        .with_user(actors.coordinator)
        .create({"contract_id": contract.id, "as_at": YEAR_END})
    )
    with freeze_time(ISSUED):
        _issue(actors, statement)
    _book_late(actors)
    with freeze_time(CORRECTED):
        action = statement.action_correct()
        corrected = statement.browse(action["res_id"])
        corrected.correction = WHY
        _issue(actors, corrected)


def _issue(actors, statement):
    """Issued and sent by the coordinator; where a control fails, the finance manager says why."""
    if statement.is_failing:
        actors._wizard(
            "grant.reason", actors.manager, res_model=statement._name, res_ids=statement.ids,
            action="issue_anyway",
            reason="Un avenant pour 2022 est en préparation : il ne change rien à 2021.",
        )  # fmt: skip
    else:
        statement.action_issue()
    if statement.sudo()._get_receivers():
        statement.action_send()


def _book_late(actors):
    subsidy = actors._get_subsidy("coordination")
    day = YEAR_END + relativedelta(day=31)
    lines = (
        "Compte;Libellé;Débit;Crédit",
        "641100;Rappel de paie (inventé);120,00;",
        "421000;Net à payer (inventé);;120,00",
        "",
    )
    action = actors._wizard(
        "grant.payroll.import", actors.officer, subsidy_id=subsidy.id, date=day,
        filename="rappel-2021-12-demo.csv",
        file=base64.b64encode("\n".join(lines).encode("cp1252")),
    )  # fmt: skip
    move = actors.env["account.move"].browse(action["res_id"])
    move.with_user(actors.officer).action_post()


def run(env, output):
    """Write the files of the issued statements as they are kept, and print where.

    :param Path output: an existing folder
    """
    statements = env["grant.statement"].search([("state", "!=", "draft")], order="id")
    for file in statements.file_ids:
        path = output / file.name
        path.write_bytes(file.attachment_id.raw)
        print(path)
