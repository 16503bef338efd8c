import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import SQL
from odoo.tools.misc import format_date

from ..lib import due, pes
from ..lib.letter import make_pdf
from .grant_pes_mixin import to_cents

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
        "grant.thread.mixin", "mail.activity.mixin", "grant.guarded.mixin",
        "grant.accounted.mixin", "grant.pes.mixin",
    ]  # fmt: skip
    _accounted_kind = "recovery"
    _order = "id desc"
    _check_company_auto = True

    _guarded_fields = frozenset({
        "state", "name", "report_id", "notified_amount", "notified_date", "answer_deadline",
        "observations", "decided_date", "decision_reason", "claim_date", "collected_amount",
        "collected_date", "reduced_disbursement_id",
    })  # fmt: skip

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
        help="The part of the period that starts here is withdrawn (décret 2021-1947).",
    )
    facts = fields.Text(help="What happened, as the operator will read it.")
    letter = fields.Text(copy=False, help="Facts, legal ground, and the delay to answer.")
    letter_date = fields.Date(string="Date of the Letter", copy=False)
    amount = fields.Monetary(
        required=True, compute="_compute_amount", store=True, readonly=False, precompute=True,
        tracking=True,
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
        group_expand=True,
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
    is_delay_over = fields.Boolean(
        string="Delay to Answer Over", compute="_compute_is_delay_over",
        search="_search_is_delay_over",
    )  # fmt: skip
    observations = fields.Text(string="Operator's Observations", readonly=True, copy=False)
    decided_date = fields.Date(string="Decided On", readonly=True, copy=False)
    decision_reason = fields.Text(string="Grounds of the Decision", readonly=True, copy=False)
    claim_date = fields.Date(string="Repayment Claimed On", readonly=True, copy=False)
    reduced_disbursement_id = fields.Many2one(
        "grant.disbursement", string="Order Reduced", readonly=True, ondelete="restrict",
        copy=False, help="Of the year of the claim; none when the years of payment are closed.",
    )  # fmt: skip
    collected_amount = fields.Monetary(
        string="Paid Back", readonly=True, copy=False, required=True, default=0.0
    )
    collected_date = fields.Date(string="Paid Back On", readonly=True, copy=False)
    residual_amount = fields.Monetary(string="Outstanding", compute="_compute_residual_amount")
    decision_ids = fields.One2many("grant.decision", "recovery_id", string="Decisions")

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

    @api.depends("name", "partner_id.name")
    def _compute_display_name(self):
        for recovery in self:
            recovery.display_name = " – ".join(
                filter(None, (recovery.name, recovery.partner_id.name))
            )

    @api.depends("reason", "breach_date", "subsidy_id")
    def _compute_amount(self):
        for recovery in self:
            if recovery.subsidy_id and recovery.state == "identified":
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
                    due.as_decimal(paid), subsidy.date_start, subsidy.date_end, self.breach_date
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

    @api.depends("state", "answer_deadline")
    def _compute_is_delay_over(self):
        for recovery in self:
            recovery.is_delay_over = bool(
                recovery.state == "notified"
                and recovery.answer_deadline
                and recovery.answer_deadline < recovery.company_id._grant_today()
            )

    @api.model
    def _search_is_delay_over(self, operator, value):
        if operator != "in":
            return NotImplemented
        over = Domain("state", "=", "notified") & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("answer_deadline", "<", today))
        return Domain.OR(over if wanted else ~over for wanted in value)

    def _is_open(self):
        self.ensure_one()
        return self.state in OPEN_STATES

    @api.constrains("amount", "subsidy_id")
    def _check_recoverable(self):
        """Refuse that the open recoveries of a subsidy exceed what it still holds.

        :raise UserError: naming the subsidy and both amounts
        """
        self.env.flush_all()
        if not self:
            return
        # A recovery moves no counter. This shows it to one entered at the same time, which
        # would not see this one: Odoo tries its transaction again.
        self.env.cr.execute(
            SQL(
                "UPDATE grant_envelope SET write_date = write_date WHERE id IN %s",
                tuple(self.envelope_id.ids),
            )
        )
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
        recoveries = super().create(vals_list)
        for recovery in recoveries:
            what = self.env._("Identifying a recovery")
            recovery.subsidy_id._check_state(("signed",), what)
            number = self.env["ir.sequence"].next_by_code("grant.recovery")
            recovery._decide("identified", recovery.facts, name=number)
        return recoveries

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

    # ------------------------------------------------------------------
    # The letter
    # ------------------------------------------------------------------

    def action_write_letter(self):
        """Write the letter from the template; what was written before is replaced.

        :raise UserError: already notified, or the facts are missing
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Writing the letter")
        self._check_staff(what)
        self._check_state(("identified",), what)
        for recovery in self:
            recovery._check_facts()
            # In the language of the operator, who will read it.
            recovery.letter = recovery.with_context(
                lang=recovery.partner_id.lang or self.env.lang
            )._get_letter_text()
            recovery.letter_date = recovery.company_id._grant_today()

    def _check_facts(self):
        if not (self.facts or "").strip():
            raise UserError(
                self.env._("%(recovery)s: write the facts first.", recovery=self.display_name)
            )

    def _get_letter_text(self):
        """The letter that the template makes of this recovery: plain text, paragraphs."""
        self.ensure_one()
        subsidy = self.subsidy_id
        paragraphs = (
            self.env._(
                "Subject: subsidy %(subsidy)s (%(object)s), money to be paid back",
                subsidy=subsidy.code,
                object=subsidy.name,
            ),
            self.env._(
                "By decision %(decision)s, the city granted you %(granted)s, of which %(paid)s "
                "were paid.",
                decision=subsidy.decision_number or subsidy.code,
                granted=self.currency_id.format(subsidy.amount),
                paid=self.currency_id.format(subsidy.paid_amount - subsidy.recovered_amount),
            ),
            self.facts.strip(),
            self._get_legal_ground(),
            self.env._(
                "For these reasons the city considers asking you to pay back %(amount)s.",
                amount=self.currency_id.format(self.amount),
            ),
            self.env._(
                "You have %(days)s days from the receipt of this letter to make written "
                "observations, or spoken ones if you ask for it. You may be assisted by counsel or "
                "represented by a person of your choice (code des relations entre le public et "
                "l'administration, articles L121-1 and L122-1). The city decides after that.",
                days=self.company_id.grant_contradictory_days,
            ),
        )
        return "\n\n".join(paragraphs)

    def _get_legal_ground(self):
        match self.reason:
            case "cer":
                return self.env._(
                    "An organisation that breaches the contrat d'engagement républicain pays the "
                    "subsidy back, pro rata of the period that was left on the day of the breach "
                    "(loi n° 2000-321 of 12 April 2000, article 10-1; décret n° 2021-1947 of 31 "
                    "December 2021)."
                )
            case "condition":
                return self.env._(
                    "A subsidy whose conditions are not met can be withdrawn (code des relations "
                    "entre le public et l'administration, article L242-2, 2°)."
                )
            case "overpaid":
                return self.env._(
                    "Who receives what is not owed has to give it back (code civil, article 1302)."
                )
        return self.env._(
            "A subsidy is used for the object it was granted for, and its use is accounted for "
            "(loi n° 2000-321 of 12 April 2000, article 10; code général des collectivités "
            "territoriales, article L1611-4)."
        )

    def _make_pdf(self):
        """The letter: its name, and the PDF.

        :raise UserError: the letter is not written
        """
        self.ensure_one()
        self._check_letter()
        partner = self.partner_id
        letter = self.with_context(lang=partner.lang or self.env.lang)
        date = self.letter_date or self.company_id._grant_today()
        content = make_pdf(
            title=letter.env._("Recovery %(number)s", number=self.name),
            lang=(letter.env.lang or "fr")[:2],
            date=date,
            sender=self._get_postal_lines(self.company_id.partner_id),
            recipient=self._get_postal_lines(partner),
            reference=letter.env._(
                "Recovery %(number)s – %(date)s",
                number=self.name,
                date=format_date(letter.env, date, date_format="long"),
            ),
            text=self.letter,
            signature=letter.env._("For %(city)s,", city=self.company_id.name),
        )
        return self.name, content

    @api.model
    def _get_postal_lines(self, partner):
        address = partner._display_address(without_company=True)
        return [partner.name, *filter(None, map(str.strip, address.splitlines()))]

    def action_print_letter(self):
        """Open the letter as a PDF.

        :raise UserError: the letter is not written
        """
        self.ensure_one()
        self._check_letter()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/recoveries/{self.id}/letter",
            "target": "download",
        }

    def _check_letter(self):
        if not (self.letter or "").strip():
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
            state="notified",
            notified_date=date,
            notified_amount=self.amount,
            answer_deadline=max(date, today) + days,
        )

    def _check_not_future(self, date):
        if not date or date > self.company_id._grant_today():
            raise UserError(self.env._("Enter a date that is not in the future."))

    def action_observe(self):
        """Ask for the operator's observations."""
        return self.env["grant.reason"]._open(self, "observe")

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

    def _check_staff(self, what):
        if not self.env.user.has_group("ctai_grants.group_coordinator"):
            self._check_group("group_finance_officer", what)

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
        if not (reason or "").strip():
            raise UserError(self.env._("Write the reason."))
        amount = self._check_decided_amount(self.amount if amount is None else amount)
        self._decide(
            "decided",
            reason,
            state="decided",
            amount=amount,
            decided_date=today,
            decision_reason=reason,
        )
        self._check_recoverable()

    def _check_decided_amount(self, amount):
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

    def action_waive(self):
        """Ask for the reason, then give the recovery up."""
        return self.env["grant.reason"]._open(self, "waive_recovery")

    def _do_waive(self, reason):
        """Give up a recovery that is not claimed yet.

        :raise UserError: claimed already, collected, or waived
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Waiving a recovery")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("identified", "notified", "decided"), what)
        self._waive(reason)

    def _waive(self, reason):
        for recovery in self:
            recovery._decide("waived", reason, state="waived")

    def action_claim(self):
        """Ask for the date of the claim."""
        return self._open_step("claim", self.env._("Claim the Repayment"))

    def _do_claim(self, date):
        """Claim the repayment from the operator.

        In the city's accounting: a reduction of an order of the same year (credit note on its
        account) when one is paid that covers the amount, a claim of its own (titre de recette, a
        customer invoice) otherwise, the years of the payments being closed. On a direct envelope
        the State claims: only the date is kept.

        :param date: accounting date of the claim
        :raise UserError: not decided, a date in the future, more than was paid, or the accounting
            is not set up
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Claiming a repayment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("decided",), what)
        date = fields.Date.to_date(date)
        self._check_not_future(date)
        self._check_recoverable()
        if self._is_accounted():
            self._transition(reduced_disbursement_id=self._get_order_to_reduce(date).id)
            self._create_moves([self._prepare_claim(date)])
        else:
            self._become_claimed(date)

    def _become_claimed(self, date):
        self._decide("claimed", state="claimed", claim_date=date)

    def action_collect(self):
        """Ask for the date and reference of the repayment."""
        return self._open_step("collect", self.env._("Record the Repayment"))

    def _do_collect(self, date, reference=None, amount=None):
        """Record that the operator paid back.

        :param date: accounting date of the repayment
        :param str reference: the payer's reference
        :param float amount: euros; all that is outstanding by default, and always on a direct
            envelope
        :raise UserError: not claimed, or more than is outstanding
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a repayment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("claimed",), what)
        self._check_recoverable()
        left = self.residual_amount
        if self._is_accounted():
            self._book_payment(date, left if amount is None else amount, reference)
            return
        self._decide(
            "collected",
            reference,
            state="collected",
            collected_amount=self.amount,
            collected_date=date,
        )
        self._post_recovery(left, date, reference)

    def action_uncollect(self):
        """Ask for the reason, then cancel a repayment recorded by mistake."""
        return self.env["grant.reason"]._open(self, "uncollect")

    def _do_uncollect(self, reason):
        """Cancel a repayment recorded by mistake, with the opposite entry of the same date.

        :raise UserError: not collected, or the subsidy is closed
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Cancelling a repayment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("collected",), what)
        self.subsidy_id._check_state(("signed",), what)
        if self._is_accounted():
            self._get_live_move().with_context(grant_reason=reason)._cancel_grant_payments()
            return
        amount, date = self.collected_amount, self.collected_date
        self._decide("unpaid", reason, state="claimed", collected_amount=0.0, collected_date=False)
        self._post_recovery(-amount, date, reason)

    # ------------------------------------------------------------------
    # Accounting
    # ------------------------------------------------------------------

    def _get_order_to_reduce(self, date):
        """The paid tranche whose order is reduced: of the year of ``date``, and not reduced by
        more than its amount; or none, and the claim stands by itself."""
        self.ensure_one()
        claimed = self.subsidy_id.recovery_ids.filtered(
            lambda recovery: recovery.state in ("claimed", "collected")
        )
        paid = self.subsidy_id.disbursement_ids.filtered(lambda tranche: tranche.state == "paid")
        for tranche in paid.sorted("paid_date", reverse=True):
            # sudo: who claims may not read every journal entry
            bill = tranche.sudo()._get_live_move()
            reduced = claimed.filtered(lambda recovery, t=tranche: recovery._reduces(t))
            room = tranche.amount - sum(reduced.mapped("amount")) - self.amount
            if (
                bill
                and bill.date.year == date.year
                and self.currency_id.compare_amounts(room, 0) >= 0
            ):
                return tranche
        return self.env["grant.disbursement"]

    def _reduces(self, tranche):
        return self.reduced_disbursement_id == tranche

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

    def _get_pes_batch(self):
        """A claim (titre), or the reduction of the order of the same year (mandat de réduction)."""
        self._check_state(("claimed", "collected"), self.env._("Making a file for the treasury"))
        move = self._get_live_move()
        label = f"{self.name} {self.subsidy_id.code} {self.subsidy_id.name}"
        order = self.reduced_disbursement_id
        if not order:
            return self._get_pes_claim(move, self.partner_id, label)
        bill = order._get_live_move()
        piece = pes.Piece(
            number=move.sequence_number,
            object=label,
            amount=to_cents(self.amount),
            account=self._get_pes_account(move),
            party=self._get_pes_party(self.partner_id, bill.partner_bank_id),
            reduces=(order.exercise, self._get_pes_number(order)),
        )
        return "DEP", pes.Batch(move.date.year, move.sequence_number, move.date, [piece])

    def _get_claim_type(self):
        return "in_refund" if self.reduced_disbursement_id else "out_invoice"

    def _check_moves(self, moves):
        what = self.env._("Claiming a repayment")
        self._check_group("group_finance_officer", what)
        self._check_state(("decided",), what)
        for recovery in self:
            move = moves[recovery.id]
            account = recovery._get_claim_account(move.date)
            recovery._check_same(move, recovery._get_claim_type(), account)
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
            if recovery.currency_id.compare_amounts(amount, recovery.collected_amount):
                recovery._transition(collected_amount=amount)
            if claim:
                if recovery.state == "decided":
                    recovery._become_claimed(claim.date)
                recovery._follow_claim(claim)
            elif recovery.state in ("claimed", "collected"):
                recovery._decide(
                    "claim_withdrawn",
                    self.env.context.get("grant_reason"),
                    state="decided",
                    claim_date=False,
                    collected_date=False,
                )
            recovery._refresh_tranches()

    def _follow_claim(self, claim):
        """Collected when the claim is settled by money; waived when accounting wrote the rest
        off; claimed again when its settlement is undone."""
        reason = self.env.context.get("grant_reason")
        if not self.currency_id.is_zero(claim._get_grant_residual()):
            if self.state != "claimed":
                self._decide("unpaid", reason, state="claimed", collected_date=False)
        elif self.currency_id.compare_amounts(self.collected_amount, self.amount) < 0:
            if self.state != "waived":
                self._decide("waived", reason or claim.name, state="waived", collected_date=False)
        elif self.state != "collected":
            payment = claim._get_payment_moves().sorted(lambda move: (move.date, move.id))[-1:]
            self._decide(
                "collected",
                payment.ref or payment.name,
                state="collected",
                collected_date=payment.date,
            )

    def _get_accounted_memo(self):
        return self.env.context.get("grant_reason") or self.name

    def _post_recovery(self, amount, date, memo):
        """Post what is paid back without the city's accounting: to the State."""
        self.env["grant.entry"]._post(
            self,
            [
                {
                    "kind": "recovery",
                    "envelope_id": self.envelope_id.id,
                    "subsidy_id": self.subsidy_id.id,
                    "date": date,
                    "amount": amount,
                    "memo": memo or self.name,
                }
            ],
        )

    def _decide(self, decision, reason=None, **values):
        """Record a decision on this recovery and what it changes."""
        self.ensure_one()
        self.env["grant.decision"]._record(decision, self.subsidy_id, reason, recovery_id=self.id)
        self._transition(**values)
        if "state" in values:
            self._refresh_tranches()

    def _refresh_tranches(self):
        """What the operator owes is a condition of its tranches, of every subsidy."""
        # sudo: the conditions of other coordinators' tranches are looked at again too
        tranches = self.env["grant.disbursement"].sudo()
        waiting = tranches.search(
            Domain("partner_id", "in", self.partner_id.ids)
            & Domain("company_id", "in", self.company_id.ids)
            & Domain("state", "in", ("planned", "ready"))
        )
        waiting._refresh_readiness()

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
