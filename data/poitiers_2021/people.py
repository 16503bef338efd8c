# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Who acts for an operator, and what it writes to the city: all of it invented."""

from freezegun import freeze_time


def play(year):
    """One operator has a representative, a colleague who is invited, and a conversation."""
    subsidy = year.env.ref("poitiers_2021.subsidy_coallia")
    user = year.env.ref("poitiers_2021.user_coallia")
    accesses = year.env["grant.access"].with_user(year.coordinator)
    accesses.search([("user_id", "=", user.id)]).action_name_representative()
    with freeze_time("2022-11-08 09:12:00"):
        subsidy.with_user(user)._write_to_city(
            "Bonjour,\nl'annexe 3 est signée par notre trésorière. Faut-il aussi la signature du "
            "commissaire aux comptes ?\nMerci (message inventé)"
        )
    with freeze_time("2022-11-09 14:40:00"):
        year._ask(
            subsidy, "write_to_operator",
            "Bonjour,\nnon, la signature de votre représentant légal suffit (message inventé).",
        )  # fmt: skip
    # Now: its link works for seven days.
    accesses._invite(subsidy.partner_id.sudo(), "Camille Exemple", "camille@example.org")


def answer(year, recovery):
    """The operator of a recovery answers within its delay."""
    user = year.env["res.users"].search(
        [("partner_id.parent_id", "=", recovery.partner_id.id), ("share", "=", True)], limit=1
    )
    with freeze_time("2022-10-04 18:30:00"):
        recovery.with_user(user)._answer(
            "Deux séances ont été annulées faute d'inscrits. Nous ne contestons pas le montant "
            "(observations inventées)."
        )


def warn(year):
    """A letter of today: the operator can answer it on its page, its delay runs."""
    recovery = year.env["grant.recovery"].with_user(year.coordinator).create(
        {
            "subsidy_id": year._get_subsidy("coallia").id,
            "reason": "unused",
            "facts": "Deux séances de groupe prévues au budget n'ont pas eu lieu (fait inventé).",
            "amount": 400,
        }
    )
    recovery.with_user(year.officer).action_write_letter()
    year._wizard(
        "grant.recovery.step", year.officer, recovery_id=recovery.id, step="notify",
        date=recovery.company_id._grant_today(),
    )  # fmt: skip
