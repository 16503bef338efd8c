from odoo import fields, models
from odoo.exceptions import UserError


class GrantEnvelope(models.Model):
    _inherit = "grant.envelope"

    analytic_account_id = fields.Many2one(
        "account.analytic.account",
        copy=False,
        check_company=True,
        ondelete="restrict",
        wakes="_get_itself",
        help="Orders and costs of this envelope are booked on it; made with the first order.",
    )
    _analytic_account_uniq = models.UniqueIndex(
        "(analytic_account_id) WHERE analytic_account_id IS NOT NULL",
        "Two envelopes cannot have the same analytic account: costs would count twice.",
    )

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

    def _check_frozen_fields(self, vals):
        """Also the analytic account, once money is on it: what is booked there follows it."""
        name = "analytic_account_id"
        if name in vals and self._is_changed(self, name, vals[name]) and self._has_booked():
            raise UserError(
                self.env._(
                    "%(envelope)s: money is booked on its analytic account, %(account)s. It is "
                    "changed by the button “Change the Analytic Account”, with a reason.",
                    envelope=self.display_name,
                    account=self.analytic_account_id.display_name,
                )
            )
        return super()._check_frozen_fields(vals)

    def _has_booked(self):
        """Whether anything is booked in accounting on the analytic account of this envelope."""
        if not self.analytic_account_id:
            return False
        # sudo: whether there is one, whoever may read the items
        items = self.env["account.move.line"].sudo()
        return bool(
            items.search(
                [
                    ("analytic_distribution", "in", self.analytic_account_id.ids),
                    ("parent_state", "=", "posted"),
                ],
                limit=1,
            )
        )

    def action_change_account(self):
        """Ask for another analytic account, and why."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Change the Analytic Account"),
            "res_model": "grant.envelope.account",
            "view_mode": "form",
            "target": "new",
            "context": {"default_envelope_id": self.id},
        }

    def _do_change_account(self, account, reason):
        """Book this envelope on another analytic account: its own costs are counted there from now
        on, and those that stay on the old one are taken back from the ledger.

        :param account: the analytic account
        :param str reason: kept with the decision
        :raise UserError: no other account, or the ledger refuses
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        self._check_group("group_finance_manager", self.env._("Changing the analytic account"))
        reason = self._check_reason(reason)
        self.env["grant.entry"]._begin_posting(self)
        old = self.analytic_account_id
        if not account or account == old:
            raise UserError(
                self.env._(
                    "%(envelope)s: choose another analytic account than %(account)s.",
                    envelope=self.display_name,
                    account=old.display_name or self.env._("none"),
                )
            )
        costs = self.subsidy_ids.filtered(lambda subsidy: subsidy.kind == "own_cost")
        self._check_costs_open(costs)
        about = self.env._(
            "%(envelope)s: %(old)s → %(new)s. %(reason)s",
            envelope=self.display_name,
            old=old.display_name or self.env._("none"),
            new=account.display_name,
            reason=reason,
        )
        # The decision first: the ledger then follows what is decided.
        for subsidy in costs:
            subsidy._decide("cost_account", about)
        self.message_post(body=about)
        self._transition(analytic_account_id=account.id)

    def _check_costs_open(self, costs):
        """Refuse to take back from the ledger what a closed period counted.

        :raise UserError: naming the envelope and the lock
        """
        paid = costs.entry_ids.filtered(lambda entry: entry.kind == "payment")
        journal = self.company_id.grant_payroll_journal_id
        for date in sorted(set(paid.mapped("date")))[:1]:
            if locks := self.company_id._get_grant_locks(date, journal):
                raise UserError(
                    self.env._(
                        "%(envelope)s: own costs of a closed period are counted on its analytic "
                        "account (%(lock)s): it is not changed any more.",
                        envelope=self.display_name,
                        lock=self.env["res.company"]._format_lock_dates(locks),
                    )
                )

    def _wake(self):
        """Let the ledger follow the costs of the city that are booked on these envelopes."""
        self.env["grant.own.cost"]._sync(self)
