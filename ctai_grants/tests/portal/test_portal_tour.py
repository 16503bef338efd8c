"""The operator and the prefecture, in a browser; what staff does in between by its methods."""

from odoo.tests import tagged

from .test_portal import PortalCase


@tagged("post_install", "-at_install")
class TestPortalTour(PortalCase):
    def test_from_the_file_to_the_payment(self):
        subsidy = self.make_subsidy(name="Ateliers du soir")
        piece = self.make_deliverable(subsidy)
        budget = self.make_deliverable(subsidy, name="Budget")
        tranche = self.make_tranche(subsidy, deliverable_ids=piece.ids)
        self.sign(subsidy)

        self.start_tour("/my", "grants_operator_hands_in", login=self.operator_user.login)
        self.assertEqual(piece.state, "submitted")
        self.assertEqual(piece.last_version_id.name, "bilan.pdf (+ 1)")
        self.assertEqual(piece.last_version_id.comment, "Voici notre bilan")

        piece.with_user(self.coordinator).action_accept()
        budget.with_user(self.operator_user)._do_submit("budget.csv", b"a;b\n1;2\n")
        self.ask(budget, "send_back", self.coordinator, "La page 3 manque")
        self.pay(tranche)
        self.start_tour("/my", "grants_operator_reads_answer", login=self.operator_user.login)
        self.start_tour("/my", "grants_prefecture_reads_contract", login=self.prefecture_user.login)
