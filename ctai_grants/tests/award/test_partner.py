import psycopg2

from odoo.exceptions import AccessError
from odoo.tests import new_test_user
from odoo.tools import mute_logger

from ..common import IBANS, GrantsCommon, make_siret


class TestPartner(GrantsCommon):
    def test_rna(self):
        for number in ("W863001234", "W9R1001234", "W2A1234567"):
            self.operator.rna = number
        for number in ("w863001234", "W86300123", "W8630012345", "863001234", "W863-01234"):
            with self.subTest(number=number), self.assertRefused(number, self.operator.name):
                self.operator.rna = number

    def test_siret(self):
        good = make_siret()
        self.operator.company_registry = good
        wrong = str((int(good[-1]) + 1) % 10)
        for number in (good[:-1] + wrong, good[:-1], good[:11] + "O" + good[12:]):
            with self.subTest(number=number), self.assertRefused(number[:9], self.operator.name):
                self.operator.company_registry = number

    def test_iban(self):
        bank = self.operator.bank_ids
        for number in (IBANS[0][:-1] + "6", IBANS[0][:-1], "FR76"):
            with self.subTest(number=number), self.assertRefused(number, self.operator.name):
                bank.create({"acc_number": number, "partner_id": self.operator.id})
            bank.allow_out_payment = False
            with self.subTest(number=number, write=True), self.assertRefused(number):
                bank.acc_number = number

    def test_iban_of_a_new_operator(self):
        """An account entered before the organisation was an operator is no exception."""
        supplier = self._make_organisation("Fournisseur", False)
        account = supplier.bank_ids.create({"acc_number": "12345", "partner_id": supplier.id})
        with self.assertRefused("12345", supplier.name):
            supplier.grant_role = "operator"
        account.acc_number = "FR7699999000980000000000309"
        supplier.grant_role = "operator"

    def test_bank_of_the_organisation(self):
        """A contact's payments go to its organisation's account, if that one is verified."""
        contact = self.env["res.partner"].create(
            {"name": "Trésorière", "parent_id": self.operator.id}
        )
        self.assertEqual(contact._get_grant_bank(), self.operator.bank_ids)
        self.operator.bank_ids.allow_out_payment = False
        self.assertFalse(contact._get_grant_bank())
        self.assertFalse(self.prefecture._get_grant_bank())

    def test_who_verifies_accounts(self):
        """R4, R5: not the coordinator who certifies, and not the operator."""
        account = self.operator.bank_ids
        account.allow_out_payment = False
        for user in (self.reader, self.coordinator, self.finance_officer, *self.portal_users):
            with self.subTest(user=user.login), self.assertRefused():
                account.with_user(user).allow_out_payment = True
        created = account.with_user(self.coordinator).create(
            {
                "acc_number": "FR7699999000980000000000309",
                "partner_id": self.operator.id,
                "allow_out_payment": True,
            }
        )
        self.assertFalse(created.allow_out_payment)
        self.assertFalse(self.operator._get_grant_bank())
        account.with_user(self.finance_manager).allow_out_payment = True

    def test_kept_by_the_ledger(self):
        self.operator.active = False
        self.operator.active = True
        self.sign(self.make_subsidy())
        with self.assertRefused(self.operator.name):
            self.operator.active = False
        with mute_logger("odoo.sql_db"), self.assertRaises(psycopg2.IntegrityError):
            (self.operator | self.operator.bank_ids.partner_id).unlink()
        # Its users are archived first, as Odoo wants.
        self.prefecture_user.active = False
        self.prefecture.child_ids.active = False
        with self.assertRefused(self.prefecture.name):
            self.prefecture.active = False

    def test_no_organisation_takes_over_another(self):
        """Its users would see the other's subsidies, and get the money (R7)."""
        lone = {"is_company": False, "parent_id": self.other_operator.id}
        self.make_subsidy().partner_id.write({"comment": "x", "is_company": True})
        self.operator.write(lone)
        siret = {"company_registry": make_siret()}
        self.operator.write({"is_company": True, "parent_id": False, **siret})
        self.sign(self.make_subsidy())
        with self.assertRefused(self.operator.name):
            self.operator.with_user(self.coordinator).write(lone)
        # A group of associations: each keeps its own subsidies.
        self.operator.parent_id = self.other_operator
        self.assertEqual(self.operator.commercial_partner_id, self.operator)

    @mute_logger("odoo.sql_db", "odoo.addons.base.wizard.base_partner_merge")
    def test_merging_does_not_rewrite_the_ledger(self):
        self.sign(self.make_subsidy())
        merge = self.env["base.partner.merge.automatic.wizard"].create({})
        double = self.env["res.partner"].create({"name": "Double", "is_company": True})
        with self.assertRefused(self.operator.name, double.name):
            merge._merge((self.operator | double).ids, double)
        self.assertFalse(self.verify())
        merge._merge((self.operator | double).ids, self.operator)
        self.assertFalse(double.exists())

    def test_merging_does_not_pass_trust_on(self):
        """An account verified as another's becomes the operator's, to be verified again (R4)."""
        merge = self.env["base.partner.merge.automatic.wizard"].with_user(self.coordinator)
        other = self._make_organisation("Autre", False, "FR7699999000980000000000309")
        self.operator.bank_ids.allow_out_payment = False
        (self.operator | other).email = "double@example.org"
        account = other.bank_ids
        merge.create({})._merge((self.operator | other).ids, self.operator.with_user(merge.env.uid))
        self.env.invalidate_all()
        self.assertEqual(account.partner_id, self.operator)
        self.assertFalse(account.allow_out_payment)
        self.assertFalse(self.operator._get_grant_bank())

    def test_subsidies(self):
        subsidy = self.make_subsidy()
        self.assertEqual(self.operator.with_user(self.reader).grant_subsidy_count, 1)
        action = self.operator.with_user(self.reader).action_view_grant_subsidies()
        self.assertEqual(subsidy.search(action["domain"]), subsidy)
        # Nothing of grants for who has no role in them, and no error either.
        stranger = new_test_user(self.env, "test_stranger", "base.group_user")
        self.assertEqual(self.operator.with_user(stranger).grant_subsidy_count, 0)
        with self.assertRaises(AccessError):
            subsidy.with_user(stranger).read(["name"])
