from odoo import api, models


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
        before = posted._get_cost_envelopes()
        if frozen:
            for line in self:
                line.move_id._check_grant_unchanged(line, {name: vals[name] for name in frozen})
        with (self.move_id | self.move_id.browse(vals.get("move_id")))._grant_facts_kept():
            result = super().write(vals)
        posted._sync_own_costs(before)
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
        keys = {key for line in costs for key in line.analytic_distribution}
        accounts = [int(part) for key in keys for part in key.split(",")]
        # sudo: likewise
        envelopes = self.env["grant.envelope"].sudo()
        if not accounts:
            return envelopes
        return envelopes.search([
            ("analytic_account_id", "in", accounts), ("payment_path", "=", "city")
        ])  # fmt: skip

    def _sync_own_costs(self, before=None):
        """Let the ledger follow these items: what they are costs of now, and were ``before``."""
        envelopes = self._get_cost_envelopes()
        self.env["grant.own.cost"]._sync(envelopes | before if before else envelopes)
