from odoo import api, models
from odoo.exceptions import ValidationError


class ResPartnerBank(models.Model):
    _inherit = "res.partner.bank"

    @api.constrains("acc_number", "partner_id", "allow_out_payment")
    def _check_operator_iban(self):
        """Odoo takes a wrong IBAN for an account number of another kind."""
        for account in self:
            organisation = account.partner_id.commercial_partner_id
            if organisation.grant_role == "operator" and account.acc_type != "iban":
                raise ValidationError(
                    self.env._(
                        "Bank account “%(number)s” of %(partner)s: this is not a valid IBAN.",
                        number=account.acc_number,
                        partner=organisation.display_name,
                    )
                )

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
