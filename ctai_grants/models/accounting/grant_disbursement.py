from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ...lib.accounting.accounts import PURPOSE_BY_LEGAL_FORM
from ...lib.award.history import local_date
from ...lib.guard.words import has_words
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantDisbursement(models.Model):
    """The order to pay a tranche: a vendor bill, numbered in a batch."""

    _name = "grant.disbursement"
    # The mixin first: what it says of accounting goes before what the ledger's source says.
    _inherit = ["grant.accounted.mixin", "grant.disbursement"]

    order_number = fields.Char(
        readonly=True, copy=False, tracking=True, help="Number of the order to pay (mandat)."
    )
    order_date = fields.Date(readonly=True, copy=False)
    order_batch_id = fields.Many2one(
        "grant.order.batch", readonly=True, copy=False, ondelete="restrict", index="btree_not_null",
        check_company=True,
    )  # fmt: skip
    reduced_amount = fields.Monetary(
        string="Order Reduced By",
        readonly=True,
        copy=False,
        default=0.0,
        help="Of what was ordered: taken off by credit notes of the order, and not paid.",
    )
    exercise = fields.Integer(
        string="Financial Year", related="order_batch_id.exercise", store=True, aggregator=None
    )
    _order_number_uniq = models.UniqueIndex(
        # 41 and 0041 are one order to the treasury.
        "(company_id, exercise, ltrim(order_number, '0')) WHERE order_batch_id IS NOT NULL",
        "There is already an order with this number in this financial year.",
    )

    @api.model
    def _get_decision_states(self):
        states = super()._get_decision_states()
        return {
            **states,
            "ordered": "ordered",
            "order_withdrawn": "certified",
            "unpaid": {**states["unpaid"], "city": "ordered"},
        }

    @api.model
    def _get_looked_at(self):
        return [*super()._get_looked_at(), "reduced_amount"]

    @api.model
    def _get_decision_dates(self):
        return {**super()._get_decision_dates(), "ordered": "order_date"}

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
            raise UserError(
                self.env._(
                    "%(tranche)s: an order is not dated in the future (%(date)s).",
                    tranche=self[:1].display_name,
                    date=format_date(self.env, date),
                )
            )
        self._check_order_date(date)
        self._check_order()
        batch = self.env["grant.order.batch"]._create_batch(company, date, batch_number)
        for disbursement, order_number in zip(self, numbers, strict=True):
            disbursement._transition(order_number=order_number, order_batch_id=batch.id)
        bills = [disbursement._prepare_bill(date) for disbursement in self]
        for disbursement, bill in zip(self, self._create_moves(bills), strict=True):
            disbursement._attach_pieces(bill)

    def _get_order_numbers(self, number):
        number = (number or "").strip()
        if not has_words(number):
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

    def _check_order_date(self, date):
        """Refuse an order from before the day on which the work was certified.

        :raise UserError: naming the tranche and both dates
        """
        for disbursement in self:
            timezone = disbursement.company_id._grant_timezone()
            certified = local_date(disbursement.certified_at, timezone)
            if date < certified:
                raise UserError(
                    self.env._(
                        "%(tranche)s: an order of %(date)s would come before the certificate, of "
                        "%(certified)s. Date it of that day, or later.",
                        tranche=disbursement.display_name,
                        date=format_date(self.env, date),
                        certified=format_date(self.env, certified),
                    )
                )

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

    def _check_room(self):
        """Orders not paid yet count too: what is ordered must be payable."""
        # An order moves no counter: one made at the same time would not see this one.
        self.envelope_id._touch()
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

    def _become_ordered(self, bills):
        for date, ordered in self.grouped(lambda tranche: bills[tranche].date).items():
            ordered._decide(
                "ordered",
                {tranche: tranche.order_number for tranche in ordered},
                ordered_by_id=self.env.uid,
                order_date=date,
            )
        self.activity_feedback(["ctai_grants.mail_activity_order"])

    # ------------------------------------------------------------------
    # Accounting
    # ------------------------------------------------------------------

    def _check_accounted_date(self, date):
        """Refuse a payment before the order too, as an extract of the treasury is refused.

        :raise UserError: naming the tranche and both dates
        """
        self._check_payment_date(date)
        ordered = self._get_live_move().date
        if ordered and date < ordered:
            raise UserError(
                self.env._(
                    "%(tranche)s: a payment of %(date)s would come before its order, of "
                    "%(ordered)s. Enter the day on which the treasury paid.",
                    tranche=self.display_name,
                    date=format_date(self.env, date),
                    ordered=format_date(self.env, ordered),
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
            partner_bank_id=self._get_paid_account().id,
            invoice_date_due=max(date, self.payment_deadline or date),
            ref=self.order_number,
            payment_reference=False,
        )

    def _get_amount_after_reductions(self):
        return super()._get_amount_after_reductions() - self.reduced_amount

    def _attach_pieces(self, move):
        """Hang on the order the pieces that it pays for, as they were accepted."""
        accepted = self.deliverable_ids.filtered(lambda piece: piece.state == "accepted")
        for file in accepted.last_version_id.file_ids:
            # Byte for byte: Odoo would make large photos smaller.
            attachment = file._get_sudo_attachment().with_context(image_no_postprocess=True)
            attachment.copy({"res_model": move._name, "res_id": move.id})

    def _check_moves(self, moves):
        what = self.env._("Ordering a payment")
        self._check_group("group_finance_officer", what)
        self._check_state(("certified",), what)
        for disbursement in self:
            move = moves[disbursement.id]
            # Of the day of its batch, whose list and file say so.
            values = disbursement._prepare_bill(disbursement.order_batch_id.date or move.date)
            del values["partner_bank_id"]
            disbursement._check_same(move, values)
            disbursement._check_bill_account(move)
            disbursement._check_order_date(move.date)
        self._check_order()

    def _follow_accounting(self):
        bills = {disbursement: disbursement._get_live_move() for disbursement in self}
        booked = self.filtered(bills.get)
        for disbursement in self - booked:
            disbursement._fall_back()
        if ordered := booked.filtered(lambda tranche: tranche.state == "certified"):
            ordered._become_ordered(bills)
        settlements = self.env["grant.settlement"]
        posted = self.env["account.move"].union(*bills.values())
        settled_by = settlements._get(posted).grouped("move_id")
        for disbursement in booked:
            bill = bills[disbursement]
            settled = settled_by.get(bill, settlements)
            disbursement._follow_reductions(settled.filtered(lambda s: s.how == "reversal"))
            payment = settled._get_last_payment()
            is_paid = bool(payment) and bill.currency_id.is_zero(bill._get_grant_residual())
            if is_paid and disbursement.state == "ordered":
                disbursement._decide(
                    "paid",
                    payment.ref or payment.name,
                    paid_by_id=self.env.uid,
                    paid_date=payment.date,
                    payment_reference=payment.ref or payment.name,
                )
            elif not is_paid and disbursement.state == "paid":
                disbursement._become_unpaid()

    def _follow_reductions(self, reductions):
        """Note what credit notes of the order took off it: that is not paid."""
        amount = self.currency_id.round(sum(reductions.mapped("amount")))
        if self.currency_id.compare_amounts(amount, self.reduced_amount):
            notes = reductions.other_move_id.mapped("display_name")
            self._decide("reduced", ", ".join(notes), reduced_amount=amount)

    def _become_unpaid(self, reason=None):
        self._decide(
            "unpaid",
            reason,
            paid_by_id=False,
            paid_date=False,
            payment_reference=False,
        )

    def _become_withdrawn(self, reason=None):
        self._decide("order_withdrawn", reason, **self._prepare_withdrawal())

    def _prepare_withdrawal(self):
        """Values of a tranche whose order is taken back: nothing of the order is left."""
        names = ("ordered_by_id", "order_date", "paid_by_id", "paid_date", "payment_reference")
        return {**dict.fromkeys(names, False), "reduced_amount": 0.0}

    def _fall_back(self):
        """The order is taken back: its bill is a draft again, cancelled, deleted or reversed."""
        if self.state in ("ordered", "paid"):
            self._become_withdrawn()
        if self.order_batch_id and not self.move_ids.filtered(lambda move: move.state == "draft"):
            self._transition(order_number=False, order_batch_id=False)

    @api.depends("move_ids.amount_residual", "move_ids.state")
    def _compute_residual_amount(self):
        res = super()._compute_residual_amount()
        # sudo: whoever sees the tranche sees what is left to pay of it
        for disbursement, its_sudo in zip(self, self.sudo(), strict=True):
            # Most tranches of a list have no bill.
            if its_sudo.move_ids and (bill := its_sudo._get_live_move()):
                disbursement.residual_amount = bill._get_grant_residual()
        return res

    def action_withdraw(self):
        """Ask for the reason, then take the order back."""
        return self._ask_reason("withdraw")

    @asks_reason("withdraw", _lt("Take the Order Back"))
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
        bill = self._get_live_move()
        bill._check_grant_notes()
        if self.currency_id.compare_amounts(self.residual_amount, self.amount):
            raise UserError(
                self.env._(
                    "%(tranche)s is paid in part: its order stays.", tranche=self.display_name
                )
            )
        company, journal = self.company_id, bill.journal_id
        day = company._get_grant_undo_day(self.display_name, bill.date, journal)
        # The decision first, with its reason: accounting then follows what is decided.
        self._become_withdrawn(reason)
        if day == bill.date and not bill.inalterable_hash:
            bill.button_draft()
            bill.button_cancel()
        else:
            # Its period is closed, or its journal secured: the order stays there, and its credit
            # note takes it back.
            bill._reverse_moves([{"date": day, "invoice_date": day, "ref": bill.ref}], cancel=True)

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

    def _do_pay(self, date, reference=None):
        """On an envelope of the city: what is left to pay of the order, in the treasury's journal.

        :raise UserError: also when it is not ordered
        """
        if not self._is_accounted():
            return super()._do_pay(date, reference)
        return self._register_payment(date, self.residual_amount, reference)

    def _take_payment_back(self, reason, day=None):
        if not self._is_accounted():
            return super()._take_payment_back(reason, day)
        # The decision first, with its reason: accounting then follows what is decided.
        self._become_unpaid(reason)
        return self._get_live_move()._cancel_grant_payments(day)

    def _get_taken_back_obstacles(self):
        """Also the claims that took something off its order: of what was paid on it."""
        # sudo: which claims stand, to who takes the payment back
        claims = self.sudo().subsidy_id.recovery_ids
        return super()._get_taken_back_obstacles() + [
            self.env._(
                "%(tranche)s: what was paid of it is not taken back, its order is reduced by the "
                "claim of %(recovery)s. First take the entry of that claim back: cancel its "
                "repayment, if there is one, then reset it to draft, or reverse it where it is "
                "closed or secured. Claim it again afterwards, on what is still paid.",
                tranche=disbursement.display_name,
                recovery=recovery.display_name,
            )
            for disbursement in self
            for recovery in claims
            if recovery._reduces(disbursement) and recovery._get_reducing_amount() > 0
        ]

    def _check_unpayable(self, what):
        """Also what is paid in part."""
        if self._is_accounted() and self.state == "ordered":
            paid = self.amount - self.residual_amount - self.reduced_amount
            if self.currency_id.compare_amounts(paid, 0) > 0:
                return None
        return super()._check_unpayable(what)

    def _get_accounted_memo(self, amount):
        return self._get_payment_memo(super()._get_accounted_memo(amount))

    def _get_entry_memo(self):
        # In the language of the city, whoever or whatever job records the money.
        speaker = self.with_context(lang=self.company_id.partner_id.lang or self.env.lang)
        return speaker.env._(
            "Order %(number)s, %(tranche)s", number=self.order_number, tranche=self.name
        )
