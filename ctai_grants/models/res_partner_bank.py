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
        accounts._refresh_grant_tranches()
        return accounts

    def write(self, vals):
        res = super().write(vals)
        if vals.keys() & {"allow_out_payment", "acc_number", "acc_holder_name", "active"}:
            self._refresh_grant_tranches()
        return res

    def unlink(self):
        organisations = self.partner_id
        res = super().unlink()
        organisations._refresh_grant_tranches()
        return res

    def _refresh_grant_tranches(self):
        """A verified account may be all that a tranche waits for (:mod:`grant_condition`)."""
        self.partner_id._refresh_grant_tranches()

    def _get_masked_number(self, short=False):
        """Enough of this account to recognise it, and its holder unless ``short``; nothing of
        none."""
        if not self:
            return False
        number = self.sanitized_acc_number
        if short:
            return f"{number[:4]} •••• {number[-4:]}"
        holder = self.acc_holder_name or self.partner_id.name
        return f"{number[:4]} •••• {number[-4:]} – {holder}"
