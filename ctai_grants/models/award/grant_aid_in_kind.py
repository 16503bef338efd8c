from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import LazyTranslate, format_date

from ...lib.guard.words import has_words
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantAidInKind(models.Model):
    """What the city gives an organisation otherwise than in money, in one budget year: premises,
    staff, equipment, with its valuation in euros.

    It is a subsidy to the law (loi 2000-321, art. 9-1): it counts in the 23 000 € threshold of the
    body and the year, is published, and stands in the annex of the accounts. It is never paid, and
    posts nothing.
    """

    _name = "grant.aid.in.kind"
    _description = "Aid in Kind"
    _inherit = ["grant.document.mixin", "grant.thread.mixin"]
    _order = "date_start desc, id desc"
    _rec_names_search = ["name", "partner_id.name"]
    _check_company_auto = True

    name = fields.Char(
        string="Object", required=True, tracking=True,
        help="What is lent or given, and what for: “Room B, Mondays, language courses”.",
    )  # fmt: skip
    kind = fields.Selection(
        [
            ("premises", "Premises"),
            ("staff", "Staff"),
            ("equipment", "Equipment"),
            ("other", "Other Aid in Kind"),
        ],
        required=True,
        default="premises",
    )
    partner_id = fields.Many2one(
        "res.partner", string="Operator", required=True, ondelete="restrict", index=True,
        compute="_compute_from_subsidy", store=True, readonly=False, precompute=True,
        domain="[('is_company', '=', True)]", check_company=True, tracking=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        "grant.subsidy", ondelete="restrict", index="btree_not_null", check_company=True,
        domain="[('kind', '=', 'operator')]", help="The subsidy that it goes with, if any.",
    )  # fmt: skip
    contract_id = fields.Many2one(
        "grant.contract", ondelete="restrict", index="btree_not_null", check_company=True,
        compute="_compute_from_subsidy", store=True, readonly=False, precompute=True,
        help="The contract with the State that it contributes to, if any: its statement says so.",
    )  # fmt: skip
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="restrict",
        index=True,
    )  # fmt: skip
    currency_id = fields.Many2one(related="company_id.currency_id")
    amount = fields.Monetary(
        string="Valuation", required=True, tracking=True,
        help="What it is worth, for the whole period below.",
    )  # fmt: skip
    valuation_method = fields.Char(
        help="How it was valued: rent of the market, hours at their cost, depreciation."
    )
    date_start = fields.Date(string="Start", required=True)
    date_end = fields.Date(
        string="End", required=True, help="In the same year: enter one document for each year."
    )
    decision_number = fields.Char(string="Deliberation", copy=False)
    decision_date = fields.Date(string="Decided On", copy=False)
    convention_reference = fields.Char(string="Convention", copy=False)
    convention_date = fields.Date(string="Convention Signed On", copy=False)
    note = fields.Text(string="Notes")
    state = fields.Selection(
        [("draft", "Draft"), ("recorded", "Recorded"), ("cancelled", "Cancelled")],
        required=True, default="draft", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip
    recorded_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    recorded_at = fields.Datetime(string="Recorded On", readonly=True, copy=False)
    cancelled_by_id = fields.Many2one("res.users", readonly=True, copy=False, ondelete="restrict")
    cancelled_at = fields.Datetime(string="Cancelled On", readonly=True, copy=False)
    cancel_reason = fields.Text(string="Reason", readonly=True, copy=False)

    # To PostgreSQL “NaN” exceeds every number: only the bound refuses it.
    _amount_positive = models.Constraint(
        "CHECK (amount > 0 AND amount < 1e12)", "The valuation of an aid in kind is above zero."
    )
    _one_year = models.Constraint(
        "CHECK (date_end >= date_start "
        "AND extract(year FROM date_end) = extract(year FROM date_start))",
        "An aid in kind starts before it ends, and in the same year: enter one document for each "
        "budget year, with what it is worth in that year.",
    )
    _said_by_whom = models.Constraint(
        "CHECK ((state = 'draft') = (recorded_at IS NULL) "
        "AND (state = 'cancelled') = (cancelled_at IS NOT NULL AND cancel_reason IS NOT NULL))",
        "An aid in kind is recorded, and cancelled, by its buttons.",
    )

    @api.depends("name", "partner_id.name")
    def _compute_display_name(self):
        for aid in self:
            aid.display_name = " – ".join(filter(None, (aid.name, aid.partner_id.name)))

    @api.depends("subsidy_id")
    def _compute_from_subsidy(self):
        for aid in self:
            if aid.subsidy_id:
                aid.partner_id = aid.subsidy_id.partner_id
                aid.contract_id = aid.subsidy_id.contract_id

    @api.constrains("subsidy_id", "partner_id", "contract_id", "company_id")
    def _check_beneficiary(self):
        for aid in self:
            body, subsidy = aid.partner_id.grant_body, aid.subsidy_id
            if body == aid.company_id.partner_id.grant_body:
                raise ValidationError(
                    self.env._(
                        "%(aid)s: the city gives itself nothing. Choose another organisation.",
                        aid=aid.name,
                    )
                )
            if subsidy and (
                body != subsidy.partner_id.grant_body or aid.contract_id != subsidy.contract_id
            ):
                raise ValidationError(
                    self.env._(
                        "%(aid)s: operator and contract are those of subsidy %(subsidy)s. Choose "
                        "the same, or no subsidy.",
                        aid=aid.name,
                        subsidy=subsidy.display_name,
                    )
                )

    def _get_frozen_fields(self):
        if self.state == "draft":
            return super()._get_frozen_fields()
        names = (
            "name", "kind", "partner_id", "subsidy_id", "contract_id", "company_id", "amount",
            "valuation_method", "date_start", "date_end", "decision_number", "decision_date",
            "convention_reference", "convention_date",
        )  # fmt: skip
        return frozenset(names)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_state(("draft",), self.env._("Deleting an aid in kind"))

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_record(self):
        """Record that the city gives this: it counts from now on.

        :raise UserError: not a draft, no ground (a dated deliberation or convention), or one that
            is still to come
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Recording an aid in kind")
        self._check_staff(what)
        self.lock_for_update()
        self._check_state(("draft",), what)
        for aid in self:
            aid._check_ground()
        self._transition(
            state="recorded", recorded_by_id=self.env.uid, recorded_at=fields.Datetime.now()
        )
        return True

    def _check_ground(self):
        """Refuse what nothing decided yet: CGCT L1612-25 (formerly L2311-7)."""
        today = self.company_id._grant_today()
        grounds = [
            (self.decision_number, self.decision_date),
            (self.convention_reference, self.convention_date),
        ]
        if not any(has_words(number) and day for number, day in grounds):
            raise UserError(
                self.env._(
                    "%(aid)s: enter its ground first, the number and date of the deliberation or "
                    "the reference and date of the convention.",
                    aid=self.display_name,
                )
            )
        for _number, day in grounds:
            if day and day > today:
                raise UserError(
                    self.env._(
                        "%(aid)s: its ground is dated %(day)s, and today is %(today)s. Record it "
                        "once it is decided.",
                        aid=self.display_name,
                        day=format_date(self.env, day),
                        today=format_date(self.env, today),
                    )
                )

    def action_cancel(self):
        """Ask for the reason, then cancel."""
        return self._ask_reason("cancel")

    @asks_reason("cancel", _lt("Cancel an Aid in Kind"))
    def _do_cancel(self, reason):
        """Cancel what was recorded: it counts no more. One that was wrong is cancelled, then copied
        and corrected.

        :raise UserError: not recorded
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        what = self.env._("Cancelling an aid in kind")
        self._check_staff(what)
        self.lock_for_update()
        self._check_state(("recorded",), what)
        self._transition(
            state="cancelled",
            cancelled_by_id=self.env.uid,
            cancelled_at=fields.Datetime.now(),
            cancel_reason=reason,
        )

    # ------------------------------------------------------------------
    # What it counts for
    # ------------------------------------------------------------------

    @api.model
    def _get_yearly_valuations(self, bodies):
        """What was given in kind to these bodies: dict {(body, id of the city, year): euros}."""
        sums = {}
        for partner, company, month, amount in self._read_group(
            [("partner_id.grant_body", "in", bodies), ("state", "=", "recorded")],
            ["partner_id", "company_id", "date_start:year"],
            ["amount:sum"],
        ):
            key = partner.grant_body, company.id, month.year
            sums[key] = sums.get(key, 0.0) + amount
        return sums
