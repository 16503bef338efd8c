from ...models.ledger.grant_source_mixin import Accounted
from ..common import GrantsCommon


class TestQueries(GrantsCommon):
    """What posting and reading the ledger ask of the database: not one statement more."""

    def test_posting(self):
        subsidies = [self.sign(self.make_subsidy(amount=10)) for _number in range(2)]
        line = {"kind": "commitment", "envelope_id": self.envelope.id, "date": "2021-10-25"}

        def post(subsidy, lines=1):
            subsidy.env["grant.entry"]._post(
                subsidy, Accounted([{**line, "subsidy_id": subsidy.id, "amount": 1.0}] * lines)
            )

        self.assertQueries(1, post, *subsidies, user=self.coordinator)
        self.assertQueries(1, lambda s: post(s, 5), *subsidies, user=self.coordinator)

    def test_list_of_entries(self):
        for _number in range(5):
            self.sign(self.make_subsidy(amount=10))
        entries = self.env["grant.entry"]
        self.assertQueries(9, self.read_list, entries, entries, user=self.reader)
