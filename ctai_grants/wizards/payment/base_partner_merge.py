from odoo import models


class BasePartnerMergeAutomaticWizard(models.TransientModel):
    _inherit = "base.partner.merge.automatic.wizard"

    def _merge_bank_accounts(self, src_partners, dst_partner):
        """Accounts were verified as their holders': what an organisation of ours gets by a merge
        is verified again (R4)."""
        # Before the merge: after it, nothing says whose they were.
        if dst_partner.commercial_partner_id.grant_role:
            # sudo: who merges contacts does not verify accounts, and here only takes trust away
            accounts = self.env["res.partner.bank"].sudo().with_context(active_test=False)
            accounts.search([
                ("partner_id", "in", src_partners.ids), ("allow_out_payment", "=", True)
            ]).allow_out_payment = False  # fmt: skip
        return super()._merge_bank_accounts(src_partners, dst_partner)
