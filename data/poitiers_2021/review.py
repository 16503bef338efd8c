# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Evaluations and the annual review of the demonstration: what they say is invented."""

import datetime

from freezegun import freeze_time

DAY = datetime.date.fromisoformat
INVENTED = "(inventé pour la démonstration)"
#: Of an action: marks by the grid, opinion, conclusion, why, what to change; the exchange.
EVALUATIONS = {
    "coallia_1": (
        (4, 3, 4, 3, 4, 3), "continue",
        f"Les permanences ont trouvé leur public et les partenaires du soin y viennent {INVENTED}.",
        "Les besoins de santé mentale demeurent ; l'équipe est en place et connue.", "",
        ("2022-01-18", "visit", "Directrice du pôle, psychologue",
         "Visite d'une permanence. L'équipe demande un interprète plus souvent : à étudier."),
    ),
    "audacia_1": (
        (4, 2, 3, 3, 2, 3), "amend",
        f"Le logement partagé fonctionne ; le lien avec l'emploi se fait tard {INVENTED}.",
        "L'accompagnement vers l'emploi doit commencer dès l'entrée dans le logement.",
        "Associer un organisme de formation dès l'admission ; un point commun chaque trimestre.",
        ("2022-01-20", "meeting", "Directeur, chargée d'insertion",
         "Échange sur les délais d'entrée en formation. Proposition attendue au printemps."),
    ),
    "indigo_formation_1": (
        (4, 4, 3, 3, 3, 2), "continue",
        f"Les ateliers se tiennent comme prévu et leurs participants les recommandent {INVENTED}.",
        "La langue reste la première demande de toutes les personnes accueillies.", "",
        ("2022-01-25", "call", "Responsable pédagogique",
         "Point sur les horaires : des ateliers en soirée seront proposés."),
    ),
    "beaulieu_1": (
        (2, 3, 2, 2, 3, 3), "stop",
        f"De belles visites, mais peu de participants, souvent les mêmes {INVENTED}.",
        "Le public n'est pas au rendez-vous ; l'idée pourra revenir dans un autre projet.", "",
        ("2022-01-27", "meeting", "Présidente, animateur",
         "Le centre partage le constat et propose de s'associer aux sorties d'autres opérateurs."),
    ),
    "toit_du_monde_1": (
        (4, 4, 4, 4, 4, 4), "continue",
        f"L'accès aux droits est le socle de tout le reste et il tient ses promesses {INVENTED}.",
        "Sans droits ouverts, ni logement ni emploi : cette action est le socle du contrat.", "",
        ("2022-02-01", "committee", "Président, coordinatrice",
         "Comité technique avec la préfecture. Les délais des rendez-vous sont discutés."),
    ),
}  # fmt: skip


def play(year):
    """Evaluate five actions in the winter, and issue the annual review."""
    if "grant.annual.review" not in year.env:
        return
    evaluations = {key: _evaluate(year, key, *said) for key, said in EVALUATIONS.items()}
    with freeze_time("2022-02-14 09:00:00"):
        evaluations["audacia_1"].action_prepare_next_year()
    # Not in the past: the ledger it is made from has to agree with accounting as it is now.
    _issue(year)


def _evaluate(year, key, marks, conclusion, opinion, reason, change, exchange):
    date, kind, people, minutes = exchange
    action = year.env.ref(f"poitiers_2021.action_{key}")
    with freeze_time("2022-02-07 09:00:00"):
        evaluation = year.env["grant.evaluation"].with_user(year.coordinator).create(
            {
                "action_id": action.id, "year": 2021, "opinion": opinion,
                "participant_ids": year.manager.ids,
                "conclusion": conclusion, "conclusion_reason": reason, "next_year": change,
                "meeting_ids": [(0, 0, {
                    "date": date, "kind": kind, "operator_people": people,
                    "staff_ids": year.coordinator.ids, "minutes": f"{minutes} {INVENTED}",
                })],
            }
        )  # fmt: skip
        for line, mark in zip(evaluation.line_ids, marks, strict=True):
            line.write({"is_marked": True, "mark": mark})
        evaluation.action_share()
        evaluation.action_conclude()
    return evaluation


def _issue(year):
    contract = year.env.ref("poitiers_2021.contract")
    reviews = year.env["grant.annual.review"].with_user(year.coordinator)
    review = reviews.create({"contract_id": contract.id, "year": 2021})
    paragraph = review.paragraph_ids.filtered(lambda one: one.section == "next")
    paragraph.body = (
        "Cette première année est une demi-année : signé à l'automne, le contrat a d'abord mis des "
        "gens autour d'une table. Les textes et les montants par action de cette démonstration "
        f"sont inventés.\n\n{paragraph.body}"
    )
    review.action_issue()


def run(env, output):
    """Write the annual review and the steering page as PDF, and print where.

    :param Path output: an existing folder
    """
    if "grant.annual.review" not in env:
        return
    contract = env.ref("poitiers_2021.contract")
    coordinator = env.ref("ctai_grants.user_coordinator")
    for review in env["grant.annual.review"].search([("state", "=", "issued")]):
        _write(output, *review.with_user(coordinator)._print_annual_review())
    _write(output, *contract.with_user(coordinator)._print_steering())


def _write(output, name, content):
    path = output / f"{name.replace('/', '-')}.pdf"
    path.write_bytes(content)
    print(path)
