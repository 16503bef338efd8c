from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date


class GrantFunding(models.Model):
    """An instalment in accounting: claimed as a customer invoice on the account of State
    participations, and received as that invoice is paid."""

    _name = "grant.funding"
    # The mixin first: what it says of accounting goes before what the ledger's source says.
    _inherit = ["grant.accounted.mixin", "grant.funding"]

    claim_date = fields.Date(string="Claimed On", readonly=True, copy=False)
    received_date = fields.Date(string="Received On", readonly=True, copy=False)
    received_amount = fields.Monetary(
        string="Received", readonly=True, copy=False, default=0.0, required=True
    )
    reference = fields.Char(help="Number of the State's payment.", readonly=True, copy=False)

    def _get_booked(self):
        # sudo: who may delete an instalment may not read the accounts
        return super()._get_booked() or self.sudo().filtered("move_ids")

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
                        "%(instalment)s: %(amount)s are received already. Cancel the receipt "
                        "first.",
                        instalment=funding.display_name,
                        amount=funding.currency_id.format(funding.received_amount),
                    )
                )
            move = funding._get_live_move()
            # With cancel, Odoo matches the two: settled by its own reversal, which is no payment.
            day = funding.company_id._get_grant_undo_day(
                funding.display_name, move.date, move.journal_id
            )
            move._reverse_moves([{"date": day, "invoice_date": day}], cancel=True)
        return True

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
                    self.env._(
                        "%(instalment)s: nothing is received.", instalment=funding.display_name
                    )
                )
            funding._get_live_move()._cancel_grant_payments()
        return True

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
            funding._check_claim_date(move.date)
            funding._check_same(move, funding._prepare_claim(move.date))

    def _check_claim_date(self, date):
        """Refuse a claim in the future, or from before the contract that it rests on.

        :raise UserError: naming the instalment and the date
        """
        contract = self.contract_id
        about = {"instalment": self.display_name, "contract": contract.display_name}
        about["date"] = format_date(self.env, date)
        if not contract.force_date:
            raise UserError(
                self.env._(
                    "%(instalment)s: %(contract)s is not in force, so nothing is claimed of it "
                    "from the State. A finance manager puts it in force first.",
                    **about,
                )
            )
        if date < contract.force_date:
            raise UserError(
                self.env._(
                    "%(instalment)s: a claim of %(date)s would come before %(contract)s was "
                    "signed, on %(signed)s. Date it of that day, or later.",
                    signed=format_date(self.env, contract.force_date),
                    **about,
                )
            )
        if date > self.company_id._grant_today():
            raise UserError(
                self.env._(
                    "%(instalment)s: a claim is not dated in the future (%(date)s).", **about
                )
            )

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
                last = self.env["grant.settlement"]._get(claim)._get_last_payment()
                values |= {"received_date": last.date, "reference": last.ref or last.name}
            funding._transition(**values)

    def _get_accounted_subsidy(self):
        # None: a receipt belongs to its envelope, and the ledger refuses it with a subsidy.
        return self.env["grant.subsidy"]

    def _get_accounted_partner(self):
        return self.contract_id.funder_id

    def _get_undo_reason(self):
        # Nobody decides on an instalment: a receipt is taken back without a word.
        return False

    def _get_entry_memo(self):
        return self.name
