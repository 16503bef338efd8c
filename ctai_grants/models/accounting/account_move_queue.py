from odoo import models


class AccountMove(models.Model):
    """Whoever posts in accounting what the ledger follows waits for its turn first.

    A journal gives numbers out one after the other, and holds the last one until the transaction
    ends. Orders and repayments wait for their envelope, then take a number: who took a number and
    then waited for the envelope would wait for them, and they for him.
    """

    _inherit = "account.move"

    def _post(self, soft=True):
        """Post, when it is our turn."""
        self._queue_for_grants()
        return super()._post(soft)

    def button_draft(self):
        """Reset to draft, when it is our turn."""
        self._queue_for_grants()
        return super().button_draft()

    def _reverse_moves(self, default_values_list=None, cancel=False):
        """Reverse, when it is our turn."""
        if cancel:
            self._queue_for_grants()
        return super()._reverse_moves(default_values_list, cancel)

    def _queue_for_grants(self):
        """Queue for the ledgers that follow these entries: of the orders and claims that they are
        or settle, and of the costs that they book."""
        envelopes = self._get_moves_of_costs().line_ids._get_cost_envelopes()
        for records in (self | self._get_reconciled_moves())._get_grant_documents().values():
            envelopes |= records.envelope_id
        self.env["grant.entry"]._begin_posting(envelopes)
