from odoo.exceptions import AccessError

from ..common import GrantsCommon


class TestRescale(GrantsCommon):
    """Another amount of a draft: its tranches follow, to the cent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.template = cls.env.ref("ctai_grants.schedule_template_three")
        cls.subsidy = cls.make_subsidy(amount=10000, template_id=cls.template.id)
        cls.subsidy.action_apply_template()

    def _get_amounts(self):
        return self.subsidy.disbursement_ids.sorted().mapped("amount")

    def test_shares_stay_and_sums_are_equal(self):
        before = self._get_amounts()
        for amount in (10000.01, 0.07, 33333.33, 10000):
            self.subsidy.amount = amount
            self.assertTrue(self.subsidy.schedule_warning)
            self.subsidy.action_rescale()
            self.assertAlmostEqual(sum(self._get_amounts()), amount, places=9)
            self.assertFalse(self.subsidy.schedule_warning)
        self.assertEqual(len(self._get_amounts()), len(before))

    def test_too_little(self):
        before = self._get_amounts()
        self.subsidy.amount = 0.01
        with self.assertRefused(self.subsidy.code, "too little"):
            self.subsidy.action_rescale()
        self.assertEqual(self._get_amounts(), before)

    def test_the_template_again(self):
        first = self._get_amounts()
        self.subsidy.disbursement_ids[0].name = "Changed by hand"
        self.subsidy.amount = 20000
        self.subsidy.action_reapply_template()
        self.assertEqual(self._get_amounts(), [2 * amount for amount in first])
        self.assertNotIn("Changed by hand", self.subsidy.disbursement_ids.mapped("name"))
        pieces = self.subsidy.milestone_ids.deliverable_ids
        self.assertEqual(len(pieces), len(self.template.deliverable_ids))

    def test_who_and_when(self):
        for method in ("action_rescale", "action_reapply_template"):
            with self.subTest(method=method), self.assertRaises(AccessError):
                getattr(self.subsidy.with_user(self.finance_officer), method)()
        self.sign(self.subsidy)
        for method in ("action_rescale", "action_reapply_template"):
            with self.subTest(method=method), self.assertRefused("Signed"):
                getattr(self.subsidy, method)()
