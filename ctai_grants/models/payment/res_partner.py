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
        """The tranches of these organisations that wait for their conditions."""
        # sudo: who changes a fact about an organisation may not be allowed to see its tranches
        tranches = self.env["grant.disbursement"].sudo()
        return tranches.search([
            # Not child_of, which asks for each generation: a contact's account, and what it owes,
            # are those of its organisation, which the database knows.
            ("partner_id.commercial_partner_id", "in", self.commercial_partner_id.ids),
            ("state", "in", ("planned", "ready")),
        ])  # fmt: skip
