from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools.misc import format_date

STATUSES = [
    ("to_book", "To Book"),
    ("to_return", "To Take Back"),
    ("left_out", "Left Out"),
    ("booked", "Booked"),
    ("already", "Already Paid"),
    ("cancelled", "Cancelled Out"),
    ("refused", "Not Matched"),
]
# What booking books: payments, and those that are taken back.
BOOKABLE = ("to_book", "to_return")

REASONS = [
    ("partial", "Part of the order"),
    ("recorded", "Recorded before"),
    ("unknown_operator", "Unknown operator"),
    ("unknown_order", "No such order"),
    ("several", "Several orders"),
    ("other_operator", "Another operator's"),
    ("too_much", "More than the order"),
    ("amount_differs", "Other amount"),
    ("paid_before", "Paid on another date"),
    ("cancelled_since", "Payment cancelled since"),
    ("before_order", "Before the order"),
    ("not_certified", "Not certified"),
    ("no_commitment", "Commitment not entered"),
    ("future", "Date in the future"),
    ("reversal", "Reduction or cancellation"),
    ("not_a_payment", "Not a payment"),
    ("other_return", "Reduction under another number"),
    ("duplicate", "Twice in the file"),
    ("missing", "Empty cell"),
    ("ambiguous_amount", "Ambiguous amount"),
    ("bad_amount", "Not an amount"),
    ("bad_date", "Not a date"),
    ("bad_number", "Not a number"),
    ("shifted", "Cells out of place"),
    ("wrong_total", "Wrong total"),
    ("unread_total", "Total without a value"),
    ("return", "Came back"),
    ("cancelled_out", "Payment and return"),
    ("unexplained", "A return is not explained"),
    ("after_return", "After a return"),
    ("rejected", "Rejected"),
    ("unclear_state", "Paid or not"),
    ("other_number", "Number of another order"),
    ("other_siret", "Other SIRET of the operator"),
    ("former_siret", "Former SIRET of the operator"),
    ("no_number", "No commitment number"),
    ("city_siret", "Other SIRET of the city"),
    ("title_city", "Title of another city"),
    ("rule", "Refused by a rule"),
]
# Lines left out for these reasons are booked once an officer puts them back.
DOUBTS = ("duplicate", "city_siret", "title_city", "other_return", "unclear_state", "former_siret")


