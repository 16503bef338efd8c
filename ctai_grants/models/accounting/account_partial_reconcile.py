from odoo import api, models
from odoo.exceptions import UserError

from .account_move_undone import Undone


class AccountPartialReconcile(models.Model):
    _inherit = "account.partial.reconcile"

    @api.model_create_multi
    def create(self, vals_list):
        sides = ("debit_move_id", "credit_move_id")
        ids = {vals.get(side) for vals in vals_list for side in sides} - {None, False}
        self.env["account.move.line"].browse(ids).move_id._queue_for_grants()
        partials = super().create(vals_list)
        partials._check_grant_amounts()
        moves = partials._get_grant_moves()
        self.env["grant.settlement"]._check(moves, partials)
        moves._sync_grant_ledger()
        return partials

    def write(self, vals):
        """What is matched with an order or claim is undone, and matched again: never changed.

        :raise UserError: naming the order or claim
        """
        sides = filter(None, (vals.get("debit_move_id"), vals.get("credit_move_id")))
        becoming = self.env["account.move.line"].browse(sides).move_id
        moves = self._get_grant_moves() | becoming.filtered("grant_origin_id")
        for name in ("amount", "debit_move_id", "credit_move_id"):
            if moves and name in vals:
                raise UserError(
                    self.env._(
                        "%s: what settles it is not changed by hand. Unmatch the entry, and match "
                        "it again.",
                        moves[0].display_name,
                    )
                )
        return super().write(vals)

    def unlink(self):
        moves = self._get_grant_moves()
        moves._queue_for_grants()
        self._check_grant_set_offs()
        undone = self._get_undone_days() if moves else {}
        result = super().unlink()
        moves.exists()._sync_grant_ledger(undone)
        return result

    def _check_grant_amounts(self):
        """Refuse a match with an order or claim that no bookkeeping makes: it joins a debit and a
        credit of one account, by no more than either has. Odoo's own reconciliation adds that up;
        by RPC, who keeps invoices makes matches of any amount.

        :raise UserError: naming the document, what it would be matched with and the amount
        """
        for partial in self:
            moves = partial._get_grant_moves()
            if moves and not partial._is_bookkeeping():
                (documents, *_others) = moves._get_grant_documents().values()
                debit, credit = partial.debit_move_id, partial.credit_move_id
                other = credit if debit.move_id.grant_origin_id else debit
                raise UserError(
                    self.env._(
                        "%(document)s: %(amount)s cannot be matched with %(other)s. A match joins "
                        "a debit and a credit of one account, and neither is matched by more than "
                        "it has (%(debit)s and %(credit)s). Register the payment that was made.",
                        document=documents[0].display_name,
                        amount=partial.company_currency_id.format(partial.amount),
                        other=other.move_id.display_name,
                        debit=partial.company_currency_id.format(abs(debit.balance)),
                        credit=partial.company_currency_id.format(abs(credit.balance)),
                    )
                )

    def _is_bookkeeping(self):
        """Whether this match joins a debit and a credit of one account, none of them by more than
        it has."""
        debit, credit = self.debit_move_id, self.credit_move_id
        return (
            debit.account_id == credit.account_id
            and credit.balance <= 0 <= debit.balance
            and all(
                self.company_currency_id.compare_amounts(
                    sum((item.matched_debit_ids | item.matched_credit_ids).mapped("amount")),
                    abs(item.balance),
                ) <= 0
                for item in (debit, credit)
            )
        )

    def _get_undone_days(self):
        """On which accounting date what these matches paid is undone, where an entry says it: dict
        {date of the payment: date of the entry that reverses it}."""
        being_undone, days = Undone.of(self.env), {}
        for move in (self.debit_move_id | self.credit_move_id).move_id:
            reversals = move.reversal_move_ids.filtered(lambda entry: entry.state == "posted")
            if move.grant_origin_id or not (reversals or move.id in being_undone):
                continue
            days[move.date] = being_undone.get(move.id) or max(reversals.mapped("date"))
        return days

    def _check_grant_set_offs(self):
        """Refuse to unmatch by hand what was set off.

        :raise UserError: naming the set-off
        """
        moves = (self.debit_move_id | self.credit_move_id).move_id
        # sudo: who keeps the accounts is told which set-off it is
        for set_off in moves.sudo().grant_set_off_id:
            set_off._check_undone()

    def _get_grant_moves(self):
        moves = self.debit_move_id.move_id | self.credit_move_id.move_id
        return moves.filtered("grant_origin_id")
