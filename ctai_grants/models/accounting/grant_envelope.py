from odoo import fields, models


class GrantEnvelope(models.Model):
    _inherit = "grant.envelope"

    analytic_account_id = fields.Many2one(
        "account.analytic.account",
        copy=False,
        check_company=True,
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

    def _wake(self):
        """Let the ledger follow the costs of the city that are booked on these envelopes."""
        self.env["grant.own.cost"]._sync(self)
