from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class GrantEnvelope(models.Model):
    """An amount of a contract for an audience."""

    _name = "grant.envelope"
    _inherit = ["grant.envelope", "grant.thread.mixin"]

    audience_id = fields.Many2one("grant.audience", ondelete="restrict")
    payment_path = fields.Selection(
        [("city", "Through the city's accounts"), ("direct", "Paid by the State")],
        required=True,
        default="city",
        portal=True,
        help="Direct: the State pays the operator itself; the city only keeps track, and its "
        "statements show this money apart.",
    )
    programme = fields.Char(help="Budget programme of the State, like 104.")
    programme_action = fields.Char(help="Action of the programme, like 12 or 15.")
    amount = fields.Monetary(
        required=True,
        tracking=True,
        amendable=True,
        help="What the contract allots; posted to the ledger when the contract is put in force.",
    )
    note = fields.Text(string="Notes")
    draft_amount = fields.Monetary(
        string="In Preparation",
        compute="_compute_draft_amount",
        help="Subsidies in draft or granted, not signed yet.",
    )
    ceiling_warning = fields.Char(compute="_compute_ceiling_warning")
    subsidy_ids = fields.One2many("grant.subsidy", "envelope_id", string="Subsidies")
    funding_ids = fields.One2many("grant.funding", "envelope_id", string="State Instalments")
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amount of an envelope cannot be negative."
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
            # In a draft nothing is allotted yet: what the contract says counts.
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

    @api.constrains("contract_id")
    def _check_contract_draft(self):
        for envelope in self:
            # One that an amendment adds is in force from the start.
            if envelope.contract_id.state != "draft" and envelope.state == "draft":
                raise ValidationError(
                    self.env._(
                        "%(contract)s is not a draft any more: an envelope is added by an "
                        "amendment.",
                        contract=envelope.contract_id.display_name,
                    )
                )

    def _is_amendable(self):
        return self.state == "in_force"

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        return frozen if self.state == "draft" else frozen | {"amount", "payment_path"}

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

    def action_view_subsidies(self):
        """Open the subsidies of these envelopes."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_subsidy_action")
        action["domain"] = [("envelope_id", "in", self.ids)]
        action["context"] = {"default_envelope_id": self.id if len(self) == 1 else False}
        return action

    def _get_owed(self, kind):
        if kind != "allocation":
            return super()._get_owed(kind)
        # Of the contract: set back to draft, it takes back what its envelopes still hold.
        owed = self.amount if self.contract_id.state == "in_force" else 0.0
        return owed, owed

    def _post_allocation(self, contract, date, sign):
        """Post the allocation of each envelope with an amount (``sign`` 1), or take it back (-1).

        :raise UserError: taking back what is already committed
        """
        lines = [
            {
                "kind": "allocation",
                "envelope_id": envelope.id,
                "date": date,
                # Taken back is what the ledger holds, whatever the field says by now.
                "amount": sign * (envelope.amount if sign > 0 else envelope.allocated_amount),
                "memo": contract.code,
            }
            for envelope in self
            if envelope.amount
        ]
        if lines:
            contract._post_entries(lines)
