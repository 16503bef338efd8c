import datetime
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import SQL

from ..guard.obstacle import Obstacle
from ..guard.reading import Wanted, keep_lines


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    # What the conditions of payment look at: of its own tranches…
    executory_date = fields.Date(wakes="_get_tranches")
    convention_reference = fields.Char(wakes="_get_tranches")
    request_date = fields.Date(wakes="_get_tranches")
    cer_date = fields.Date(wakes="_get_tranches")
    # … and of all of its operator's: the year's subsidies count together, for the convention.
    amount = fields.Monetary(wakes="_get_operator_tranches")
    state = fields.Selection(wakes="_get_operator_tranches")
    decision_date = fields.Date(wakes="_get_operator_tranches")
    partner_id = fields.Many2one(wakes="_get_operator_tranches")
    kind = fields.Selection(wakes="_get_operator_tranches")

    disbursement_ids = fields.One2many(
        "grant.disbursement", "subsidy_id", string="Tranches", portal=True
    )
    operator_debts = fields.Text(
        string="What the Operator Owes",
        compute="_compute_operator_debts",
        help="Pieces late for its other subsidies, and repayments claimed: one a line.",
    )
    next_disbursement_id = fields.Many2one(
        "grant.disbursement", string="Next Payment", compute="_compute_next_disbursement"
    )
    next_due_date = fields.Date(compute="_compute_next_due_date")
    next_amount = fields.Monetary(compute="_compute_next_disbursement")
    next_state = fields.Char(compute="_compute_next_disbursement")
    schedule_warning = fields.Char(compute="_compute_schedule_warning")

    @api.depends("partner_id.grant_body")
    def _compute_operator_debts(self):
        operators = self.filtered(lambda subsidy: subsidy.kind == "operator").partner_id
        debts = operators._get_grant_debts()
        for subsidy in self:
            subsidy.operator_debts = "\n".join(
                sentence
                for source, company, sentence in debts.get(subsidy.partner_id.grant_body, ())
                if source != subsidy._origin and company == subsidy.company_id
            )

    @api.depends(
        "disbursement_ids.state", "disbursement_ids.due_date", "disbursement_ids.amount",
        "disbursement_ids.sequence",
    )  # fmt: skip
    def _compute_next_disbursement(self):
        waiting = {
            subsidy: subsidy.disbursement_ids.filtered(
                lambda disbursement: disbursement.state not in ("paid", "cancelled")
            ).sorted(lambda d: (d.due_date or datetime.date.max, d.sequence, d.id))[:1]
            for subsidy in self
        }
        for subsidy, following in waiting.items():
            subsidy.next_disbursement_id = following
            subsidy.next_amount = following.amount
            subsidy.next_state = following.state

    @api.depends("disbursement_ids.state", "disbursement_ids.due_date")
    def _compute_next_due_date(self):
        # In one query: lists show it, and no tranche.
        days = dict(
            self.env["grant.disbursement"]._read_group(
                [("subsidy_id", "in", self.ids), ("state", "not in", ("paid", "cancelled"))],
                ["subsidy_id"],
                ["due_date:min"],
            )
        )
        for subsidy in self:
            subsidy.next_due_date = days.get(subsidy._origin)

    @api.depends("amount", "disbursement_ids.amount", "disbursement_ids.state", "action_ids.amount")
    def _compute_schedule_warning(self):
        for subsidy in self:
            planned = subsidy._get_planned_amount()
            # What is committed counts: a financial report may have released a part of the amount.
            amount = subsidy.committed_amount or subsidy.amount
            over = planned - amount
            # A form just opened has no envelope, hence no currency yet.
            currency = subsidy.currency_id or self.env.company.currency_id
            warning = False
            if currency.compare_amounts(over, 0) > 0:
                warning = self.env._(
                    "The tranches (%(planned)s) exceed the amount (%(amount)s): %(over)s too much.",
                    planned=currency.format(planned),
                    amount=currency.format(amount),
                    over=currency.format(over),
                )
            elif planned and currency.compare_amounts(over, 0) < 0:
                warning = self.env._(
                    "The tranches (%(planned)s) fall short of the amount (%(amount)s): %(short)s "
                    "are missing.",
                    planned=currency.format(planned),
                    amount=currency.format(amount),
                    short=currency.format(-over),
                )
            subsidy.schedule_warning = warning

    def _get_planned_amount(self):
        self.ensure_one()
        return sum(
            self.disbursement_ids.filtered(lambda d: d.state != "cancelled").mapped("amount")
        )

    def _get_unplanned_amount(self, cancelled):
        """Euros that stay to be paid, and that no tranche plans once ``cancelled`` are."""
        self.ensure_one()
        planned = sum((self.disbursement_ids - cancelled).mapped("residual_amount"))
        return max(0.0, self.currency_id.round(self.to_pay_amount - planned))

    def _check_schedule_total(self):
        """Refuse tranches that add up to more than the subsidy. What was paid back may be paid
        again, by another tranche.

        :raise UserError: naming the subsidy and both amounts
        """
        for subsidy in self:
            for sentence in subsidy._get_schedule_obstacles():
                raise UserError(sentence)

    def _get_payable_again_amount(self):
        """Euros that were paid, came back, and may be paid by another tranche."""
        return self.recovered_amount

    def _get_schedule_obstacles(self):
        planned = self._get_planned_amount() - self._get_payable_again_amount()
        if self.currency_id.compare_amounts(planned, self.amount) <= 0:
            return []
        sentence = self.env._(
            "%(subsidy)s: its tranches add up to %(planned)s, more than its amount, %(amount)s.",
            subsidy=self.display_name,
            planned=self.currency_id.format(planned),
            amount=self.currency_id.format(self.amount),
        )
        return [Obstacle(sentence, self, "disbursement_ids")]

    def _get_tranches(self):
        return self.disbursement_ids

    def _get_operator_tranches(self):
        return self.partner_id._get_waiting_tranches()

    @api.constrains("kind")
    def _check_no_tranches(self):
        """Accounting says what is paid of a cost of the city."""
        for subsidy in self.filtered(lambda s: s.kind == "own_cost" and s.disbursement_ids):
            raise ValidationError(
                self.env._(
                    "%(subsidy)s: a cost of the city has no tranches, accounting says what is "
                    "paid.",
                    subsidy=subsidy.display_name,
                )
            )

    def _has_schedule(self):
        return super()._has_schedule() or bool(self.disbursement_ids)

    def _get_owed(self, kind):
        if kind != "payment" or self.envelope_id.payment_path != "direct":
            return super()._get_owed(kind)
        paid = sum(self.disbursement_ids.filtered(lambda d: d.state == "paid").mapped("amount"))
        return paid, paid

    def _get_wanted(self):
        # sudo: as there
        env, subsidies = self.sudo().env, self.sudo()
        tranches = env["grant.disbursement"]
        of_subsidies = SQL("subsidy_id = ANY(%s)", self.ids)
        return [
            *super()._get_wanted(),
            Wanted(
                tranches, (*tranches._get_looked_at(), "deliverable_ids"), of_subsidies,
                partial(keep_lines, subsidies, "disbursement_ids"),
            ),
            Wanted(
                env["grant.deliverable"], ("state", "answered_at", "answer"), of_subsidies
            ),
            Wanted(
                env["res.partner.bank"],
                ("partner_id", "active", "allow_out_payment", "sanitized_acc_number",
                 "acc_holder_name", "bank_id"),
                SQL(
                    "partner_id = ANY(ARRAY(SELECT commercial_partner_id FROM res_partner"
                    " WHERE id = ANY(%s)))",
                    self.partner_id.ids,
                ),
                lambda banks: keep_lines(
                    subsidies.partner_id.commercial_partner_id, "bank_ids", banks
                ),
            ),
        ]  # fmt: skip

    def action_sign(self):
        result = super().action_sign()
        # What is signed waits for an account that is confirmed.
        unconfirmed = self.partner_id.filtered(lambda partner: not partner._get_grant_bank())
        unconfirmed._follow_account()
        return result

    @api.depends("disbursement_ids.amount", "disbursement_ids.state")
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_signing_obstacles(self):
        return super()._get_signing_obstacles() + self._get_schedule_obstacles()

    def _get_release_obstacles(self, owed=True):
        sentences = {
            "ordered": self.env._("“%(tranche)s” is ordered and not paid yet."),
            "certified": self.env._(
                "“%(tranche)s” is certified, the work was done: order its payment, or return it "
                "to the coordinator with the reason."
            ),
        }
        return super()._get_release_obstacles(owed) + [
            Obstacle(sentences[tranche.state] % {"tranche": tranche.name}, tranche)
            for tranche in self.disbursement_ids
            if tranche.state in sentences
        ]

    def _get_planned_tranches(self):
        """What is neither paid nor cancelled, nor on its way to be paid."""
        return self.disbursement_ids.filtered(lambda d: d.state in ("planned", "ready"))

    def _get_release_preview(self):
        preview = super()._get_release_preview()
        if tranches := self._get_planned_tranches():
            rows = [(tranche.name, tranche.amount) for tranche in tranches]
            preview.append(
                {"title": self.env._("Tranches that it cancels"), "rows": rows, "alert": False}
            )
        return preview

    def _release(self, state, reason):
        """Cancel what is planned too."""
        for disbursement in self._get_planned_tranches():
            disbursement._decide("cancelled", reason)
        return super()._release(state, reason)
