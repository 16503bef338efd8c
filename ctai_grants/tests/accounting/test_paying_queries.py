import datetime

from ..common import GrantsCommon


class TestQueries(GrantsCommon):
    """What ordering and paying ask of the database: not one statement more."""

    def test_ordering_and_paying(self):
        tranches = [self.make_tranche(self.sign(self.make_subsidy())) for _number in range(3)]
        for tranche in tranches:
            self.certify(tranche)

        def order(tranche):
            tranche._do_order(f"M-{tranche.id}", datetime.date(2021, 11, 20))

        def pay(tranche):
            tranche._do_pay(datetime.date(2021, 11, 25), "P-1")

        self.assertQueries(117, order, *tranches, user=self.finance_officer)
        self.assertQueries(189, pay, *tranches, user=self.finance_officer)
