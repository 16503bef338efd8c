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

_M57 = {
    "association": (
        "65748",
        "Subventions de fonctionnement – Autres personnes de droit privé",
        "expense",
    ),
    "company": ("65742", "Subventions de fonctionnement – Entreprises", "expense"),
    "public": ("65738", "Subventions de fonctionnement – Organismes publics divers", "expense"),
    "state": ("74718", "Participations – État – Autres", "income"),
    "recovery": ("773", "Mandats annulés (sur exercices antérieurs)", "income_other"),
}
_PRIVATE_M14 = (
    "6574",
    "Subventions de fonctionnement aux associations et autres personnes de droit privé",
    "expense",
)
#: nomenclature: purpose: (code, official label, account type of Odoo)
ACCOUNTS = {"m57": _M57, "m14": {**_M57, "association": _PRIVATE_M14, "company": _PRIVATE_M14}}

#: legal form of an operator: purpose of its account
PURPOSE_BY_LEGAL_FORM = {"company": "company", "public": "public", "state": "public"}

#: accounts of pay, where the chart has none that begins so: (code, official label)
PAYROLL_PREFIXES = ("633", "64")
PAYROLL = (
    ("6336", "Cotisations au Centre national et aux centres de gestion de la FPT"),
    ("64131", "Rémunérations – Personnel non titulaire"),
    ("6451", "Cotisations à l'URSSAF"),
    ("6453", "Cotisations aux caisses de retraite"),
)
