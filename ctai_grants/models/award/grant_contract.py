from odoo import api, fields, models
from odoo.exceptions import UserError

from ..guard.obstacle import Obstacle


class GrantContract(models.Model):
    """A contract by which the State entrusts money to the city: envelopes, period, steering."""

    _name = "grant.contract"
    _inherit = [
        "grant.contract", "grant.corrected.mixin", "grant.obstacle.mixin", "grant.thread.mixin",
        "mail.activity.mixin",
    ]  # fmt: skip

    _legal_orders = (("decision_date", "signature_date"),)

    funder_id = fields.Many2one(
        "res.partner", required=True, ondelete="restrict", tracking=True, check_company=True,
        domain="[('is_company', '=', True)]", portal=True,
        help="The State service that signs, usually a prefecture: its portal users see this "
        "contract and its statements.",
    )  # fmt: skip
    user_id = fields.Many2one(
        "res.users",
        string="Coordinator",
        default=lambda self: self.env.user,
        tracking=True,
        domain="[('share', '=', False)]",
    )
    finance_user_id = fields.Many2one(
        "res.users",
        string="Finance Officer",
        tracking=True,
        domain="[('share', '=', False)]",
        help="Gets an activity when a tranche is certified and has to be ordered.",
    )
    signature_date = fields.Date(tracking=True, copy=False, portal=True)
    decision_number = fields.Char(
        string="Council Decision", help="Number of the council's deliberation.", tracking=True,
        copy=False,
    )  # fmt: skip
    decision_date = fields.Date(tracking=True, copy=False)
    steering = fields.Text(help="Who meets when: steering and technical committees.")
    note = fields.Html(string="Notes")
    funding_ids = fields.One2many("grant.funding", "contract_id", string="State Instalments")
    subsidy_ids = fields.One2many("grant.subsidy", "contract_id", string="Subsidies")
    subsidy_count = fields.Integer(compute="_compute_subsidy_count")
    allocated_amount = fields.Monetary(string="Allocated", compute="_compute_amounts", portal=True)
    received_amount = fields.Monetary(string="Received", compute="_compute_amounts", portal=True)
    committed_amount = fields.Monetary(string="Committed", compute="_compute_amounts", portal=True)
    paid_amount = fields.Monetary(string="Paid", compute="_compute_amounts", portal=True)
    justified_amount = fields.Monetary(string="Justified", compute="_compute_amounts", portal=True)
    recovered_amount = fields.Monetary(string="Recovered", compute="_compute_amounts", portal=True)
    available_amount = fields.Monetary(string="Available", compute="_compute_amounts", portal=True)
    to_pay_amount = fields.Monetary(string="To Pay", compute="_compute_amounts", portal=True)
    unjustified_amount = fields.Monetary(
        string="Unjustified", compute="_compute_amounts", portal=True
    )
    owed_amount = fields.Monetary(
        string="Owed by the State",
        compute="_compute_state_money",
        help="What the State allotted to the city's own envelopes and has not paid yet.",
    )
    advanced_amount = fields.Monetary(
        string="Advanced by the City",
        compute="_compute_state_money",
        help="What the city paid, less what came back, beyond what it received from the State.",
    )
    _summed_fields = (
        "allocated_amount", "received_amount", "committed_amount", "paid_amount",
        "justified_amount", "recovered_amount", "available_amount", "to_pay_amount",
        "unjustified_amount",
    )  # fmt: skip

    @api.depends(*(f"envelope_ids.{name}" for name in _summed_fields))
    def _compute_amounts(self):
        for contract in self:
            for name in self._summed_fields:
                contract[name] = sum(contract.envelope_ids.mapped(name))

    @api.depends(
        "envelope_ids.payment_path", "envelope_ids.allocated_amount",
        "envelope_ids.received_amount", "envelope_ids.paid_amount", "envelope_ids.recovered_amount",
    )  # fmt: skip
    def _compute_state_money(self):
        for contract in self:
            city = contract.envelope_ids.filtered(lambda e: e.payment_path == "city")
            received = sum(city.mapped("received_amount"))
            spent = sum(city.mapped("paid_amount")) - sum(city.mapped("recovered_amount"))
            contract.owed_amount = sum(city.mapped("allocated_amount")) - received
            # Below zero it is the State that is ahead.
            contract.advanced_amount = max(0.0, spent - received)

    @api.depends("subsidy_ids")
    def _compute_subsidy_count(self):
        counts = dict(
            self.env["grant.subsidy"]._read_group(
                [("contract_id", "in", self.ids)], ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.subsidy_count = counts.get(contract._origin, 0)

    @api.constrains("date_start", "date_end")
    def _check_subsidies_period(self):
        self.subsidy_ids.filtered(lambda subsidy: subsidy.state != "cancelled")._check_period()

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        if self.state == "draft":
            return frozen
        frozen |= {"funder_id", "signature_date"}
        # Closed, nothing of it changes: it is reopened first.
        return frozen | {"decision_number", "decision_date"} if self.state == "closed" else frozen

    def copy_data(self, default=None):
        vals_list = super().copy_data(default=default)
        for contract, vals in zip(self, vals_list, strict=True):
            # Required, and not copied: no two contracts of a city have the same.
            vals.setdefault("code", self.env._("%(code)s (copy)", code=contract.code))
        return vals_list

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_put_in_force(self):
        """Post what each envelope may spend, dated of the signature.

        :raise UserError: not a draft, not signed, or no envelope with an amount
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Putting a contract in force")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_ids)
        self._check_state(("draft",), what)
        for contract in self:
            # What was in force before goes on as it is.
            if not contract._was_in_force():
                # sudo: what the company is, which who puts in force may not read (its chart)
                contract.company_id.sudo()._check_grant_company()
            contract._check_obstacles(what, contract._get_force_obstacles())
            # First: the ledger refuses what is not in force.
            contract.envelope_ids._transition(state="in_force")
            contract._transition(state="in_force", force_date=contract.signature_date)
            contract.envelope_ids._post_allocation(contract, contract.signature_date, 1)
        return True

    @api.depends(lambda self: ("state", "envelope_ids.amount", *self._get_legal_dates()))
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_obstacles(self):
        if self.state != "draft":
            return []
        # sudo: as the act itself
        company = self.company_id.sudo()
        missing = [] if self._was_in_force() else company._get_grant_obstacles()
        return [
            *(Obstacle(sentence, action=action) for sentence, action in missing),
            *self._get_force_obstacles(),
        ]

    def _was_in_force(self):
        return any(self.envelope_ids.mapped("entry_count"))

    def _get_force_obstacles(self):
        """What keeps a contract from being put in force: it says nothing yet; a list of
        sentences."""
        obstacles = [
            *self._get_legal_date_obstacles(), *self._get_unfilled(["signature_date"])
        ]  # fmt: skip
        if not any(self.envelope_ids.mapped("amount")):
            sentence = self.env._("Add an envelope with an amount.")
            obstacles.append(Obstacle(sentence, self, "envelope_ids"))
        return obstacles

    def action_reset_to_draft(self):
        """Take the allocations back, to correct a contract put in force too early.

        :raise UserError: something is already committed or received, or an amendment signed
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Setting a contract back to draft")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_ids)
        self._check_state(("in_force",), what)
        for contract in self:
            if contract._has_begun():
                raise UserError(
                    self.env._(
                        "%(contract)s: money is already received or committed, or an amendment "
                        "is signed. Use an amendment.",
                        contract=contract.display_name,
                    )
                )
            contract._transition(state="draft")
            # While they are in force, and at the date of what it takes back: on no day is any left.
            contract.envelope_ids._post_allocation(contract, contract.force_date, -1)
            contract.envelope_ids._transition(state="draft")
            contract._transition(force_date=False)
        return True

    def _has_begun(self):
        """Whether money is received or committed: what was put in force is used."""
        self.ensure_one()
        return bool(self.received_amount or self.committed_amount)

    def action_close(self):
        """Close the contract: nothing can be posted any more.

        :raise UserError: naming all that prevents it: subsidies and recoveries that are open,
            orders not paid, instalments not received, a ledger that does not add up
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Closing a contract")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_ids)
        self._check_state(("in_force",), what)
        for contract in self:
            # Under the locks: nobody posts between the verification and the closing.
            contract._check_obstacles(what, contract._get_closing_obstacles())
            # It is the state of the envelope that the database looks at.
            contract.envelope_ids._transition(state="closed")
            contract._transition(state="closed")
        return True

    def _get_closing_obstacles(self):
        """What keeps this contract from being closed: a list of sentences."""
        self.ensure_one()
        obstacles = [
            sentence % {"documents": ", ".join(documents.mapped("display_name"))}
            for documents, sentence in self._get_unfinished()
            if documents
        ]
        # What was wrong on a day that is past, in data from before, does not keep it open.
        return obstacles + self.env["grant.entry"]._get_untied(self.envelope_ids)

    def _get_unfinished(self):
        """Documents of this contract that are to be finished before it is closed.

        :return: list of (documents, sentence that names them)
        """
        return [
            (
                self.subsidy_ids.filtered(lambda s: s.state in ("granted", "signed")),
                self.env._("Subsidies to close or cancel: %(documents)s."),
            ),
            (
                self.funding_ids.filtered(lambda funding: funding.state != "received"),
                self.env._("Instalments not received: %(documents)s."),
            ),
        ]

    def action_reopen(self):
        """Put a closed contract in force again.

        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Reopening a contract")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_ids)
        self._check_state(("closed",), what)
        self.envelope_ids._transition(state="in_force")
        self._transition(state="in_force")
        return True

    def action_view_subsidies(self):
        """Open the subsidies of these contracts."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = [("contract_id", "in", self.ids)]
        action["context"] = {"search_default_group_envelope": 1}
        if len(self.envelope_ids) == 1:
            # What is made from here can be of no other.
            action["context"]["default_envelope_id"] = self.envelope_ids.id
        return action

    def action_view_entries(self):
        """Open the ledger of these contracts, limited to the kind given in the context."""
        return self.envelope_ids.action_view_entries()

    def action_view_fundings(self):
        """Open the instalments the State owes for these contracts."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_funding_action")
        action["domain"] = [("contract_id", "in", self.ids)]
        # What is made from here is of this contract.
        ours = self.envelope_ids.filtered(lambda envelope: envelope.payment_path == "city")
        action["context"] = {"default_envelope_id": ours[:1].id}
        return action
