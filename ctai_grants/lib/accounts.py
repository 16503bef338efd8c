"""Accounts that subsidies take, by nomenclature: our own table, from the public lists.

M14 ruled the communes before M57, which all of them apply since 1 January 2024; each city
changed in a year of its own. Labels are the official ones, hence French.
"""

NOMENCLATURES = [("m14", "M14"), ("m57", "M57")]

PURPOSES = [
    ("association", "Subsidy to an association or foundation"),
    ("company", "Subsidy to a company"),
    ("public", "Subsidy to a public body"),
    ("state", "State money received"),
    ("recovery", "Subsidy of a closed year paid back"),
]

#: (nomenclature, purpose): (code, official label, account type of Odoo)
ACCOUNTS = {
    ("m57", "association"): (
        "65748", "Subventions de fonctionnement – Autres personnes de droit privé", "expense",
    ),
    ("m57", "company"): ("65742", "Subventions de fonctionnement – Entreprises", "expense"),
    ("m57", "public"): (
        "65738", "Subventions de fonctionnement – Organismes publics divers", "expense",
    ),
    ("m57", "state"): ("74718", "Participations – État – Autres", "income"),
    ("m57", "recovery"): (
        "773", "Mandats annulés (sur exercices antérieurs) ou atteints par la déchéance "
        "quadriennale", "income_other",
    ),
    ("m14", "association"): (
        "6574", "Subventions de fonctionnement aux associations et autres personnes de droit "
        "privé", "expense",
    ),
    ("m14", "company"): (
        "6574", "Subventions de fonctionnement aux associations et autres personnes de droit "
        "privé", "expense",
    ),
    ("m14", "public"): (
        "65738", "Subventions de fonctionnement – Organismes publics divers", "expense",
    ),
    ("m14", "state"): ("74718", "Participations – État – Autres", "income"),
    ("m14", "recovery"): (
        "773", "Mandats annulés (sur exercices antérieurs) ou atteints par la déchéance "
        "quadriennale", "income_other",
    ),
}  # fmt: skip

#: legal form of an operator: purpose of its account
PURPOSE_BY_LEGAL_FORM = {"company": "company", "public": "public", "state": "public"}
