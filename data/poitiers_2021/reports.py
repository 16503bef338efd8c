# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Budgets, and the financial reports on them: one filed online, one by workbook; all of it is
invented."""

import io

import openpyxl
from freezegun import freeze_time

#: Codes of accounts, with funder and euros, both sides equal; the subsidy itself is one of OWN.
BUDGETS = {
    "coallia": {
        "601": (None, 2000), "622": (None, 5000), "641": (None, 20000), "645": (None, 7000),
        "74com": ("Ville de Poitiers", 27000), "74dep": ("Département (inventé)", 5000),
        "756": (None, 2000), "864": (None, 1500), "870": (None, 1500),
    },
    "audacia": {
        "601": (None, 3000), "613": (None, 6000), "641": (None, 15000),
        "74com": ("Ville de Poitiers", 20000), "756": (None, 4000),
    },
    "toit_du_monde": {
        "601": (None, 4000), "622": (None, 9000), "641": (None, 36000), "645": (None, 13000),
        "74etat": ("État, contrat territorial", 50000), "74dep": ("Département (inventé)", 8000),
        "756": (None, 4000),
    },
}  # fmt: skip
OWN = ("74com", "74etat")
#: What was spent and received otherwise than foreseen, and why.
CHANGED = {
    "audacia": {"601": (3450, "Deux logements de plus (inventé)"), "613": (5550, None)},
    "toit_du_monde": {"622": (10000, "Interprètes (inventé)"), "641": (35000, None)},
}
WORDS = {
    "achieved": "Toutes les actions de la convention ont eu lieu (texte et chiffres inventés pour "
    "la démonstration).",
    "audience": "Voir les indicateurs (chiffres inventés).",
    "places": "À Poitiers, d'octobre 2021 à juin 2022 (inventé).",
}


def set_budgets(env):
    """Enter the budgets, before the conventions are signed."""
    env["grant.budget.line"].create([
        {
            "subsidy_id": env.ref(f"poitiers_2021.subsidy_{operator}").id,
            "account_id": env.ref(f"ctai_grants.budget_account_{code}").id,
            "name": name,
            "amount": amount,
            "is_subsidy": code in OWN,
        }
        for operator, budget in BUDGETS.items()
        for code, (name, amount) in budget.items()
    ])  # fmt: skip


def file_online(year, operator):
    """As on the page of the report: filled in, attested, handed in."""
    report = _begin(year, operator)
    actual = _get_actual(report, operator)
    values = {f"actual_{line.id}": f"{amount:.2f}" for line, (amount, _why) in actual.items()}
    values |= {f"comment_{line.id}": why or "" for line, (_amount, why) in actual.items()}
    _attest(report, {**values, **WORDS})


def file_by_workbook(year, operator):
    """The workbook of the page filled in with a program for spreadsheets, and sent back."""
    # Found once Odoo has read where its add-ons are.
    from odoo.addons.ctai_grants.lib.operator.workbook import ACTUAL, COMMENT, KEY

    report = _begin(year, operator)
    typed = {f"actual_{line.id}": told for line, told in _get_actual(report, operator).items()}
    book = openpyxl.load_workbook(io.BytesIO(report._make_workbook()[1]))
    for row in book.active.iter_rows():
        key = row[KEY].value
        if key in typed:
            row[ACTUAL].value, row[COMMENT].value = typed[key]
        elif key in WORDS:
            row[COMMENT].value = WORDS[key]
    stream = io.BytesIO()
    book.save(stream)
    report._take_workbook(stream.getvalue())
    _attest(report, {})


def _begin(year, operator):
    subsidy = year._get_subsidy(operator)
    user = year._get_operator(subsidy.partner_id)
    reports = year.env["grant.financial.report"].with_user(user)
    return reports._begin(subsidy.with_user(user).sudo(), "report")


def _get_actual(report, operator):
    """What is told of each line: euros, and why they differ."""
    changed = CHANGED[operator]
    budgeted = report.line_ids.filtered(lambda line: line.forecast)
    return {
        line: changed.get(line.account_id.code, (line.forecast, None)) for line in budgeted
    }


def _attest(report, values):
    subsidy = report.subsidy_id
    signed = {
        "exercise_start": subsidy.date_start.isoformat(),
        "exercise_end": subsidy.date_end.isoformat(),
        "has_attested": "1", "attested": "1", "attested_name": "Claude Exemple (démo)",
        "attested_quality": "Présidence", "attested_place": "Poitiers",
        "attested_date": report.company_id._grant_today().isoformat(),
    }  # fmt: skip
    if errors := report._save_draft({**values, **signed}, report.revision):
        raise AssertionError(errors)
    report._do_hand_in()


def play(year):
    """In July 2022, as the actions are over."""
    for day, operator, file in (
        ("2022-07-12", "toit_du_monde", file_online), ("2022-07-13", "audacia", file_by_workbook)
    ):  # fmt: skip
        with freeze_time(f"{day} 09:30:00"):
            file(year, operator)
            # As in Year._at_day_of.
            year.env.flush_all()
            year.env.cr.precommit.run()
