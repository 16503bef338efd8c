from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantSubsidy(models.Model):
    """What the city spends itself: its costs in accounting, as far as they are committed."""

    _inherit = "grant.subsidy"

    _entry_kinds = ("commitment", "payment")

    # The period of a cost of the city says what it covers.
    date_start = fields.Date(wakes="_get_cost_envelopes")
    date_end = fields.Date(wakes="_get_cost_envelopes")

    cost_ids = fields.One2many(
        "grant.own.cost", "subsidy_id", string="Costs", compute="_compute_cost_ids"
    )
    not_covered_amount = fields.Monetary(
        string="Not Covered",
        compute="_compute_not_covered_amount",
        help="Costs of the city that are booked in its period, and beyond what it commits.",
    )

    @api.model
    def _get_decision_states(self):
        # What its costs are booked on was changed: it stays what it is.
        return {**super()._get_decision_states(), "cost_account": None}

    def _get_planned_amount(self):
        # What credit notes took off an order is not paid, and may be planned again.
        return super()._get_planned_amount() - sum(self.disbursement_ids.mapped("reduced_amount"))

    def _get_of_own_costs(self):
        """Of these, what the city spends itself: costs are counted from journal items, which forms
        and lists of operators' subsidies have no use for."""
        return self.filtered(lambda subsidy: subsidy.kind == "own_cost")

    @api.depends("kind")
    def _compute_cost_ids(self):
        costs = self.env["grant.own.cost"]
        if own := self._get_of_own_costs():
            costs = costs.search([("subsidy_id", "in", own.ids)])
        by_subsidy = costs.grouped("subsidy_id")
        for subsidy in self:
            subsidy.cost_ids = by_subsidy.get(subsidy._origin, costs.browse())

    @api.depends("paid_amount", "committed_amount")
    def _compute_not_covered_amount(self):
        costs = {}
        if own := self._get_of_own_costs():
            costs = dict(
                self.env["grant.own.cost"]._read_group(
                    [("subsidy_id", "in", own.ids), ("reason", "=", "ceiling")],
                    ["subsidy_id"],
                    ["not_covered_amount:sum"],
                )
            )
        for subsidy in self:
            subsidy.not_covered_amount = costs.get(subsidy._origin, 0.0)

    def _get_cost_envelopes(self):
        return self._get_of_own_costs().envelope_id

    def _check_costs_stay(self, days):
        """Refuse to take back what this cost of the city paid in a closed period.

        :param days: the accounting dates of what would be taken back
        :raise UserError: naming the cost of the city, the first of these days and the lock
        """
        journal = self.company_id.grant_payroll_journal_id
        for day in sorted(days)[:1]:
            if locks := self.company_id._get_grant_locks(day, journal):
                raise UserError(
                    self.env._(
                        "%(subsidy)s: what it paid on %(date)s, in a closed period, would be taken "
                        "back, %(lock)s. What a closed year says was paid stays: nothing was "
                        "changed.",
                        subsidy=self.display_name,
                        date=format_date(self.env, day),
                        lock=self.company_id._format_lock_dates(locks),
                    )
                )

    def _post_moved(self, lines):
        # Costs from before its new day leave first: they are not covered any more.
        self._get_cost_envelopes()._wake()
        return super()._post_moved(lines)

    def _prepare_signature(self):
        result = super()._prepare_signature()
        if self.kind == "own_cost":
            # Now: from the signature on, costs can be booked on it.
            self.envelope_id._get_analytic_account()
        return result

    @api.model
    def _get_unbalanced(self, envelopes):
        """Sentences naming the costs of ``envelopes`` whose ledger and accounting differ."""
        costs = self.search([("envelope_id", "in", envelopes.ids), ("kind", "=", "own_cost")])
        return [
            self.env._(
                "%(document)s: on %(date)s accounting and the ledger differ by %(amount)s.",
                document=subsidy.display_name,
                date=format_date(self.env, date),
                amount=subsidy.currency_id.format(amount),
            )
            for subsidy, date, amount in self.env["grant.own.cost"]._find_wrong_payments(costs)
        ]

    def _check_correction(self, name, date):
        result = super()._check_correction(name, date)
        if self.kind == "own_cost" and name == "signature_date" and date:
            first, end = sorted((self.signature_date, date))
            # The first one that it pays from now on, or not any more; later ones change with it.
            moved = self.cost_ids.filtered(lambda cost: first <= cost.date < end)
            for cost in moved.sorted("date")[:1]:
                journal = cost.move_id.journal_id
                if locks := self.company_id._get_grant_locks(cost.date, journal):
                    raise UserError(
                        self.env._(
                            "%(subsidy)s: with that day other costs are paid from %(date)s on, in "
                            "a closed period, %(lock)s. Nothing was changed.",
                            subsidy=self.display_name,
                            date=format_date(self.env, cost.date),
                            lock=self.company_id._format_lock_dates(locks),
                        )
                    )
        return result

    def _get_consequences(self, name, date):
        consequences = super()._get_consequences(name, date)
        if self.kind == "own_cost" and name == "signature_date" and date:
            before = self.cost_ids.filtered(lambda cost: cost.date < date)
            # What a later signature leaves out; later costs may take its place.
            if covered := self.currency_id.round(sum(before.mapped("covered_amount"))):
                consequences.append(
                    self.env._(
                        "%(amount)s of costs booked before %(date)s are not paid by it any more.",
                        amount=self.currency_id.format(covered),
                        date=format_date(self.env, date),
                    )
                )
        return consequences
