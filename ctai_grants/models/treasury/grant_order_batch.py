from odoo import api, models

from ...lib.guard.money import euros
from ...lib.treasury import pes
from ...lib.treasury.pes_return import is_number


class GrantOrderBatch(models.Model):
    """A batch as a file for the treasury, and what the treasury answers."""

    _name = "grant.order.batch"
    _inherit = ["grant.order.batch", "grant.pes.mixin"]

    def _get_pes_batch(self):
        pieces = [self._get_pes_piece(tranche, bill) for tranche, bill in self._get_bills().items()]
        return "DEP", pes.Batch(self.exercise, self.number, self.date, pieces)

    def _is_sent(self):
        return True

    def _get_pes_date(self):
        return self.date

    def _find_piece_gaps(self):
        gaps = []
        for tranche, bill in self._get_bills().items():
            gaps += self._find_number_gaps(tranche)
            gaps += self._find_account_gaps(bill)
            gaps += self._find_party_gaps(tranche.partner_id, bill.partner_bank_id, self.date)
        # Of an organisation with several orders: once.
        return list(dict.fromkeys(gaps))

    def _get_pes_piece(self, tranche, bill):
        files = self.env["ir.attachment"].search(
            [("res_model", "=", bill._name), ("res_id", "=", bill.id)], order="id"
        )
        # A mail that answers one of Odoo's comes to its order, whoever sent it.
        sent = [("message_type", "=", "email"), ("attachment_ids", "in", files.ids)]
        files -= self.env["mail.message"].search(sent).attachment_ids
        return pes.Piece(
            number=int(tranche.order_number),
            object=f"{tranche.subsidy_id.code} {tranche.name} {tranche.subsidy_id.name}",
            amount=euros(tranche.amount),
            account=bill._get_grant_account().code,
            service=tranche.subsidy_id.budget_service or "",
            function=tranche.subsidy_id.budget_function or "",
            party=self._get_pes_party(tranche.partner_id, bill.partner_bank_id, self.date),
            files=[pes.File(f.name, f.mimetype, f.raw, f.description or f.name) for f in files],
        )

    def _get_answered(self, answer):
        """The orders that an answer is about: all of the batch, or the one of that number."""
        return self.disbursement_ids.filtered(
            lambda order: not answer.number or is_number(order.order_number, answer.number)
        )

    @api.model
    def _find_answered(self, company):
        batches = self.search([("company_id", "=", company.id)])
        return [(("DEP", str(batch.exercise), str(batch.number)), batch) for batch in batches]
