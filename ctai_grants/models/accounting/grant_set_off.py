from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ..guard import transition
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

# What the city owes, and what it is owed, as accounting says it.
DEBTS = ("in_invoice", "out_refund")
CLAIMS = ("out_invoice", "in_refund")
# Of these, what is not settled; of the same body, once the other debt is chosen.
_OPEN = (
    "[('move_type', 'in', %s), ('state', '=', 'posted'), ('amount_residual', '>', 0),"
    " ('commercial_partner_id.grant_body', '=?', %s)]"
)


class GrantSetOff(models.Model):
    """Two debts that extinguish each other (compensation: Code civil, art. 1347 to 1348-2): what
    the city owes an organisation, against what it is owed by it. One of the two is ours: an order
    to pay, or the claim of a repayment.

    It is an act of its own, with its reason and reference; no bill is paid by another one unsaid.
    In accounting it is one entry, matched with both.
    """

    _name = "grant.set.off"
    _description = "Set-Off"
    _inherit = ["grant.document.mixin", "grant.decided.mixin", "grant.thread.mixin"]
    _order = "date desc, id desc"
    _rec_name = "reference"
    _check_company_auto = True

    _decision_key = "set_off_id"

    debt_move_id = fields.Many2one(
        "account.move", string="What the City Owes", required=True, ondelete="restrict",
        domain=_OPEN % (DEBTS, "claim_body"), check_company=True,
        help="An order to pay, or another bill of the same organisation.",
    )  # fmt: skip
    claim_move_id = fields.Many2one(
        "account.move", string="What It Is Owed", required=True, ondelete="restrict",
        domain=_OPEN % (CLAIMS, "debt_body"), check_company=True,
        help="The claim of a repayment, or another claim on it.",
    )  # fmt: skip
    # One body is one SIREN, whichever of its establishments a bill names.
    debt_body = fields.Char(
        related="debt_move_id.commercial_partner_id.grant_body", string="Body of the Debt"
    )
    claim_body = fields.Char(
        related="claim_move_id.commercial_partner_id.grant_body", string="Body of the Claim"
    )
    # Before a debt is chosen too: only those of the city are proposed.
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True, precompute=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    partner_id = fields.Many2one(
        "res.partner", string="Organisation", compute="_compute_partner_id", store=True,
        precompute=True,
    )  # fmt: skip
    amount = fields.Monetary(
        required=True, compute="_compute_amount", store=True, readonly=False, precompute=True,
        help="At most what is left of both.",
    )  # fmt: skip
    date = fields.Date(
        required=True, default=lambda self: self.env.company._grant_today(),
        help="Accounting date on which both debts are extinguished.",
    )  # fmt: skip
    reference = fields.Char(required=True, help="What the treasury calls this set-off.")
    reason = fields.Text(
        required=True, help="Why these two debts are set off, and its legal ground."
    )
    journal_id = fields.Many2one(
        "account.journal", check_company=True, domain=[("type", "=", "general")],
        compute="_compute_journal_id", store=True, readonly=False,
    )  # fmt: skip
    state = fields.Selection(
        [("draft", "Draft"), ("done", "Recorded"), ("undone", "Undone")],
        required=True, default="draft", readonly=True, copy=False, tracking=True,
    )  # fmt: skip
    move_id = fields.Many2one(
        "account.move", string="Journal Entry", readonly=True, copy=False, ondelete="restrict"
    )
    decision_ids = fields.One2many("grant.decision", "set_off_id", string="Decisions")
    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of a set-off is above zero."
    )

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "set_off": "done", "set_off_undone": "undone"}

    @api.model
    def _get_decision_dates(self):
        return {**super()._get_decision_dates(), "set_off": "date"}

    def _get_decided_subsidy(self):
        (documents, *_others) = self._get_documents()
        return documents.subsidy_id

    def _get_documents(self):
        """The order, the claim, or both: lists of records."""
        # sudo: of the entries that the user chose, only which documents they come from
        moves = (self.debt_move_id | self.claim_move_id).sudo()
        found = moves._get_grant_documents()
        return [found[name] for name in ("grant.disbursement", "grant.recovery") if name in found]

    @api.depends("debt_move_id.company_id", "claim_move_id.company_id")
    def _compute_company_id(self):
        for set_off in self:
            move = set_off.debt_move_id or set_off.claim_move_id
            set_off.company_id = move.company_id or self.env.company

    @api.depends("debt_move_id.commercial_partner_id", "claim_move_id.commercial_partner_id")
    def _compute_partner_id(self):
        for set_off in self:
            move = set_off.debt_move_id or set_off.claim_move_id
            set_off.partner_id = move.commercial_partner_id

    @api.depends("debt_move_id", "claim_move_id")
    def _compute_amount(self):
        for set_off in self:
            if set_off.debt_move_id and set_off.claim_move_id:
                set_off.amount = min(
                    set_off.debt_move_id.amount_residual, set_off.claim_move_id.amount_residual
                )

    @api.depends("company_id")
    def _compute_journal_id(self):
        for set_off in self:
            company = set_off.company_id or self.env.company
            set_off.journal_id = set_off.journal_id or company._find_journal("general")

    def _get_frozen_fields(self):
        if self.state == "draft":
            return super()._get_frozen_fields()
        names = ("debt_move_id", "claim_move_id", "amount", "date", "reference", "reason")
        return frozenset({*names, "journal_id"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_state(("draft",), self.env._("Deleting a set-off"))

    def action_record(self):
        """Set the two debts off.

        :raise UserError: they are not of one organisation and city, none of them is ours, more
            than is left of one, or the date is closed or in the future
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Recording a set-off")
        self._check_group("group_finance_manager", what)
        for set_off in self:
            set_off._check_debts()
            envelopes = [documents.envelope_id for documents in set_off._get_documents()]
            self.env["grant.entry"]._begin_posting(envelopes[0].union(*envelopes[1:]))
            set_off.lock_for_update()
            set_off._check_state(("draft",), what)
            set_off._check_filled(["reference", "reason", "journal_id"])
            set_off._check_left()
            set_off._set_off()
        return True

    def _check_debts(self):
        debt, claim = self.debt_move_id, self.claim_move_id
        about = {"set_off": self.display_name, "debt": debt.display_name}
        about["claim"] = claim.display_name
        if debt.move_type not in DEBTS or claim.move_type not in CLAIMS:
            raise UserError(
                self.env._("%(set_off)s: choose a bill of the city, and a claim of it.", **about)
            )
        if self.debt_body != self.claim_body or debt.company_id != claim.company_id:
            raise UserError(
                self.env._(
                    "%(set_off)s: %(debt)s (%(creditor)s) and %(claim)s (%(debtor)s) are not "
                    "between the same two parties, only what they owe each other is set off. "
                    "Choose two debts of one organisation (one SIREN).",
                    creditor=debt.commercial_partner_id.display_name,
                    debtor=claim.commercial_partner_id.display_name,
                    **about,
                )
            )
        if not self._get_documents():
            raise UserError(
                self.env._(
                    "%(set_off)s: neither %(debt)s nor %(claim)s comes from a subsidy. Set them "
                    "off in accounting.",
                    **about,
                )
            )

    def _check_left(self):
        """Refuse more than is left of one of the debts, and a date that cannot be.

        :raise UserError: naming what differs
        """
        day = max(move.date for move in (self.debt_move_id, self.claim_move_id))
        if not day <= self.date <= self.company_id._grant_today():
            raise UserError(
                self.env._(
                    "%(set_off)s: two debts are set off once both are there, since %(day)s, and "
                    "not in the future.",
                    set_off=self.display_name,
                    day=format_date(self.env, day),
                )
            )
        self.company_id._check_grant_open(self.display_name, self.date, self.journal_id)
        for move in (self.debt_move_id, self.claim_move_id):
            left = move._get_grant_residual() if move.state == "posted" else 0.0
            if self.currency_id != move.currency_id or (
                self.currency_id.compare_amounts(self.amount, min(left, move.amount_residual)) > 0
            ):
                raise UserError(
                    self.env._(
                        "%(set_off)s: %(left)s are left of %(move)s, %(asked)s asked.",
                        set_off=self.display_name,
                        left=self.currency_id.format(left),
                        move=move.display_name,
                        asked=self.currency_id.format(self.amount),
                    )
                )

    def _set_off(self):
        """The decision, its journal entry, and both matches."""
        vals = self._prepare_entry()
        entry = transition.creating(self.env["account.move"], [vals]).create([vals])
        self._decide("set_off", self.reason, move_id=entry.id)
        entry._post(soft=False)
        debt, claim = entry.line_ids.sorted("credit")
        # What the city is owed first: what comes back makes room for what is paid.
        for line, move in ((claim, self.claim_move_id), (debt, self.debt_move_id)):
            owed = move._get_payment_lines().filtered(lambda item: not item.reconciled)
            (line | owed).reconcile()

    def _prepare_entry_line(self, move, side):
        return {
            "name": self.reference,
            "partner_id": move.commercial_partner_id.id,
            "account_id": move._get_payment_lines()[:1].account_id.id,
            side: self.amount,
        }

    def _prepare_entry(self):
        sides = ((self.debt_move_id, "debit"), (self.claim_move_id, "credit"))
        lines = [self._prepare_entry_line(move, side) for move, side in sides]
        return {
            "move_type": "entry",
            "company_id": self.company_id.id,
            "journal_id": self.journal_id.id,
            "date": self.date,
            "ref": self.reference,
            "grant_set_off_id": self.id,
            "line_ids": [Command.create(line) for line in lines],
        }

    def action_undo(self):
        """Ask for the reason, then undo the set-off."""
        return self._ask_reason("undo_set_off")

    @asks_reason("undo_set_off", _lt("Undo the Set-Off"))
    def _do_undo(self, reason):
        """Undo a set-off: both debts are open again, from its date on, or from the first day that
        accounting has open.

        :raise UserError: not recorded, or the ledger refuses
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Undoing a set-off")
        self._check_group("group_finance_manager", what)
        envelopes = [documents.envelope_id for documents in self._get_documents()]
        self.env["grant.entry"]._begin_posting(envelopes[0].union(*envelopes[1:]))
        self.lock_for_update()
        self._check_state(("done",), what)
        entry = self.move_id
        day = self.company_id._get_grant_undo_day(self.display_name, entry.date, entry.journal_id)
        # The decision first, with its reason: accounting then follows what is decided.
        self._decide("set_off_undone", reason)
        entry._reverse_moves([{"date": day, "ref": entry.ref}], cancel=True)

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        for set_off in self if action == "undo_set_off" else ():
            day = set_off.company_id._get_grant_open_day(set_off.date, set_off.journal_id)
            debts = (set_off.debt_move_id, set_off.claim_move_id)
            title = self.env._("Open again, from %(date)s on", date=format_date(self.env, day))
            rows = [(debt.display_name, set_off.amount) for debt in debts]
            preview.append({"title": title, "rows": rows, "alert": False})
        return preview

    def _check_undone(self):
        """Refuse what would undo a set-off without a word.

        :raise UserError: naming the set-off that stands
        """
        for set_off in self.filtered(lambda set_off: set_off.state == "done"):
            raise UserError(
                self.env._(
                    "%(set_off)s stands: undo that set-off first, with its reason (Grants > "
                    "Finance > Set-Offs).",
                    set_off=set_off.display_name,
                )
            )

    @api.depends("reference", "partner_id")
    def _compute_display_name(self):
        for set_off in self:
            names = (set_off.reference, set_off.partner_id.name)
            set_off.display_name = " – ".join(filter(None, names)) or self.env._("Set-Off")
