from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..lib.chain import GENESIS

STATES = [("draft", "Draft"), ("in_force", "In Force"), ("closed", "Closed")]


class GrantEnvelope(models.Model):
    """An amount of a contract for an audience, and the head of one chain of the ledger.

    The counters are sums over the ledger that the database moves with each entry, under CHECK
    constraints (R1): nothing else writes them.
    """

    _name = "grant.envelope"
    _description = "Grant Envelope"
    _inherit = ["grant.thread.mixin", "grant.guarded.mixin"]
    _order = "contract_id, sequence, id"
    _rec_names_search = ["name", "code", "contract_id.code"]
    _check_company_auto = True

    _counter_kinds = {
        "allocated_amount": "allocation",
        "received_amount": "receipt",
        "committed_amount": "commitment",
        "paid_amount": "payment",
        "justified_amount": "justification",
        "recovered_amount": "recovery",
    }
    _counter_fields = (*_counter_kinds, "entry_count", "chain_head")
    _guarded_fields = frozenset({"state", *_counter_fields})
    _portal_fields = frozenset({
        "name", "code", "sequence", "contract_id", "company_id", "currency_id", "payment_path",
        "state", "allocated_amount", "received_amount", "committed_amount", "paid_amount",
        "justified_amount", "recovered_amount", "available_amount", "to_pay_amount",
        "unjustified_amount",
    })  # fmt: skip

    name = fields.Char(required=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    contract_id = fields.Many2one(
        "grant.contract", required=True, ondelete="restrict", index=True, check_company=True
    )
    company_id = fields.Many2one(related="contract_id.company_id", store=True)
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    audience_id = fields.Many2one("grant.audience", ondelete="restrict")
    payment_path = fields.Selection(
        [("city", "Through the city's accounts"), ("direct", "Paid by the State")],
        required=True,
        default="city",
        help="Direct: the State pays the operator itself; the city only keeps track, and its "
        "statements show this money apart.",
    )
    programme = fields.Char(help="Budget programme of the State, like 104.")
    programme_action = fields.Char(help="Action of the programme, like 12 or 15.")
    amount = fields.Monetary(
        required=True,
        tracking=True,
        help="What the contract allots; posted to the ledger when the contract is put in force.",
    )
    analytic_account_id = fields.Many2one(
        "account.analytic.account",
        copy=False,
        check_company=True,
        help="Orders and costs of this envelope are booked on it; made with the first order.",
    )
    note = fields.Text(string="Notes")
    state = fields.Selection(
        STATES, required=True, default="draft", readonly=True, copy=False, index=True
    )

    allocated_amount = fields.Monetary(
        string="Allocated", required=True, default=0.0, readonly=True, copy=False
    )
    received_amount = fields.Monetary(
        string="Received", required=True, default=0.0, readonly=True, copy=False
    )
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
    entry_count = fields.Integer(
        string="Entries", required=True, default=0, readonly=True, copy=False, aggregator=None
    )
    chain_head = fields.Char(
        required=True, default=GENESIS, readonly=True, copy=False,
        help="Hash of the last ledger entry of this envelope.",
    )  # fmt: skip
    available_amount = fields.Monetary(string="Available", compute="_compute_derived_amounts")
    to_pay_amount = fields.Monetary(string="To Pay", compute="_compute_derived_amounts")
    unjustified_amount = fields.Monetary(string="Unjustified", compute="_compute_derived_amounts")
    draft_amount = fields.Monetary(
        string="In Preparation",
        compute="_compute_draft_amount",
        help="Subsidies in draft or granted, not signed yet.",
    )
    ceiling_warning = fields.Char(compute="_compute_ceiling_warning")

    subsidy_ids = fields.One2many("grant.subsidy", "envelope_id", string="Subsidies")
    funding_ids = fields.One2many("grant.funding", "envelope_id", string="State Instalments")
    entry_ids = fields.One2many("grant.entry", "envelope_id", string="Ledger")

    _code_uniq = models.UniqueIndex(
        "(contract_id, code)", "Two envelopes of a contract cannot have the same code."
    )
    _analytic_account_uniq = models.UniqueIndex(
        "(analytic_account_id) WHERE analytic_account_id IS NOT NULL",
        "Two envelopes cannot have the same analytic account: costs would count twice.",
    )
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amount of an envelope cannot be negative."
    )
    _committed_within_allocated = models.Constraint(
        "CHECK (committed_amount <= allocated_amount)",
        "The commitments of an envelope cannot exceed its allocations.",
    )
    _counters_positive = models.Constraint(
        "CHECK (allocated_amount >= 0 AND received_amount >= 0 AND committed_amount >= 0 "
        "AND paid_amount >= 0 AND justified_amount >= 0 AND recovered_amount >= 0)",
        "The totals of an envelope cannot be negative.",
    )

    @api.depends("name", "code", "contract_id.code")
    def _compute_display_name(self):
        # With its contract: each year's contract has an envelope A.
        for envelope in self:
            contract = envelope.contract_id.code or ""
            envelope.display_name = f"{contract}/{envelope.code} – {envelope.name}"

    @api.depends(*_counter_kinds)
    def _compute_derived_amounts(self):
        for envelope in self:
            envelope.available_amount = envelope.allocated_amount - envelope.committed_amount
            envelope.to_pay_amount = (
                envelope.committed_amount - envelope.paid_amount + envelope.recovered_amount
            )
            envelope.unjustified_amount = (
                envelope.paid_amount - envelope.recovered_amount - envelope.justified_amount
            )

    @api.depends("subsidy_ids.amount", "subsidy_ids.state")
    def _compute_draft_amount(self):
        drafts = dict(
            self.env["grant.subsidy"]._read_group(
                [("envelope_id", "in", self.ids), ("state", "in", ("draft", "granted"))],
                ["envelope_id"],
                ["amount:sum"],
            )
        )
        for envelope in self:
            envelope.draft_amount = drafts.get(envelope._origin, 0.0)

    @api.depends("available_amount", "draft_amount", "amount", "state")
    def _compute_ceiling_warning(self):
        for envelope in self:
            room = envelope.amount if envelope.state == "draft" else envelope.available_amount
            over = envelope.draft_amount - room
            currency = envelope.currency_id or self.env.company.currency_id
            envelope.ceiling_warning = currency.compare_amounts(over, 0) > 0 and (
                self.env._(
                    "The subsidies in preparation exceed what is left of this envelope by "
                    "%(over)s: not all of them can be signed.",
                    over=currency.format(over),
                )
            )

    def write(self, vals):
        res = super().write(vals)
        if "analytic_account_id" in vals:
            self.env["grant.own.cost"]._sync(self)
        return res

    @api.constrains("contract_id")
    def _check_contract_draft(self):
        for envelope in self:
            if envelope.contract_id.state != "draft" and envelope.state == "draft":
                raise ValidationError(
                    self.env._(
                        "%(contract)s is not a draft any more: an envelope is added by an "
                        "amendment.",
                        contract=envelope.contract_id.display_name,
                    )
                )

    def _get_amendable_fields(self):
        return frozenset({"amount"} if self.state == "in_force" else ())

    def _get_frozen_fields(self):
        if self.state == "draft":
            return frozenset({"contract_id"} if self.entry_count else ())
        return frozenset({"amount", "contract_id", "payment_path", "code"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for envelope in self:
            if envelope.state != "draft" or envelope.entry_count or envelope.subsidy_ids:
                raise UserError(
                    self.env._(
                        "%(envelope)s is in use and cannot be deleted.",
                        envelope=envelope.display_name,
                    )
                )

    def action_view_entries(self):
        """Open the ledger of these envelopes, limited to the kind given in the context."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_entry_action")
        domain = [("envelope_id", "in", self.ids)]
        if kind := self.env.context.get("entry_kind"):
            domain.append(("kind", "=", kind))
        action["domain"] = domain
        action["context"] = {}
        return action

    def action_view_subsidies(self):
        """Open the subsidies of these envelopes."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = [("envelope_id", "in", self.ids)]
        action["context"] = {"default_envelope_id": self.id if len(self) == 1 else False}
        return action

    def _get_analytic_account(self):
        """The analytic account of this envelope, made when it is first needed; none when the
        company has no plan for envelopes."""
        self.ensure_one()
        plan = self.company_id.grant_analytic_plan_id
        if not self.analytic_account_id and plan:
            # sudo: who orders a payment does not set up analytic accounts
            accounts = self.env["account.analytic.account"].sudo()
            self.analytic_account_id = accounts.create(
                {
                    "name": self.display_name,
                    "code": f"{self.contract_id.code}/{self.code}",
                    "plan_id": plan.id,
                    "company_id": self.company_id.id,
                }
            )
        return self.analytic_account_id

    def _post_allocation(self, contract, date, sign):
        """Post the allocation of each envelope with an amount (``sign`` 1), or take it back (-1).

        :raise UserError: taking back what is already committed
        """
        lines = [
            {
                "kind": "allocation",
                "envelope_id": envelope.id,
                "date": date,
                "amount": sign * (envelope.amount if sign > 0 else envelope.allocated_amount),
                "memo": contract.code,
            }
            for envelope in self
            if envelope.amount
        ]
        if lines:
            self.env["grant.entry"]._post(contract, lines)