class GrantTreasuryLine(models.Model):
    """One line of an extract that concerns the city, and what became of it."""

    _name = "grant.treasury.line"
    _description = "Line of an Extract"
    _inherit = ["grant.document.mixin"]
    _order = "import_id desc, id"
    _log_access = False
    # By COPY, by the ten thousand; what is booked of them is in the ledger and in accounting.
    _is_sealed = False
    _check_company_auto = True

    import_id = fields.Many2one(
        "grant.treasury.import", string="Extract", required=True, readonly=True,
        ondelete="cascade", check_company=True,
    )  # fmt: skip
    company_id = fields.Many2one(related="import_id.company_id")
    currency_id = fields.Many2one(related="company_id.currency_id")
    sheet = fields.Char(readonly=True)
    row_number = fields.Integer(string="Line", readonly=True, aggregator=None)
    status = fields.Selection(STATUSES, required=True, readonly=True)
    reason = fields.Selection(REASONS, readonly=True)
    about = fields.Char(
        readonly=True, help="What the reason is about: a cell, a number, an amount."
    )
    message = fields.Text(string="What and Why", compute="_compute_message")
    method = fields.Selection(
        [
            ("number", "Order number"),
            ("amount", "SIRET and amount"),
            ("commitment", "Commitment and amount"),
        ],
        string="Matched By",
        readonly=True,
    )
    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, ondelete="set null",
        index="btree_not_null", check_company=True,
    )  # fmt: skip
    partner_id = fields.Many2one(related="disbursement_id.partner_id")
    number = fields.Char(
        readonly=True, help="Of the order (mandat), or of the State's commitment (EJ)."
    )
    exercise = fields.Integer(string="Financial Year", readonly=True, aggregator=None)
    identifier = fields.Char(string="SIRET or RNA", readonly=True)
    payee = fields.Char(readonly=True, help="As the file calls it.")
    date = fields.Date(string="Paid On", readonly=True)
    amount = fields.Monetary(readonly=True)
    reference = fields.Char(readonly=True, help="Number of the State's payment (DP).")

    kept = fields.Boolean(
        readonly=True, help="An officer has put this line back: its doubt is settled."
    )

    _import_status_idx = models.Index("(import_id, status)")

    @api.depends("row_number", "sheet", "number")
    def _compute_display_name(self):
        for line in self:
            line.display_name = self.env._(
                "Line %(line)s of %(file)s", line=line._get_place(), file=line.import_id.name
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_with_extract(self):
        self._check_not_by_hand()

    def _get_key(self):
        return self.sheet or "", self.row_number

    def _get_place(self):
        return f"{self.sheet} {self.row_number}" if self.sheet else str(self.row_number)

    @api.depends("reason", "about", "status", "disbursement_id")
    @api.depends_context("lang")
    def _compute_message(self):
        for line in self:
            line.message = line._get_message()

    def _get_message(self):
        """What happens with this line and why, in a sentence of the reader's language."""
        if not self.reason:
            return False
        if self.status == "left_out" and self.reason in DOUBTS:
            sentence = (
                self._get_order_message() or self._get_extract_message() or self._get_cell_message()
            )
            return self.env._("%s If it is to be booked, put it back.", sentence)
        if self.disbursement_id:
            sentence = self._get_matching_message() or self._get_order_message()
        else:
            sentence = self._get_unmatched_message() or self._get_number_message()
        return sentence or self._get_extract_message() or self._get_cell_message()

    def _get_matching_message(self):
        """About a line whose tranche is found."""
        tranche, money = self.disbursement_id, self.currency_id.format
        match self.reason:
            case "partial":
                return self.env._(
                    "Part of the order: %(left)s will be left to pay.",
                    left=money(float(self.about)),
                )
            case "recorded":
                return self.env._("This payment is recorded already: nothing is booked.")
            case "too_much":
                return self.env._(
                    "Order %(number)s: %(amount)s paid, only %(left)s left to pay.",
                    number=tranche.order_number,
                    amount=money(self.amount),
                    left=money(float(self.about)),
                )
            case "paid_before":
                return self.env._(
                    "%(tranche)s is entirely paid since %(date)s: this would pay it twice.",
                    tranche=tranche.display_name,
                    date=format_date(self.env, tranche.paid_date) or self.env._("another day"),
                )
            case "cancelled_since":
                return self.env._(
                    "This payment was imported before, and cancelled since: if it is right after "
                    "all, record it by hand on %(tranche)s.",
                    tranche=tranche.display_name,
                )
            case "before_order":
                return self.env._(
                    "Paid before the order was made (%(date)s): another order?",
                    date=format_date(self.env, self.about),
                )
            case "not_certified":
                return self.env._(
                    "The work done for %(tranche)s is not certified yet.",
                    tranche=tranche.display_name,
                )
        return None

    def _get_order_message(self):
        """About a line that other lines of its order explain, or keep from being booked."""
        tranche = self.disbursement_id
        match self.reason:
            case "return":
                return self.env._(
                    "The payment of %(tranche)s came back: booking this, a finance manager takes "
                    "back what was recorded on %(date)s.",
                    tranche=tranche.display_name,
                    date=format_date(self.env, self.about) or self.env._("another day"),
                )
            case "other_siret":
                return self.env._(
                    "Paid to SIRET %(theirs)s, and %(operator)s has %(ours)s: the same SIREN. If "
                    "it has moved, correct it on the form of the organisation; otherwise leave "
                    "this line out.",
                    theirs=self.identifier,
                    operator=tranche.partner_id.name,
                    ours=self.about,
                )
            case "former_siret":
                return self.env._(
                    "Paid to SIRET %(theirs)s, which %(operator)s had before %(ours)s.",
                    theirs=self.identifier,
                    operator=tranche.partner_id.name,
                    ours=self.about or self.env._("none"),
                )
            case "after_return":
                return self.env._(
                    "Paid again after a return: once a finance manager has taken the first payment "
                    "back, match again."
                )
            case "unexplained":
                return self.env._(
                    "Line %(line)s takes money back from this order, and no payment explains it: "
                    "nothing of %(tranche)s is booked. Record by hand what is right.",
                    line=self.about,
                    tranche=tranche.display_name,
                )
        return None

    def _get_unmatched_message(self):
        """About a line for which there is no tranche."""
        payee, amount = self.payee or self.identifier or "", self.currency_id.format(self.amount)
        match self.reason:
            case "unknown_operator":
                return self.env._(
                    "“%(siret)s” (%(payee)s) is the SIRET or RNA of no operator.",
                    siret=self.identifier,
                    payee=payee,
                )
            case "unknown_order":
                return self.env._(
                    "No order has the number %(number)s in that year, and none of %(payee)s is "
                    "waiting for %(amount)s.",
                    number=self.number or "–",
                    payee=payee,
                    amount=amount,
                )
            case "several":
                return self.env._(
                    "Several orders could be this one (%(numbers)s): record it by hand.",
                    numbers=self.about,
                )
            case "other_operator":
                return self.env._(
                    "%(number)s is the order or commitment of another operator than %(payee)s.",
                    number=self.about,
                    payee=payee,
                )
            case "amount_differs":
                return self.env._(
                    "Commitment %(number)s: no certified tranche of %(amount)s.",
                    number=self.number,
                    amount=amount,
                )
            case "no_commitment":
                return self.env._(
                    "A tranche of %(amount)s of this operator is certified, and its subsidy has "
                    "no commitment number: enter %(number)s there if that is the one, and match "
                    "again.",
                    amount=amount,
                    number=self.number or "–",
                )
        return None

    def _get_number_message(self):
        """About a line whose number is none of ours, or missing."""
        payee, amount = self.payee or self.identifier or "", self.currency_id.format(self.amount)
        match self.reason:
            case "other_number":
                return self.env._(
                    "This names order %(number)s, which is none of ours. Order %(ours)s of "
                    "%(payee)s waits for %(amount)s: if that is the one, record it by hand.",
                    number=self.number,
                    ours=self.about,
                    payee=payee,
                    amount=amount,
                )
            case "no_number":
                return self.env._(
                    "%(payee)s is an operator, and this payment of the State names no commitment: "
                    "if it is of a grant, record it by hand.",
                    payee=payee,
                )
        return None

    def _get_extract_message(self):
        """About what the file says of a line, or of all of them."""
        env, cell = self.env, self.about
        sentences = {
            "cancelled_out": env._(
                "Paid and returned, see line %(line)s: nothing is booked.", line=cell
            ),
            "rejected": env._(
                "The file says “%(cell)s”: it was not paid, or came back.", cell=cell
            ),
            "unclear_state": env._(
                "The file says “%(cell)s” of it, which may mean that it was not paid.", cell=cell
            ),
            "not_a_payment": env._(
                "The file says “%(cell)s”: this is no order to pay, whatever its number.", cell=cell
            ),
            "other_return": env._(
                "Line %(line)s takes the same amount back from this operator, under another "
                "number: the reduction of this order?",
                line=cell,
            ),
            "city_siret": env._(
                "Paid by SIRET %(cell)s: the city has another one. Has it changed, or is this "
                "another budget?",
                cell=cell,
            ),
            "title_city": env._("The title of the file names “%(cell)s”: another city?", cell=cell),
        }
        return sentences.get(self.reason)

    def _get_cell_message(self):
        """About what a cell says."""
        env, cell = self.env, self.about
        if self.reason == "wrong_total":
            return env._(
                "The total of the file differs from the sum of its lines, %(sum)s.",
                sum=self.currency_id.format(float(cell)),
            )
        if self.reason == "unread_total":
            return env._(
                "This total has no value (a formula that nothing has calculated?): compare it with "
                "the sum of the lines, %(sum)s.",
                sum=self.currency_id.format(float(cell)),
            )
        sentences = {
            "future": env._("The date of payment is after today."),
            "reversal": env._(
                "A reduction or cancellation (an amount below zero, or its type): record it by "
                "hand."
            ),
            "duplicate": env._("The same as line %(line)s, cell by cell.", line=cell),
            "missing": env._("The column “%(column)s” is empty.", column=cell),
            "ambiguous_amount": env._(
                "“%(cell)s” may be read in two ways: thousands, or three decimals?", cell=cell
            ),
            "bad_amount": env._(
                "“%(cell)s” is no amount of money, with two decimals at most.", cell=cell
            ),
            "bad_date": env._("“%(cell)s” is no date: day/month/year is expected.", cell=cell),
            "bad_number": env._(
                "“%(cell)s” is no whole number: a spreadsheet has cut or changed it.", cell=cell
            ),
            "shifted": env._(
                "The cells are not below their headings: a separator or a quotation mark too many?"
            ),
        }
        return sentences.get(self.reason, cell)

    def action_leave_out(self):
        """Leave these lines out of what is booked.

        :raise AccessError: the user is not a finance officer
        """
        lines = self._get_choosable(BOOKABLE)
        lines._transition(status="left_out", kept=False)
        return True

    def action_put_back(self):
        """Put lines that were left out back among what is booked: nobody doubts them any more.

        :raise AccessError: the user is not a finance officer
        """
        lines = self._get_choosable(("left_out",))
        for (is_return, is_doubted), some in lines.grouped(
            lambda line: (line.amount < 0, line.reason in DOUBTS)
        ).items():
            settled = {"reason": "return" if is_return else False, "about": False}
            some._transition(
                status="to_return" if is_return else "to_book",
                kept=True,
                **(settled if is_doubted else {}),
            )
        return True

    def _get_choosable(self, statuses):
        """These lines, to be written by whoever may choose among them."""
        self._check_group("group_finance_officer", self.env._("Choosing the lines to book"))
        self.check_access("read")
        # sudo: nobody writes lines, but whoever imports may choose among them
        lines = self.sudo()
        lines.import_id.lock_for_update()
        if any(line.status not in statuses for line in lines):
            raise UserError(self.env._("This line is not in that state any more: look again."))
        return lines

    def _get_reference(self):
        """What the payment of this line is called: number of the State's payment, or order."""
        exercise = self.exercise or self.disbursement_id.exercise
        return self.reference or "/".join(filter(None, (self.number, str(exercise or ""))))

    def _book(self, disbursement, date, reference):
        """Book these lines as one payment of ``disbursement``; its refusal stays on them."""
        try:
            with self.env.cr.savepoint():
                if disbursement._is_accounted():
                    disbursement._register_payment(date, sum(self.mapped("amount")), reference)
                else:
                    # Matched with the whole of what is left to pay.
                    disbursement._do_pay(date, reference)
        except UserError as refusal:
            values = {"status": "refused", "reason": "rule", "about": str(refusal)}
        else:
            values = {"status": "booked"}
        # sudo: nobody writes lines but their methods
        self.sudo()._transition(**values)

    def _get_refusals(self):
        """Which of these lines were refused when they were booked, and why: a line for each."""
        return "\n".join(
            self.env._(
                "Line %(line)s was not booked: %(why)s", line=line._get_place(), why=line.about
            )
            for line in self
        )

    def _take_back(self):
        """Take back the payments that these lines return; a refusal stays on its line."""
        for line in self:
            reason = self.env._(
                "Returned on %(date)s: %(line)s.",
                date=format_date(self.env, line.date),
                line=line.display_name,
            )
            try:
                with self.env.cr.savepoint():
                    line.disbursement_id._undo_payment(self._check_reason(reason), line.date)
            except UserError as refusal:
                values = {"status": "refused", "reason": "rule", "about": str(refusal)}
            else:
                values = {"status": "booked"}
            # sudo: nobody writes lines but their methods
            line.sudo()._transition(**values)
