from ..closing.test_due import DueCase
from ..common import PDF


class TestOneReport(DueCase):
    """The financial report is one thing: accepted, no piece asks for it any more."""

    def _make_piece(self, subsidy):
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report")
        return self.make_deliverable(subsidy, name="Compte rendu", type_id=kind.id)

    def test_another_piece_is_waived(self):
        subsidy = self.make_paid_subsidy()
        awaited = self._make_piece(subsidy)
        report = self.accept(subsidy)
        self.assertEqual(awaited.state, "waived")
        self.assertIn(report.display_name, awaited.answer)
        # A paper that is no report is reviewed by itself.
        self.assertEqual(report.version_id.deliverable_id.state, "submitted")

    def test_its_own_piece_is_accepted(self):
        subsidy = self.make_paid_subsidy()
        piece = self._make_piece(subsidy)
        piece.with_user(self.both_roles)._do_submit("compte-rendu.pdf", PDF)
        self.accept(subsidy, version_id=piece.last_version_id.id)
        self.assertEqual(piece.state, "accepted")
