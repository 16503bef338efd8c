from odoo.exceptions import AccessError
from odoo.tests import Form, freeze_time

from ..common import GrantsCommon


class TestCertificate(GrantsCommon):
    """Certifying asks for the day on which the work was found done, and for a comment."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.subsidy = cls.make_subsidy()
        cls.tranches = cls.make_tranche(cls.subsidy) + cls.make_tranche(cls.subsidy, amount=100)
        cls.sign(cls.subsidy)

    def _open(self, tranches, user=None):
        action = tranches.with_user(user or self.coordinator).action_ask_certificate()
        window = self.env[action["res_model"]].with_user(user or self.coordinator)
        return Form(window.with_context(**action["context"]))

    @freeze_time("2021-12-15")
    def test_date_and_comment(self):
        window = self._open(self.tranches)
        self.assertEqual(str(window.service_date), "2021-12-15")
        window.service_date = "2021-12-10"
        window.comment = " Vu sur place "
        window.save().action_confirm()
        for tranche in self.tranches:
            self.assertEqual(tranche.state, "certified")
            self.assertEqual(str(tranche.service_date), "2021-12-10")
            self.assertEqual(tranche.service_note, "Vu sur place")
            self.assertEqual(tranche.decision_ids[:1].reason, "Vu sur place")
        self.ask(self.tranches, "return", self.coordinator)
        self.assertEqual(self.tranches.filtered("service_date"), self.tranches.browse())
        self.tranches.with_user(self.coordinator).action_certify()
        self.assertEqual(str(self.tranches[0].service_date), "2021-12-15")

    @freeze_time("2021-12-15")
    def test_wrong_days(self):
        tranche = self.tranches[0].with_user(self.coordinator)
        with self.assertRefused(tranche.name, "12/16/2021", "still to come", "12/15/2021"):
            tranche._do_certify("2021-12-16")
        with self.assertRefused(tranche.name, "01/01/2021", "before the award"):
            tranche._do_certify("2021-01-01")
        self.assertEqual(tranche.state, "ready")

    def test_asking_refuses_first(self):
        with self.assertRaises(AccessError):
            self._open(self.tranches, self.finance_officer)
        self.subsidy.executory_date = False
        with self.assertRefused("executory"):
            self._open(self.tranches)
