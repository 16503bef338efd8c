from unittest.mock import patch

from odoo.exceptions import UserError
from odoo.tests import tagged

from odoo.addons.ctai_grants.tests.common import GrantsCommon
from odoo.addons.ctai_grants.tests.pdf_rules import find_faults


@tagged("post_install", "-at_install")
class TestLettersOfDocuments(GrantsCommon):
    """Award notice and convention, with their PDF."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.letters = cls.env["grant.letter"]
        cls.operator_user.email = "tresoriere@asso.example"
        cls.company.partner_id.email = "mairie@ville.example"
        cls.subsidy = cls.make_subsidy(amount=30000).with_env(cls.env)

    def run_queue(self):
        known = self.env["mail.mail"].search([])
        with patch.object(self.registry["ir.cron"], "_commit_progress", lambda *_, **__: 600):
            self.letters._cron_send()
        return self.env["mail.mail"].search([], order="id") - known

    def open_window(self, subsidies, action):
        found = getattr(subsidies.with_user(self.coordinator), action)()
        return self.env[found["res_model"]].with_user(self.coordinator).browse(found["res_id"])

    def grant(self):
        self.subsidy.with_user(self.coordinator).action_grant()

    def test_by_hand(self):
        self.assertIn("state", self.open_window(self.subsidy, "action_send_award_notice").problem)
        self.grant()
        for kind, part in (("award_notice", "30,000.00"), ("convention", "signed")):
            window = self.open_window(self.subsidy, f"action_send_{kind}")
            self.assertIn(part, window.body)
            window.action_send()
            [mail] = self.run_queue()
            self.assertEqual(find_faults(mail.attachment_ids.raw), [])
            self.assertEqual(mail.subject, window.subject)
            self.assertIn("sent already", self.open_window(
                self.subsidy, f"action_send_{kind}").problem)  # fmt: skip

    def test_by_themselves(self):
        """The convention only where the law asks for one."""
        self.contract.write({"sends_award_notice": True, "sends_convention": True})
        self.grant()
        self.other_operator_user.email = False
        small = self.make_subsidy(amount=100, partner_id=self.other_operator.id)
        small.action_grant()
        letters = self.letters.search([], order="id")
        self.assertEqual(
            [(letter.kind, letter.subsidy_id) for letter in letters],
            [
                ("award_notice", self.subsidy), ("convention", self.subsidy),
                ("award_notice", small),
            ],
        )  # fmt: skip
        self.assertEqual(len(self.run_queue()), 2)
        self.assertEqual(
            letters.mapped("state"), ["outgoing", "outgoing", "blocked"], "it has no address"
        )

    def test_signed_or_cancelled_meanwhile(self):
        self.contract.write({"sends_award_notice": True, "sends_convention": True})
        self.grant()
        self.subsidy.with_user(self.coordinator).action_sign()
        [mail] = self.run_queue()
        self.assertIn("granted", mail.subject)
        other = self.make_subsidy(amount=100)
        other.action_grant()
        letters = self.letters.search([("subsidy_id", "=", other.id)])
        self.ask(other, "cancel", self.coordinator)
        self.assertFalse(self.run_queue())
        self.assertEqual(set(letters.mapped("state")), {"cancelled"})
        self.assertIn("Cancelled", letters[0].problem)

    def test_granted_anew(self):
        """A second award is told, too; the first letter is not taken for it."""
        self.contract.sends_award_notice = True
        self.grant()
        self.subsidy.with_user(self.coordinator).action_reset_to_draft()
        self.subsidy.amount = 25000
        self.grant()
        [mail] = self.run_queue()
        self.assertIn("25,000.00", mail.subject)
        self.assertEqual(
            self.letters.search([], order="id").mapped("state"), ["cancelled", "outgoing"]
        )

    def test_no_pdf(self):
        self.contract.sends_award_notice = True
        self.grant()
        with patch.object(
            self.registry["grant.pdf.mixin"], "_typeset", side_effect=UserError("unusual signs")
        ):
            self.assertFalse(self.run_queue())
        self.assertIn("unusual signs", self.letters.search([]).problem)
