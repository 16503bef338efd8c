import datetime

from dateutil.relativedelta import relativedelta

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import format_date

from .grant_recovery import OPEN_STATES, WITHDRAWALS


class GrantSubsidy(models.Model):
    """What one operator gets from one envelope, or what the city spends of it itself."""

    _name = "grant.subsidy"
    _description = "Subsidy"
    _inherit = [
        "grant.thread.mixin", "mail.activity.mixin", "grant.portal.mixin", "grant.guarded.mixin"
    ]  # fmt: skip
    _order = "code desc, id desc"
    _rec_names_search = ["code", "name", "partner_id.name"]
    _check_company_auto = True

    _counter_kinds = {
        "committed_amount": "commitment",
        "paid_amount": "payment",
        "justified_amount": "justification",
        "recovered_amount": "recovery",
    }
    _counter_fields = tuple(_counter_kinds)
    _guarded_fields = frozenset({"state", *_counter_fields})
    # What the conditions of payment look at: of its tranches, and of all of its operator's.
    _condition_fields = frozenset({
        "executory_date", "convention_reference", "request_date", "cer_date",
    })  # fmt: skip
    _threshold_fields = frozenset({"amount", "state", "decision_date", "partner_id", "kind"})
    # What the convention says of the amount due in the end.
    _due_fields = ("due_rule", "surplus_percent", "report_required")
    _portal_fields = frozenset({
        "active", "name", "code", "partner_id", "contract_id", "company_id", "currency_id",
        "amount", "state", "date_start", "date_end", "action_ids", "deliverable_ids",
        "disbursement_ids", "committed_amount", "paid_amount", "justified_amount",
        "recovered_amount", "to_pay_amount", "access_url",
    })  # fmt: skip

    name = fields.Char(string="Object", required=True, tracking=True)
    # The number is taken when the subsidy is saved: a form that is only opened leaves no gap.
    code = fields.Char(required=True, copy=False, default="/")
    active = fields.Boolean(default=True)
    kind = fields.Selection(
        [("operator", "Subsidy to an operator"), ("own_cost", "Cost of the city")],
        required=True,
        default="operator",
    )
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, ondelete="restrict", index=True, tracking=True,
        check_company=True,
    )  # fmt: skip
    contract_id = fields.Many2one(
        related="envelope_id.contract_id", store=True, index=True, precompute=True
    )
    company_id = fields.Many2one(related="envelope_id.company_id", store=True, precompute=True)
    currency_id = fields.Many2one(related="envelope_id.currency_id", store=True, precompute=True)
    payment_path = fields.Selection(related="envelope_id.payment_path")
    partner_id = fields.Many2one(
        "res.partner",
        string="Operator",
        compute="_compute_partner_id",
        store=True,
        readonly=False,
        required=True,
        precompute=True,
        ondelete="restrict",
        index=True,
        tracking=True,
        domain="[('is_company', '=', True)]",
        check_company=True,
    )
    user_id = fields.Many2one(
        "res.users",
        string="Coordinator",
        default=lambda self: self.env.user,
        tracking=True,
        domain="[('share', '=', False)]",
    )
    amount = fields.Monetary(required=True, tracking=True)
    date_start = fields.Date(string="Start")
    date_end = fields.Date(string="End")
    request_date = fields.Date(
        string="Requested On",
        copy=False,
        help="A request filed from 2 January 2022 needs the contrat d'engagement républicain.",
    )
    cer_date = fields.Date(
        string="CER Signed On",
        copy=False,
        help="Signature of the contrat d'engagement républicain.",
    )
    decision_number = fields.Char(
        help="Number of the council's deliberation.", tracking=True, copy=False
    )
    decision_date = fields.Date(tracking=True, copy=False)
    executory_date = fields.Date(
        string="Decision Executory On",
        copy=False,
        help="The later of its transmission to the prefecture and its publication.",
    )
    notification_date = fields.Date(
        string="Notified On",
        copy=False,
        help="When the operator was told of its award: payments are due 60 days later, unless the "
        "convention says otherwise.",
    )
    convention_reference = fields.Char(
        string="Convention",
        help="Reference of the signed convention.",
        tracking=True,
        copy=False,
    )
    commitment_number = fields.Char(
        string="State Commitment (EJ)",
        copy=False,
        tracking=True,
        help="Of a subsidy that the State pays itself: number of its commitment (engagement "
        "juridique), which its extract of payments names. Ten digits.",
    )
    convention_required = fields.Boolean(compute="_compute_convention_required")
    due_rule = fields.Selection(
        [
            ("fixed", "Lump sum"),
            ("pro_rata", "Pro rata of the budget spent"),
            ("cost", "Never more than the cost"),
            ("deficit", "Never more than the deficit"),
        ],
        string="Rule for the Amount Due",
        required=True,
        default="fixed",
        tracking=True,
        help="What the convention makes of a financial report below its budget.",
    )
    surplus_percent = fields.Float(
        string="Surplus Kept (%)",
        digits=(5, 2),
        help="Of the amount granted: what the convention lets the operator keep of money it did "
        "not use (loi 2000-321, art. 10).",
    )
    report_required = fields.Boolean(
        string="Financial Report Required",
        compute="_compute_report_required",
        store=True,
        readonly=False,
        precompute=True,
        help="The balance is not paid, and the subsidy not closed, without an accepted financial "
        "report.",
    )
    signature_date = fields.Date(string="Signed On", tracking=True, copy=False)
    note = fields.Html(string="Notes")
    state = fields.Selection(
        [
            ("draft", "Draft"),
            ("granted", "Granted"),
            ("signed", "Signed"),
            ("closed", "Closed Out"),
            ("cancelled", "Cancelled"),
        ],
        required=True, default="draft", readonly=True, copy=False, tracking=True, index=True,
        group_expand=True,
    )  # fmt: skip
    template_id = fields.Many2one(
        "grant.schedule.template", string="Schedule Template", check_company=True, copy=False
    )
    action_ids = fields.One2many("grant.action", "subsidy_id", string="Actions", copy=True)
    theme_ids = fields.Many2many(
        "grant.theme",
        string="Themes",
        compute="_compute_theme_ids",
        search="_search_theme_ids",
        context={"active_test": False},
    )
    milestone_ids = fields.One2many("grant.milestone", "subsidy_id", string="Milestones")
    deliverable_ids = fields.One2many("grant.deliverable", "subsidy_id", string="Deliverables")
    disbursement_ids = fields.One2many("grant.disbursement", "subsidy_id", string="Tranches")
    report_ids = fields.One2many("grant.financial.report", "subsidy_id", string="Financial Report")
    recovery_ids = fields.One2many("grant.recovery", "subsidy_id", string="Recoveries")
    recovery_count = fields.Integer(compute="_compute_recovery_count")
    amendment_ids = fields.One2many("grant.amendment", "subsidy_id", string="Amendments")
    report_state = fields.Selection(related="report_ids.state", string="State of the Report")
    owed_amount = fields.Monetary(
        string="Operator Has to Pay Back",
        compute="_compute_owed_amount",
        help="Repayments claimed from the operator by this city, for all its subsidies, and not "
        "paid yet.",
    )
    cost_ids = fields.One2many("grant.own.cost", "subsidy_id", string="Costs")
    not_covered_amount = fields.Monetary(
        string="Not Covered",
        compute="_compute_not_covered_amount",
        help="Costs of the city that are booked in its period, and beyond what it commits.",
    )
    operator_debts = fields.Text(
        string="What the Operator Owes",
        compute="_compute_operator_debts",
        help="Pieces late for its other subsidies, and repayments claimed: one a line.",
    )
    decision_ids = fields.One2many("grant.decision", "subsidy_id", string="Decisions")
    entry_ids = fields.One2many("grant.entry", "subsidy_id", string="Ledger")

    committed_amount = fields.Monetary(
        string="Committed", required=True, default=0.0, readonly=True, copy=False
    )
    paid_amount = fields.Monetary(
        string="Paid", required=True, default=0.0, readonly=True, copy=False
    )
    justified_amount = fields.Monetary(
        string="Justified", required=True, default=0.0, readonly=True, copy=False
    )
    recovered_amount = fields.Monetary(
        string="Recovered", required=True, default=0.0, readonly=True, copy=False
    )
    to_pay_amount = fields.Monetary(string="To Pay", compute="_compute_derived_amounts")
    unjustified_amount = fields.Monetary(string="Unjustified", compute="_compute_derived_amounts")
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    next_disbursement_id = fields.Many2one(
        "grant.disbursement", string="Next Payment", compute="_compute_next_disbursement"
    )
    next_due_date = fields.Date(compute="_compute_next_disbursement")
    next_amount = fields.Monetary(compute="_compute_next_disbursement")
    next_state = fields.Char(compute="_compute_next_disbursement")
    next_blockers = fields.Text(
        string="What Blocks the Next Payment", compute="_compute_next_disbursement"
    )
    schedule_warning = fields.Char(compute="_compute_schedule_warning")
    ceiling_warning = fields.Char(related="envelope_id.ceiling_warning")

    _code_uniq = models.UniqueIndex(
        "(company_id, code)", "There is already a subsidy with this code."
    )
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amount of a subsidy cannot be negative."
    )
    _surplus_percent_range = models.Constraint(
        "CHECK (surplus_percent >= 0 AND surplus_percent <= 100)",
        "The surplus that an operator keeps is between 0 and 100 %.",
    )
    _period = models.Constraint(
        "CHECK (date_end >= date_start)", "A subsidy cannot end before it starts."
    )
    _paid_within_committed = models.Constraint(
        "CHECK (paid_amount - recovered_amount <= committed_amount)",
        "What is paid for a subsidy, less what is recovered, cannot exceed its commitment.",
    )
    _commitment_number_digits = models.Constraint(
        "CHECK (commitment_number ~ '^[0-9]{10}$')",
        "The number of a State commitment (EJ) has ten digits, zeros at its head included.",
    )
    _counters_positive = models.Constraint(
        "CHECK (committed_amount >= 0 AND paid_amount >= 0 AND justified_amount >= 0 "
        "AND recovered_amount >= 0)",
        "The totals of a subsidy cannot be negative.",
    )

    @api.depends("code", "partner_id.name")
    def _compute_display_name(self):
        for subsidy in self:
            # sudo: an operator's or a prefecture's portal user may not read every partner
            partner = subsidy.partner_id.sudo().name
            subsidy.display_name = " – ".join(filter(None, (subsidy.code, partner)))

    def _compute_access_url(self):
        res = super()._compute_access_url()
        for subsidy in self:
            subsidy.access_url = f"/my/subsidies/{subsidy.id}"
        return res

    @api.depends("kind", "company_id")
    def _compute_partner_id(self):
        for subsidy in self:
            if subsidy.kind == "own_cost":
                subsidy.partner_id = (subsidy.company_id or self.env.company).partner_id

    @api.depends("action_ids.theme_ids")
    def _compute_theme_ids(self):
        for subsidy in self:
            subsidy.theme_ids = subsidy.action_ids.theme_ids

    @api.model
    def _search_theme_ids(self, operator, value):
        return Domain("action_ids.theme_ids", operator, value)

    @api.depends("committed_amount", "paid_amount", "recovered_amount", "justified_amount")
    def _compute_derived_amounts(self):
        for subsidy in self:
            subsidy.to_pay_amount = (
                subsidy.committed_amount - subsidy.paid_amount + subsidy.recovered_amount
            )
            subsidy.unjustified_amount = (
                subsidy.paid_amount - subsidy.recovered_amount - subsidy.justified_amount
            )

    @api.depends("due_rule", "kind")
    def _compute_report_required(self):
        for subsidy in self:
            # A lump sum is due without it, unless the convention says otherwise.
            subsidy.report_required = subsidy.kind == "operator" and subsidy.due_rule != "fixed"

    @api.depends("recovery_ids")
    def _compute_recovery_count(self):
        counts = dict(
            self.env["grant.recovery"]._read_group(
                [("subsidy_id", "in", self.ids)], ["subsidy_id"], ["__count"]
            )
        )
        for subsidy in self:
            subsidy.recovery_count = counts.get(subsidy._origin, 0)

    @api.depends(
        "partner_id.grant_recovery_ids.state", "partner_id.grant_recovery_ids.amount",
        "partner_id.grant_recovery_ids.collected_amount",
    )  # fmt: skip
    def _compute_owed_amount(self):
        # sudo: an amount owed to the same city, whoever of its staff may read the recovery
        recoveries = self.env["grant.recovery"].sudo()
        owed = {
            (partner.id, company.id): amount - collected
            for partner, company, amount, collected in recoveries._read_group(
                [("partner_id", "in", self.partner_id.ids), ("state", "=", "claimed")],
                ["partner_id", "company_id"],
                ["amount:sum", "collected_amount:sum"],
            )
        }
        for subsidy in self:
            subsidy.owed_amount = owed.get((subsidy.partner_id.id, subsidy.company_id.id), 0.0)

    @api.depends("paid_amount", "committed_amount")
    def _compute_not_covered_amount(self):
        costs = dict(
            self.env["grant.own.cost"]._read_group(
                [("subsidy_id", "in", self.ids), ("reason", "=", "ceiling")],
                ["subsidy_id"],
                ["not_covered_amount:sum"],
            )
        ) if "own_cost" in self.mapped("kind") else {}
        for subsidy in self:
            subsidy.not_covered_amount = costs.get(subsidy._origin, 0.0)

    @api.depends("partner_id")
    def _compute_operator_debts(self):
        operators = self.filtered(lambda subsidy: subsidy.kind == "operator").partner_id
        debts = operators._get_grant_debts()
        for subsidy in self:
            subsidy.operator_debts = "\n".join(
                sentence
                for source, company, sentence in debts.get(subsidy.partner_id, ())
                if source != subsidy._origin and company == subsidy.company_id
            )

    @api.depends("deliverable_ids.is_late")
    def _compute_is_late(self):
        for subsidy in self:
            subsidy.is_late = any(subsidy.deliverable_ids.mapped("is_late"))

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain("deliverable_ids.is_late", "=", True)
        return Domain.OR(late if wanted else ~late for wanted in value)

    @api.depends(
        "disbursement_ids.blockers", "disbursement_ids.state", "disbursement_ids.due_date",
        "disbursement_ids.amount",
    )  # fmt: skip
    def _compute_next_disbursement(self):
        waiting = {
            subsidy: subsidy.disbursement_ids.filtered(
                lambda disbursement: disbursement.state not in ("paid", "cancelled")
            ).sorted(lambda d: (d.due_date or datetime.date.max, d.sequence, d.id))[:1]
            for subsidy in self
        }
        # What blocks them is looked up for all of them at once.
        all_ids = [disbursement.id for disbursement in waiting.values() if disbursement]
        for subsidy, disbursement in waiting.items():
            following = disbursement.with_prefetch(all_ids)
            subsidy.next_disbursement_id = following
            subsidy.next_due_date = following.due_date
            subsidy.next_amount = following.amount
            subsidy.next_state = following.state
            subsidy.next_blockers = following.blockers

    @api.depends("amount", "disbursement_ids.amount", "disbursement_ids.state", "action_ids.amount")
    def _compute_schedule_warning(self):
        for subsidy in self:
            planned = subsidy._get_planned_amount()
            over = planned - (subsidy.committed_amount or subsidy.amount)
            # A form just opened has no envelope, hence no currency yet.
            currency = subsidy.currency_id or self.env.company.currency_id
            warning = False
            if currency.compare_amounts(over, 0) > 0:
                warning = self.env._(
                    "The tranches exceed the amount by %(over)s.", over=currency.format(over)
                )
            elif planned and currency.compare_amounts(over, 0) < 0:
                warning = self.env._(
                    "The tranches fall short of the amount by %(short)s.",
                    short=currency.format(-over),
                )
            subsidy.schedule_warning = warning

    def _get_planned_amount(self):
        self.ensure_one()
        return sum(
            self.disbursement_ids.filtered(lambda d: d.state != "cancelled").mapped("amount")
        )

    @api.depends(
        "amount", "partner_id", "kind", "date_start", "decision_date", "state",
        "company_id.grant_convention_threshold",
    )  # fmt: skip
    def _compute_convention_required(self):
        granted = self._get_yearly_amounts()
        for subsidy in self:
            subsidy.convention_required = (
                subsidy.kind == "operator" and subsidy._is_above_threshold(granted[subsidy])
            )

    def _is_above_threshold(self, amount):
        company = self.company_id or self.env.company
        return company.currency_id.compare_amounts(amount, company.grant_convention_threshold) > 0

    def _get_yearly_amounts(self):
        """Euros granted to each subsidy's operator, by this city and in the subsidy's year, itself
        included: the 23 000 € threshold counts by year and by body (loi 2000-321, art. 10).

        :return: dict: subsidy: amount
        """

        def by_year(subsidy, day):
            return subsidy.partner_id.id, subsidy.company_id.id, day and day.year

        decided = self.search_fetch(
            Domain("partner_id", "in", self.partner_id.ids)
            & Domain("kind", "=", "operator")
            & Domain("state", "!=", "cancelled")
            & Domain("decision_date", "!=", False),
            ["partner_id", "company_id", "decision_date", "amount"],
        ).grouped(lambda subsidy: by_year(subsidy, subsidy.decision_date))
        amounts = {}
        for subsidy in self:
            year = by_year(subsidy, subsidy.decision_date or subsidy.date_start)
            others = decided.get(year, self.browse()) - subsidy._origin
            amounts[subsidy] = subsidy.amount + sum(others.mapped("amount"))
        return amounts

    def _get_fiscalyear_end(self):
        """End of the operator's financial year in which the subsidy's period ends."""
        self.ensure_one()
        last_day = self.date_end or self.decision_date
        if not last_day:
            return False
        month = int(self.partner_id.fiscalyear_end_month or 12)
        year_end = last_day + relativedelta(month=month, day=31)
        return year_end if year_end >= last_day else year_end + relativedelta(years=1, day=31)

    @api.constrains("kind", "partner_id")
    def _check_own_cost_partner(self):
        for subsidy in self:
            city = subsidy.company_id.partner_id
            if (subsidy.kind == "own_cost") != (subsidy.partner_id == city):
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: a cost of the city has the city itself as operator, a "
                        "subsidy another organisation.",
                        subsidy=subsidy.code,
                    )
                )

    @api.constrains("kind", "envelope_id", "date_start", "date_end", "state")
    def _check_own_costs(self):
        """Each cost of the city has one subsidy to cover it, by its envelope and date."""
        for subsidy in self.filtered(lambda s: s.kind == "own_cost"):
            if subsidy.disbursement_ids:
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: a cost of the city has no tranches, accounting says what is "
                        "paid.",
                        subsidy=subsidy.display_name,
                    )
                )
            if subsidy.state != "signed":
                continue
            other = self.search(
                Domain("id", "!=", subsidy.id)
                & Domain("envelope_id", "=", subsidy.envelope_id.id)
                & Domain("kind", "=", "own_cost")
                & Domain("state", "in", ("signed", "closed"))
                & Domain("date_start", "<=", subsidy.date_end)
                & Domain("date_end", ">=", subsidy.date_start),
                limit=1,
            )
            if other:
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: %(other)s covers costs of the city in the same envelope and "
                        "period. Choose other dates.",
                        subsidy=subsidy.display_name,
                        other=other.display_name,
                    )
                )

    @api.constrains("date_start", "date_end", "envelope_id")
    def _check_period(self):
        for subsidy in self:
            for sentence in subsidy._get_period_errors(subsidy, subsidy.contract_id):
                raise ValidationError(sentence)
        self.milestone_ids._check_date()

    def _get_period_errors(self, period, contract_period):
        """Sentences on what of a period of this subsidy is outside one of its contract.

        :param period: whose ``date_start`` and ``date_end`` count: the subsidy, or an amendment
        :param contract_period: the same for the contract
        """
        self.ensure_one()
        start, end = contract_period.date_start, contract_period.date_end
        return [
            self.env._(
                "%(subsidy)s: “%(field)s” is %(day)s, outside the period of contract "
                "%(contract)s (%(start)s – %(end)s).",
                subsidy=self.display_name,
                field=self._fields[name]._description_string(self.env),
                day=format_date(self.env, day),
                contract=self.contract_id.code,
                start=format_date(self.env, start),
                end=format_date(self.env, end),
            )
            for name in ("date_start", "date_end")
            if (day := period[name]) and not (start or day) <= day <= (end or day)
        ]

    def _check_schedule_total(self):
        """Refuse tranches that add up to more than the subsidy.

        :raise UserError: naming the subsidy and both amounts
        """
        for subsidy in self:
            planned = subsidy._get_planned_amount()
            if subsidy.currency_id.compare_amounts(planned, subsidy.amount) > 0:
                raise UserError(
                    self.env._(
                        "%(subsidy)s: its tranches add up to %(planned)s, more than its amount, "
                        "%(amount)s.",
                        subsidy=subsidy.display_name,
                        planned=subsidy.currency_id.format(planned),
                        amount=subsidy.currency_id.format(subsidy.amount),
                    )
                )

    def _check_actions_total(self):
        """Refuse actions that add up to more than the subsidy.

        :raise ValidationError: naming the subsidy and both amounts
        """
        for subsidy in self:
            total = sum(subsidy.action_ids.mapped("amount"))
            if total and subsidy.currency_id.compare_amounts(total, subsidy.amount) > 0:
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: its actions add up to %(total)s, more than its amount, "
                        "%(amount)s.",
                        subsidy=subsidy.display_name,
                        total=subsidy.currency_id.format(total),
                        amount=subsidy.currency_id.format(subsidy.amount),
                    )
                )

    @api.constrains("amount")
    def _check_amount_covers_actions(self):
        self._check_actions_total()

    def _get_amendable_fields(self):
        return frozenset({"amount", "date_start", "date_end"} if self.state == "signed" else ())

    def _get_frozen_fields(self):
        frozen = {"active", "envelope_id", "partner_id", "kind"}
        if self.state == "draft":
            # A cancelled subsidy can be a draft again: its entries name envelope and operator.
            return frozenset(frozen if self.entry_ids else ())
        frozen |= {"amount", "decision_number", "decision_date"}
        if self.state != "granted":
            frozen |= {"signature_date", "code", *self._due_fields}
        return frozenset(frozen)

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("code", "/") == "/":
                vals["code"] = self.env["ir.sequence"].next_by_code("grant.subsidy")
        subsidies = super().create(vals_list)
        subsidies.filtered("decision_date").partner_id._refresh_grant_tranches()
        return subsidies

    def write(self, vals):
        res = super().write(vals)
        if not self._threshold_fields.isdisjoint(vals):
            # The year's subsidies of an operator count together, for the convention.
            self.partner_id._refresh_grant_tranches()
        elif not self._condition_fields.isdisjoint(vals):
            self.disbursement_ids._refresh_readiness()
        if vals.keys() & {"date_start", "date_end"}:
            self._sync_own_costs()
        return res

    def _sync_own_costs(self):
        """The period and the commitment of a cost of the city say what it covers."""
        costs = self.filtered(lambda subsidy: subsidy.kind == "own_cost")
        self.env["grant.own.cost"]._sync(costs.envelope_id)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for subsidy in self:
            if subsidy.state != "draft" or subsidy.decision_ids or subsidy.entry_ids:
                raise UserError(
                    self.env._(
                        "%(subsidy)s has decisions and cannot be deleted: cancel it instead.",
                        subsidy=subsidy.display_name,
                    )
                )
        # Not by the database: it would empty columns of lines that it is about to delete.
        self.milestone_ids.unlink()

    # ------------------------------------------------------------------
    # What is due in the end
    # ------------------------------------------------------------------

    def _get_report(self):
        """The accepted financial report, or none."""
        self.ensure_one()
        return self.report_ids.filtered(lambda report: report.state == "accepted")

    def _get_commitment_target(self):
        """Euros that remain promised: the amount granted; once the financial report is accepted,
        what is due, or what is already paid when that is more."""
        self.ensure_one()
        if report := self._get_report():
            return max(report.due_amount, self.paid_amount - self.recovered_amount)
        return self.amount

    def _get_withdrawn_amount(self):
        """Euros paid back because a condition was not met: they are not paid out again."""
        self.ensure_one()
        withdrawn = self.recovery_ids.filtered(lambda recovery: recovery.reason in WITHDRAWALS)
        return sum(withdrawn.mapped("collected_amount"))

    def _get_due_left(self):
        """Euros that the accepted financial report leaves to pay, or None without one."""
        self.ensure_one()
        if report := self._get_report():
            return report.left_amount - self._get_withdrawn_amount()
        return None

    def _get_open_recovery_amount(self, but=None):
        """Euros that the open recoveries of this subsidy still ask for, ``but`` one."""
        self.ensure_one()
        recoveries = self.env["grant.recovery"].search(
            [("subsidy_id", "=", self.id), ("state", "in", OPEN_STATES)]
        )
        return sum((recoveries - but if but else recoveries).mapped("residual_amount"))

    def _get_recoverable_amount(self, but=None):
        """Euros paid and not paid back, less what open recoveries ask for already."""
        self.ensure_one()
        held = self.paid_amount - self.recovered_amount
        return self.currency_id.round(held - self._get_open_recovery_amount(but))

    def action_waive_report(self):
        """Ask for the reason, then do without the financial report."""
        return self.env["grant.reason"]._open(self, "waive_report")

    def _do_waive_report(self, reason):
        """Do without the financial report that the convention asks for, with a reason.

        :raise UserError: none is required, or it is accepted
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Doing without the financial report")
        self._check_group("group_finance_manager", what)
        self.lock_for_update()
        self._check_state(("signed",), what)
        for subsidy in self:
            if not subsidy.report_required or subsidy._get_report():
                raise UserError(
                    self.env._(
                        "%(subsidy)s waits for no financial report.", subsidy=subsidy.display_name
                    )
                )
            self.env["grant.decision"]._record("overridden", subsidy, reason, condition="report")
            subsidy._transition(report_required=False)
            subsidy.disbursement_ids._refresh_readiness()

    def _get_closing_obstacles(self):
        """What keeps this subsidy from being closed: a list of sentences."""
        self.ensure_one()
        obstacles = [
            self.env._(
                "Recovery %(recovery)s is open: collect it, or waive it.",
                recovery=recovery.display_name,
            )
            for recovery in self.recovery_ids.filtered(lambda recovery: recovery._is_open())
        ]
        kept = self.paid_amount - self.recovered_amount
        if (
            self.report_required
            and not self._get_report()
            and self.currency_id.compare_amounts(kept, 0) > 0
        ):
            obstacles.append(
                self.env._(
                    "The financial report is not accepted: accept it, or do without it with a "
                    "reason."
                )
            )
        return obstacles

    def _can_submit(self, user):
        """Whether ``user`` may hand in pieces: a coordinator, or the operator itself (R7)."""
        self.ensure_one()
        if user.has_group("ctai_grants.group_coordinator"):
            return True
        return (
            user.has_group("ctai_grants.group_portal_operator")
            and user.commercial_partner_id == self.partner_id.commercial_partner_id
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_grant(self):
        """Record that the council granted the subsidy.

        :raise UserError: decision number or date, amount or period missing
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Granting a subsidy")
        self._check_group("group_coordinator", what)
        self._check_state(("draft",), what)
        for subsidy in self:
            required = ["amount", "date_start", "date_end"]
            if subsidy.kind == "operator":
                required += ["decision_number", "decision_date"]
            subsidy._check_filled(required)
            subsidy._decide("granted", state="granted")

    def _check_siret(self):
        """Refuse an operator in France without SIRET: neither paid nor published (décret
        2017-779) without it."""
        partner = self.partner_id.commercial_partner_id
        is_abroad = partner.country_id and not partner.is_france_country
        siret = partner._get_siret() if partner.country_id else partner.company_registry
        if self.kind == "operator" and not is_abroad and not siret:
            raise UserError(
                self.env._(
                    "%(subsidy)s: enter the SIRET of %(operator)s first.",
                    subsidy=self.display_name,
                    operator=partner.display_name,
                )
            )

    def action_apply_template(self):
        """Copy the schedule template's milestones, deliverables and tranches.

        :raise UserError: no template chosen, or there is a schedule already
        """
        for subsidy in self:
            subsidy._check_filled(["template_id", "amount"])
            subsidy._check_state(("draft", "granted"), self.env._("Applying a schedule template"))
            if subsidy.milestone_ids or subsidy.disbursement_ids:
                raise UserError(
                    self.env._(
                        "%(subsidy)s already has a schedule: delete its tranches and milestones "
                        "first.",
                        subsidy=subsidy.display_name,
                    )
                )
            subsidy.template_id._copy_to(subsidy)

    def action_sign(self):
        """Commit the amount: the convention is signed, or the award notified.

        :raise UserError: the envelope has not enough left (R1), the tranches exceed the amount
            (R2), the signature date or the operator's SIRET is missing
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Signing a subsidy")
        self._check_group("group_coordinator", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("granted",), what)
        for subsidy in self:
            subsidy._check_filled(["signature_date"])
            subsidy._check_siret()
            if subsidy.kind == "own_cost":
                subsidy.envelope_id._get_analytic_account()
            subsidy._check_schedule_total()
            subsidy._decide("signed", state="signed")
            subsidy._post_commitment(subsidy.amount, subsidy.signature_date)

    def action_reset_to_draft(self):
        """Back to draft, before the signature.

        :raise UserError: signed, or the ledger holds entries of it
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Setting a subsidy back to draft")
        self._check_group("group_coordinator", what)
        self._check_state(("granted", "cancelled"), what)
        for subsidy in self:
            subsidy._decide("reopened", state="draft")

    def action_cancel(self):
        """Ask for the reason, then cancel the subsidy."""
        return self.env["grant.reason"]._open(self, "cancel")

    def _do_cancel(self, reason):
        """Cancel a subsidy of which nothing is paid, and release its commitment.

        :raise UserError: something is paid or ordered
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Cancelling a subsidy")
        self._check_group("group_coordinator", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("draft", "granted", "signed"), what)
        for subsidy in self:
            if subsidy.paid_amount:
                raise UserError(
                    self.env._(
                        "%(subsidy)s: money is already paid. Close it instead, what is unpaid is "
                        "released.",
                        subsidy=subsidy.display_name,
                    )
                )
            subsidy._release("cancelled", reason)

    def action_close(self):
        """Ask for the reason, then close the subsidy and release what is not paid."""
        return self.env["grant.reason"]._open(self, "close")

    def _do_close(self, reason):
        """Close the subsidy: tranches not paid are cancelled, their commitment released.

        :raise UserError: a tranche is ordered and not paid yet, a recovery is open, or the
            financial report that the convention asks for is not accepted
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Closing a subsidy")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("signed",), what)
        for subsidy in self:
            if obstacles := subsidy._get_closing_obstacles():
                raise UserError(
                    self.env._(
                        "%(subsidy)s cannot be closed:\n%(obstacles)s",
                        subsidy=subsidy.display_name,
                        obstacles="\n".join(f"• {obstacle}" for obstacle in obstacles),
                    )
                )
            subsidy._release("closed", reason)

    def _release(self, state, reason):
        """Cancel what is planned, give the unpaid commitment back to the envelope."""
        ordered = self.disbursement_ids.filtered(lambda d: d.state == "ordered")
        if ordered:
            raise UserError(
                self.env._(
                    "%(subsidy)s: “%(tranche)s” is ordered and not paid yet.",
                    subsidy=self.display_name,
                    tranche=ordered[0].name,
                )
            )
        for disbursement in self.disbursement_ids:
            if disbursement.state not in ("paid", "cancelled"):
                disbursement._decide("cancelled", reason, state="cancelled")
        self._decide(state, reason, state=state)
        if not self.currency_id.is_zero(self.to_pay_amount):
            self._post_commitment(-self.to_pay_amount, self.company_id._grant_today(), reason)

    def action_reopen(self):
        """Open a closed subsidy again and commit its amount again, or what its financial report
        says is due.

        :raise UserError: the envelope has not enough left any more (R1), or the contract is closed
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Reopening a subsidy")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("closed",), what)
        self.contract_id._check_state(("in_force",), what)
        for subsidy in self:
            subsidy._decide("reopened", state="signed")
            released = subsidy._get_commitment_target() - subsidy.committed_amount
            if not subsidy.currency_id.is_zero(released):
                subsidy._post_commitment(released, subsidy.company_id._grant_today())

    def _decide(self, decision, reason=None, **values):
        """Record a decision on this subsidy and what it changes."""
        self.ensure_one()
        self.env["grant.decision"]._record(decision, self, reason)
        self._transition(**values)

    def _post_commitment(self, amount, date, memo=None):
        """Post a commitment, split over the actions that have an amount when it is the whole."""
        lines = []
        rest = amount
        if self.currency_id.compare_amounts(amount, self.amount) == 0:
            for action in self.action_ids.filtered("amount"):
                lines.append({"action_id": action.id, "amount": action.amount})
                rest -= action.amount
        if not self.currency_id.is_zero(rest):
            lines.append({"amount": self.currency_id.round(rest)})
        for line in lines:
            line.update(
                kind="commitment",
                envelope_id=self.envelope_id.id,
                subsidy_id=self.id,
                date=date,
                memo=memo or self.convention_reference or self.decision_number or self.code,
            )
        self.env["grant.entry"]._post(self, lines)
        self._sync_own_costs()

    def action_amend(self):
        """Draft an amendment to this subsidy, and open it.

        :raise UserError: not signed, or closed
        :raise AccessError: the user is not a coordinator
        """
        return self.env["grant.amendment"]._draft("subsidy_id", self)._get_form_action()

    def action_carry_balance(self):
        """Draft the amendment that carries what is not paid yet to the next year, and open it.

        :raise UserError: nothing is left to pay
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        if self.currency_id.compare_amounts(self.to_pay_amount, 0) <= 0:
            raise UserError(
                self.env._("%(subsidy)s: nothing is left to pay.", subsidy=self.display_name)
            )
        amendment = self.env["grant.amendment"]._draft("subsidy_id", self)
        amendment._carry()
        return amendment._get_form_action()

    def action_view_amendments(self):
        """Open the amendments to these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_amendment_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action

    def action_view_entries(self):
        """Open the ledger of these subsidies, limited to the kind given in the context."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_entry_action")
        domain = [("subsidy_id", "in", self.ids)]
        if kind := self.env.context.get("entry_kind"):
            domain.append(("kind", "=", kind))
        action["domain"] = domain
        action["context"] = {}
        return action

    def action_view_deliverables(self):
        """Open the deliverables of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_deliverable_action"
        )
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action

    def action_view_report(self):
        """Open the financial report, or the form to enter it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Financial Report"),
            "res_model": "grant.financial.report",
            "res_id": self.report_ids.id,
            "views": [(False, "form")],
            "context": {
                "default_subsidy_id": self.id,
                "default_exercise_start": self.date_start,
                "default_exercise_end": self.date_end,
            },
        }

    def action_view_recoveries(self):
        """Open the recoveries of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_recovery_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {"default_subsidy_id": self.id if len(self) == 1 else False}
        return action

    def action_view_decisions(self):
        """Open the history of decisions of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_decision_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action
