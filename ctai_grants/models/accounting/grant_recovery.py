from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantRecovery(models.Model):
    """The claim of a repayment in the city's accounting: a reduction of an order of the same year
    (credit note on its account) when one is paid that covers the amount, a claim of its own (titre
    de recette, a customer invoice) otherwise, the years of the payments being closed."""

    _name = "grant.recovery"
    # The mixin first: what it says of accounting goes before what the ledger's source says.
    _inherit = ["grant.accounted.mixin", "grant.recovery"]

    reduced_disbursement_id = fields.Many2one(
        "grant.disbursement", string="Order Reduced", readonly=True, ondelete="restrict",
        copy=False, help="Of the year of the claim; none when the years of payment are closed.",
    )  # fmt: skip

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "claim_withdrawn": "decided"}

    @api.depends("move_ids.amount_residual", "move_ids.state")
    def _compute_residual_amount(self):
        """What accounting gave up of a claim (admission en non-valeur) is not outstanding."""
        result = super()._compute_residual_amount()
        # sudo: whoever sees the recovery sees what is outstanding of it
        for recovery, its_sudo in zip(self, self.sudo(), strict=True):
            claim = recovery.state == "claimed" and its_sudo._get_live_move()
            if claim:
                recovery.residual_amount = claim._get_grant_residual()
        return result

    def _claim(self, date):
        if not self._is_accounted():
            return super()._claim(date)
        # Before the entry: it says of which type that is, and on which account.
        self._transition(reduced_disbursement_id=self._get_order_to_reduce(date).id)
        return self._create_moves([self._prepare_claim(date)])

    def _collect(self, date, amount, reference):
        if not self._is_accounted():
            return super()._collect(date, amount, reference)
        return self._book_payment(date, amount, reference)

    def _take_repayment_back(self, reason):
        if not self._is_accounted():
            return super()._take_repayment_back(reason)
        # The decision first, with its reason: accounting then follows what is decided.
        self._decide("unpaid", reason, collected_date=False)
        return self._get_live_move()._cancel_grant_payments()

    def _get_order_to_reduce(self, date):
        """The paid tranche whose order is reduced: of the year of ``date``, and not reduced by
        more than its amount; or none, and the claim stands by itself."""
        self.ensure_one()
        # Those collected or given up too: what they reduced stays reduced.
        claimed = self.subsidy_id.recovery_ids.filtered(
            lambda recovery: recovery.state in ("claimed", "collected", "waived")
        )
        # Before it was paid there was nothing to reduce.
        paid = self.subsidy_id.disbursement_ids.filtered(
            lambda tranche: tranche.state == "paid" and tranche.paid_date <= date
        )
        for tranche in paid.sorted("paid_date", reverse=True):
            # sudo: who claims may not read every journal entry
            bill = tranche.sudo()._get_live_move()
            reduced = claimed.filtered(lambda recovery, t=tranche: recovery._reduces(t))
            room = tranche.amount - tranche.reduced_amount - self.amount
            room -= sum(recovery._get_reducing_amount() for recovery in reduced)
            if (
                bill
                and bill.date.year == date.year
                and self.currency_id.compare_amounts(room, 0) >= 0
            ):
                return tranche
        return self.env["grant.disbursement"]

    def _check_reduced_order(self, date):
        """Refuse a credit note that would reduce an order of another year, or of a later day:
        posted again at another date, what it is has to be chosen anew.

        :raise UserError: naming the recovery, the order and both dates
        """
        reduced = self.reduced_disbursement_id
        # sudo: who claims may not read every journal entry
        bill = reduced.sudo()._get_live_move() if reduced else self.env["account.move"]
        if reduced and not (
            bill and bill.date.year == date.year and reduced.paid_date and reduced.paid_date <= date
        ):
            raise UserError(
                self.env._(
                    "%(recovery)s: a claim of %(date)s does not reduce the order %(order)s any "
                    "more, of %(ordered)s. Delete this entry, and claim the repayment again.",
                    recovery=self.display_name,
                    date=format_date(self.env, date),
                    order=reduced.order_number or reduced.display_name,
                    ordered=format_date(self.env, reduced.order_date) or self.env._("no date"),
                )
            )

    def _reduces(self, tranche):
        return self.reduced_disbursement_id == tranche

    def _get_reducing_amount(self):
        """Euros that the credit note of this claim takes off its order: none, once it is taken
        back; less, where it is reversed in part."""
        # sudo: who claims may not read every journal entry
        claim = self.sudo()._get_live_move()
        reversed_by = self.env["grant.settlement"]._get(claim, "reversal")
        return claim.amount_total - sum(reversed_by.mapped("amount"))

    def _get_claim_account(self, date):
        if tranche := self.reduced_disbursement_id:
            return tranche._get_bill_account(date)
        # sudo: set up by the administrator, for whoever claims
        return self.env["grant.account"].sudo()._get(self.company_id, date.year, "recovery")

    def _prepare_claim(self, date):
        """Values of the credit note or customer invoice that claims this repayment."""
        return self._prepare_move(
            self._get_claim_type(),
            self._get_claim_account(date),
            date,
            self.display_name,
            ref=self.name,
            invoice_origin=self.reduced_disbursement_id.order_number,
        )

    def _get_claim_type(self):
        return "in_refund" if self.reduced_disbursement_id else "out_invoice"

    def _check_moves(self, moves):
        what = self.env._("Claiming a repayment")
        self._check_group("group_finance_officer", what)
        self._check_state(("decided",), what)
        for recovery in self:
            move = moves[recovery.id]
            recovery._check_not_future(move.date)
            recovery._check_claim_date(move.date)
            recovery._check_reduced_order(move.date)
            recovery._check_same(move, recovery._prepare_claim(move.date))
        self._check_recoverable()

    def _follow_accounting(self):
        entries = self.env["grant.entry"]._read_group(
            [("origin_model", "=", self._name), ("origin_id", "in", self.ids)],
            ["origin_id"],
            ["amount:sum"],
        )
        collected = dict(entries)
        for recovery in self:
            claim = recovery._get_live_move()
            amount = recovery.currency_id.round(collected.get(recovery.id, 0.0))
            # Written only where it moves: it wakes all tranches of the operator.
            if recovery.currency_id.compare_amounts(amount, recovery.collected_amount):
                recovery._transition(collected_amount=amount)
            if claim:
                if recovery.state == "decided":
                    recovery._become_claimed(claim.date)
                recovery._follow_claim(claim)
                if recovery.state == "claimed":
                    # What was given up of it, or is not any more, is a condition of payments.
                    recovery._get_operator_tranches()._wake()
            elif recovery.state in ("claimed", "collected"):
                recovery._decide(
                    "claim_withdrawn", claim_date=False, collected_date=False
                )

    def _follow_claim(self, claim):
        """Collected when the claim is settled by money; waived when accounting wrote the rest
        off; claimed again when its settlement is undone."""
        if not self.currency_id.is_zero(claim._get_grant_residual()):
            if self.state != "claimed":
                self._decide("unpaid", collected_date=False)
        elif self.currency_id.compare_amounts(self.collected_amount, self.amount) < 0:
            if self.state != "waived":
                self._decide("waived", claim.name, collected_date=False)
        elif self.state != "collected":
            payment = self.env["grant.settlement"]._get(claim)._get_last_payment()
            self._decide(
                "collected",
                payment.ref or payment.name,
                collected_date=payment.date,
            )

    def _is_written_off(self, settlements):
        # What cannot be collected is given up by an entry (admission en non-valeur): waived.
        return settlements._is_write_off()

    def _make_room(self, lines):
        """A repayment that is none after all is held by the subsidy again."""
        self._hold_again(
            [(line["date"], -line["amount"]) for line in lines if line["amount"] < 0]
        )

    def _get_entry_memo(self):
        return self.name
