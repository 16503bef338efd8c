import datetime
import io

from odoo import Command
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import Form, freeze_time, new_test_user, tagged

from ..common import IBANS, PDF, set_up_accounting
from .test_portal import PortalCase


@tagged("-at_install", "post_install")
class TestCities(PortalCase):
    """Two cities in one database: one operator, one prefecture, and each city's own matters."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        france = cls.env.ref("base.fr").id
        # As an administrator makes it: of France, Odoo also looks at its electronic address.
        cls.city = cls.env["res.company"].create(
            {"name": "Autre ville", "country_id": france, "currency_id": cls.company.currency_id.id}
        )
        cls.env.user.company_ids |= cls.city
        set_up_accounting(cls.city)
        roles = "ctai_grants.group_coordinator,ctai_grants.group_finance_manager"
        vals = {"company_id": cls.city.id, "company_ids": [Command.set(cls.city.ids)]}
        cls.clerk = new_test_user(cls.env, "test_clerk", roles, **vals)
        # Of one city only, as most are.
        cls.staff.company_ids = cls.company
        cls.their_contract = cls.env["grant.contract"].with_user(cls.clerk).create({
            "name": "Contrat d’à côté", "code": "TEST-2021", "funder_id": cls.prefecture.id,
            "signature_date": "2021-10-21", "date_start": "2021-10-21", "date_end": "2022-12-31",
            "envelope_ids": [Command.create({"name": "Aide", "code": "A", "amount": 10000})],
        })  # fmt: skip
        cls.their_contract.action_put_in_force()
        cls.there = cls.make_subsidy(
            user=cls.clerk, name="De là-bas", amount=5000,
            envelope_id=cls.their_contract.envelope_ids.id,
        )  # fmt: skip
        cls.there_tranche = cls.make_tranche(cls.there, user=cls.clerk)
        cls.there_piece = cls.make_deliverable(cls.there, user=cls.clerk)
        cls.there.action_grant()
        cls.there.action_sign()

    # ------------------------------------------------------------------
    # The portal
    # ------------------------------------------------------------------

    def test_the_operator_sees_both(self):
        self.login(self.operator_user)
        text = self.page("/my/subsidies").text_content()
        for part in ("À moi", "De là-bas"):
            self.assertIn(part, text)
        self.assertNotIn("À eux", text)
        self.assertEqual(self.counters()["grant_subsidy_count"], 2)
        self.assertIn("De là-bas", self.page(f"/my/subsidies/{self.there.id}").text_content())
        answer = self.upload(self.there_piece.with_env(self.env), "bilan.pdf", PDF)
        self.assertEqual(answer.status_code, 303)
        self.assertEqual(self.there_piece.state, "submitted")
        # By RPC as on the pages.
        for model, mine in (("grant.subsidy", self.mine | self.there.with_env(self.env)),
                            ("grant.disbursement", self.tranche | self.there_tranche)):
            seen = self.env[model].with_user(self.operator_user).search([])
            self.assertEqual(set(seen.ids), set(mine.ids))

    def test_another_operator_sees_none_of_it(self):
        seen = self.env["grant.subsidy"].with_user(self.other_operator_user).search([])
        self.assertEqual(seen.ids, self.theirs.ids)
        self.login(self.other_operator_user)
        self.assertEqual(self.url_open(f"/my/subsidies/{self.there.id}").status_code, 404)

    def test_the_prefecture_sees_both(self):
        self.login(self.prefecture_user)
        text = self.page("/my/contracts").text_content()
        for part in ("Contrat de test", "Contrat d’à côté", "Autre ville"):
            self.assertIn(part, text)
        text = self.page(f"/my/contracts/{self.their_contract.id}").text_content()
        self.assertIn("De là-bas", text)
        self.assertEqual(self.counters()["grant_contract_count"], 2)

    def test_staff_see_their_own(self):
        for user, seen, hidden in (
            (self.clerk, self.there, self.mine), (self.coordinator, self.mine, self.there)
        ):  # fmt: skip
            subsidies = self.env["grant.subsidy"].with_user(user).search([])
            self.assertIn(seen.id, subsidies.ids)
            self.assertNotIn(hidden.id, subsidies.ids)

    # ------------------------------------------------------------------
    # What they share
    # ------------------------------------------------------------------

    def test_no_city_renames_for_the_other(self):
        for user, city in ((self.coordinator, "Autre ville"), (self.clerk, self.company.name)):
            for name, value in (
                ("name", "Autrement"), ("company_registry", "00090002700012"),
                ("rna", "W863001234"), ("legal_form", "company"), ("grant_role", False),
                ("company_id", user.company_id.id),
            ):  # fmt: skip
                with (
                    self.subTest(user=user.login, field=name),
                    self.assertRefused(city, self.operator.name, exception=AccessError),
                ):
                    self.operator.with_user(user).write({name: value})
            with self.assertRefused(city, exception=AccessError):
                self.prefecture.with_user(user).name = "Préfecture d’ailleurs"
            # Where it is, and what one city alone knows, is anybody's to correct.
            self.operator.with_user(user).write({"street": "2 rue", "name": self.operator.name})
        self.other_operator.with_user(self.coordinator).name = "À nous seuls"
        self.coordinator.company_ids |= self.city
        self.operator.with_user(self.coordinator).name = "Pour les deux"

    def test_no_city_renames_who_was_told_of_an_award(self):
        """Not signed yet, the award notice names it all the same; so does what it was lent."""
        newcomer = self._make_organisation("Nouvelle", "operator")
        granted = self.make_subsidy(
            user=self.clerk, partner_id=newcomer.id, code="OTHER-1",
            envelope_id=self.their_contract.envelope_ids.id,
        )
        newcomer.with_user(self.coordinator).name = "Encore à personne"
        granted.action_grant()
        with self.assertRefused("Autre ville", exception=AccessError):
            newcomer.with_user(self.coordinator).name = "À nous"
        newcomer.company_registry = False
        merge = self.env["base.partner.merge.automatic.wizard"].with_user(self.coordinator)
        with self.assertRefused("Autre ville", exception=AccessError):
            merge.create({})._merge((newcomer | self.other_operator).ids, self.other_operator)
        granted.action_reset_to_draft()
        newcomer.with_user(self.coordinator).name = "À personne"
        self.env["grant.aid.in.kind"].with_user(self.clerk).create(
            {
                "kind": "premises", "name": "Salle", "partner_id": newcomer.id, "amount": 10,
                "contract_id": self.their_contract.id, "date_start": "2021-11-01",
                "date_end": "2021-12-31", "decision_number": "1", "decision_date": "2021-09-27",
                "valuation_method": "Loyer",
            }
        ).action_record()  # fmt: skip
        with self.assertRefused("Autre ville", exception=AccessError):
            newcomer.with_user(self.coordinator).name = "À nous"

    def test_no_city_dates_a_name_for_the_other(self):
        """What it was called earlier is on the earlier papers of both."""
        with freeze_time("2026-01-10"):
            self.operator.name = "Nouveau nom"
        version = self.operator.grant_identity_ids[0]
        for user, city in ((self.coordinator, "Autre ville"), (self.clerk, self.company.name)):
            wizard = self.env["grant.identity.date"].with_user(user).create(
                {"identity_id": version.id, "date": "2021-11-01", "reason": "Récépissé"}
            )  # fmt: skip
            with self.assertRefused(city, "Nouveau nom", exception=AccessError):
                wizard.action_confirm()
        day = datetime.date(2021, 12, 1)
        self.assertEqual(self.operator._get_identity(day).name, "Association de test")
        self.coordinator.company_ids |= self.city
        version.with_user(self.coordinator)._do_hold_from(datetime.date(2021, 11, 1), "Récépissé")
        self.assertEqual(self.operator._get_identity(day).name, "Nouveau nom")

    def test_no_city_renames_the_other(self):
        for user, city in ((self.coordinator, self.city), (self.clerk, self.company)):
            for name, value in (
                ("name", "Autrement"), ("grant_role", "operator"), ("street", "1 rue"),
                ("legal_representative", "Quelqu’un d’autre"),
            ):  # fmt: skip
                with self.assertRefused(city.name, exception=AccessError):
                    city.partner_id.with_user(user).write({name: value})
        self.city.partner_id.with_user(self.clerk).write({"name": "Ville nouvelle", "zip": "86100"})
        # One that is an operator of the other still says itself where it is.
        self.make_subsidy(partner_id=self.city.partner_id.id)
        self.city.partner_id.with_user(self.clerk).street = "2 rue"

    def test_each_city_hears_of_the_register(self):
        """The second to import the same extract is told nothing new: both are told at once."""
        head = (
            "siren,statutDiffusionUniteLegale,dateDebut,"
            "etatAdministratifUniteLegale,denominationUniteLegale,nicSiegeUniteLegale"
        )
        siret = self.operator.company_registry
        row = f"{siret[:9]},O,2025-03-01,C,ASSOCIATION DE TEST,{siret[9:]}"
        content = io.BytesIO(f"{head}\n{row}\n".encode())
        self.env["grant.register"].with_user(self.clerk)._import(content, "extrait.csv")
        users = self.operator.activity_ids.user_id
        self.assertEqual(users, self.there.user_id | self.mine.user_id)
        self.assertEqual(users.company_id, self.company | self.city)

    def test_no_city_takes_the_others_trust(self):
        account = self.operator.bank_ids
        for user, city in ((self.finance_manager, "Autre ville"), (self.clerk, self.company.name)):
            mine = account.with_user(user)
            for values in (
                {"allow_out_payment": False}, {"active": False}, {"acc_number": IBANS[1]},
                {"acc_holder_name": "Autre"}, {"partner_id": self.other_operator.id},
            ):  # fmt: skip
                with (
                    self.subTest(user=user.login, values=values),
                    self.assertRefused(city, "0115", exception=AccessError),
                ):
                    mine.write(values)
            with self.assertRefused(city, exception=AccessError):
                mine.unlink()
        self.assertTrue(account.allow_out_payment)
        # What only one city trusts is that city's.
        self.other_operator.bank_ids.with_user(self.finance_manager).allow_out_payment = False
        self.finance_manager.company_ids |= self.city
        account.with_user(self.finance_manager).allow_out_payment = False

    # ------------------------------------------------------------------
    # What is a city's own
    # ------------------------------------------------------------------

    def test_numbers(self):
        sequences = self.env["ir.sequence"].search([("code", "=", "grant.subsidy")])
        self.assertEqual(sequences.company_id, self.company | self.city)
        self.assertRegex(self.there.code, "-001$")
        # By somebody who works for both, while the other one is the present company.
        self.coordinator.company_ids |= self.city
        both = self.coordinator.with_user(self.coordinator).env(
            context={"allowed_company_ids": [self.company.id, self.city.id]}
        )
        values = self.there.sudo().copy_data()[0]
        second = both["grant.subsidy"].create({**values, "name": "Deuxième"})
        self.assertEqual(second.company_id, self.city)
        self.assertRegex(second.code, "-002$")
        # One that somebody typed in is passed over.
        second.code = second.code[:-3] + "003"
        third = both["grant.subsidy"].create({**values, "name": "Troisième"})
        self.assertRegex(third.code, "-004$")
        before = int(self.make_subsidy().code[-3:])
        self.assertEqual(int(self.make_subsidy().code[-3:]), before + 1)

    def test_settings(self):
        ours, account = self.company, self.company.grant_own_cost_account_ids[:1]
        for name in ("purchase", "sale", "payment", "payroll"):
            field = f"grant_{name}_journal_id"
            about = (ours[field].name, ours.name, self.city.name, "Nothing was changed")
            with self.subTest(field=field), self.assertRefused(*about):
                self.city[field] = ours[field]
        with self.assertRefused(account.name):
            self.city.grant_own_cost_account_ids = [Command.link(account.id)]
        settings = self.env["res.config.settings"].with_company(self.city)
        with self.assertRefused(ours.grant_sale_journal_id.name):
            settings.create({"grant_sale_journal_id": ours.grant_sale_journal_id.id}).execute()
        with self.assertRefused(ours.name, exception=ValidationError):
            self.city.grant_analytic_plan_id = ours.grant_analytic_plan_id
        self.assertNotEqual(self.city.grant_analytic_plan_id, ours.grant_analytic_plan_id)
        with self.assertRefused(account.name, ours.name, self.city.name):
            self.env["grant.account"].search(
                [("company_id", "=", self.city.id)], limit=1
            ).account_id = account
        # Documents say it in the same words.
        analytic = self.env[
            "account.analytic.account"
        ].create({"name": "Ailleurs", "plan_id": ours.grant_analytic_plan_id.id,
                  "company_id": ours.id})  # fmt: skip
        envelope = self.their_contract.envelope_ids
        with self.assertRefused(envelope.display_name, "Ailleurs", ours.name, self.city.name):
            envelope.with_user(self.clerk).analytic_account_id = analytic

    def test_dates_are_those_of_the_document(self):
        """Late in the evening it is tomorrow already on Reunion Island."""
        self.city.partner_id.tz = "Indian/Reunion"
        self.finance_manager.company_ids |= self.city
        env = self.finance_manager.with_user(self.finance_manager).env(
            context={"allowed_company_ids": [self.company.id, self.city.id]}
        )
        with freeze_time("2022-05-01 21:30:00"):
            wizard = env["grant.disbursement.pay"].create(
                {"disbursement_id": self.there_tranche.id}
            )
            self.assertEqual(str(wizard.paid_date), "2022-05-02")
            wizard = env["grant.disbursement.pay"].create({"disbursement_id": self.tranche.id})
            self.assertEqual(str(wizard.paid_date), "2022-05-01")
            order = Form(env["grant.disbursement.order"].with_context(
                default_disbursement_ids=self.there_tranche.ids
            ))  # fmt: skip
            self.assertEqual(str(order.order_date), "2022-05-02")
