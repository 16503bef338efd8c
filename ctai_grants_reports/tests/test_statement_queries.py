from .common import YEAR_END, StatementCase


class TestStatementQueries(StatementCase):
    """What a statement asks of the database does not grow with its subsidies."""

    def build(self):
        """Make what a statement says, as when a request begins: how many SQL statements."""
        self.env.flush_all()
        self.env.invalidate_all()
        before = self.env.cr.sql_log_count
        contract = self.contract.with_user(self.coordinator)
        contract.env["grant.statement.data"]._build(contract, YEAR_END)
        return self.env.cr.sql_log_count - before

    def make_subsidies(self, count):
        for _number in range(count):
            name = f"Association {self.env['res.partner'].search_count([])}"
            operator = self._make_organisation(name, "operator")
            subsidy = self.make_subsidy(amount=10, partner_id=operator.id)
            self.make_tranche(subsidy, amount=5)
            self.make_deliverable(subsidy)
            self.sign(subsidy)

    def test_as_many_for_more_subsidies(self):
        self.make_subsidies(2)
        self.build()
        few = self.build()
        self.make_subsidies(3)
        self.assertLessEqual(self.build(), few)
