from odoo import api, fields, models
from odoo.exceptions import UserError

# Under this key of the context; no RPC payload can put an object there.
KEY = "grant_undone"


class Undone:
    """Says on which accounting date entries are undone, while their matches are taken away."""

    def __init__(self, days):
        self.days = days

    @classmethod
    def of(cls, env):
        """What is being undone: dict {id of the entry: accounting date}."""
        undone = env.context.get(KEY)
        return undone.days if type(undone) is cls else {}


class AccountMove(models.Model):
    """Payments taken back, and set-offs: at the accounting date of what undoes them."""

    _inherit = "account.move"

    def _post(self, soft=True):
        """Post; of grants, nothing at a date that Odoo would move."""
        # sudo: read together; below, move by move
        self.sudo().mapped("grant_origin_id")
        for move in self:
            undone = move.reversed_entry_id
            # sudo: whether it is one of ours, and no more
            ours = (move | undone).sudo()
            documents = any(ours.mapped("grant_origin_id")) or ours.grant_set_off_id
            # sudo: only whether it came from a file
            if documents or move.sudo().grant_file_sha256:
                move.company_id._check_grant_open(move.display_name, move.date, move.journal_id)
            # sudo: as above
            if undone.sudo().grant_origin_id and undone.state != "posted":
                move._refuse_grant_note(undone)
        self._check_grant_notes_left()
        return super()._post(soft)

    def _check_grant_notes_left(self):
        """Refuse credit notes of more than an order or claim has left: the rest moved already, and
        what moves back on a credit note is in no line of the ledger.

        :raise UserError: naming the order or claim and both amounts
        """
        # sudo: who posts may not read what is reversed
        for order, notes in self.sudo().grouped("reversed_entry_id").items():
            if not order.grant_origin_id:
                continue
            asked, left = sum(notes.mapped("amount_total")), order._get_grant_residual()
            if order.currency_id.compare_amounts(asked, left) > 0:
                raise UserError(
                    self.env._(
                        "%(order)s: %(left)s are left to settle, and its credit note is of "
                        "%(asked)s. It takes off what is not paid; what was paid and comes back "
                        "is claimed by a recovery, and a payment that was returned is taken back "
                        "itself.",
                        order=order.display_name,
                        left=order.currency_id.format(left),
                        asked=order.currency_id.format(asked),
                    )
                )

    def _reverse_moves(self, default_values_list=None, cancel=False):
        """Reverse; what paid a document of grants is taken back in the ledger on the date of the
        reversal."""
        if not cancel:
            return super()._reverse_moves(default_values_list, cancel)
        self._check_grant_notes()
        values_list = default_values_list or [{} for _move in self]
        days = {}
        for move, values in zip(self, values_list, strict=True):
            if move._get_reconciled_moves().filtered("grant_origin_id"):
                company = move.company_id
                day = fields.Date.to_date(values.get("date")) or company._grant_today()
                company._check_grant_open(move.display_name, day, move.journal_id)
                days[move.id] = values["date"] = day
        if not days:
            return super()._reverse_moves(default_values_list, cancel)
        undoing = self.with_context(**{KEY: Undone(days)})
        reversals = super(AccountMove, undoing)._reverse_moves(values_list, cancel)
        return reversals.with_env(self.env)

    def _follow_payments(self):
        """Look again at what these entries settle: they have changed."""
        settled = self._get_reconciled_moves().filtered("grant_origin_id")
        if settled:
            self.env["grant.settlement"]._check(settled)
            settled._sync_grant_ledger()

    def _check_grant_set_offs(self):
        """Refuse to take from accounting what a set-off rests on, while it stands.

        :raise UserError: naming the set-off
        """
        settled = self.env["grant.settlement"]._get(self.filtered("grant_origin_id"), "set_off")
        # sudo: who keeps the accounts is told which set-off it is
        set_offs = (self | settled.other_move_id).sudo().grant_set_off_id
        # sudo: likewise; the other debt may be no document of ours
        set_offs |= set_offs.search([
            ("state", "=", "done"), "|",
            ("debt_move_id", "in", self.ids), ("claim_move_id", "in", self.ids),
        ])  # fmt: skip
        set_offs._check_undone()

    @api.ondelete(at_uninstall=False)
    def _unlink_except_set_off(self):
        """An undone set-off is kept, and says what it set off."""
        # sudo: who keeps the accounts is told which set-off it is
        set_offs = self.env["grant.set.off"].sudo()
        for name in ("debt_move_id", "claim_move_id", "move_id"):
            for set_off in set_offs.search([(name, "in", self.ids)], limit=1):
                raise UserError(
                    self.env._(
                        "%(move)s stands in set-off “%(set_off)s”, which is kept. Cancel this "
                        "entry instead of deleting it.",
                        move=set_off[name].display_name,
                        set_off=set_off.display_name,
                    )
                )

    def _check_grant_notes(self):
        """Refuse to take an order or claim away under its credit note, which would be left over: a
        debt of the operator's that nobody owes.

        :raise UserError: naming both
        """
        # sudo: only whether they are ours, and what reduces them
        for move in self.sudo().filtered(lambda m: m.grant_origin_id and m.state == "posted"):
            notes = move.reversal_move_ids.filtered(
                lambda note: note.state == "posted" and not note._is_grant_reversed()
            )
            if notes:
                raise UserError(
                    self.env._(
                        "%(move)s is reduced by its credit note %(note)s, which would be left "
                        "over. Take that one back first: reset it to draft and cancel it, or "
                        "reverse it where its period is closed.",
                        move=move.display_name,
                        note=notes[0].display_name,
                    )
                )

    def _refuse_grant_note(self, order):
        raise UserError(
            self.env._(
                "%(note)s is a credit note of %(order)s, which is not posted: it would reduce "
                "nothing. Delete it, or post %(order)s again first.",
                note=self.display_name,
                order=order.display_name,
            )
        )

    def _cancel_grant_payments(self, day=None):
        """Take back what paid this move: unmatched, and reversed unless it paid others too; on the
        date of the payment, or the first one that is open. What the bank itself wrote down is not
        reversed: it stays open on the account of the operator.

        :param day: on which the money came back, where it had left
        :raise UserError: a set-off paid it, or that first day has not come yet
        """
        self.ensure_one()
        settled = self.env["grant.settlement"]._get(self, "money")
        if not settled:
            raise UserError(
                self.env._(
                    "%(move)s: no payment settles it. A set-off is undone where it was recorded.",
                    move=self.display_name,
                )
            )
        payments = settled.other_move_id.with_env(self.env)
        days = {
            move.id: move.company_id._get_grant_undo_day(
                move.display_name, max(move.date, day or move.date), move.journal_id
            )
            for move in payments
        }
        partials = self.env["account.partial.reconcile"].browse(settled.ids)
        partials.with_context(**{KEY: Undone(days)}).unlink()
        for move in payments:
            matched = move.line_ids.matched_debit_ids | move.line_ids.matched_credit_ids
            if move.state == "posted" and not matched and not move.statement_line_id:
                move._reverse_moves([{"date": days[move.id], "ref": move.ref}], cancel=True)
