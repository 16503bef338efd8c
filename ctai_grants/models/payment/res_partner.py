from odoo import api, models

ACCOUNT_ACTIVITY = "ctai_grants.mail_activity_account"


class ResPartner(models.Model):
    _inherit = "res.partner"

    @api.constrains("grant_role", "parent_id", "is_company")
    def _check_bank_accounts(self):
        """Those that it had before it was an operator."""
        self.bank_ids._check_operator_iban()

    def _get_grant_bank(self):
        """The bank account payments go to: the first one marked as trusted, or none."""
        self.ensure_one()
        return self.commercial_partner_id.bank_ids.filtered("allow_out_payment")[:1]

    def _follow_account(self):
        """Leave a finance manager of each city that pays these bodies the activity to confirm their
        account while none of theirs is; end it once one is, or there is none to confirm."""
        for body in self.commercial_partner_id:
            accounts = body.bank_ids
            # sudo: who signs or enters an account may not be who is asked to confirm it
            tasks = body.sudo().activity_search([ACCOUNT_ACTIVITY])
            if body._get_grant_bank():
                tasks.action_feedback()
            elif not accounts:
                tasks.unlink()
            else:
                body._ask_for_account(accounts[0], tasks.user_id)

    def _ask_for_account(self, account, asked):
        # sudo: all cities, whatever those of the user
        subsidies = self.env["grant.subsidy"].sudo().search(
            [*self._get_subsidies_domain(), ("state", "=", "signed"),
             ("envelope_id.payment_path", "=", "city")]
        )
        for company in subsidies.company_id:
            manager = company._get_grant_person("finance_manager")
            if manager and manager not in asked:
                asked |= manager
                # sudo: as in _follow_account
                self.sudo().activity_schedule(
                    ACCOUNT_ACTIVITY,
                    user_id=manager.id,
                    summary=self.env._(
                        "Confirm the account %(account)s", account=account._get_masked_number()
                    ),
                )

    def _get_waiting_tranches(self):
        """The tranches of these bodies that wait for their conditions."""
        # sudo: who changes a fact about an organisation may not be allowed to see its tranches
        tranches = self.env["grant.disbursement"].sudo()
        domain = [
            ("partner_id.grant_body", "in", self.mapped("grant_body")),
            ("state", "in", ("planned", "ready")),
        ]
        return tranches.search_fetch(domain, tranches._get_looked_at())

    @api.model
    def _change_bodies(self, bodies):
        """Look again at the conditions of their tranches: the year's subsidies of a body count
        together, for the convention."""
        result = super()._change_bodies(bodies)
        # sudo: as in _get_waiting_tranches
        tranches = self.env["grant.disbursement"].sudo()
        tranches.search([
            ("partner_id.grant_body", "in", list(bodies)), ("state", "in", ("planned", "ready")),
        ])._wake()  # fmt: skip
        return result
