import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL, format_date

from ..lib.accounts import PURPOSE_BY_LEGAL_FORM

KINDS = [("advance", "Advance"), ("interim", "Interim"), ("balance", "Balance")]


class GrantDisbursement(models.Model):
    """One tranche of a subsidy, from the plan to the payment.

    The coordinator certifies that the work was done (service fait), finance orders the payment,
    and records it when the treasury has paid: two different people (R5). On a direct envelope
    the State pays: finance only records what it paid.
    """

    _name = "grant.disbursement"
    _description = "Disbursement"
    _inherit = [
        "grant.thread.mixin", "mail.activity.mixin", "grant.accounted.mixin", "grant.guarded.mixin"
    ]  # fmt: skip
    _order = "due_date, sequence, id"
    _check_company_auto = True

    _accounted_kind = "payment"
    _decision_fields = frozenset({
        "certified_by_id", "certified_at", "ordered_by_id", "order_number", "order_date",
        "order_batch_id", "paid_by_id", "paid_date", "payment_reference", "treasury_state",
        "treasury_reason", "treasury_date",
    })  # fmt: skip
    _guarded_fields = frozenset({"state", *_decision_fields})
    _portal_fields = frozenset({
        "name", "sequence", "kind", "subsidy_id", "company_id", "currency_id", "amount",
        "due_date", "state", "paid_date", "deliverable_ids",
    })  # fmt: skip

    name = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    kind = fields.Selection(KINDS, required=True, default="interim")
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="cascade", index=True, check_company=True
    )
    envelope_id = fields.Many2one(related="subsidy_id.envelope_id", store=True, index=True)
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True)
    payment_path = fields.Selection(related="envelope_id.payment_path")
    subsidy_state = fields.Selection(related="subsidy_id.state", string="Subsidy State")
    amount = fields.Monetary(required=True, tracking=True)
    due_date = fields.Date(index=True)
    note = fields.Text(string="Notes")
    deliverable_ids = fields.Many2many(
        "grant.deliverable",
        "grant_disbursement_deliverable_rel",
        string="Required Pieces",
        domain="[('subsidy_id', '=', subsidy_id)]",
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
    )
    certified_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    certified_at = fields.Datetime(string="Certified On", readonly=True, copy=False)
    ordered_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    order_number = fields.Char(
        readonly=True, copy=False, tracking=True, help="Number of the order to pay (mandat)."
    )
    order_date = fields.Date(readonly=True, copy=False)
    order_batch_id = fields.Many2one(
        "grant.order.batch", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
        check_company=True,
    )  # fmt: skip
    exercise = fields.Integer(
        string="Financial Year", related="order_batch_id.exercise", store=True, aggregator=None
    )
    residual_amount = fields.Monetary(
        string="Left to Pay",
        compute="_compute_residual_amount",
        help="Of an order: what accounting says is not paid yet.",
    )
    paid_by_id = fields.Many2one(
        "res.users", string="Payment Recorded By", readonly=True, copy=False, ondelete="restrict"
    )
    paid_date = fields.Date(string="Paid On", readonly=True, copy=False, tracking=True)
    payment_reference = fields.Char(
        readonly=True, copy=False, help="What the treasury, or the State, calls this payment."
    )
    treasury_state = fields.Selection(
        [
            ("received", "Received"),
            ("taken", "Taken in Charge"),
            ("pending", "Suspended"),
            ("rejected", "Rejected"),
            ("settled", "Settled"),
        ],
        string="At the Treasury",
        readonly=True,
        copy=False,
        tracking=True,
        help="What the treasury answered about the order; its payment comes with the extract.",
    )
    treasury_reason = fields.Text(string="The Treasury's Reason", readonly=True, copy=False)
    treasury_date = fields.Date(string="Answered On", readonly=True, copy=False)
    payment_deadline = fields.Date(
        string="To Pay Before",
        compute="_compute_payment_deadline",
        store=True,
        help="60 days after the notification of the award (a setting), or what the convention's "
        "schedule says when that is later (loi 2000-321, art. 10).",
    )
    days_left = fields.Integer(
        compute="_compute_days_left", help="Until the payment is late; below zero, it is late."
    )
    is_overdue = fields.Boolean(
        string="Payment Overdue", compute="_compute_days_left", search="_search_is_overdue"
    )
    late_interest = fields.Monetary(
        string="Interest Due",
        compute="_compute_days_left",
        help="On what is not paid in time, at the rate of the settings.",
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

    _order_number_uniq = models.UniqueIndex(
        # 41 and 0041 are one order to the treasury.
        "(company_id, exercise, ltrim(order_number, '0')) WHERE order_batch_id IS NOT NULL",
        "There is already an order with this number in this financial year.",
    )
    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of a tranche is above zero."
    )
    _two_people = models.Constraint(
        "CHECK (certified_by_id <> ordered_by_id)",
        "The person who certifies that the work was done cannot order its payment.",
    )

    @api.depends("state", "condition_ids.state", "condition_ids.evidence")
    def _compute_blockers(self):
        # The sentences of all tranches at once, so that their pieces are read together.
        self.condition_ids.filtered(lambda condition: condition.state == "unmet").mapped("evidence")
        for disbursement in self:
            waiting = disbursement.state in ("planned", "ready")
            disbursement.blockers = "\n".join(disbursement._get_blockers() if waiting else [])

    def _get_blockers(self):
        """What forbids certifying this tranche: a list of sentences, empty when nothing does."""
        unmet = self.condition_ids.filtered(lambda condition: condition.state == "unmet")
        return unmet.mapped("evidence")

    @api.depends("condition_ids.state")
    def _compute_overrides(self):
        for disbursement in self:
            disbursement.overrides = "\n".join(
                f"{condition.display_name}: {condition.evidence}"
                for condition in disbursement.condition_ids
                if condition.state == "overridden"
            )

    @api.depends(
        "due_date", "subsidy_id.notification_date", "subsidy_id.convention_reference",
        "company_id.grant_payment_days",
    )  # fmt: skip
    def _compute_payment_deadline(self):
        for disbursement in self:
            notified = disbursement.subsidy_id.notification_date
            legal = notified and notified + datetime.timedelta(
                days=disbursement.company_id.grant_payment_days
            )
            agreed = disbursement.subsidy_id.convention_reference and disbursement.due_date
            dates = [date for date in (legal, agreed) if date]
            disbursement.payment_deadline = max(dates, default=False)

    @api.depends("payment_deadline", "state", "residual_amount", "paid_date")
    def _compute_days_left(self):
        for disbursement in self:
            deadline = disbursement.payment_deadline
            if not deadline or disbursement.state in ("paid", "cancelled"):
                disbursement.days_left = disbursement.late_interest = 0
                disbursement.is_overdue = False
                continue
            disbursement.days_left = (deadline - disbursement.company_id._grant_today()).days
            disbursement.is_overdue = disbursement.days_left < 0
            late = max(0, -disbursement.days_left)
            rate = disbursement.company_id.grant_late_interest_rate
            interest = disbursement.residual_amount * rate / 100 * late / 365
            disbursement.late_interest = disbursement.currency_id.round(interest)

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain("state", "not in", ("paid", "cancelled")) & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("payment_deadline", "<", today))
        return Domain.OR(overdue if wanted else ~overdue for wanted in value)

    @api.depends("due_date", "state", "subsidy_id.state")
    def _compute_is_late(self):
        for disbursement in self:
            disbursement.is_late = bool(
                disbursement.subsidy_id.state == "signed"
                and disbursement.state not in ("paid", "cancelled")
                and disbursement.due_date
                and disbursement.due_date < disbursement.company_id._grant_today()
            )

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
        self.subsidy_id._check_own_costs()

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

    def _get_amendable_fields(self):
        is_signed = self.subsidy_id.state == "signed" and self.state in ("planned", "ready")
        return frozenset({"amount", "due_date"} if is_signed else ())

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

    @api.model_create_multi
    def create(self, vals_list):
        """Once signed, the schedule is part of what was signed (R4): a finance manager alone
        completes one that was signed without all its tranches."""
        disbursements = super().create(vals_list)
        signed = disbursements.filtered(lambda d: d.subsidy_id.state not in ("draft", "granted"))
        if signed and not self._is_transition():
            signed._check_group(
                "group_finance_manager", self.env._("Adding a tranche to a signed subsidy")
            )
            # An amendment signed meanwhile adds up the tranches: one of us waits.
            signed.subsidy_id.lock_for_update(allow_referencing=True)
        disbursements._refresh_readiness()
        return disbursements

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & {"amount", "kind", "deliverable_ids", "subsidy_id"}:
            self._refresh_readiness()
        return res

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

    # ------------------------------------------------------------------
    # From planned to paid
    # ------------------------------------------------------------------

    def _refresh_readiness(self):
        """Follow the conditions: ready when all are met, planned again when one is not."""
        waiting = self.filtered(lambda disbursement: disbursement.state in ("planned", "ready"))
        self.env["grant.condition"]._sync(waiting)
        for disbursement in waiting:
            unmet = "unmet" in disbursement.condition_ids.mapped("state")
            state = "planned" if unmet else "ready"
            if state != disbursement.state:
                disbursement._transition(state=state)

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

    def _check_blockers(self):
        self.ensure_one()
        if blockers := self._get_blockers():
            raise UserError(
                self.env._(
                    "%(tranche)s cannot be certified yet:\n%(blockers)s",
                    tranche=self.display_name,
                    blockers="\n".join(f"• {blocker}" for blocker in blockers),
                )
            )

    def action_certify(self):
        """Certify that the work was done (service fait).

        :raise UserError: a condition is unmet, naming each
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Certifying the work done")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("planned", "ready"), what)
        self._refresh_readiness()
        for disbursement in self:
            disbursement._check_blockers()
            disbursement._decide(
                "certified",
                state="certified",
                certified_by_id=self.env.uid,
                certified_at=fields.Datetime.now(),
            )
            disbursement._ask_finance()

    def _ask_finance(self):
        """Leave an activity to the officer in charge of the contract's money, if there is one."""
        if officer := self.contract_id.finance_user_id:
            self.activity_schedule(
                "ctai_grants.mail_activity_order",
                user_id=officer.id,
                summary=self.env._("Order “%s”", self.name),
            )

    def action_return(self):
        """Ask for the reason, then send a certified tranche back to the coordinator."""
        return self.env["grant.reason"]._open(self, "return")

    def _do_return(self, reason):
        """Take the certificate back, with a reason, before the payment is ordered.

        :raise UserError: not certified, or already ordered
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Returning a tranche")
        if not self.env.user.has_group("ctai_grants.group_coordinator"):
            self._check_group("group_finance_officer", what)
        self.lock_for_update()
        self._check_state(("certified",), what)
        for disbursement in self:
            disbursement._decide(
                "returned", reason, state="planned", certified_by_id=False, certified_at=False
            )
        self._refresh_readiness()

    def action_order(self):
        """Ask for the number and date of the orders to pay, one or several."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Order the Payment"),
            "res_model": "grant.disbursement.order",
            "view_mode": "form",
            "target": "new",
            "context": {"default_disbursement_ids": self.ids},
        }

    def _do_order(self, number, date, batch_number=None):
        """Order the payment of these tranches (mandatement): a posted vendor bill for each.

        :param str number: number of the order in the city's finance software; of several, the
            first number, in digits
        :param date: date of the orders
        :param int batch_number: number of their batch (bordereau), the next one by default
        :raise UserError: not certified, no number, the certifier is the one who orders (R5), more
            would be ordered than committed (R1), or the accounting is not set up
        :raise AccessError: the user is not a finance officer
        """
        what = self.env._("Ordering a payment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("certified",), what)
        numbers = self._get_order_numbers(number)
        date = fields.Date.to_date(date)
        company = self.company_id
        if len(company) != 1:
            raise UserError(self.env._("Orders of several companies cannot be in one batch."))
        if date > company._grant_today():
            raise UserError(self.env._("An order is not dated in the future."))
        self._check_order()
        batch = self.env["grant.order.batch"]._create_batch(company, date, batch_number)
        for disbursement, order_number in zip(self, numbers, strict=True):
            disbursement._transition(order_number=order_number, order_batch_id=batch.id)
        bills = [disbursement._prepare_bill(date) for disbursement in self]
        for disbursement, bill in zip(self, self._create_moves(bills), strict=True):
            disbursement._attach_pieces(bill)

    def _get_order_numbers(self, number):
        number = (number or "").strip()
        if not number:
            raise UserError(self.env._("Enter the number of the order to pay."))
        if len(self) == 1:
            return [number]
        if not number.isdecimal():
            raise UserError(
                self.env._(
                    "Several orders are numbered from the first one: enter its number in digits."
                )
            )
        return [str(int(number) + n).zfill(len(number)) for n in range(len(self))]

    def _get_order_key(self):
        """What sorts orders by their number: 9 before 10; those that are no numbers come last."""
        number = self.order_number or ""
        return (0, int(number), number) if number.isdecimal() else (1, 0, number)

    def _check_order(self):
        """Refuse what nobody may order, through the buttons or by posting the bill."""
        for disbursement in self:
            if disbursement.payment_path == "direct":
                raise UserError(
                    self.env._(
                        "The State pays this envelope itself: record its payment, nothing is "
                        "ordered."
                    )
                )
            disbursement._check_two_people()
            disbursement._check_order_limit()
            disbursement._check_bank()
        self._check_room()

    def _check_order_limit(self):
        limit = self.company_id.grant_order_limit
        if (
            limit
            and self.currency_id.compare_amounts(self.amount, limit) > 0
            and not self.env.user.has_group("ctai_grants.group_finance_manager")
        ):
            raise UserError(
                self.env._(
                    "%(tranche)s: above %(limit)s, a finance manager orders the payment.",
                    tranche=self.display_name,
                    limit=self.currency_id.format(limit),
                )
            )

    def _check_bank(self):
        """The order pays the account that was verified when the work was certified."""
        certified = self.condition_ids.filtered(
            lambda condition: condition.code == "bank" and condition.state == "met"
        )
        # sudo: whether it is the same account
        account = self.sudo().partner_id._get_grant_bank()._get_masked_number()
        if certified and certified.reference != account:
            raise UserError(
                self.env._(
                    "%(tranche)s was certified for the account %(certified)s, and the operator's "
                    "verified account is %(account)s: return it to the coordinator, who checks it.",
                    tranche=self.display_name,
                    certified=certified.reference,
                    account=account or self.env._("none"),
                )
            )

    def _check_two_people(self):
        if self.certified_by_id == self.env.user:
            raise UserError(
                self.env._(
                    "You certified the work done for %(tranche)s: somebody else has to order its "
                    "payment.",
                    tranche=self.display_name,
                )
            )

    def _check_room(self):
        """Orders not paid yet count too: what is ordered must be payable."""
        # An order moves no counter. This shows it to an order made at the same time, which
        # would not see this one: its transaction is restarted, or tried again.
        self.env.cr.execute(
            SQL(
                "UPDATE grant_envelope SET write_date = write_date WHERE id IN %s",
                tuple(self.envelope_id.ids),
            )
        )
        ordered = self.search(
            [("subsidy_id", "in", self.subsidy_id.ids), ("state", "=", "ordered")]
        ).grouped("subsidy_id")
        for subsidy, asked in self.grouped("subsidy_id").items():
            waiting = ordered.get(subsidy, self.browse())
            left = subsidy.to_pay_amount - sum(waiting.mapped("residual_amount"))
            left -= subsidy._get_withdrawn_amount()
            amount = sum(asked.mapped("amount"))
            if subsidy.currency_id.compare_amounts(amount, left) > 0:
                raise UserError(
                    self.env._(
                        "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: %(left)s left to order, "
                        "%(asked)s asked.",
                        envelope=subsidy.envelope_id.display_name,
                        subsidy=subsidy.display_name,
                        left=subsidy.currency_id.format(left),
                        asked=subsidy.currency_id.format(amount),
                    )
                )

    def _become_ordered(self, date):
        self._decide(
            "ordered",
            self.order_number,
            state="ordered",
            ordered_by_id=self.env.uid,
            order_date=date,
        )
        self.activity_feedback(["ctai_grants.mail_activity_order"])

    # ------------------------------------------------------------------
    # Accounting
    # ------------------------------------------------------------------

    def _check_accounted_date(self, date):
        signature_date = self.subsidy_id.signature_date
        if signature_date and date < signature_date:
            raise UserError(
                self.env._(
                    "%(tranche)s: it cannot be paid before the subsidy was signed, on %(date)s.",
                    tranche=self.display_name,
                    date=format_date(self.env, signature_date),
                )
            )

    def _get_bill_account(self, date):
        """The account of the operator's legal form, in the books of that year."""
        purpose = PURPOSE_BY_LEGAL_FORM.get(
            self.partner_id.commercial_partner_id.legal_form, "association"
        )
        # sudo: set up by the administrator, for whoever orders
        return self.env["grant.account"].sudo()._get(self.company_id, date.year, purpose)

    def _prepare_bill(self, date):
        """Values of the vendor bill that orders this tranche."""
        return self._prepare_move(
            "in_invoice",
            self._get_bill_account(date),
            date,
            self.display_name,
            partner_bank_id=self.partner_id._get_grant_bank().id,
            invoice_date_due=max(date, self.payment_deadline or date),
            ref=self.order_number,
        )

    def _attach_pieces(self, move):
        """Hang on the order the pieces that it pays for, as they were accepted."""
        accepted = self.deliverable_ids.filtered(lambda piece: piece.state == "accepted")
        for version in accepted.last_version_id:
            version._get_sudo_attachment().copy({"res_model": move._name, "res_id": move.id})

    def _check_moves(self, moves):
        what = self.env._("Ordering a payment")
        self._check_group("group_finance_officer", what)
        self._check_state(("certified",), what)
        for disbursement in self:
            move = moves[disbursement.id]
            account = disbursement._get_bill_account(move.date)
            disbursement._check_same(move, "in_invoice", account)
        self._check_order()

    def _follow_accounting(self):
        for disbursement in self:
            bill = disbursement._get_live_move()
            if not bill:
                disbursement._fall_back()
                continue
            if disbursement.state == "certified":
                disbursement._become_ordered(bill.date)
            is_paid = bill.currency_id.is_zero(bill._get_grant_residual())
            if is_paid and disbursement.state == "ordered":
                payment = bill._get_payment_moves().sorted(lambda m: (m.date, m.id))[-1:]
                disbursement._decide(
                    "paid",
                    payment.ref or payment.name,
                    state="paid",
                    paid_by_id=self.env.uid,
                    paid_date=payment.date,
                    payment_reference=payment.ref or payment.name,
                )
            elif not is_paid and disbursement.state == "paid":
                disbursement._decide(
                    "unpaid",
                    self.env.context.get("grant_reason"),
                    state="ordered",
                    paid_by_id=False,
                    paid_date=False,
                    payment_reference=False,
                )

    def _fall_back(self):
        """The order is taken back: its bill is a draft again, cancelled, deleted or reversed."""
        if self.state in ("ordered", "paid"):
            self._decide(
                "order_withdrawn",
                self.env.context.get("grant_reason"),
                state="certified",
                ordered_by_id=False,
                order_date=False,
                paid_by_id=False,
                paid_date=False,
                payment_reference=False,
                treasury_state=False,
                treasury_reason=False,
                treasury_date=False,
            )
        if self.order_batch_id and not self.move_ids.filtered(lambda move: move.state == "draft"):
            self._transition(order_number=False, order_batch_id=False)

    @api.depends("amount", "state", "move_ids.amount_residual", "move_ids.state")
    def _compute_residual_amount(self):
        for disbursement in self:
            # sudo: whoever sees the tranche sees what is left to pay of it
            bill = disbursement.sudo()._get_live_move()
            if bill:
                disbursement.residual_amount = bill._get_grant_residual()
            else:
                paid = disbursement.state in ("paid", "cancelled")
                disbursement.residual_amount = 0.0 if paid else disbursement.amount

    def _take_answer(self, answer, date):
        """Mark this order with what the treasury answers, unless it answered something later.

        :param answer: a :class:`ctai_grants.lib.pes_return.Answer`
        :return: whether anything has changed
        """
        self.ensure_one()
        self.lock_for_update(allow_referencing=True)
        facts = (answer.state, answer.reason or False)
        known = (self.treasury_state, self.treasury_reason)
        is_older = self.treasury_date and date < self.treasury_date
        if self.state not in ("ordered", "paid") or is_older or facts == known:
            return False
        if known[0] and answer.state == "received" and date == self.treasury_date:
            return False
        self._decide(
            f"treasury_{answer.state}",
            answer.reason,
            treasury_state=answer.state,
            treasury_reason=answer.reason or False,
            treasury_date=date,
        )
        return True

    def action_withdraw(self):
        """Ask for the reason, then take the order back."""
        return self.env["grant.reason"]._open(self, "withdraw")

    def _do_withdraw(self, reason):
        """Take an order back that the treasury rejected, or that was made by mistake: its bill is
        cancelled, and the tranche can be ordered again.

        :raise UserError: not ordered, or paid in part
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Taking an order back")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("ordered",), what)
        if self.currency_id.compare_amounts(self.residual_amount, self.amount):
            raise UserError(
                self.env._(
                    "%(tranche)s is paid in part: its order stays.", tranche=self.display_name
                )
            )
        bill = self._get_live_move().with_context(grant_reason=reason)
        bill.button_draft()
        bill.button_cancel()

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
        if self._is_accounted():
            self._register_payment(date, self.residual_amount, reference)
            return
        what = self.env._("Recording a payment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("certified",), what)
        self._check_accounted_date(fields.Date.to_date(date))
        self._check_two_people()
        self._decide(
            "paid",
            reference,
            state="paid",
            ordered_by_id=self.env.uid,
            paid_by_id=self.env.uid,
            paid_date=date,
            payment_reference=reference,
        )
        self._post_payment(self.amount, date)

    def _register_payment(self, date, amount, reference=None):
        """Book a payment of the order, whole or in part, as the treasury reports it.

        :param date: accounting date of the payment
        :param float amount: euros paid
        :param str reference: the treasury's reference
        :raise UserError: not ordered, or more than what is left to pay
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a payment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("ordered",), what)
        self._book_payment(date, amount, reference)

    def action_unpay(self):
        """Ask for the reason, then cancel a payment recorded by mistake."""
        return self.env["grant.reason"]._open(self, "unpay")

    def _do_unpay(self, reason):
        """Cancel a payment recorded by mistake, with the opposite entry of the same date.

        :raise UserError: not paid, or the subsidy is closed
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Cancelling a payment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("paid",), what)
        self.subsidy_id._check_state(("signed",), what)
        if self._is_accounted():
            self._get_live_move().with_context(grant_reason=reason)._cancel_grant_payments()
            return
        date = self.paid_date
        self._decide(
            "unpaid",
            reason,
            state="certified",
            ordered_by_id=False,
            paid_by_id=False,
            paid_date=False,
            payment_reference=False,
        )
        self._post_payment(-self.amount, date, reason)

    def action_cancel(self):
        """Ask for the reason, then cancel a tranche that will not be paid."""
        return self.env["grant.reason"]._open(self, "cancel")

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
            disbursement._decide("cancelled", reason, state="cancelled")

    def _do_reduce(self, amount, report):
        """Reduce a planned tranche to what a financial report leaves to pay; to nothing: cancel.

        :param float amount: euros left
        """
        self.ensure_one()
        reason = self.env._(
            "%(report)s: %(before)s planned, %(after)s left to pay",
            report=report.display_name,
            before=self.currency_id.format(self.amount),
            after=self.currency_id.format(amount),
        )
        if self.currency_id.is_zero(amount):
            self._decide("cancelled", reason, state="cancelled")
        else:
            self._decide("reduced", reason, amount=self.currency_id.round(amount))

    def action_replan(self):
        """Put a cancelled tranche back in the plan.

        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Planning a tranche again")
        self._check_group("group_finance_manager", what)
        self._check_state(("cancelled",), what)
        self.subsidy_id._check_state(("draft", "granted", "signed"), what)
        for disbursement in self:
            disbursement._decide(
                "reopened", state="planned", certified_by_id=False, certified_at=False
            )
        self._refresh_readiness()

    def _decide(self, decision, reason=None, **values):
        """Record a decision on this tranche and what it changes."""
        self.ensure_one()
        self.env["grant.decision"]._record(
            decision, self.subsidy_id, reason, disbursement_id=self.id
        )
        self._transition(**values)

    def _post_payment(self, amount, date, memo=None):
        """Post what the State pays itself, without the city's accounting."""
        self.env["grant.entry"]._post(
            self,
            [
                {
                    "kind": "payment",
                    "envelope_id": self.envelope_id.id,
                    "subsidy_id": self.subsidy_id.id,
                    "date": date,
                    "amount": amount,
                    "memo": self._get_accounted_memo(memo),
                }
            ],
        )

    def _get_accounted_memo(self, memo=None):
        memo = (
            memo
            or self.env.context.get("grant_reason")
            or self.order_number
            or self.payment_reference
            or self.name
        )
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
