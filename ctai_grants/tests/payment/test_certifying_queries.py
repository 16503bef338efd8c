from ..common import GrantsCommon


class TestQueries(GrantsCommon):
    """What hot paths ask of the database: not one statement more."""

    def test_certifying(self):
        subsidies = [self.make_subsidy() for _number in range(2)]
        tranches = [self.make_tranche(subsidy) for subsidy in subsidies]
        for subsidy in subsidies:
            self.sign(subsidy)
        # Of them 19: the task of who orders the payment.
        self.assertQueries(45, lambda t: t.action_certify(), *tranches, user=self.coordinator)

    def test_list_of_tranches(self):
        for _number in range(6):
            self.make_tranche(self.make_subsidy(amount=10), amount=5)
        tranches = self.env["grant.disbursement"]
        self.assertQueries(10, self.read_list, tranches, tranches, user=self.coordinator)
