from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import LazyTranslate, format_date

from ..guard.grant_acting_mixin import asks_reason
from ..guard.obstacle import Obstacle
from ..guard.reading import read_together

_lt = LazyTranslate(__name__)


class GrantSubsidy(models.Model):
    """What one operator gets from one envelope, or what the city spends of it itself."""

    _name = "grant.subsidy"
    _inherit = [
        "grant.subsidy", "grant.decided.mixin", "grant.obstacle.mixin", "grant.thread.mixin",
        "mail.activity.mixin",
    ]  # fmt: skip

    _decision_key = "subsidy_id"

    kind = fields.Selection(
        [("operator", "Subsidy to an operator"), ("own_cost", "Cost of the city")],
        required=True,
        default="operator",
    )
    payment_path = fields.Selection(related="envelope_id.payment_path")
    user_id = fields.Many2one(
        "res.users",
        string="Coordinator",
        default=lambda self: self.env.user,
        tracking=True,
        domain="[('share', '=', False)]",
    )
    partner_id = fields.Many2one(
        compute="_compute_partner_id", store=True, readonly=False, precompute=True
    )
    grant_body = fields.Char(related="partner_id.grant_body")
    amount = fields.Monetary(required=True, tracking=True, amendable=True, portal=True)
    date_start = fields.Date(string="Start", amendable=True, portal=True)
    date_end = fields.Date(string="End", amendable=True, portal=True)
    request_date = fields.Date(
        string="Requested On",
        copy=False,
        tracking=True,
        help="A request filed from 2 January 2022 needs the contrat d'engagement républicain.",
    )
    cer_date = fields.Date(
        string="CER Signed On",
        copy=False,
        tracking=True,
        help="Signature of the contrat d'engagement républicain.",
    )
    decision_number = fields.Char(
        help="Number of the council's deliberation.", tracking=True, copy=False
    )
    decision_date = fields.Date(tracking=True, copy=False)
    executory_date = fields.Date(
        string="Decision Executory On",
        copy=False,
        tracking=True,
        help="The later of its transmission to the prefecture and its publication.",
    )
    notification_date = fields.Date(
        string="Notified On",
        copy=False,
        tracking=True,
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
        group_expand=True, portal=True,
    )  # fmt: skip
    theme_ids = fields.Many2many(
        "grant.theme",
        string="Themes",
        compute="_compute_theme_ids",
        search="_search_theme_ids",
        context={"active_test": False},
    )
    decision_ids = fields.One2many("grant.decision", "subsidy_id", string="Decisions")
    ceiling_warning = fields.Char(related="envelope_id.ceiling_warning")
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amount of a subsidy cannot be negative."
    )
    _period = models.Constraint(
        "CHECK (date_end >= date_start)", "A subsidy cannot end before it starts."
    )
    _commitment_number_digits = models.Constraint(
        "CHECK (commitment_number ~ '^[0-9]{10}$')",
        "The number of a State commitment (EJ) has ten digits, zeros at its head included.",
    )

    @api.depends("kind", "company_id")
    def _compute_partner_id(self):
        for subsidy in self:
            # Nothing is said of the others: what was chosen stays.
            if subsidy.kind == "own_cost":
                subsidy.partner_id = (subsidy.company_id or self.env.company).partner_id

    @api.depends("action_ids.theme_ids")
    def _compute_theme_ids(self):
        # In one query: lists show them, and no action.
        themes = defaultdict(self.env["grant.theme"].browse)
        for subsidy, theme in self.env["grant.action"]._read_group(
            [("subsidy_id", "in", self.ids), ("theme_ids", "!=", False)],
            ["subsidy_id", "theme_ids"],
        ):
            themes[subsidy] |= theme
        for found, subsidies in self.grouped(lambda s: themes[s._origin]).items():
            subsidies.theme_ids = found

    @api.model
    def _search_theme_ids(self, operator, value):
        return Domain("action_ids.theme_ids", operator, value)

    @api.depends(
        "amount", "partner_id.grant_body", "kind", "date_start", "decision_date", "state",
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
        and what is given in kind included: the 23 000 € threshold counts by year and by body (loi
        2000-321, art. 10).

        :return: dict: subsidy: amount
        """

        def by_year(subsidy, day):
            return subsidy.partner_id.grant_body, subsidy.company_id.id, day and day.year

        bodies = self.partner_id.mapped("grant_body")
        in_kind = self.env["grant.aid.in.kind"]._get_yearly_valuations(bodies)
        decided = self.search_fetch(
            Domain("partner_id.grant_body", "in", bodies)
            & Domain("kind", "=", "operator")
            & Domain("state", "!=", "cancelled")
            & Domain("decision_date", "!=", False),
            ["partner_id", "company_id", "decision_date", "amount"],
            order="id",
        ).grouped(lambda subsidy: by_year(subsidy, subsidy.decision_date))
        amounts = {}
        for subsidy in self:
            year = by_year(subsidy, subsidy.decision_date or subsidy.date_start)
            # Itself by the amount that the form shows, saved or not.
            others = decided.get(year, self.browse()) - subsidy._origin
            granted = subsidy.amount + sum(others.mapped("amount"))
            amounts[subsidy] = granted + in_kind.get(year, 0.0)
        return amounts

    @api.constrains("kind", "partner_id")
    def _check_own_cost_partner(self):
        for subsidy in self:
            city, partner = subsidy.company_id.partner_id, subsidy.partner_id
            is_city = partner == city
            # Another record of the city's SIREN is the city: it grants itself nothing.
            if subsidy.kind == "operator":
                is_city = partner.grant_body == city.grant_body
            if (subsidy.kind == "own_cost") != is_city:
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
        for subsidy in self.filtered(lambda s: s.kind == "own_cost" and s.state == "signed"):
            other = self.search(
                Domain("id", "!=", subsidy.id)
                & Domain("envelope_id", "=", subsidy.envelope_id.id)
                & Domain("kind", "=", "own_cost")
                # Closed ones too: their costs are counted.
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

    def _check_actions_total(self):
        """Refuse actions that add up to more than the subsidy.

        :raise ValidationError: naming the subsidy and both amounts
        """
        for subsidy in self:
            total = sum(subsidy.action_ids.mapped("amount"))
            # Actions without an amount only say what is done.
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

    def _is_amendable(self):
        return self.state == "signed"

    def _get_frozen_fields(self):
        frozen = {"active", "envelope_id", "partner_id", "kind"}
        if self.state == "draft":
            # A cancelled subsidy can be a draft again: its entries name envelope and operator.
            return frozenset(frozen if self.entry_ids else ())
        frozen |= {"amount", "decision_number"}
        # Granted: the convention is on its way, its number is still to come.
        if self.state != "granted":
            frozen.add("code")
        return frozenset(frozen)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        for subsidy in self:
            if subsidy.state != "draft" or subsidy.decision_ids or subsidy.entry_ids:
                about = {"subsidy": subsidy.display_name}
                is_over = subsidy.state in ("closed", "cancelled") or subsidy.paid_amount
                raise UserError(
                    self.env._("%(subsidy)s stays: what was decided and paid is kept.", **about)
                    if is_over
                    else self.env._(
                        "%(subsidy)s has decisions and cannot be deleted: cancel it instead.",
                        **about,
                    )
                )

    def _get_siret_obstacles(self):
        """An operator in France without SIRET: neither paid nor published (décret 2017-779)
        without it."""
        partner = self.partner_id.commercial_partner_id
        is_abroad = partner.country_id and not partner.is_france_country
        # Who has no country yet is taken to be in France, which _get_siret() does not.
        siret = partner._get_siret() if partner.country_id else partner.company_registry
        if self.kind != "operator" or is_abroad or siret:
            return []
        sentence = self.env._("Enter the SIRET of %s first.", partner.display_name)
        return [Obstacle(sentence, partner)]

    def _get_decided_subsidy(self):
        return self

    @api.model
    def _get_decision_states(self):
        return {
            **super()._get_decision_states(),
            "granted": "granted",
            "signed": "signed",
            "cancelled": "cancelled",
            "reopened": {"granted": "draft", "cancelled": "draft"},
            "corrected": None,
        }

    @api.model
    def _get_decision_dates(self):
        return {"granted": "decision_date", "signed": "signature_date"}

    @api.model
    def _get_decisions_domain(self):
        # Those on its documents name the subsidy too.
        return [(name, "=", False) for name in self.env["grant.decision"]._get_document_fields()]

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    @api.model
    def action_open_mine(self):
        """The list of the subsidies that the user coordinates; of all, to who coordinates none."""
        follows = self.search_count([("user_id", "=", self.env.uid)], limit=1)
        name = "grant_subsidy_action_mine" if follows else "grant_subsidy_action"
        return self.env["ir.actions.act_window"]._for_xml_id(f"ctai_grants.{name}")

    def action_grant(self):
        """Record that the council granted the subsidy.

        :raise UserError: decision number or date, amount or period missing, dates out of order
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Granting a subsidy")
        self._check_group("group_coordinator", what)
        self._check_state(("draft",), what)
        for subsidy in self:
            subsidy._check_obstacles(what, subsidy._get_granting_obstacles())
            subsidy._decide("granted")
        return True

    def action_sign(self):
        """Commit the amount: the convention is signed, or the award notified.

        :raise UserError: the envelope has not enough left (R1), the tranches exceed the amount
            (R2), the signature date or the operator's SIRET is missing
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Signing a subsidy")
        self._check_group("group_coordinator", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        read_together(self._get_wanted())
        self._check_state(("granted",), what)
        for subsidy in self:
            subsidy._check_obstacles(what, subsidy._get_signing_obstacles())
            subsidy._prepare_signature()
            # Before the commitment: own costs follow it, and only a signed subsidy covers any.
            subsidy._decide("signed")
            subsidy._post_commitment(subsidy.amount, subsidy.signature_date)
        return True

    def _prepare_signature(self):
        """What a signature needs to be there, and makes."""

    def action_reset_to_draft(self):
        """Back to draft, before the signature.

        :raise UserError: signed, or the ledger holds entries of it
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Setting a subsidy back to draft")
        self._check_group("group_coordinator", what)
        self._check_state(("granted", "cancelled"), what)
        for subsidy in self:
            subsidy._decide("reopened")
        return True

    def action_cancel(self):
        """Ask for the reason, then cancel the subsidy."""
        return self._ask_reason("cancel")

    @asks_reason("cancel", _lt("Cancel the Subsidy"))
    def _do_cancel(self, reason):
        """Cancel a subsidy of which nothing is paid, and release its commitment.

        :raise UserError: something is paid, certified or ordered, or still owed
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
            subsidy._check_obstacles(what, subsidy._get_release_obstacles())
            subsidy._release("cancelled", reason)

    def _release(self, state, reason):
        """End this subsidy, and give the unpaid commitment back to the envelope."""
        self._decide(state, reason)
        if not self.currency_id.is_zero(self.to_pay_amount):
            self._post_commitment(-self.to_pay_amount, self.company_id._grant_today(), reason)

    def _post_commitment(self, amount, date, memo=None):
        """Post a commitment, or a release, by action."""
        lines = [
            {
                "kind": "commitment",
                "envelope_id": self.envelope_id.id,
                "subsidy_id": self.id,
                "action_id": line["action_id"],
                "amount": line["amount"],
                "date": date,
                "memo": memo or self.convention_reference or self.decision_number or self.code,
            }
            for line in self._split_by_action(amount)
        ]
        self._post_entries(lines)

    def action_view_decisions(self):
        """Open the history of decisions of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_decision_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {}
        return action
