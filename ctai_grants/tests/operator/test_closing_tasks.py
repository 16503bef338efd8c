from odoo.tests import freeze_time

from ..common import GrantsCommon


class TestClosingTasks(GrantsCommon):
    """What is open before the closing, who closes it; told when the end has come, once."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.contract.finance_user_id = cls.finance_officer
        cls.subsidy = cls.make_subsidy(report_required=True)
        cls.piece = cls.make_deliverable(cls.subsidy)
        cls.make_tranche(cls.subsidy, name="Avance")
        cls.sign(cls.subsidy)

    def _ask(self, day):
        with freeze_time(day):
            self.env["grant.subsidy"]._cron_ask_closing()
        kind = self.env.ref("ctai_grants.mail_activity_closing")
        activities = self.subsidy.activity_ids | self.contract.activity_ids
        return activities.filtered(lambda activity: activity.activity_type_id == kind)

    def test_checklist(self):
        text = self.subsidy.closing_checklist
        for words in (self.piece.name, "Avance", "financial report", self.coordinator.name):
            self.assertIn(words, text)
        self.assertIn(f"finance manager closes the subsidy. – {self.finance_officer.name}", text)
        self.assertIn(f'href="/odoo/grant.deliverable/{self.piece.id}"', text)
        self.assertIn(self.subsidy.code, self.contract.closing_checklist)
        self.assertFalse(self.make_subsidy().closing_checklist)

    def test_names_are_no_code(self):
        piece = self.make_deliverable(self.make_subsidy(), name="<img src=x onerror=alert(1)>")
        self.sign(piece.subsidy_id)
        self.assertIn("&lt;img", piece.subsidy_id.closing_checklist)
        self.assertNotIn("<img", piece.subsidy_id.closing_checklist)

    def test_told_once_an_end(self):
        self.assertFalse(self._ask("2022-06-30"))
        told = self._ask("2022-07-01")
        self.assertEqual(told.user_id, self.coordinator | self.finance_officer)
        self.assertEqual(told.mapped("res_model"), ["grant.subsidy"] * 2)
        told.unlink()
        self.assertFalse(self._ask("2022-07-02"))
        self.assertEqual(self._ask("2023-01-01").mapped("res_model"), ["grant.contract"] * 2)

    def test_closed(self):
        self._ask("2022-07-01")
        self.ask(self.subsidy, "close", self.finance_manager)
        self.assertFalse(self.subsidy.activity_ids)
        self.assertFalse(self.subsidy.closing_checklist)
