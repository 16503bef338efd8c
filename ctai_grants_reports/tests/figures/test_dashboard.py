import json

from odoo.exceptions import AccessError

from odoo.addons.ctai_grants.tests.common import GrantsCommon


class TestDashboard(GrantsCommon):
    """The finance manager's spreadsheet: what it asks for is there, and is its own alone."""

    def setUp(self):
        super().setUp()
        self.dashboard = self.env.ref("ctai_grants_reports.dashboard_finance")

    def read_board(self):
        return json.loads(self.dashboard.with_user(self.finance_manager).spreadsheet_data)

    def test_who_sees_it(self):
        for user, is_seen in (
            (self.finance_manager, True), (self.reader, False), (self.coordinator, False),
        ):  # fmt: skip
            found = self.dashboard.with_user(user).search([("id", "=", self.dashboard.id)])
            self.assertEqual(bool(found), is_seen)
        with self.assertRaises(AccessError):
            self.dashboard.with_user(self.operator_user).read(["name"])

    def test_each_of_its_fields_is_there(self):
        data = self.read_board()
        asked = [
            (pivot["model"], [m["fieldName"] for m in pivot["measures"]]
             + [row["fieldName"] for row in pivot["rows"]], pivot["domain"])
            for pivot in data["pivots"].values()
        ]  # fmt: skip
        asked += [(one["model"], one["columns"], one["domain"]) for one in data["lists"].values()]
        charts = [figure["data"] for figure in data["sheets"][0]["figures"]]
        asked += [
            (chart["metaData"]["resModel"], [chart["metaData"]["measure"]],
             chart["searchParams"]["domain"])
            for chart in charts if "metaData" in chart
        ]  # fmt: skip
        self.assertEqual(len(asked), 5)
        for model, names, domain in asked:
            records = self.env[model].with_user(self.finance_manager)
            self.assertLessEqual(set(names), set(records._fields))
            records.search(domain, limit=1)
        for menu in data["chartOdooMenusReferences"].values():
            self.assertTrue(self.env.ref(menu))

    def test_its_words_are_translated(self):
        """Names that a pivot is given stay in English whatever the language: headings are terms."""
        data = self.read_board()
        for pivot in data["pivots"].values():
            self.assertFalse([m for m in pivot["measures"] if "userDefinedName" in m])
        formulas = [cell for cell in data["sheets"][0]["cells"].values() if "=PIVOT(" in cell]
        self.assertEqual(len(formulas), 2)
        for formula in formulas:
            self.assertTrue(formula.endswith("FALSE)"), "with headings of its own")

    def test_its_sums(self):
        self.sign(self.make_subsidy(amount=1234))
        pivot = self.read_board()["pivots"]["1"]
        groups = self.env["grant.figure"].with_user(self.finance_manager)._read_group(
            [*pivot["domain"], ("contract_id", "=", self.contract.id)],
            [row["fieldName"] for row in pivot["rows"]], ["committed:sum"],
        )  # fmt: skip
        self.assertEqual({one: amount or 0 for one, amount in groups},
                         {self.envelope: 1234, self.direct_envelope: 0})  # fmt: skip
