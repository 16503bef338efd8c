from odoo import api, models


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        partials = super().create(vals_list)
        partials._get_grant_moves()._sync_grant_ledger()
        return partials

    def unlink(self):
        moves = self._get_grant_moves()
        result = super().unlink()
        moves.exists()._sync_grant_ledger()
        return result

    def _get_grant_moves(self):
        moves = self.debit_move_id.move_id | self.credit_move_id.move_id
        return moves.filtered("grant_origin_id")
