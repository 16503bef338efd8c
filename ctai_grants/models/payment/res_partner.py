from odoo import api, models


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
