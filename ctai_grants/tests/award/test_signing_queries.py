from ..common import GrantsCommon


class TestQueries(GrantsCommon):
    """What hot paths ask of the database: not one statement more."""

    def test_signing(self):
        subsidies = [self.make_subsidy(amount=10) for _number in range(2)]
        for subsidy in subsidies:
            self.make_tranche(subsidy, amount=5)
            subsidy.action_grant()
        self.assertQueries(22, lambda s: s.action_sign(), *subsidies, user=self.coordinator)

    def test_list_of_subsidies(self):
        subsidies = self.env["grant.subsidy"]
        for number in range(6):
            # Of an operator each: what is read together takes no more statements for many.
            operator = self._make_organisation(f"Association {number}", "operator")
            self.make_tranche(self.make_subsidy(amount=10, partner_id=operator.id), amount=5)
        self.assertQueries(13, self.read_list, subsidies, subsidies, user=self.coordinator)
