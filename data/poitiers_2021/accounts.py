# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""Aid in kind, and the files for the accounts of the city: annex, end of the year, cash plan."""

from freezegun import freeze_time

#: (kind, object, operator, valuation, how, first day, last day): all of it invented.
AIDS = (
    ("premises", "Salle des ateliers sociolinguistiques, deux jours par semaine", "coallia", 4200,
     "loyer du marché, montant inventé", "2021-11-01", "2021-12-31"),
    ("equipment", "Prêt de douze ordinateurs portables", "indigo_formation", 960.50,
     "amortissement, montant inventé", "2021-11-08", "2021-12-31"),
    ("premises", "Salle des ateliers sociolinguistiques, deux jours par semaine", "coallia", 25200,
     "loyer du marché, montant inventé", "2022-01-01", "2022-12-31"),
)  # fmt: skip


def play(year):
    """Record what the city lends beside its subsidies; the amounts are invented."""
    contract = year.env.ref("poitiers_2021.contract")
    for kind, name, operator, amount, method, start, end in AIDS:
        with freeze_time(f"{start} 09:00:00"):
            year.env["grant.aid.in.kind"].with_user(year.coordinator).create(
                {
                    "kind": kind, "name": name,
                    "partner_id": year.env.ref(f"poitiers_2021.{operator}").id,
                    "contract_id": contract.id, "amount": amount, "valuation_method": method,
                    "date_start": start, "date_end": end,
                    "decision_number": "DEMO-2021-0118", "decision_date": "2021-09-27",
                }
            ).action_record()  # fmt: skip


def write(env, output):
    """Write the annex, the end of the year and the cash plan, and print where.

    :param Path output: an existing folder
    """
    officer = env.ref("ctai_grants.user_finance_officer")
    papers = env["grant.accounts.data"].with_user(officer)
    company = env.ref("poitiers_2021.contract").company_id
    for what, year, file_format in (
        ("annex", 2021, "xlsx"), ("annex", 2021, "pdf"), ("annex", 2022, "pdf"),
        ("year_end", 2021, "xlsx"), ("cash", None, "xlsx"),
    ):  # fmt: skip
        content, name, _mimetype = papers._make(what, company, year, file_format=file_format)
        (output / name).write_bytes(content)
        print(output / name)
