# Part of ctai-grants. License AGPL-3.0 or later (https://www.gnu.org/licenses/agpl).
"""What stands before a play begins, in a database to commit to: a contract in force, an association
with signed subsidies, people whose password is their login. Nothing is handed in yet."""

from odoo import Command

from odoo.addons.ctai_grants.tests.common import IBANS, GrantsCommon, make_siret, set_up_accounting

#: Of SIREN that no other test invents.
SIREN = 9900000
REPORT_TYPE = "ctai_grants.deliverable_type_financial_report"


class Stage(GrantsCommon):
    """The documents of those tests, made once and for all."""

    @classmethod
    def set(cls, env):
        """The stage of the play; ids by what they are in it."""
        cls.set_up(env, "play", SIREN)
        return cls.plan()

    @classmethod
    def set_clicks(cls, env, who, siren):
        """One subsidy with a piece and indicators, and who clicks on it."""
        cls.set_up(env, who, siren)
        subsidy = cls.plan_subsidy("À cliquer")
        piece = cls.make_deliverable(subsidy, name="Bilan")
        cls.ask_for_figures(subsidy)
        cls.sign(subsidy)
        return {"subsidy": subsidy.id, "piece": piece.id, "login": f"{who}_volunteer"}

    @classmethod
    def set_people(cls, env, who, siren, prefecture="Préfecture du jeu"):
        """The city and its people, whose logins begin with ``who``, and a prefecture."""
        cls.env = env
        french = env["res.lang"]._activate_lang("fr_FR")
        env["ir.default"].set("res.partner", "lang", french.code)
        set_up_accounting(env.company)
        for role in ("coordinator", "finance_officer", "finance_manager"):
            setattr(cls, role, cls.make_user(f"{who}_{role}", f"group_{role}"))
        cls.prefecture = cls.make_organisation(prefecture, "prefecture", siren)

    @classmethod
    def set_up(cls, env, who, siren):
        """The city, a contract in force, and an association; logins begin with ``who``."""
        cls.set_people(env, who, siren)
        cls.operator = cls.make_organisation("Association du jeu", "operator", siren + 1)
        bank = {"acc_number": IBANS[0], "allow_out_payment": True}
        cls.operator.bank_ids = [Command.create(bank)]
        for login, role, organisation in (
            ("volunteer", "operator", cls.operator), ("state", "prefecture", cls.prefecture)
        ):  # fmt: skip
            user = cls.make_user(f"{who}_{login}", f"group_portal_{role}")
            user.partner_id.parent_id = organisation
        cls.contract = cls.make_contract(f"{who.upper()}-2021")
        cls.envelope = cls.contract.envelope_ids

    @classmethod
    def make_user(cls, login, group):
        return cls.env["res.users"].with_context(no_reset_password=True).create(
            {
                "name": login, "login": login, "password": login, "lang": "fr_FR",
                "tz": "Europe/Paris", "email": f"{login}@example.org",
                "group_ids": [Command.set(cls.env.ref(f"ctai_grants.{group}").ids)],
            }
        )  # fmt: skip

    @classmethod
    def make_organisation(cls, name, role, siren):
        return cls.env["res.partner"].create(
            {
                "name": name, "is_company": True, "grant_role": role,
                "country_id": cls.env.ref("base.fr").id,
                "company_registry": make_siret(siren),
            }
        )  # fmt: skip

    @classmethod
    def make_contract(cls, code):
        contract = cls.env["grant.contract"].create(
            {
                "name": "Contrat du jeu", "code": code, "funder_id": cls.prefecture.id,
                "user_id": cls.coordinator.id, "signature_date": "2021-10-21",
                "date_start": "2021-10-21", "date_end": "2022-12-31",
                "envelope_ids": [
                    Command.create({"name": "Enveloppe", "code": "J", "amount": 50000})
                ],
            }
        )  # fmt: skip
        contract.with_user(cls.finance_manager).action_put_in_force()
        return contract

    @classmethod
    def plan(cls):
        """The subsidies as signed; ids by what they are in the play."""
        ateliers, sorties = map(cls.plan_subsidy, ("Ateliers du mercredi", "Sorties du samedi"))
        balance = cls.make_deliverable(ateliers, name="Bilan intermédiaire")
        receipts = cls.make_deliverable(ateliers, name="Justificatifs de dépenses")
        interim = cls.make_tranche(
            ateliers, name="Acompte", kind="interim", amount=4000, due_date="2022-03-01",
            deliverable_ids=[Command.set((balance | receipts).ids)],
        )  # fmt: skip
        cls.ask_for_figures(ateliers)
        for subsidy in (ateliers, sorties):
            cls.sign(subsidy)
        made = {
            "contract": cls.contract, "ateliers": ateliers, "sorties": sorties, "balance": balance,
            "receipts": receipts, "interim": interim,
        }  # fmt: skip
        return {name: record.id for name, record in made.items()}

    @classmethod
    def ask_for_figures(cls, subsidy):
        subsidy.indicator_target_ids = [
            Command.create({"indicator_id": indicator.id, "target": 60})
            for indicator in cls.env["grant.indicator"].search([("kind", "=", "count")], limit=2)
        ]

    @classmethod
    def plan_subsidy(cls, name):
        action = {"name": f"{name}, les séances", "amount": 10000}
        subsidy = cls.make_subsidy(
            name=name, user_id=cls.coordinator.id, action_ids=[Command.create(action)]
        )
        cls.make_deliverable(
            subsidy, name="Compte rendu financier", type_id=cls.env.ref(REPORT_TYPE).id
        )
        cls.env["grant.budget.line"].create([
            {
                "subsidy_id": subsidy.id, "amount": amount, "is_subsidy": code == "74com",
                "account_id": cls.env.ref(f"ctai_grants.budget_account_{code}").id,
            }
            for code, amount in (("641", 12000), ("74com", 10000), ("756", 2000))
        ])  # fmt: skip
        return subsidy
