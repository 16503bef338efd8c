from odoo.tests import tagged

from ..common import GrantsCommon


@tagged("post_install", "-at_install")
class TestFinding(GrantsCommon):
    """What the night finds is told until it holds again."""

    def verify(self):
        self.env.flush_all()
        self.env["grant.finding"]._cron_verify()
        self.env.flush_all()
        return self.env["grant.finding"].search([("company_id", "=", self.company.id)])

    def change(self, subsidy, state):
        self.env.cr.execute(
            "UPDATE grant_subsidy SET state = %s WHERE id = %s", [state, subsidy.id]
        )
        self.env.invalidate_all()

    def get_tile(self, user):
        tiles = self.env["grant.today"].with_user(user).get_today()["tiles"]
        return next((tile for tile in tiles if tile["key"] == "findings"), None)

    def test_found_told_and_gone(self):
        subsidy = self.sign(self.make_subsidy())
        self.assertFalse(self.verify())
        self.assertFalse(self.get_tile(self.finance_manager))
        # What no method of ours writes.
        self.change(subsidy, "draft")
        found = self.verify()
        self.assertTrue(found)
        self.assertIn(subsidy.code, " ".join(found.mapped("sentence")))
        self.assertEqual(self.get_tile(self.finance_manager)["count"], len(found))
        self.assertFalse(self.get_tile(self.coordinator))
        # The seals of all tables are not one city's.
        findings, everywhere = self.env["grant.finding"], [("company_id", "=", False)]
        self.assertTrue(findings.with_user(self.administrator).search(everywhere))
        self.assertFalse(findings.with_user(self.finance_manager).search(everywhere))
        moment = found.mapped("found_at")
        self.assertEqual(self.verify().mapped("found_at"), moment, "since when, not seen again")
        self.change(subsidy, "signed")
        self.assertFalse(self.verify())

    def test_in_the_language_of_the_city(self):
        self.env["res.lang"]._activate_lang("fr_FR")
        self.company.partner_id.lang = "fr_FR"
        subsidy = self.sign(self.make_subsidy())
        self.change(subsidy, "draft")
        french = self.env["grant.entry"].with_context(lang="fr_FR")
        expected = french._verify(self.contract.envelope_ids.with_env(french.env))
        self.assertLessEqual(set(expected), set(self.verify().mapped("sentence")))
