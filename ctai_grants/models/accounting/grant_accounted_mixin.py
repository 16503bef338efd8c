from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ..guard import transition


class GrantAccountedMixin(models.AbstractModel):
    """A document whose money goes through accounting (R6).

    Its journal entries name it as their origin. What accounting reconciles with them, by
    accounting date, is what the ledger says of it: whatever changes there (payment, part of one,
    reconciliation undone, reversal, reset), :meth:`_sync_ledger` posts the difference.
    """

    _name = "grant.accounted.mixin"
    _description = "Document in Accounting"
    _inherit = ["grant.source.mixin"]

    @property
    def _accounted_kind(self):
        """Kind of the ledger entries that follow accounting."""
        (kind,) = self._entry_kinds
        return kind

    move_ids = fields.One2many(
        "account.move",
        "grant_origin_id",
        string="Journal Entries",
        domain=lambda self: [("grant_origin_model", "=", self._name)],
        readonly=True,
        copy=False,
    )

    def action_view_moves(self):
        """Open the journal entries of these documents."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Journal Entries"),
            "res_model": "account.move",
            "view_mode": "list,form",
            "domain": [("id", "in", self.move_ids.ids)],
            "context": {"create": False},
        }

    def action_set_off(self):
        """Open the form of a set-off (:mod:`grant_set_off`) of what is owed on this document."""
        move = self._get_live_move()
        side = "debt_move_id" if move.move_type == "in_invoice" else "claim_move_id"
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Set-Off"),
            "res_model": "grant.set.off",
            "view_mode": "form",
            "context": {f"default_{side}": move.id},
        }

    def _get_live_move(self):
        """The posted move of this document that is not reversed, if there is one.

        :raise UserError: there are two
        """
        self.ensure_one()
        live = self.move_ids.filtered(
            lambda move: move.state == "posted" and not move._is_grant_reversed()
        )
        if len(live) > 1:
            raise UserError(
                self.env._(
                    "%(document)s would be in accounting twice: %(moves)s. Reverse or cancel one "
                    "of them first.",
                    document=self.display_name,
                    moves=", ".join(live.mapped("display_name")),
                )
            )
        # Filtering forgets with whom it is read: debts are added up of many documents.
        return live.with_prefetch(self.move_ids._prefetch_ids)

    def _create_moves(self, vals_list):
        """Make and post the journal entry of each of these documents, in order.

        :param list vals_list: values of ``account.move``, one for each document
        :raise UserError: a document has an entry in accounting already
        """
        for document in self:
            open_move = document.move_ids.filtered(
                lambda move: move.state != "cancel" and not move._is_grant_reversed()
            )
            if open_move:
                raise UserError(
                    self.env._(
                        "%(document)s is in accounting already (%(move)s): cancel or delete that "
                        "entry first.",
                        document=document.display_name,
                        move=open_move[0].display_name,
                    )
                )
        for document, vals in zip(self, vals_list, strict=True):
            journal = self.env["account.journal"].browse(vals["journal_id"])
            document.company_id._check_grant_open(document.display_name, vals["date"], journal)
        vals_list = [
            {**vals, "grant_origin_model": self._name, "grant_origin_id": document.id}
            for document, vals in zip(self, vals_list, strict=True)
        ]
        moves = transition.creating(self.env["account.move"], vals_list).create(vals_list)
        self.invalidate_recordset(["move_ids"])
        moves._post(soft=False)
        return moves

    def _prepare_move(self, move_type, account, date, label, **values):
        """Values of the journal entry of this document: one line of its amount, without tax.

        :param str move_type: as on ``account.move``
        :param account: the account of the line
        :param date: accounting date, and that of the document
        :param str label: of the line
        """
        self.ensure_one()
        journal = "purchase" if move_type in ("in_invoice", "in_refund") else "sale"
        analytic = self.envelope_id._get_analytic_account()
        line = {
            "name": label,
            "quantity": 1,
            "price_unit": self.amount,
            "account_id": account.id,
            "tax_ids": [Command.clear()],
            "analytic_distribution": {str(analytic.id): 100} if analytic else False,
        }
        return {
            "move_type": move_type,
            "company_id": self.company_id.id,
            "journal_id": self.company_id._get_grant_journal(journal).id,
            "partner_id": self._get_accounted_partner().id,
            "currency_id": self.currency_id.id,
            "invoice_date": date,
            "date": date,
            "invoice_date_due": date,
            "invoice_payment_term_id": False,
            "invoice_line_ids": [Command.create(line)],
            **values,
        }

    def _check_moves(self, moves):
        """Refuse that the moves of these documents are posted, when they do not say the same.

        :param dict moves: {id of the document: its move}
        :raise UserError: amount, organisation or account differ, or it is not its turn
        """
        raise NotImplementedError

    def _check_same(self, move, values):
        """Refuse a move that does not say what this document says: of its organisation, amount
        and dates, on its account and to its bank account.

        :param dict values: of the move, as this document prepares it
        :raise UserError: naming the fields that differ
        """
        if wrong := self._get_wrong_fields(move, values):
            raise UserError(
                self.env._(
                    "%(move)s is for %(document)s, and does not say the same: %(fields)s. Delete "
                    "it and begin again from %(document)s.",
                    move=move.display_name,
                    document=self.display_name,
                    fields=", ".join(
                        move._fields[name]._description_string(self.env) for name in wrong
                    ),
                )
            )

    def _get_wrong_fields(self, move, values):
        """Names of the fields of a move that are not as in ``values``, its lines included."""
        ((_command, _id, line),) = values["invoice_line_ids"]
        wrong = [
            name
            for name, value in values.items()
            if name not in ("invoice_line_ids", "invoice_payment_term_id")
            and self._is_changed(move, name, value)
        ]
        if not self._has_amount(move):
            wrong.append("amount_total")
        # Money that comes in comes to an account of the city's.
        holder = move.partner_bank_id.partner_id.commercial_partner_id
        if move.move_type != "in_invoice" and holder not in (holder.browse(), move.bank_partner_id):
            wrong.append("partner_bank_id")
        lines = move.invoice_line_ids
        costs = [item.analytic_distribution or False for item in lines]
        if lines.account_id.ids != [line["account_id"]] or any(
            cost != line["analytic_distribution"] for cost in costs
        ):
            wrong.append("invoice_line_ids")
        return wrong

    def _has_amount(self, move):
        """Whether a move is of this document's amount: what its lines book, as what it shows."""
        booked = abs(sum(move._get_payment_lines().mapped("balance")))
        return move.currency_id == self.currency_id and not any(
            self.currency_id.compare_amounts(amount, self.amount)
            for amount in (move.amount_total, booked)
        )

    def _book_payment(self, date, amount, reference=None):
        """Book money in the treasury's journal, on the live move of this document.

        :param date: accounting date
        :param float amount: euros, at most what is left
        :param str reference: the payer's or the treasury's
        :raise UserError: more than what is left, or no move
        """
        self.ensure_one()
        move = self._get_live_move()
        left = move._get_grant_residual() if move else 0.0
        self._check_amounts({"amount": amount})
        if not 0 < self.currency_id.round(amount) <= self.currency_id.round(left):
            raise UserError(
                self.env._(
                    "%(document)s: %(left)s left to pay, %(asked)s asked.",
                    document=self.display_name,
                    left=self.currency_id.format(left),
                    asked=self.currency_id.format(amount),
                )
            )
        journal = self.company_id._get_grant_journal("payment")
        self.company_id._check_grant_open(self.display_name, fields.Date.to_date(date), journal)
        if self.currency_id.compare_amounts(amount, move.amount_residual) > 0:
            raise UserError(
                self.env._(
                    "%(document)s is matched with a payment in draft: post or delete that one "
                    "first.",
                    document=self.display_name,
                )
            )
        move._register_grant_payment(date, amount, reference)

    def _follow_accounting(self):
        """Move these documents to the state that their journal entries say."""
        raise NotImplementedError

    def _get_accounted_subsidy(self):
        return self.subsidy_id

    def _get_accounted_partner(self):
        return self.partner_id

    @api.model
    def _get_accounted_models(self):
        """Names of the models whose money goes through accounting."""
        names = self.pool.descendants(["grant.accounted.mixin"], "_inherit")
        return [name for name in sorted(names) if not self.env[name]._abstract]

    def _is_accounted(self):
        """Whether the city's accounting is where the money of this document moves."""
        return self.envelope_id.payment_path == "city"
