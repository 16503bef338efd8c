import datetime

from ..common import GrantsCommon

DAY = datetime.timedelta(days=1)


class TestDatesOfClaims(GrantsCommon):
    """The State is asked for what it signed, from that day on, and not in the future."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.funding = cls.env["grant.funding"].create(
            {"name": "Acompte", "envelope_id": cls.envelope.id, "amount": 75000}
        )

    def assertNotClaimed(self, date, *parts):
        with self.assertRefused(self.funding.display_name, *parts):
            self.funding.with_user(self.finance_officer)._do_claim(date)
        self.assertEqual(self.funding.state, "expected")
        self.assertFalse(self.funding.move_ids)

    def test_in_the_future(self):
        self.assertNotClaimed(self.company._grant_today() + DAY, "future")

    def test_before_the_contract(self):
        self.assertNotClaimed(datetime.date(2021, 10, 20), "10/21/2021")

    def test_of_a_contract_not_in_force(self):
        self.contract.with_user(self.finance_manager).action_reset_to_draft()
        self.assertNotClaimed(datetime.date(2021, 11, 2), self.contract.display_name, "in force")

    def test_posted_again_on_another_day(self):
        self.funding.with_user(self.finance_officer)._do_claim(datetime.date(2021, 11, 2))
        claim = self.funding.move_ids.with_user(self.finance_officer)
        claim.button_draft()
        claim.write({"date": "2021-10-20", "invoice_date": "2021-10-20"})
        with self.assertRefused(self.funding.display_name, "10/21/2021"):
            claim.action_post()
