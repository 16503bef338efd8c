import datetime

import psycopg2

from odoo.tests import Form, freeze_time
from odoo.tools import mute_logger

from ..common import GrantsCommon, make_siret


class TestBody(GrantsCommon):
    """One body is one SIREN (RNA without one), whatever records it has."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.number = 901
        cls.operator.company_registry = make_siret(cls.number)
        cls.branch = cls._make_organisation("Antenne", "operator")
        cls.branch.company_registry = make_siret(cls.number, nic=2)
        cls.child = cls.env["res.partner"].create(
            {"name": "Section", "parent_id": cls.operator.id, "is_company": True}
        )

    def make_double(self, **values):
        """A record of before the rule: written behind it, as databases have them."""
        double = self._make_organisation("Doublon", "operator")
        for name, value in values.items():
            double.env.cr.execute(
                f"UPDATE res_partner SET {name} = %s WHERE id = %s", [value, double.id]
            )
        double.invalidate_recordset()
        self.env.add_to_compute(double._fields["grant_body"], double)
        return double

    def test_key(self):
        self.assertEqual(self.operator.grant_body, self.operator.company_registry[:9])
        self.assertEqual(self.branch.grant_body, self.operator.grant_body)
        contact = self.env["res.partner"].create({"name": "X", "parent_id": self.branch.id})
        self.assertEqual(contact.grant_body, self.operator.grant_body)
        # A company below another is of its own, until it has a number.
        self.assertNotEqual(self.child.grant_body, self.operator.grant_body)
        self.child.company_registry = make_siret(self.number, nic=3)
        self.assertEqual(self.child.grant_body, self.operator.grant_body)
        alone, other = (
            self.env["res.partner"].create({"name": name, "is_company": True}) for name in "AB"
        )
        self.assertNotEqual(alone.grant_body, other.grant_body)

    def test_key_by_rna(self):
        alone = self._make_organisation("Sans SIRET", "operator")
        alone.write({"company_registry": False, "rna": "W863009999"})
        self.assertEqual(alone.grant_body, "W863009999")
        double = self.make_double(company_registry=None, rna="W863009999")
        self.assertEqual(double.grant_body, "W863009999")
        with self.assertRefused("W863009999", double.name):
            self._make_organisation("Encore", "operator").write(
                {"company_registry": False, "rna": "W863009999"}
            )
        # What has the SIREN of that RNA gives it to the one that has not, and takes it away.
        siret = make_siret()
        self.env.cr.execute(
            "UPDATE res_partner SET company_registry = %s WHERE id = %s", [siret, alone.id]
        )
        alone.invalidate_recordset()
        alone._follow_rna(set())
        self.assertEqual((alone.grant_body, double.grant_body), (siret[:9], siret[:9]))

    def test_abroad(self):
        """A number of another country is no SIREN."""
        siret = make_siret()
        foreign = self._make_organisation("Verein", "operator")
        foreign.write({"country_id": self.env.ref("base.de").id, "company_registry": siret})
        self.assertTrue(foreign.grant_body.startswith("#"))
        self._make_organisation("Ici", "operator").company_registry = siret

    def test_threshold(self):
        """Two establishments, 12 000 € each: the convention is required."""
        mine = self.make_subsidy(amount=12000)
        self.assertFalse(mine.convention_required)
        other = self.make_subsidy(amount=12000, partner_id=self.branch.id)
        (mine | other).invalidate_recordset()
        self.assertTrue(mine.convention_required)
        self.assertTrue(other.convention_required)
        self.branch.company_registry = make_siret()
        mine.invalidate_recordset()
        self.assertFalse(mine.convention_required)

    def test_threshold_follows_the_siret(self):
        """The conditions of payment are looked at again when two records become one body."""
        self.branch.company_registry = make_siret()
        mine = self.sign(self.make_subsidy(amount=12000, convention_reference=False))
        self.make_subsidy(amount=12000, partner_id=self.branch.id)
        tranche = self.make_tranche(mine)
        condition = tranche.condition_ids.filtered(lambda row: row.code == "convention")
        self.assertEqual(condition.state, "not_required")
        self.branch.company_registry = make_siret(self.number, nic=2)
        self.assertEqual((condition.state, condition.amount), ("unmet", 24000))
        self.branch.company_registry = make_siret()
        self.assertEqual(condition.state, "not_required")

    def test_counts(self):
        self.make_subsidy()
        self.make_subsidy(partner_id=self.branch.id)
        for partner in (self.operator, self.branch):
            reader = partner.with_user(self.reader)
            self.assertEqual(reader.grant_subsidy_count, 2)
            subsidies = self.env["grant.subsidy"].search(
                reader.action_view_grant_subsidies()["domain"]
            )
            self.assertEqual(len(subsidies), 2)

    def test_totals(self):
        """The lists of subsidies and of the ledger can be grouped by body."""
        for partner in (self.operator, self.branch):
            self.sign(self.make_subsidy(partner_id=partner.id))
        key = self.operator.grant_body
        for model, measure in (("grant.subsidy", "amount:sum"), ("grant.entry", "amount:sum")):
            groups = dict(
                self.env[model]
                .with_user(self.reader)
                ._read_group([("grant_body", "=", key)], ["grant_body"], [measure])
            )
            self.assertEqual(groups, {key: 20000})

    def test_the_city_grants_itself_nothing(self):
        """Not by another record of its own SIREN either."""
        city = self.company.partner_id
        city.write(
            {"country_id": self.env.ref("base.fr").id, "company_registry": make_siret(950),
             "vat": False}
        )  # fmt: skip
        self.branch.company_registry = make_siret(950, nic=2)
        with self.assertRefused("city"):
            self.make_subsidy(partner_id=self.branch.id)

    # ------------------------------------------------------------------
    # One record
    # ------------------------------------------------------------------

    def test_a_second_record(self):
        siret = self.operator.company_registry
        partners = self.env["res.partner"].with_user(self.coordinator)
        for values in (
            {"company_registry": siret, "country_id": self.env.ref("base.fr").id},
            {"company_registry": siret},
            {"company_registry": f"{siret[:3]} {siret[3:9]} {siret[9:]}"},
            {"company_registry": siret, "is_company": True, "grant_role": "operator"},
        ):
            with self.subTest(values=values), self.assertRefused(siret, "Association de test"):
                partners.create({"name": "Doublon", **values})
        with self.assertRefused(siret, "Association de test"):
            self.branch.company_registry = siret
        self.other_operator.active = False
        with self.assertRefused("Autre association", "archived"):
            self.branch.company_registry = self.other_operator.company_registry
        # Other establishments and contacts are no second record.
        partners.create({"name": "Contact", "parent_id": self.operator.id, "type": "invoice"})
        self.operator.write({"company_registry": siret, "rna": "W863001234"})
        self.branch.rna = "W863001234"

    def test_a_contact_that_leaves(self):
        """It was given its organisation's SIRET by Odoo, and does not take it along."""
        for values in ({"parent_id": False}, {"is_company": True}):
            contact = self.env["res.partner"].create({"name": "X", "parent_id": self.operator.id})
            self.assertEqual(contact.company_registry, self.operator.company_registry)
            contact.with_user(self.coordinator).write(values)
            self.assertFalse(contact.company_registry)

    def test_import(self):
        siret = self.operator.company_registry
        result = (
            self.env["res.partner"]
            .with_user(self.coordinator)
            .load(
                ["name", "is_company", "country_id", "company_registry"],
                [["Doublon", "True", "France", siret]],
            )
        )
        self.assertFalse(result["ids"])
        self.assertIn("Association de test", result["messages"][0]["message"])

    def test_doubles_of_before(self):
        """They stay, count together, and can be worked on; merged, the ledger's one stays."""
        siret = self.operator.company_registry
        double = self.make_double(company_registry=siret)
        self.assertEqual(double.grant_body, self.operator.grant_body)
        double.write({"name": "Doublon bis", "email": "x@example.org"})
        self.sign(self.make_subsidy())
        draft = self.make_subsidy(partner_id=double.id)
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRefused("Association de test", "Doublon bis", "destination"):
            merge._merge((self.operator | double).ids, double)
        merge._merge((self.operator | double).ids, self.operator)
        self.assertFalse(double.exists())
        self.assertEqual(draft.partner_id, self.operator)
        self.assertEqual(self.operator.company_registry, siret)
        self.assertFalse(self.verify())

    def test_doubles_in_the_ledger(self):
        double = self.make_double(company_registry=self.operator.company_registry)
        for partner in (self.operator, double):
            self.sign(self.make_subsidy(partner_id=partner.id))
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRefused(double.name, self.operator.name, "both"):
            merge._merge((self.operator | double).ids, self.operator)

    def test_merging_keeps_the_numbers(self):
        siret = make_siret()
        bare = self.env["res.partner"].create({"name": "Nu", "is_company": True})
        full = self._make_organisation("Complet", False)
        full.write({"company_registry": siret, "rna": "W863007777"})
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((bare | full).ids, bare)
        self.assertEqual((bare.company_registry, bare.rna), (siret, "W863007777"))

    def test_siret_without_a_country(self):
        """Luhn's key, and La Poste's own; where no country is entered too."""
        self.operator.country_id = False
        for number in ("35600000049837", "73282932000074", "732 829 320 00074", "732829320"):
            self.operator.company_registry = number
        for number in ("73282932000079", "7328293200007", "35600000049838", "7328293200007A",
                       "７３２８２９３２００００７４"):  # fmt: skip
            with self.subTest(number=number), self.assertRefused(number, self.operator.name):
                self.operator.company_registry = number

    def test_cities(self):
        """The budgets and branches of a city, companies in Odoo, may have its SIRET."""
        city = self.company.partner_id
        city.write({"country_id": self.env.ref("base.fr").id, "vat": False})
        city.company_registry = make_siret(960)
        branch = self.env["res.company"].create({"name": "Budget annexe"})
        branch.partner_id.write(
            {"country_id": self.env.ref("base.fr").id, "company_registry": city.company_registry}
        )
        self.assertEqual(branch.partner_id.grant_body, city.grant_body)

    def test_each_city_its_own_record(self):
        other = self.env["res.company"].create({"name": "Autre ville"})
        self.operator.company_id = self.company
        self.env["res.partner"].create(
            {"name": "La même", "is_company": True, "company_id": other.id,
             "company_registry": self.operator.company_registry}
        )  # fmt: skip


