from odoo import api, models
from odoo.exceptions import UserError


class AccountMoveLine(models.Model):
    _inherit = "account.move.line"

    # What an order says. Posted, it is changed by another order, not by hand.
    _grant_frozen_fields = frozenset({
        "account_id", "partner_id", "debit", "credit", "balance", "amount_currency", "currency_id",
        "price_unit", "quantity", "discount", "tax_ids", "analytic_distribution", "date_maturity",
        "date",
        # Computed, and anybody's to write by RPC.
        "price_subtotal", "price_total", "amount_residual", "amount_residual_currency",
        "reconciled",
    })  # fmt: skip

    # What makes an item a cost of an envelope.
    _own_cost_fields = frozenset({
        "account_id", "debit", "credit", "balance", "amount_currency", "analytic_distribution",
        "date",
    })  # fmt: skip

    # What makes an entry that is matched with an order a payment of it, or not; to whom, too.
    _paying_fields = frozenset({"account_id", "debit", "credit", "balance", "partner_id"})

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        for move in lines.move_id:
            if move.grant_origin_id and move.state == "posted":
                move._refuse_grant_change(move._fields["line_ids"])
        lines.filtered(lambda line: line.parent_state == "posted")._sync_own_costs()
        return lines

    def write(self, vals):
        frozen = self._grant_frozen_fields.intersection(vals)
        is_cost = not self._own_cost_fields.isdisjoint(vals)
        posted = self.filtered(lambda line: is_cost and line.parent_state == "posted")
        changed = self.browse()
        if "analytic_distribution" in vals:
            shares = vals["analytic_distribution"]
            changed = posted.filtered(lambda line: line.analytic_distribution != shares)
        changed._check_cost_open()
        before = posted._get_cost_envelopes()
        self.env["grant.entry"]._begin_posting(before)
        if frozen:
            for line in self:
                line.move_id._check_grant_unchanged(line, {name: vals[name] for name in frozen})
        with (self.move_id | self.move_id.browse(vals.get("move_id")))._grant_facts_kept():
            result = super().write(vals)
        changed._check_cost_open()
        posted._sync_own_costs(before)
        if not self._paying_fields.isdisjoint(vals):
            self.move_id.filtered(lambda move: move.state == "posted")._follow_payments()
        return result

    def unlink(self):
        with self.move_id._grant_facts_kept():
            return super().unlink()

    def _get_grant_facts(self):
        """What a line of an order says."""
        names = self._grant_frozen_fields - {
            "amount_residual", "amount_residual_currency", "reconciled"
        }  # fmt: skip
        return {name: self[name] for name in names}

    def _get_cost_envelopes(self):
        """The envelopes that these items are costs of (:mod:`grant_own_cost`)."""
        # sudo: who keeps the accounts may not read the settings and envelopes of grants
        chosen = self.sudo().company_id.grant_own_cost_account_ids
        costs = self.filtered(lambda line: line.analytic_distribution and line.account_id in chosen)
        accounts = [account for line in costs for account, _share in line._get_analytic_shares()]
        # sudo: likewise
        envelopes = self.env["grant.envelope"].sudo()
        if not accounts:
            return envelopes
        return envelopes.search([
            ("analytic_account_id", "in", accounts), ("payment_path", "=", "city")
        ])  # fmt: skip

    def _get_analytic_shares(self):
        """The analytic accounts of this item: list of (id, share in per cent)."""
        self.ensure_one()
        return [
            (int(account), share)
            for key, share in (self.analytic_distribution or {}).items()
            for account in key.split(",")
        ]

    def _check_cost_open(self):
        """Refuse to book a cost of a closed period elsewhere: accounting lets analytic shares
        change there, and the ledger's payments of that period would.

        :raise UserError: naming the entry and the lock
        """
        for line in self:
            locks = line.company_id._get_grant_locks(line.date, line.move_id.journal_id)
            if locks and line._get_cost_envelopes():
                raise UserError(
                    self.env._(
                        "%(move)s is a cost of a grant in a closed period, %(lock)s: its analytic "
                        "shares stay. Book the difference by an entry of an open day.",
                        move=line.move_id.display_name,
                        lock=line.company_id._format_lock_dates(locks),
                    )
                )

    def _sync_own_costs(self, before=None):
        """Let the ledger follow these items: what they are costs of now, and were ``before``."""
        envelopes = self._get_cost_envelopes()
        if envelopes:
            self._check_cost_shares(envelopes)
        self.env["grant.own.cost"]._sync(envelopes | before if before else envelopes)

    def _check_cost_shares(self, envelopes):
        """Refuse a cost that is booked on envelopes by more than itself, or by less than nothing.

        :raise UserError: naming the entry, the item and its shares
        """
        chosen = self.sudo().company_id.grant_own_cost_account_ids  # sudo: as above
        of_envelopes = set(envelopes.analytic_account_id.ids)
        for line in self:
            if line.parent_state != "posted" or line.account_id not in chosen:
                continue
            shares = [
                share for account, share in line._get_analytic_shares() if account in of_envelopes
            ]
            # Odoo keeps two decimals of a share, and adds them up as floats.
            if any(share < 0 for share in shares) or sum(shares) > 100.001:
                raise UserError(
                    self.env._(
                        "%(move)s, “%(item)s”: %(shares)s of it are booked on envelopes of grants. "
                        "Each share is between 0 and 100 %%, and together they are 100 %% at most: "
                        "a cost counts once.",
                        move=line.move_id.display_name,
                        item=line.name or line.account_id.display_name,
                        shares=" + ".join(f"{share:g} %" for share in shares),
                    )
                )
