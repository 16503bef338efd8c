from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class GrantFunding(models.Model):
    """One instalment of an envelope that the State owes the city."""

    _name = "grant.funding"
    _description = "State Instalment"
    _inherit = ["grant.thread.mixin", "mail.activity.mixin", "grant.guarded.mixin"]
    _order = "due_date, id"
    _check_company_auto = True

    _guarded_fields = frozenset({"state", "claim_date", "received_date", "received_amount"})

    name = fields.Char(required=True)
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('payment_path', '=', 'city')]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="envelope_id.contract_id", store=True, index=True)
    company_id = fields.Many2one(related="envelope_id.company_id", store=True)
    currency_id = fields.Many2one(related="envelope_id.currency_id", store=True)
    amount = fields.Monetary(required=True)
    due_date = fields.Date()
    claim_date = fields.Date(string="Claimed On", readonly=True, copy=False)
    received_date = fields.Date(string="Received On", readonly=True, copy=False)
    received_amount = fields.Monetary(
        string="Received", readonly=True, copy=False, default=0.0, required=True
    )
    reference = fields.Char(help="Number of the State's payment.", copy=False)
    state = fields.Selection(
        [("expected", "Expected"), ("claimed", "Claimed"), ("received", "Paid In")],
        required=True, default="expected", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip

    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of an instalment is above zero."
    )

    @api.constrains("envelope_id")
    def _check_payment_path(self):
        for funding in self:
            if funding.envelope_id.payment_path != "city":
                raise ValidationError(
                    self.env._(
                        "Instalment “%(funding)s”: the State pays the operators of envelope "
                        "“%(envelope)s” itself, the city receives nothing.",
                        funding=funding.name,
                        envelope=funding.envelope_id.display_name,
                    )
                )

    def _get_frozen_fields(self):
        if self.state == "expected":
            return frozenset({"envelope_id"} if self._get_posted() else ())
        return frozenset({"envelope_id", "amount"})

    def _get_posted(self):
        """One entry of the ledger that comes from these instalments, if there is any."""
        return self.env["grant.entry"].search(
            [("origin_model", "=", self._name), ("origin_id", "in", self.ids)], limit=1
        )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_expected(self):
        self._check_state(("expected",), self.env._("Deleting an instalment"))
        if posted := self._get_posted():
            raise UserError(
                self.env._(
                    "Instalment “%(funding)s” is in the ledger and cannot be deleted.",
                    funding=self.browse(posted.origin_id).name,
                )
            )

    def action_claim(self):
        """Record that the city asked the State for this instalment, today.

        :raise AccessError: the user is not a finance officer
        """
        what = self.env._("Claiming an instalment")
        self._check_group("group_finance_officer", what)
        self._check_state(("expected",), what)
        self._transition(state="claimed", claim_date=fields.Date.context_today(self))

    def action_receive(self):
        """Ask for the date and amount received."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Record a Receipt"),
            "res_model": "grant.funding.receive",
            "view_mode": "form",
            "target": "new",
            "context": {"default_funding_id": self.id},
        }

    def _do_receive(self, date, amount, reference=None):
        """Post the receipt of this instalment.

        :param date: accounting date of the receipt
        :param float amount: euros received
        :raise UserError: the amount is not above zero, or the instalment already received
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a receipt")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("expected", "claimed"), what)
        self._check_amounts({"received_amount": amount})
        if self.currency_id.compare_amounts(amount, 0) <= 0:
            raise UserError(self.env._("The amount received must be above zero."))
        self._transition(
            state="received", received_date=date, received_amount=amount, reference=reference
        )
        self._post_receipt(amount)

    def action_cancel_receipt(self):
        """Take back a receipt recorded by mistake, with the opposite entry.

        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Cancelling a receipt")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("received",), what)
        for funding in self:
            funding._post_receipt(-funding.received_amount)
            funding._transition(
                state="claimed" if funding.claim_date else "expected",
                received_date=False,
                received_amount=0.0,
            )

    def _post_receipt(self, amount):
        self.env["grant.entry"]._post(
            self,
            [
                {
                    "kind": "receipt",
                    "envelope_id": self.envelope_id.id,
                    "date": self.received_date,
                    "amount": amount,
                    "memo": self.reference or self.name,
                }
            ],
        )
