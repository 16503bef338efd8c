from odoo import SUPERUSER_ID
from odoo.tests import new_test_user

from .test_disbursement_flow import DAY, TranchesCase

CERTIFY = "ctai_grants.group_coordinator"
ORDER = "ctai_grants.group_finance_manager"


class TestPersons(TranchesCase):
    """R5: two persons, whatever logins they have."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # A second login of the coordinator, with the other job.
        cls.second_login = new_test_user(cls.env, "test_second_login", ORDER)
        cls.second_login.partner_id = cls.coordinator.partner_id

    def assertTwo(self, user, *parts):
        """Neither of the tranches is ordered, or recorded as paid, by ``user``."""
        with self.assertRefused("somebody else", *parts):
            self.tranche.with_user(user)._do_order("M-1", DAY)
        with self.assertRefused("somebody else", *parts):
            self.direct.with_user(user)._do_pay(DAY, "P-1")

    def test_a_second_login(self):
        self.certify(self.tranche | self.direct)
        self.assertTwo(self.second_login, self.coordinator.login, "test_second_login")
        with self.assertRefused("somebody else"):
            self.tranche.with_user(self.second_login).sudo()._do_order("M-1", DAY)
        self.tranche.with_user(self.finance_officer)._do_order("M-1", DAY)
        self.direct.with_user(self.finance_officer)._do_pay(DAY, "P-1")
        persons = self.finance_officer.partner_id
        self.assertEqual(self.tranche.certified_person_id, self.coordinator.partner_id)
        self.assertEqual((self.tranche | self.direct).ordered_person_id, persons)

    def test_a_bill_posted_by_hand(self):
        self.order(self.tranche)
        bill = self.tranche.with_env(self.env)._get_live_move()
        bill.button_draft()
        with self.assertRefused("somebody else"):
            bill.with_user(self.second_login).action_post()
        bill.with_user(self.finance_officer).action_post()

    def test_a_login_that_changes_hands(self):
        """The person is the one who certified, whatever contact that login has since."""
        self.certify(self.tranche | self.direct)
        self.coordinator.partner_id = self.coordinator.partner_id.copy()
        self.assertTwo(self.second_login)

    def test_roles_that_change(self):
        self.certify(self.tranche | self.direct)
        self.coordinator.write({"group_ids": [(6, 0, self.env.ref(ORDER).ids)]})
        self.assertTwo(self.coordinator)

    def test_programs(self):
        """What runs in nobody's name decides nothing."""
        with self.assertRefused("Avance", "program"):
            self.certify(self.tranche, self.env["res.users"].browse(SUPERUSER_ID))
        self.certify(self.tranche | self.direct)
        self.assertTwo(self.env["res.users"].browse(SUPERUSER_ID), "program")

    def test_returned_and_certified_again(self):
        """The last certificate counts."""
        self.certify(self.tranche)
        self.ask(self.tranche, "return", self.coordinator)
        self.assertFalse(self.tranche.certified_person_id)
        self.certify(self.tranche, self.both_roles)
        self.tranche.with_user(self.second_login)._do_order("M-1", DAY)
