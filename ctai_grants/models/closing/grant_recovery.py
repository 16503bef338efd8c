import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate
from odoo.tools.misc import format_date

from ...lib.closing import due
from ...lib.guard.money import euros
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

OPEN_STATES = ("identified", "notified", "decided", "claimed")
REASONS = [
    ("unused", "Money Not Used"),
    ("condition", "Condition Not Met"),
    ("cer", "Breach of the Contrat d'Engagement Républicain"),
    ("overpaid", "Paid Too Much"),
]
# What is withdrawn for these reasons is not paid out again.
WITHDRAWALS = ("cer", "condition")


class GrantRecovery(models.Model):
    """Money to take back from an operator, with the due process that the law wants.

    The operator is told (facts, legal ground, amount) and has a delay to answer before a finance
    manager decides, with reasons (CRPA, art. L121-1 and L211-2). The delay starts on the
    day its receipt of the letter is recorded, never before, and is fixed then: no button, date,
    clock or setting shortens it. The ledger only knows what is really paid back.
    """

    _name = "grant.recovery"
    _description = "Recovery"
    _inherit = [
        "grant.document.mixin", "grant.source.mixin", "grant.decided.mixin", "grant.dated.mixin",
        "grant.thread.mixin", "mail.activity.mixin",
    ]  # fmt: skip
    _legal_others = ("breach_date",)
    _order = "id desc"
    _check_company_auto = True

    _entry_kinds = ("recovery",)
    _entry_name = "name"
    _decision_key = "recovery_id"
    _first_state = "identified"

    name = fields.Char(string="Number", required=True, readonly=True, copy=False, default="/")
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('kind', '=', 'operator'), ('state', '=', 'signed')]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    envelope_id = fields.Many2one(related="subsidy_id.envelope_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True)
    payment_path = fields.Selection(related="envelope_id.payment_path")
    report_id = fields.Many2one(
        "grant.financial.report", readonly=True, ondelete="restrict", index="btree_not_null",
        copy=False,
    )  # fmt: skip
    reason = fields.Selection(REASONS, required=True, default="unused", tracking=True)
    breach_date = fields.Date(
        string="Breach On",
        tracking=True,
        help="The part of the period that starts here is withdrawn (décret 2021-1947).",
    )
    facts = fields.Text(help="What happened, as the operator will read it.")
    letter = fields.Text(copy=False, help="Facts, legal ground, and the delay to answer.")
    letter_date = fields.Date(string="Date of the Letter", copy=False, tracking=True)
    amount = fields.Monetary(
        required=True, compute="_compute_amount", store=True, readonly=False, precompute=True,
        tracking=True, wakes="_get_operator_tranches",
    )  # fmt: skip
    state = fields.Selection(
        [
            ("identified", "Identified"),
            ("notified", "Notified"),
            ("decided", "Decided"),
            ("claimed", "Repayment Claimed"),
            ("collected", "Collected"),
            ("waived", "Waived"),
        ],
        required=True, default="identified", readonly=True, copy=False, tracking=True, index=True,
        group_expand=True, wakes="_get_operator_tranches",
    )  # fmt: skip
    notified_amount = fields.Monetary(string="Amount Notified", readonly=True, copy=False)
    notified_date = fields.Date(
        string="Notified On", readonly=True, copy=False,
        help="The day on which the operator received the letter.",
    )  # fmt: skip
    answer_deadline = fields.Date(
        string="Answer Until", readonly=True, copy=False,
        help="Last day the operator has to answer: nothing is decided before it is over.",
    )  # fmt: skip
    observations = fields.Text(string="Operator's Observations", readonly=True, copy=False)
    decided_date = fields.Date(string="Decided On", readonly=True, copy=False)
    decision_reason = fields.Text(string="Grounds of the Decision", readonly=True, copy=False)
    claim_date = fields.Date(string="Repayment Claimed On", readonly=True, copy=False)
    collected_amount = fields.Monetary(
        string="Paid Back", readonly=True, copy=False, required=True, default=0.0,
        wakes="_get_operator_tranches",
    )  # fmt: skip
    collected_date = fields.Date(string="Paid Back On", readonly=True, copy=False)
    residual_amount = fields.Monetary(string="Outstanding", compute="_compute_residual_amount")
    decision_ids = fields.One2many("grant.decision", "recovery_id", string="Decisions")
    # Those of one call have no number yet when they are inserted.
    _name_uniq = models.UniqueIndex(
        "(company_id, name) WHERE name <> '/'", "There is already a recovery with this number."
    )
    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of a recovery is above zero."
    )
    # Whoever writes: no decision without a delay that is over.
    _contradictory = models.Constraint(
        "CHECK (state IN ('identified', 'notified', 'waived') "
        "OR (answer_deadline IS NOT NULL AND decided_date IS NOT NULL)) ",
        "A recovery is decided after the operator was heard.",
    )
    _delay_over = models.Constraint(
        "CHECK (decided_date > answer_deadline AND answer_deadline >= notified_date)",
        "A recovery is decided once the delay to answer is over.",
    )

    @api.model
    def _get_decision_states(self):
        return {
            **super()._get_decision_states(),
            "identified": "identified",
            "notified": "notified",
            "observed": None,
            "decided": "decided",
            "waived": "waived",
            "claimed": "claimed",
            "collected": "collected",
            "collected_part": None,
            "unpaid": "claimed",
        }

    def _get_operator_tranches(self):
        """What the operator owes is a condition of its tranches, of every subsidy."""
        return self.partner_id._get_waiting_tranches()

    @api.depends("name", "partner_id.name")
    def _compute_display_name(self):
        for recovery in self:
            # Its number is taken when it is saved.
            name = recovery.name != "/" and recovery.name
            recovery.display_name = " – ".join(filter(None, (name, recovery.partner_id.name)))

    @api.depends("reason", "breach_date", "subsidy_id")
    def _compute_amount(self):
        for recovery in self:
            if recovery.subsidy_id and recovery.state == "identified":
                # Where nothing is proposed, what was typed stays.
                recovery.amount = recovery._get_proposed_amount() or recovery.amount

    def _get_proposed_amount(self):
        """Euros to take back, as the reason makes it; never more than can be taken back.

        CER breach: what was paid, pro rata of the days left of the period, the day of the breach
        included.
        """
        self.ensure_one()
        subsidy = self.subsidy_id
        paid = subsidy.paid_amount - subsidy.recovered_amount
        room = subsidy._get_recoverable_amount(self._origin)
        if self.reason == "cer":
            if not (self.breach_date and subsidy.date_start and subsidy.date_end):
                return 0.0
            proposed = float(
                due.pro_rata_of_days(
                    euros(paid), subsidy.date_start, subsidy.date_end, self.breach_date
                )
            )
        else:
            proposed = subsidy.report_ids.to_recover_amount if subsidy._get_report() else 0.0
        return max(0.0, min(proposed, room))

    @api.depends("amount", "collected_amount", "state")
    def _compute_residual_amount(self):
        for recovery in self:
            left = recovery.amount - recovery.collected_amount
            recovery.residual_amount = left if recovery.state in OPEN_STATES else 0.0

    def _is_open(self):
        self.ensure_one()
        return self.state in OPEN_STATES

    @api.constrains("amount", "subsidy_id")
    def _check_recoverable(self):
        """Refuse that the open recoveries of a subsidy exceed what it still holds.

        :raise UserError: naming the subsidy and both amounts
        """
        # A recovery moves no counter: one entered at the same time would not see this one.
        self.envelope_id._touch()
        for subsidy in self.subsidy_id:
            if subsidy.currency_id.compare_amounts(subsidy._get_recoverable_amount(), 0) < 0:
                held = subsidy.paid_amount - subsidy.recovered_amount
                raise UserError(
                    self.env._(
                        "%(subsidy)s: %(held)s were paid and not paid back, its open recoveries "
                        "would take back %(asked)s.",
                        subsidy=subsidy.display_name,
                        held=subsidy.currency_id.format(held),
                        asked=subsidy.currency_id.format(subsidy._get_open_recovery_amount()),
                    )
                )

    def _get_frozen_fields(self):
        frozen = {"subsidy_id"}
        if self.state != "identified":
            frozen |= {"reason", "breach_date", "facts", "letter", "letter_date", "amount"}
        return frozenset(frozen)

    @api.model_create_multi
    def create(self, vals_list):
        self.env["grant.entry"]._begin_making(vals_list)
        recoveries = super().create(vals_list)
        for recovery in recoveries:
            what = self.env._("Identifying a recovery")
            recovery.subsidy_id._check_state(("signed",), what)
            # Last: what is refused takes no number.
            number = recovery.company_id._next_grant_number(self)
            recovery._decide("identified", recovery.facts, name=number)
        return recoveries

    def write(self, vals):
        if "amount" in vals:
            self.env["grant.entry"]._begin_posting(self.envelope_id)
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("A recovery is not deleted: waive it, with the reason."))

    @api.model
    def _identify(self, report, amount):
        """A recovery of what a financial report shows to be paid beyond what is due."""
        return self.create(
            {
                "subsidy_id": report.subsidy_id.id,
                "reason": "unused",
                "amount": amount,
                "facts": self.env._(
                    "The financial report of the exercise from %(start)s to %(end)s leaves "
                    "%(due)s due, of %(granted)s granted. %(paid)s were paid.",
                    start=format_date(self.env, report.exercise_start),
                    end=format_date(self.env, report.exercise_end),
                    due=report.currency_id.format(report.due_amount),
                    granted=report.currency_id.format(report.granted_amount),
                    paid=report.currency_id.format(
                        report.subsidy_id.paid_amount - report.subsidy_id.recovered_amount
                    ),
                ),
            }
        )._attach(report)

    def _attach(self, report):
        self._transition(report_id=report.id)
        return self

    def _check_facts(self):
        if self._get_empty(["facts"]):
            raise UserError(
                self.env._("%(recovery)s: write the facts first.", recovery=self.display_name)
            )

    def _check_letter(self):
        if self._get_empty(["letter"]):
            raise UserError(
                self.env._("%(recovery)s: write the letter first.", recovery=self.display_name)
            )

    # ------------------------------------------------------------------
    # From identified to collected
    # ------------------------------------------------------------------

    def action_notify(self):
        """Ask when the operator received the letter."""
        return self._open_step("notify", self.env._("Notify the Operator"))

    def _do_notify(self, date):
        """Record that the operator received the letter: the delay to answer starts.

        :param date: the day of the receipt
        :raise UserError: not identified, no letter, a date in the future or before the letter, or
            more than was paid
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Notifying a recovery")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("identified",), what)
        self._check_facts()
        self._check_letter()
        self._check_recoverable()
        today = self.company_id._grant_today()
        date = fields.Date.to_date(date)
        self._check_not_future(date)
        if self.letter_date and date < self.letter_date:
            raise UserError(self.env._("The letter is not received before its date."))
        days = datetime.timedelta(days=self.company_id.grant_contradictory_days)
        self._decide(
            "notified",
            self.env._("Letter received on %(date)s", date=format_date(self.env, date)),
            notified_date=date,
            notified_amount=self.amount,
            # From today, when the receipt is recorded late: that shortens no delay.
            answer_deadline=self.company_id._get_grant_deadline(max(date, today) + days),
        )

    def _check_not_future(self, date):
        if not date or date > self.company_id._grant_today():
            raise UserError(
                self.env._("%s: enter a date that is not in the future.", self[:1].display_name)
            )

    def action_observe(self):
        """Ask for the operator's observations."""
        return self._ask_reason("observe")

    @asks_reason("observe", _lt("Observations of the Operator"))
    def _do_observe(self, text):
        """Record what the operator answered, after what it answered before.

        :raise UserError: not notified, or already decided
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Recording observations")
        self._check_staff(what)
        self.lock_for_update()
        self._check_state(("notified",), what)
        for recovery in self:
            recovery._decide(
                "observed",
                text,
                observations="\n\n".join(filter(None, (recovery.observations, text))),
            )

    def action_decide(self):
        """Ask for the amount and the grounds of the decision."""
        return self._open_step("decide", self.env._("Decide on the Recovery"))

    def _do_decide(self, reason, amount=None):
        """Decide that the operator has to pay back.

        :param str reason: the grounds, which the operator reads
        :param float amount: euros; the amount notified, or less after its observations
        :raise UserError: not notified, the delay to answer is not over, no reason, or more than
            was notified
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Deciding on a recovery")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("notified",), what)
        today = self.company_id._grant_today()
        if today <= self.answer_deadline:
            raise UserError(
                self.env._(
                    "%(recovery)s: the operator can answer until %(date)s. Nothing is decided "
                    "before.",
                    recovery=self.display_name,
                    date=format_date(self.env, self.answer_deadline),
                )
            )
        reason = self._check_reason(reason)
        amount = self._check_decided_amount(self.amount if amount is None else amount)
        self._decide(
            "decided",
            reason,
            amount=amount,
            decided_date=today,
            decision_reason=reason,
        )
        # Less may be held than on the day of the letter.
        self._check_recoverable()

    def _check_decided_amount(self, amount):
        # Before it is compared: “not a number” is neither above nor below.
        self._check_amounts({"amount": amount})
        if self.currency_id.compare_amounts(amount, 0) <= 0:
            raise UserError(
                self.env._("The amount decided is above zero: to ask for nothing, waive.")
            )
        if self.currency_id.compare_amounts(amount, self.notified_amount) > 0:
            raise UserError(
                self.env._(
                    "%(recovery)s: the operator was heard about %(notified)s, no more can be "
                    "decided.",
                    recovery=self.display_name,
                    notified=self.currency_id.format(self.notified_amount),
                )
            )
        return amount

    def action_claim(self):
        """Ask for the date of the claim."""
        return self._open_step("claim", self.env._("Claim the Repayment"))

    def _do_claim(self, date):
        """Claim the repayment from the operator. On a direct envelope the State claims: only the
        date is kept.

        :param date: accounting date of the claim
        :raise UserError: not decided, a date in the future or before the decision, more than was
            paid, or the accounting is not set up
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Claiming a repayment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("decided",), what)
        date = fields.Date.to_date(date)
        self._check_not_future(date)
        self._check_claim_date(date)
        self._check_recoverable()
        self._claim(date)

    def _claim(self, date):
        self._become_claimed(date)

    def _become_claimed(self, date):
        self._decide("claimed", claim_date=date)

    def action_collect(self):
        """Ask for the date and reference of the repayment."""
        return self._open_step("collect", self.env._("Record the Repayment"))

    def _do_collect(self, date, reference=None, amount=None):
        """Record that the operator paid back.

        :param date: accounting date: the bank's, even before the claim (titre de régularisation)
        :param str reference: the payer's reference
        :param float amount: euros; all that is outstanding by default
        :raise UserError: not claimed, or more than is outstanding
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a repayment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("claimed",), what)
        self._check_recoverable()
        self._collect(date, self.residual_amount if amount is None else amount, reference)

    def _collect(self, date, amount, reference):
        """Record what the State collected: all that is outstanding, or a part of it."""
        left = self.residual_amount
        self._check_amounts({"amount": amount})
        if not 0 < self.currency_id.round(amount) <= self.currency_id.round(left):
            raise UserError(
                self.env._(
                    "%(recovery)s: %(left)s are outstanding, %(asked)s asked.",
                    recovery=self.display_name,
                    left=self.currency_id.format(left),
                    asked=self.currency_id.format(amount),
                )
            )
        values = {"collected_amount": self.currency_id.round(self.collected_amount + amount)}
        if self.currency_id.compare_amounts(amount, left) < 0:
            self._decide("collected_part", reference, **values)
        else:
            self._decide("collected", reference, collected_date=date, **values)
        self._post_recovery(amount, date, reference)

    def _post_recovery(self, amount, date, memo):
        """Post what is paid back without the city's accounting: to the State."""
        self._post_entries(
            [
                {
                    "kind": "recovery",
                    "envelope_id": self.envelope_id.id,
                    "subsidy_id": self.subsidy_id.id,
                    "date": date,
                    "amount": amount,
                    "memo": memo or self.name,
                }
            ]
        )

    def _open_step(self, step, title):
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": title,
            "res_model": "grant.recovery.step",
            "view_mode": "form",
            "target": "new",
            "context": {"default_recovery_id": self.id, "default_step": step},
        }
