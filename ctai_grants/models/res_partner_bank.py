from odoo import api, models


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    @api.model_create_multi
    def create(self, vals_list):
        accounts = super().create(vals_list)
        accounts.filtered("allow_out_payment")._refresh_grant_tranches()
        return accounts

    def write(self, vals):
        res = super().write(vals)
        if "allow_out_payment" in vals:
            self._refresh_grant_tranches()
        return res

    def _refresh_grant_tranches(self):
        """A verified account may be all that a tranche waited for, see
        :meth:`grant.subsidy._get_payment_blockers`."""
        # sudo: who verifies accounts may not be allowed to touch tranches
        subsidies = self.env["grant.subsidy"].sudo().search([
            ("partner_id", "child_of", self.partner_id.commercial_partner_id.ids),
            ("state", "=", "signed"),
        ])  # fmt: skip
        subsidies.disbursement_ids._refresh_readiness()
