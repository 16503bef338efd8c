from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..guard import transition

# Decisions that take back what was ordered, claimed or paid.
UNDOING = ("unpaid", "order_withdrawn", "claim_withdrawn")

# What accounting says was paid on the moves of our documents, by document and accounting date:
# what is reconciled on their payable and receivable lines. A move reversed by another was not paid.
ACCOUNTED = SQL(
    """SELECT move.grant_origin_model AS origin_model, move.grant_origin_id AS origin_id,
              other_move.date, sum(side.amount) AS amount
         FROM account_move move
         JOIN account_move_line line ON line.move_id = move.id
         JOIN account_account account ON account.id = line.account_id
          AND account.account_type IN ('liability_payable', 'asset_receivable')
         JOIN LATERAL (
                  SELECT credit_move_id AS other_id, amount
                    FROM account_partial_reconcile WHERE debit_move_id = line.id
                   UNION ALL
                  SELECT debit_move_id, amount
                    FROM account_partial_reconcile WHERE credit_move_id = line.id
              ) side ON TRUE
         JOIN account_move_line other ON other.id = side.other_id
         JOIN account_move other_move ON other_move.id = other.move_id
        WHERE move.grant_origin_id IS NOT NULL AND move.state = 'posted'
          AND other_move.state = 'posted' AND other_move.id <> move.id
          AND other_move.reversed_entry_id IS DISTINCT FROM move.id
          AND move.reversed_entry_id IS DISTINCT FROM other_move.id
     GROUP BY 1, 2, 3"""
)


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
        return live

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

    def _sync_ledger(self):
        """Bring the ledger to what accounting says of these documents, and their state with it.

        :raise UserError: the ledger refuses (R1), so accounting does not change either
        """
        if not self:
            return
        # sudo: accounting has decided, whoever may do that; the ledger and the documents follow
        documents = self.sudo()
        documents.env["grant.entry"]._begin_posting(documents.envelope_id)
        differences = documents._get_differences()
        for document in documents:
            for amount, date in differences.get(document.id, ()):
                if amount > 0:
                    document._check_accounted_date(date)
            lines = [
                {
                    "kind": self._accounted_kind,
                    "envelope_id": document.envelope_id.id,
                    "subsidy_id": document._get_accounted_subsidy().id,
                    "date": date,
                    "amount": amount,
                    "memo": document._get_accounted_memo(amount),
                }
                # What is taken back first: it makes room.
                for amount, date in sorted(differences.get(document.id, ()))
            ]
            if lines:
                document._post_entries(lines)
        documents._follow_accounting()

    def _check_accounted_date(self, date):
        """Refuse money at a date that makes no sense for this document; by default none does not.

        :raise UserError: naming the document and the date
        """

    def _get_accounted_subsidy(self):
        return self.subsidy_id

    def _get_accounted_partner(self):
        return self.partner_id

    def _get_accounted_memo(self, amount):
        """What the ledger says of money that moved on the entries of this document.

        :param float amount: euros; below zero, what was paid is taken back, for the reason of the
            act that does it
        """
        reason = self._get_undo_reason() if amount < 0 else False
        return reason or self._get_entry_memo()

    def _get_entry_memo(self):
        return self.display_name

    def _get_undo_reason(self):
        """Why what was paid is being taken back: the reason of the act that does it, which is
        this document's last decision by then; none when somebody undoes it in accounting."""
        last = self.decision_ids.sorted("id")[-1:]
        return last.reason if last.decision in UNDOING else False

    def _get_differences(self):
        """What accounting says beyond the ledger, or the other way round.

        :return: dict {id: list of (euros to post, accounting date)}
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT origin_id, date, sum(amount)
                     FROM (SELECT origin_id, date, amount FROM (%s) accounted
                            WHERE origin_model = %s AND origin_id = ANY(%s)
                            UNION ALL
                           SELECT origin_id, date, -amount FROM grant_entry
                            WHERE origin_model = %s AND origin_id = ANY(%s) AND kind = %s) sides
                 GROUP BY origin_id, date HAVING sum(amount) <> 0""",
                ACCOUNTED,
                self._name,
                self.ids,
                self._name,
                self.ids,
                self._accounted_kind,
            )
        )
        differences = {}
        for origin_id, date, amount in rows:
            differences.setdefault(origin_id, []).append((float(amount), date))
        return differences

    @api.model
    def _get_unbalanced(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose ledger and accounting differ."""
        documents = self.search([("envelope_id", "in", envelopes.ids)]).filtered(
            lambda document: document._is_accounted()
        )
        differences = documents._get_differences()
        return [
            self.env._(
                "%(document)s: on %(date)s accounting and the ledger differ by %(amount)s.",
                document=document.display_name,
                date=date,
                amount=document.currency_id.format(amount),
            )
            for document in documents
            for amount, date in differences.get(document.id, ())
        ]

    @api.model
    def _get_accounted_models(self):
        """Names of the models whose money goes through accounting."""
        names = self.pool.descendants(["grant.accounted.mixin"], "_inherit")
        return [name for name in sorted(names) if not self.env[name]._abstract]

    def _is_accounted(self):
        """Whether the city's accounting is where the money of this document moves."""
        return self.envelope_id.payment_path == "city"
