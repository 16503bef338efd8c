from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate, format_date

from ..guard.grant_acting_mixin import asks_reason
from ..guard.obstacle import put_in_lines

_lt = LazyTranslate(__name__)

KINDS = [("advance", "Advance"), ("interim", "Interim"), ("balance", "Balance")]


class GrantDisbursement(models.Model):
    """One tranche of a subsidy, from the plan to the payment.

    The coordinator certifies that the work was done (service fait), finance orders the payment,
    and records it when the treasury has paid: two different people (R5). On a direct envelope
    the State pays: finance only records what it paid.
    """

    _name = "grant.disbursement"
    _description = "Tranche"
    _inherit = [
        "grant.document.mixin", "grant.source.mixin", "grant.decided.mixin", "grant.thread.mixin",
        "mail.activity.mixin",
    ]  # fmt: skip
    _order = "due_date, sequence, id"
    _check_company_auto = True

    _entry_kinds = ("payment",)
    _entry_name = "name"
    _decision_key = "disbursement_id"
    # One that is ready was planned: its conditions say which, not a decision.
    _first_state = "planned"

    name = fields.Char(required=True, portal=True)
    sequence = fields.Integer(default=10, portal=True)
    kind = fields.Selection(
        KINDS, required=True, default="interim", portal=True, wakes="_get_itself"
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="cascade", index=True, check_company=True,
        portal=True, wakes="_get_itself",
    )  # fmt: skip
    envelope_id = fields.Many2one(related="subsidy_id.envelope_id", store=True, index=True)
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True, portal=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True, portal=True)
    payment_path = fields.Selection(related="envelope_id.payment_path")
    subsidy_state = fields.Selection(related="subsidy_id.state", string="Subsidy State")
    amount = fields.Monetary(
        required=True, tracking=True, amendable=True, portal=True, wakes="_get_itself"
    )
    due_date = fields.Date(index=True, amendable=True, portal=True)
    note = fields.Text(string="Notes")
    deliverable_ids = fields.Many2many(
        "grant.deliverable",
        "grant_disbursement_deliverable_rel",
        string="Required Pieces",
        domain="[('subsidy_id', '=', subsidy_id)]",
        portal=True,
        wakes="_get_itself",
        help="The pieces that must be accepted before this tranche is certified.",
    )
    state = fields.Selection(
        [
            ("planned", "Planned"),
            ("ready", "Ready"),
            ("certified", "Certified"),
            ("ordered", "Ordered"),
            ("paid", "Paid Out"),
            ("cancelled", "Cancelled"),
        ],
        required=True,
        default="planned",
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
        group_expand=True,
        portal=True,
    )
    certified_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    certified_at = fields.Datetime(string="Certified On", readonly=True, copy=False)
    ordered_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    residual_amount = fields.Monetary(
        string="Left to Pay",
        compute="_compute_residual_amount",
        help="Of an order: what accounting says is not paid yet.",
    )
    paid_by_id = fields.Many2one(
        "res.users", string="Payment Recorded By", readonly=True, copy=False, ondelete="restrict"
    )
    paid_date = fields.Date(
        string="Paid On", readonly=True, copy=False, tracking=True, portal=True
    )
    payment_reference = fields.Char(
        readonly=True, copy=False, help="What the treasury, or the State, calls this payment."
    )
    condition_ids = fields.One2many("grant.condition", "disbursement_id", string="Checklist")
    blockers = fields.Text(
        string="What Blocks It", compute="_compute_blockers", help="One condition a line."
    )
    overrides = fields.Text(
        string="Done Without",
        compute="_compute_overrides",
        help="The conditions that a finance manager did without, and why.",
    )
    operator_debts = fields.Text(related="subsidy_id.operator_debts")
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    decision_ids = fields.One2many("grant.decision", "disbursement_id", string="Decisions")
    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of a tranche is above zero."
    )

    @api.depends("state", "condition_ids.state", "condition_ids.evidence")
    def _compute_blockers(self):
        # Lists show it: of all tranches at once, and nothing of the conditions that are met.
        waiting = self.filtered(lambda disbursement: disbursement.state in ("planned", "ready"))
        sentences = self.env["grant.condition"]._get_unmet_sentences(waiting)
        for disbursement in self:
            disbursement.blockers = "\n".join(sentences[disbursement._origin])

    @api.depends("condition_ids.state")
    def _compute_overrides(self):
        overridden = self.env["grant.condition"].search(
            [("disbursement_id", "in", self.ids), ("state", "=", "overridden")],
            order="sequence, id",
        )
        by_tranche = overridden.grouped("disbursement_id")
        for disbursement in self:
            disbursement.overrides = "\n".join(
                f"{condition.display_name}: {condition.evidence}"
                for condition in by_tranche.get(disbursement._origin, ())
            )

    @api.depends("due_date", "state", "subsidy_id.state")
    def _compute_is_late(self):
        self.is_late = False
        owed = self.filtered(
            lambda disbursement: disbursement.subsidy_id.state == "signed"
            and disbursement.state not in ("paid", "cancelled")
            and disbursement.due_date
        )
        for company, disbursements in owed.grouped("company_id").items():
            today = company._grant_today()
            disbursements.filtered(lambda d, today=today: d.due_date < today).is_late = True

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = (
            Domain("subsidy_id.state", "=", "signed")
            & Domain("state", "not in", ("paid", "cancelled"))
            & self.env["res.company"]._get_grant_today_domain(
                lambda today: Domain("due_date", "<", today)
            )
        )
        return Domain.OR(late if wanted else ~late for wanted in value)

    @api.constrains("subsidy_id")
    def _check_no_own_cost(self):
        self.subsidy_id._check_no_tranches()

    @api.depends("amount", "state")
    def _compute_residual_amount(self):
        for disbursement in self:
            settled = disbursement.state in ("paid", "cancelled")
            disbursement.residual_amount = 0.0 if settled else disbursement.amount

    @api.constrains("deliverable_ids", "subsidy_id")
    def _check_deliverables(self):
        for disbursement in self:
            if disbursement.deliverable_ids.subsidy_id - disbursement.subsidy_id:
                raise UserError(
                    self.env._(
                        "Tranche “%(tranche)s” depends on a piece of another subsidy.",
                        tranche=disbursement.name,
                    )
                )

    def _is_amendable(self):
        return self.subsidy_id.state == "signed" and self.state in ("planned", "ready")

    def _get_frozen_fields(self):
        frozen = set()
        if self.subsidy_id.state != "draft" or self.decision_ids:
            frozen.add("subsidy_id")
        if self.subsidy_id.state not in ("draft", "granted"):
            # To do without a condition, a finance manager overrides it with a reason (R4).
            frozen |= {"amount", "due_date", "kind", "deliverable_ids"}
        if self.state not in ("planned", "ready"):
            frozen |= {"amount", "subsidy_id", "kind", "deliverable_ids"}
        return frozenset(frozen)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_planned(self):
        self._check_state(("planned", "ready"), self.env._("Deleting a tranche"))
        self.subsidy_id._check_state(
            ("draft", "granted"), self.env._("Deleting a tranche of a signed subsidy")
        )
        for disbursement in self:
            if disbursement.decision_ids:
                raise UserError(
                    self.env._(
                        "“%(tranche)s” has decisions and cannot be deleted: cancel it instead.",
                        tranche=disbursement.name,
                    )
                )

    @api.model
    def _get_decision_states(self):
        return {
            **super()._get_decision_states(),
            "overridden": None,
            "certified": "certified",
            "returned": "planned",
            "paid": "paid",
            # Of the city's own payments, the layer of accounting says it.
            "unpaid": {"direct": "certified"},
            "cancelled": "cancelled",
            "reopened": "planned",
        }

    def _say_decided(self, decision, reason):
        # With its amount, and the number of its order or payment.
        details = [self.currency_id.format(self._get_amount_after_reductions())]
        if decision in ("ordered", "paid") and reason:
            details.append(reason)
        return f"{super()._say_decided(decision, reason)} ({', '.join(details)})"

    def _get_amount_after_reductions(self):
        """What is left to pay, or was paid, of this tranche: higher layers know what reduces it."""
        return self.amount

    # ------------------------------------------------------------------
    # From planned to paid
    # ------------------------------------------------------------------

    def _wake(self):
        # sudo: whoever changes a fact may not be allowed to touch the tranches that depend on it
        self.sudo()._refresh_readiness()

    def _refresh_readiness(self):
        """Follow the conditions: ready when all are met, planned again when one is not."""
        waiting = self.filtered(lambda disbursement: disbursement.state in ("planned", "ready"))
        ready = self.env["grant.condition"]._sync(waiting)
        for state, disbursements in (("planned", waiting - ready), ("ready", waiting & ready)):
            changed = disbursements.filtered(lambda d, state=state: d.state != state)
            if changed:
                changed._transition(state=state)

    @api.model
    def _cron_refresh_readiness(self):
        """Each night: some conditions are met by the passing of time (the executory date)."""
        self.search([("state", "in", ("planned", "ready"))])._refresh_readiness()

    def action_check(self):
        """Look at the conditions again; says which one is unmet, if any.

        :raise UserError: a condition is unmet
        """
        self._check_group("group_reader", self.env._("Checking a tranche"))
        self.check_access("read")
        # sudo: whoever may read the tranche may have its conditions looked at again
        self.sudo()._refresh_readiness()
        for disbursement in self:
            disbursement._check_blockers()
        return True

    def _check_blockers(self):
        self.ensure_one()
        if blockers := self._get_obstacles():
            raise UserError(
                self.env._(
                    "%(tranche)s cannot be certified yet:\n%(blockers)s",
                    tranche=self.display_name,
                    blockers=put_in_lines(blockers),
                )
            )

    def _ask_finance(self):
        """Leave an activity to the officer in charge of the contract's money, or else to another
        one of the city, who did not certify."""
        officer = self.contract_id.finance_user_id or self.company_id._get_grant_person(
            "finance_officer", but=self.certified_by_id
        )
        if officer:
            self.activity_schedule(
                "ctai_grants.mail_activity_order",
                user_id=officer.id,
                summary=self.env._("Order “%s”", self.name),
            )

    def action_return(self):
        """Ask for the reason, then send a certified tranche back to the coordinator."""
        return self._ask_reason("return")

    @asks_reason("return", _lt("Return to the Coordinator"))
    def _do_return(self, reason):
        """Take the certificate back, with a reason, before the payment is ordered.

        :raise UserError: not certified, or already ordered
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Returning a tranche")
        self._check_staff(what)
        self.lock_for_update()
        self._check_state(("certified",), what)
        for disbursement in self:
            disbursement._decide(
                "returned", reason, **disbursement._get_uncertified()
            )
        self._refresh_readiness()

    def action_pay(self):
        """Ask for the date and reference of the payment."""
        return self._open_wizard("grant.disbursement.pay", self.env._("Record the Payment"))

    def _do_pay(self, date, reference=None):
        """Record that the money left: by the treasury, or by the State on a direct envelope.

        :param date: accounting date of the payment
        :param str reference: the payer's reference
        :raise UserError: not ordered, before the signature, or the ceiling refuses (R1)
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a payment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("certified",), what)
        self._check_payment_date(fields.Date.to_date(date))
        self._check_two_people()
        self._decide(
            "paid",
            reference,
            # Nothing else was ordered: the second person is who records it (R5).
            ordered_by_id=self.env.uid,
            paid_by_id=self.env.uid,
            paid_date=date,
            payment_reference=reference,
        )
        self._post_payment(self.amount, date)

    def action_cancel(self):
        """Ask for the reason, then cancel a tranche that will not be paid."""
        return self._ask_reason("cancel")

    @asks_reason("cancel", _lt("Cancel the Tranche"))
    def _do_cancel(self, reason):
        """Cancel a tranche that is not ordered.

        :raise UserError: already ordered or paid
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Cancelling a tranche")
        self._check_group("group_finance_manager", what)
        self.lock_for_update()
        self._check_state(("planned", "ready", "certified"), what)
        for disbursement in self:
            disbursement._decide("cancelled", reason)

    def action_replan(self):
        """Put a cancelled tranche back in the plan.

        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Planning a tranche again")
        self._check_group("group_finance_manager", what)
        self._check_state(("cancelled",), what)
        # Once closed, what it would be paid from is released.
        self.subsidy_id._check_state(("draft", "granted", "signed"), what)
        for disbursement in self:
            disbursement._decide(
                "reopened", **disbursement._get_uncertified()
            )
        self.subsidy_id.filtered(lambda s: s.state == "signed")._check_schedule_total()
        self._refresh_readiness()
        return True

    def _check_payment_date(self, date):
        """Refuse a payment before the subsidy was awarded and signed.

        :raise UserError: naming the tranche and the date
        """
        decision_date = self.subsidy_id.decision_date
        if decision_date and date < decision_date:
            raise UserError(
                self.env._(
                    "%(tranche)s: a payment of %(date)s would come before the award, of "
                    "%(decided)s. Enter the day on which it was paid.",
                    tranche=self.display_name,
                    date=format_date(self.env, date),
                    decided=format_date(self.env, decision_date),
                )
            )
        signature_date = self.subsidy_id.signature_date
        if signature_date and date < signature_date:
            raise UserError(
                self.env._(
                    "%(tranche)s: it cannot be paid before the subsidy was signed, on %(date)s.",
                    tranche=self.display_name,
                    date=format_date(self.env, signature_date),
                )
            )

    def _post_payment(self, amount, date, memo=None):
        """Post what the State pays itself, without the city's accounting."""
        self._post_entries(
            [
                {
                    "kind": "payment",
                    "envelope_id": self.envelope_id.id,
                    "subsidy_id": self.subsidy_id.id,
                    "date": date,
                    "amount": amount,
                    "memo": self._get_payment_memo(memo),
                }
            ]
        )

    def _get_payment_memo(self, memo=None):
        """What the ledger says of a payment of this tranche, the conditions it was made without
        included (R4)."""
        # A reference alone says nothing to who reads the ledger.
        memo = memo or ", ".join(filter(None, (self.payment_reference, self.name)))
        overrides = self.decision_ids.filtered(lambda d: d.decision == "overridden")
        if overrides:
            reasons = "; ".join(overrides.mapped("reason"))
            memo = self.env._("%(memo)s (override: %(reasons)s)", memo=memo, reasons=reasons)
        return memo

    def _open_wizard(self, model, title):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": model,
            "view_mode": "form",
            "target": "new",
            "context": {"default_disbursement_id": self.id},
        }
