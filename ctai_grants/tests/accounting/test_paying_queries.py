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

        self.assertQueries(129, order, *tranches, user=self.finance_officer)
        self.assertQueries(192, pay, *tranches, user=self.finance_officer)

    def test_ordering_many(self):
        """A batch of orders takes a statement for each only where Odoo's own bills do."""
        batches = []
        for size in (2, 2, 7):
            subsidies = [self.sign(self.make_subsidy()) for _number in range(size)]
            tranches = [self.make_tranche(subsidy) for subsidy in subsidies]
            for tranche in tranches:
                self.certify(tranche)
            batches.append(self.env["grant.disbursement"].union(*tranches))

        def order(batch):
            batch._do_order(str(100 * len(batch) + batch[0].id), datetime.date(2021, 11, 20))

        self.assertQueries(149, order, *batches[:2], user=self.finance_officer)
        self.assertQueries(205, order, batches[2], user=self.finance_officer)
