from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain


class GrantFunding(models.Model):
    """One instalment of an envelope that the State owes the city.

    It is claimed as a customer invoice on the account of State participations, and received as
    that invoice is paid.
    """

    _name = "grant.funding"
    _description = "State Instalment"
    _inherit = [
        "grant.thread.mixin", "mail.activity.mixin", "grant.accounted.mixin", "grant.pes.mixin",
        "grant.guarded.mixin",
    ]  # fmt: skip
    _accounted_kind = "receipt"
    _order = "due_date, id"
    _check_company_auto = True

    _guarded_fields = frozenset({
        "state", "claim_date", "received_date", "received_amount", "reference",
    })  # fmt: skip

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
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late")
    claim_date = fields.Date(string="Claimed On", readonly=True, copy=False)
    received_date = fields.Date(string="Received On", readonly=True, copy=False)
    received_amount = fields.Monetary(
        string="Received", readonly=True, copy=False, default=0.0, required=True
    )
    reference = fields.Char(help="Number of the State's payment.", readonly=True, copy=False)
    state = fields.Selection(
        [("expected", "Expected"), ("claimed", "Claimed"), ("received", "Paid In")],
        required=True, default="expected", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip

    _amount_positive = models.Constraint(
        "CHECK (amount > 0)", "The amount of an instalment is above zero."
    )

    @api.depends("due_date", "state")
    def _compute_is_late(self):
        for funding in self:
            funding.is_late = bool(
                funding.state != "received"
                and funding.due_date
                and funding.due_date < funding.company_id._grant_today()
            )

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain("state", "!=", "received") & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("due_date", "<", today))
        return Domain.OR(late if wanted else ~late for wanted in value)

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
        # sudo: who may delete an instalment may not read the accounts
        booked = self.browse(self._get_posted().origin_id) or self.sudo().filtered("move_ids")
        if booked:
            raise UserError(
                self.env._(
                    "Instalment “%(funding)s” is in the ledger or in accounting and cannot be "
                    "deleted.",
                    funding=booked[0].name,
                )
            )

    # ------------------------------------------------------------------
    # Claimed and received
    # ------------------------------------------------------------------

    def action_claim(self):
        """Ask for the date of the claims."""
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Claim an Instalment"),
            "res_model": "grant.funding.claim",
            "view_mode": "form",
            "target": "new",
            "context": {"default_funding_ids": self.ids},
        }

    def _do_claim(self, date):
        """Claim these instalments from the State: a posted customer invoice for each.

        :param date: date of the claims
        :raise UserError: claimed already, or the accounting is not set up
        :raise AccessError: the user is not a finance officer
        """
        what = self.env._("Claiming an instalment")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("expected",), what)
        date = fields.Date.to_date(date)
        self._create_moves([funding._prepare_claim(date) for funding in self])

    def _get_pes_batch(self):
        self._check_state(("claimed", "received"), self.env._("Making a file for the treasury"))
        label = f"{self.contract_id.code} {self.envelope_id.code} {self.name}"
        return self._get_pes_claim(self._get_live_move(), self.contract_id.funder_id, label)

    def action_cancel_claim(self):
        """Take a claim back: its invoice is reversed, and can be claimed again.

        :raise UserError: not claimed, or money of it is received
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Cancelling a claim")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("claimed",), what)
        for funding in self:
            if funding.received_amount:
                raise UserError(
                    self.env._(
                        "%(funding)s: %(amount)s are received already. Cancel the receipt first.",
                        funding=funding.display_name,
                        amount=funding.currency_id.format(funding.received_amount),
                    )
                )
            move = funding._get_live_move()
            move._reverse_moves([{"date": move.date, "invoice_date": move.date}], cancel=True)

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
        """Book a receipt of this instalment, whole or in part; claimed on that date if it was not.

        :param date: accounting date of the receipt
        :param float amount: euros received
        :param str reference: number of the State's payment
        :raise UserError: more than what is left, or the instalment already received
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        what = self.env._("Recording a receipt")
        self._check_group("group_finance_officer", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("expected", "claimed"), what)
        if self.state == "expected":
            self._do_claim(date)
        self._book_payment(date, amount, reference)

    def action_cancel_receipt(self):
        """Take back what was received by mistake, with the opposite entries; the claim stays.

        :raise UserError: nothing is received
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Cancelling a receipt")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("claimed", "received"), what)
        for funding in self:
            if not funding.received_amount:
                raise UserError(
                    self.env._("%(funding)s: nothing is received.", funding=funding.display_name)
                )
            funding._get_live_move()._cancel_grant_payments()

    # ------------------------------------------------------------------
    # Accounting
    # ------------------------------------------------------------------

    def _get_claim_account(self, date):
        # sudo: set up by the administrator, for whoever claims
        return self.env["grant.account"].sudo()._get(self.company_id, date.year, "state")

    def _prepare_claim(self, date):
        """Values of the customer invoice that claims this instalment."""
        return self._prepare_move(
            "out_invoice",
            self._get_claim_account(date),
            date,
            f"{self.contract_id.display_name}, {self.name}",
            invoice_date_due=max(date, self.due_date or date),
            ref=self.contract_id.code,
        )

    def _check_moves(self, moves):
        what = self.env._("Claiming an instalment")
        self._check_group("group_finance_officer", what)
        self._check_state(("expected",), what)
        for funding in self:
            move = moves[funding.id]
            funding._check_same(move, "out_invoice", funding._get_claim_account(move.date))

    def _follow_accounting(self):
        received = dict(
            self.env["grant.entry"]._read_group(
                [("origin_model", "=", self._name), ("origin_id", "in", self.ids)],
                ["origin_id"],
                ["amount:sum"],
            )
        )
        for funding in self:
            claim = funding._get_live_move()
            values = {"state": "expected", "claim_date": False, "received_date": False}
            values |= {"received_amount": received.get(funding.id, 0.0), "reference": False}
            if claim:
                is_paid = claim.currency_id.is_zero(claim._get_grant_residual())
                values |= {"state": "received" if is_paid else "claimed", "claim_date": claim.date}
            if claim and values["received_amount"]:
                last = claim._get_payment_moves().sorted(lambda m: (m.date, m.id))[-1:]
                values |= {"received_date": last.date, "reference": last.ref or last.name}
            funding._transition(**values)

    def _get_accounted_subsidy(self):
        return self.env["grant.subsidy"]

    def _get_accounted_partner(self):
        return self.contract_id.funder_id

    def _get_accounted_memo(self):
        return self.name
