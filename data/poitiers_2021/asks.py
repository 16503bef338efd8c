# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What operators ask the city for, one of each state; all of it is invented."""

import datetime

from freezegun import freeze_time

DAY = datetime.date.fromisoformat


def play(year):
    """Asked in spring 2022: what waits, what was agreed, refused, answered and withdrawn."""
    audacia, coallia = year._get_subsidy("audacia"), year._get_subsidy("coallia")
    found = _ask(year, "2022-05-03", "audacia", "question", reason="Faut-il les factures ?",
                 piece=year._get_piece(audacia, "activity_report"))  # fmt: skip
    with freeze_time("2022-05-04 09:00:00"):
        found._do_withdraw()
    question = _ask(
        year, "2022-05-10", "coallia", "question",
        reason="Notre trésorière change en juin : qui doit signer le compte rendu financier ?",
        piece=year._get_piece(coallia, "financial_report"),
    )  # fmt: skip
    _answer(year, "2022-05-12", question, "answer",
            "La représentante légale au jour de la signature. Joignez sa délégation si elle n'est "
            "pas présidente.")  # fmt: skip
    later = _ask(year, "2022-05-16", "astre_en_moi", "dates", date_end=DAY("2022-09-30"),
                 reason="Deux ateliers sont reportés : la salle est en travaux jusqu'en juillet.")
    _answer(year, "2022-05-23", later, "agree",
            "D'accord jusqu'au 30 septembre. Un avenant vous sera proposé à la signature.")
    refused = _ask(year, "2022-05-17", "beaulieu", "dates", date_end=DAY("2023-03-31"),
                   reason="Nous voudrions continuer les visites cet hiver.")  # fmt: skip
    _answer(year, "2022-05-24", refused, "refuse",
            "Le contrat avec l'État finit le 31 décembre 2022 : nous ne pouvons pas aller au-delà. "
            "Demandez une date avant.")  # fmt: skip
    _ask(year, "2022-06-07", "audacia", "tranche",
         reason="Les salaires de juin sont à payer le 30.")  # fmt: skip
    budget = {line.account_id.code: line for line in coallia.budget_line_ids}
    _ask(year, "2022-06-08", "coallia", "split",
         amounts={budget["641"]: 18500.0, budget["622"]: 6500.0},
         reason="La psychologue est partie en avril : nous faisons appel à une intervenante.")


def _ask(year, day, operator, kind, **values):
    """As the operator does on the portal."""
    subsidy = year._get_subsidy(operator)
    user = year.env.ref(f"poitiers_2021.user_{operator}")
    subsidy.with_user(user).check_access("read")
    requests = year.env["grant.date.request"].with_user(user)
    with freeze_time(f"{day} 09:00:00"):
        return requests._ask(subsidy.with_user(user).sudo(), kind, values).with_user(user)


def _answer(year, day, request, action, words):
    with freeze_time(f"{day} 09:00:00"):
        year._ask(request, f"{action}_request", words)
