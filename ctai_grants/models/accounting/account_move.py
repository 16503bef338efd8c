from contextlib import contextmanager

from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError

from ..guard import transition

ORIGIN_FIELDS = ("grant_origin_model", "grant_origin_id", "grant_set_off_id")


class AccountMove(models.Model):
    _inherit = "account.move"

    grant_origin_model = fields.Char(readonly=True, copy=False)
    grant_origin_id = fields.Many2oneReference(
        string="Grant Document",
        model_field="grant_origin_model",
        readonly=True,
        copy=False,
        index="btree_not_null",
    )

    grant_set_off_id = fields.Many2one(
        "grant.set.off", readonly=True, copy=False, ondelete="restrict", index="btree_not_null"
    )
    grant_file_sha256 = fields.Char(
        string="SHA-256 of the Imported File", readonly=True, copy=False, index="btree_not_null"
    )

    # What an order says: what is paid, to whom, where and when. Posted, it is changed by another
    # order, not by hand; what is written in a draft is looked at when it is posted.
    _grant_frozen_fields = frozenset({
        "move_type", "company_id", "journal_id", "currency_id", "invoice_currency_rate",
        "partner_id", "commercial_partner_id", "partner_shipping_id", "partner_bank_id",
        "date", "invoice_date", "invoice_date_due", "invoice_payment_term_id", "name", "ref",
        "payment_reference", "invoice_origin", "fiscal_position_id", "invoice_cash_rounding_id",
        "reversed_entry_id", "origin_payment_id", "statement_line_id",
        # Computed, and anybody's to write by RPC.
        "amount_untaxed", "amount_tax", "amount_total", "amount_residual", "payment_state",
    })  # fmt: skip

    @api.model_create_multi
    def create(self, vals_list):
        self, allowed = transition.spend(self, count=len(vals_list))
        moves = super().create(vals_list)
        # On what was made: a default comes from a context that anybody sends.
        for move in moves if not allowed else ():
            self._check_grant_origin({name: move[name] for name in ORIGIN_FIELDS})
        return moves

    def write(self, vals):
        self._check_grant_origin(vals)
        frozen = self._grant_frozen_fields.intersection(vals)
        if vals.get("state") == "posted" and frozen and self.filtered("grant_origin_id"):
            # What is checked is what will be posted.
            self.write({name: vals[name] for name in frozen})
        if frozen and vals.get("state", "posted") == "posted":
            for move in self:
                move._check_grant_unchanged(move, {name: vals[name] for name in frozen})
        if {"state", "date", "reversed_entry_id"}.isdisjoint(vals):
            with self._grant_facts_kept():
                return super().write(vals)
        if vals.get("state") == "posted":
            self._check_grant_documents()
        elif "state" in vals:
            self._check_grant_set_offs()
            self._check_grant_notes()
        concerned = (self | self._get_reconciled_moves()).filtered("grant_origin_id")
        with self._grant_facts_kept():
            result = super().write(vals)
        if vals.get("state") == "posted":
            self.env["grant.settlement"]._check(concerned)
        concerned._sync_grant_ledger()
        self._get_moves_of_costs().line_ids._sync_own_costs()
        return result

    def unlink(self):
        # Odoo often deletes none.
        if not self:
            return super().unlink()
        documents = self._get_grant_documents()
        envelopes = self._get_moves_of_costs().line_ids._get_cost_envelopes()
        result = super().unlink()
        for records in documents.values():
            records._sync_ledger()
        self.env["grant.own.cost"]._sync(envelopes)
        return result

    def _get_moves_of_costs(self):
        """These moves, and those that take them back: their costs belong where these belong."""
        found, moves = self.browse(), self
        while moves:
            found |= moves
            # sudo: who writes a move may not read what reverses it
            moves = moves.sudo().reversal_move_ids.with_env(self.env) - found
        return found

    def _check_grant_documents(self):
        """Refuse to post what does not say the same as the document it comes from."""
        moves = self.filtered("grant_origin_id")
        for model, documents in moves._get_grant_documents().items():
            documents._check_moves(
                {
                    move.grant_origin_id: move
                    for move in moves
                    if move.grant_origin_model == model and move.state != "posted"
                }
            )

    def _check_grant_unchanged(self, record, vals):
        """Refuse to change this move, or a line of it, while it is a posted one of ours.

        :param record: this move, or its line
        :raise UserError: naming the move and the field
        """
        self.ensure_one()
        if self.state != "posted" or not (self.grant_origin_id or self.grant_set_off_id):
            return
        currency = self.company_currency_id
        for name in sorted(vals):
            field = record._fields[name]
            new = field.convert_to_record(field.convert_to_cache(vals[name], record), record)
            if field.type in ("float", "monetary"):
                changed = currency.compare_amounts(new, record[name])
            else:
                changed = new != record[name]
            if changed:
                self._refuse_grant_change(field)

    def _refuse_grant_change(self, field):
        about = {"move": self.display_name, "field": field._description_string(self.env)}
        # sudo: only what it is called, and the entry is shown to this user
        if set_off := self.sudo().grant_set_off_id:
            raise UserError(
                self.env._(
                    "%(move)s is the entry of set-off “%(set_off)s”: “%(field)s” cannot be "
                    "changed. Undo the set-off, and record another one.",
                    set_off=set_off.display_name,
                    **about,
                )
            )
        if self.grant_origin_model == "grant.disbursement":
            raise UserError(
                self.env._(
                    "%(move)s is an order of a grant: “%(field)s” cannot be changed. Reset it "
                    "to draft, which takes the order back.",
                    **about,
                )
            )
        raise UserError(
            self.env._(
                "%(move)s is a claim of a grant: “%(field)s” cannot be changed. Reset it to draft, "
                "which takes the claim back.",
                **about,
            )
        )

    @contextmanager
    def _grant_facts_kept(self):
        """Refuse what changes a posted move of ours by way of another field: many are computed,
        and follow fields that are nobody's business.

        :raise UserError: as :meth:`_check_grant_unchanged`
        """
        before = self._get_grant_facts()
        yield
        after = self.browse(move.id for move in before).exists()._get_grant_facts()
        for move, facts in before.items():
            for name in sorted(facts if move in after else ()):
                if facts[name] != after[move][name]:
                    self._refuse_grant_change(move._fields[name])

    def _get_grant_facts(self):
        """What the posted moves of ours among these say: dict {move: {name of the field: value}}.
        Not what is left to pay, which accounting follows itself."""
        # sudo: compared, and shown to nobody
        posted = self.sudo().filtered(lambda move: move.grant_origin_id and move.state == "posted")
        names = self._grant_frozen_fields - {"amount_residual", "payment_state"}
        return {
            move: {
                **{name: move[name] for name in names},
                "line_ids": {line.id: line._get_grant_facts() for line in move.line_ids},
            }
            for move in posted
        }

    @api.model
    def _check_grant_origin(self, vals):
        if any(vals.get(name) for name in ORIGIN_FIELDS):
            raise AccessError(
                self.env._(
                    "The grant document of a journal entry is not typed in: order or claim it."
                )
            )

    def _get_reconciled_moves(self):
        """The moves whose lines are matched with lines of these."""
        lines = self.line_ids
        return (
            lines.matched_debit_ids.debit_move_id.move_id
            | lines.matched_credit_ids.credit_move_id.move_id
        )

    def _get_grant_documents(self):
        """The grant documents of these moves: dict {model name: records}."""
        ids = {}
        accounted = self.env["grant.accounted.mixin"]._get_accounted_models()
        for move in self:
            if move.grant_origin_model in accounted:
                ids.setdefault(move.grant_origin_model, []).append(move.grant_origin_id)
        return {
            # sudo: who keeps the accounts may not read the document that a move comes from
            model: self.env[model].sudo().browse(dict.fromkeys(found)).exists()
            for model, found in ids.items()
        }

    def _sync_grant_ledger(self, undone=None):
        """Let the ledger follow these moves.

        :param dict undone: as of :meth:`grant.accounted.mixin._sync_ledger`
        """
        for documents in self._get_grant_documents().values():
            documents._sync_ledger(undone)

    def _get_payment_lines(self):
        lines = self.line_ids.filtered(
            lambda line: line.account_id.account_type in ("liability_payable", "asset_receivable")
        )
        # Filtering forgets with whom they are read.
        return lines.with_prefetch(self.line_ids._prefetch_ids)

    def _get_grant_account(self):
        """The account that an order or claim is booked on, as the books of its city call it: the
        code of an account is another one in each company."""
        return self.invoice_line_ids.account_id.with_company(self.company_id)

    def _get_payment_moves(self):
        """The entries that settled this one, in whole or in part."""
        lines = self._get_payment_lines()
        paid = lines.matched_debit_ids.debit_move_id | lines.matched_credit_ids.credit_move_id
        return paid.move_id

    def _is_grant_reversed(self):
        """Whether this move is settled by its own reversal alone: nothing was paid.

        Odoo says “reversed” of what any credit note settles.
        """
        self.ensure_one()
        # What is open is not asked for what settled it: debts are added up of many claims.
        if not self.currency_id.is_zero(self.amount_residual):
            return False
        settled_by = self._get_payment_moves()
        return bool(settled_by) and all(
            move.reversed_entry_id == self and not move.origin_payment_id for move in settled_by
        )

    def _register_grant_payment(self, date, amount, reference=None):
        """Book a payment of these moves in the treasury's journal.

        :param date: accounting date
        :param float amount: euros
        :param str reference: the treasury's reference
        :raise UserError: the treasury's journal is not set up
        """
        self.ensure_one()
        journal = self.company_id._get_grant_journal("payment")
        register = (
            self.env["account.payment.register"]
            .with_context(active_model="account.move", active_ids=self.ids)
            .create(
                {
                    "journal_id": journal.id,
                    "payment_date": date,
                    # Of several accounts Odoo would take one that is still verified.
                    "partner_bank_id": self.partner_bank_id.id,
                    "amount": amount,
                    "communication": reference or self.ref or self.name,
                }
            )
        )
        register._create_payments()

    def _get_grant_residual(self):
        """What is not paid yet: what is matched with a draft is not paid."""
        self.ensure_one()
        lines = self._get_payment_lines()
        drafts = lines.matched_debit_ids.filtered(
            lambda partial: partial.debit_move_id.parent_state != "posted"
        ) | lines.matched_credit_ids.filtered(
            lambda partial: partial.credit_move_id.parent_state != "posted"
        )
        return self.amount_residual + sum(drafts.mapped("amount"))

    def action_open_grant_document(self):
        """Open the tranche or claim that this journal entry comes from."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.grant_origin_model,
            "res_id": self.grant_origin_id,
            "views": [(False, "form")],
        }