class TestIdentity(GrantsCommon):
    """What an organisation was called on a day."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.startClassPatcher(freeze_time("2021-12-01 10:00:00"))
        cls.operator.write({"street": "1 rue A", "zip": "86000", "city": "Poitiers"})

    def called(self, day, partner=None):
        return (partner or self.operator)._get_identity(datetime.date.fromisoformat(day)).name

    def test_written_by_the_change(self):
        partner = self.operator.with_user(self.coordinator)
        partner.name = "Nouveau nom"
        self.assertEqual(self.called("2021-11-30"), "Association de test")
        self.assertEqual(self.called("2021-12-01"), "Nouveau nom")
        self.assertEqual(self.called("2021-12-02"), "Nouveau nom")
        with freeze_time("2021-12-10 10:00:00"):
            old, new = partner.company_registry, make_siret()
            partner.company_registry = new
            partner.street = "2 rue B"
        before = partner._get_identity(datetime.date(2021, 12, 9))
        after = partner._get_identity(datetime.date(2021, 12, 10))
        self.assertEqual((before._get_siret(), before.street), (old, "1 rue A"))
        self.assertEqual((after._get_siret(), after.street), (new, "2 rue B"))

    def test_what_was_not_known_yet(self):
        """Entered where nothing was, it is of the days before too; a change is not."""
        partner = self._make_organisation("Nouvelle", "operator")
        siret = partner.company_registry
        partner.write({"company_registry": False, "city": "Poitiers"})
        with freeze_time("2021-12-05 10:00:00"):
            partner.write({"company_registry": siret, "street": "1 rue A", "zip": "86000"})
        with freeze_time("2021-12-08 10:00:00"):
            partner.write({"street": "2 rue B", "street2": "Escalier 2", "zip": "86100"})
        before = partner._get_identity(datetime.date(2021, 12, 2))
        self.assertEqual(before.company_registry, siret)
        self.assertEqual((before.street, before.street2, before.zip), ("1 rue A", False, "86000"))

    def test_every_door(self):
        doors = {
            "form": lambda name: self.rename_on_form(name),
            "rpc": lambda name: self.operator.with_user(self.coordinator).write({"name": name}),
            "import": lambda name: self.env["res.partner"].load(
                [".id", "name"], [[str(self.operator.id), name]]
            ),
        }
        for number, (door, rename) in enumerate(doors.items(), start=2):
            with self.subTest(door=door), freeze_time(f"2021-12-{number:02} 10:00:00"):
                rename(door)
                self.assertEqual(self.called(f"2021-12-{number:02}"), door)
        self.assertEqual(self.called("2021-12-02"), "form")
        self.assertEqual(self.called("2021-12-01"), "Association de test")
        # A new one is not backdated, and no history is written of what does not change.
        count = len(self.operator.grant_identity_ids)
        self.operator.write({"name": self.operator.name, "comment": "x"})
        self.assertEqual(len(self.operator.grant_identity_ids), count)

    def rename_on_form(self, name):
        with Form(self.operator.with_user(self.coordinator)) as form:
            form.name = name

    def test_the_city(self):
        name = self.company.name
        self.company.name = "Commune nouvelle"
        self.assertEqual(self.called("2021-11-30", self.company.partner_id), name)
        self.assertEqual(self.called("2021-12-01", self.company.partner_id), "Commune nouvelle")
        # A city that is only being set up has no earlier name.
        fresh = self.env["res.company"].create({"name": "My Company"})
        fresh.name = "Ville nouvelle"
        self.assertEqual(self.called("2021-11-30", fresh.partner_id), "Ville nouvelle")

    def test_append_only(self):
        self.sign(self.make_subsidy())
        self.operator.name = "Nouveau nom"
        version = self.operator.grant_identity_ids[0]
        administrator = version.with_user(self.administrator)
        for act in (
            lambda: administrator.write({"name": "X"}),
            administrator.unlink,
            lambda: administrator.create({"partner_id": self.operator.id, "name": "X"}),
            lambda: version.sudo().write({"name": "X"}),
        ):
            with self.assertRefused():
                act()
        for statement in ("UPDATE grant_identity SET name = 'X'", "DELETE FROM grant_identity"):
            with (
                mute_logger("odoo.sql_db"),
                self.assertRaises(psycopg2.errors.CheckViolation),
                self.env.cr.savepoint(),
            ):
                self.env.cr.execute(statement)

    def test_who_is_in_no_document_can_go(self):
        newcomer = self._make_organisation("Faute de frappe", "operator")
        newcomer.name = "Sans faute"
        newcomer.unlink()
        self.assertFalse(newcomer.exists())

    def test_known_earlier(self):
        self.operator.name = "Nouveau nom"
        version = self.operator.grant_identity_ids[0]

        def date(day, reason="Récépissé", user=self.coordinator):
            self.env["grant.identity.date"].with_user(user).create(
                {"identity_id": version.id, "date": day, "reason": reason}
            ).action_confirm()

        for day, reason in (("2021-12-01", "x"), ("2022-01-01", "x"), ("2021-11-01", " \u200b")):
            with self.subTest(day=day), self.assertRefused():
                date(day, reason)
        with self.assertRefused():
            version.with_user(self.finance_officer)._do_hold_from(datetime.date(2021, 11, 1), "x")
        date("2021-11-15")
        self.assertEqual(self.called("2021-11-14"), "Association de test")
        self.assertEqual(self.called("2021-11-15"), "Nouveau nom")
        # Mistaken: the former one said to hold until later.
        version = self.operator.grant_identity_ids[-1]
        date("2021-11-15", "Faute")
        self.assertEqual(self.called("2021-11-20"), "Association de test")
        self.assertEqual(self.called("2021-12-01"), "Nouveau nom")

    def test_of_nobody_of_ours(self):
        supplier = self._make_organisation("Fournisseur", False)
        supplier.name = "Autre fournisseur"
        self.assertFalse(supplier.grant_identity_ids)
        self.assertEqual(self.called("2020-01-01", supplier), "Autre fournisseur")

    def test_merging_two_budgets_of_a_year(self):
        """Neither is lost unsaid, nor the merge refused by a sentence that names nobody."""
        other = self._make_organisation("Doublon", "operator")
        budgets = self.env["grant.operator.year"].create([
            {"partner_id": partner.id, "year": year, "income": 10}
            for partner, year in ((self.operator, 2021), (other, 2021), (other, 2020))
        ])  # fmt: skip
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        with self.assertRefused("2021", self.operator.name, "Doublon"):
            merge._merge((self.operator | other).ids, self.operator)
        self.assertEqual(len(budgets.exists()), 3)
        budgets[1].unlink()
        merge._merge((self.operator | other).ids, self.operator)
        self.assertEqual(self.operator.grant_year_ids.mapped("year"), [2021, 2020])

    def test_merging_who_funds_a_draft(self):
        """Its history would hold it back, and the refusal would say to do what was done."""
        other = self._make_organisation("Préfecture bis", "prefecture")
        other.name = "Préfecture ter"
        draft = self.env["grant.contract"].create(
            {"name": "Brouillon", "code": "TEST-DRAFT", "funder_id": other.id}
        )
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.prefecture | other).ids, self.prefecture)
        self.assertEqual(draft.funder_id, self.prefecture)
        self.assertFalse(other.exists())
        self.assertFalse(self.env["grant.seal"]._get_altered_documents())
        city = self.env["res.company"].create({"name": "Ville fusionnée"}).partner_id
        newcomer = self._make_organisation("Nouvelle", False)
        with self.assertRefused("Ville fusionnée", "destination"):
            merge._merge((newcomer | city).ids, newcomer)

    def test_merging_leaves_it_behind(self):
        other = self._make_organisation("Doublon", "operator")
        other.name = "Doublon bis"
        self.operator.name = "Nouveau nom"
        self.sign(self.make_subsidy())
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        merge._merge((self.operator | other).ids, self.operator)
        self.assertEqual(self.called("2021-11-30"), "Association de test")
        self.assertNotIn("Doublon bis", self.operator.grant_identity_ids.mapped("name"))
