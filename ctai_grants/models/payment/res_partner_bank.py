import hashlib

from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError, ValidationError

# What decides whether an account may be paid, and which one it is.
TRUST_FIELDS = ("allow_out_payment", "active", "acc_number", "acc_holder_name", "partner_id",
                "company_id")  # fmt: skip


class ResPartnerBank(models.Model):
    # As for res.company: to add a mixin.
    _name = "res.partner.bank"
    _inherit = ["res.partner.bank", "grant.waking.mixin"]
    # As for documents of ours: an account is paid once it is verified.
    _allow_sudo_commands = False

    def _get_wakers(self):
        # A verified account may be all that a tranche waits for (:mod:`grant_condition`). Said here
        # and not beside the fields: those are Odoo's, and declared again their labels were ours.
        names = (
            "acc_number", "acc_holder_name", "allow_out_payment", "active", "partner_id", "bank_id",
        )  # fmt: skip
        return {**super()._get_wakers(), **dict.fromkeys(names, "_get_tranches")}

    def _get_tranches(self):
        return self.partner_id._get_waiting_tranches()

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
        accounts._get_operators()._follow_account()
        return accounts

    def write(self, vals):
        for account in self.filtered("allow_out_payment"):
            is_changed = self.env["grant.guarded.mixin"]._is_changed
            if any(name in vals and is_changed(account, name, vals[name]) for name in TRUST_FIELDS):
                account._check_trust_of_cities()
        operators = self._get_operators()
        result = super().write(vals)
        if not vals.keys().isdisjoint(TRUST_FIELDS):
            (operators | self._get_operators())._follow_account()
        return result

    def unlink(self):
        operators = self._get_operators()
        result = super().unlink()
        operators._follow_account()
        return result

    def _get_operators(self):
        bodies = self.partner_id.commercial_partner_id
        return bodies.filtered(lambda body: body.grant_role == "operator")

    @api.ondelete(at_uninstall=False)
    def _unlink_except_trusted_elsewhere(self):
        for account in self.filtered("allow_out_payment"):
            account._check_trust_of_cities()

    def _check_trust_of_cities(self):
        """Refuse that somebody of one city takes away what another one trusts: an account that its
        subsidies are to be paid to.

        :raise AccessError: naming the account and the other cities
        """
        if self.env.uid == SUPERUSER_ID:
            return
        # sudo: all cities, whatever those of the user
        subsidies = self.env["grant.subsidy"].sudo().search([
            ("partner_id", "child_of", self.partner_id.commercial_partner_id.id),
            ("state", "in", ("granted", "signed")),
            ("company_id", "not in", self.env.user.company_ids.ids),
        ])  # fmt: skip
        if subsidies:
            raise AccessError(
                self.env._(
                    "%(account)s: %(cities)s pay this account too. It is changed by somebody who "
                    "works for all of them; enter another account beside it.",
                    account=self._get_masked_number(),
                    cities=", ".join(subsidies.company_id.mapped("name")),
                )
            )

    def _get_fingerprint(self):
        """The SHA-256 of the number of this account: which one it is, without showing it."""
        number = self.sanitized_acc_number
        return hashlib.sha256(number.encode()).hexdigest() if number else False

    def _get_bic(self):
        """The BIC of the bank of this account, as the treasury reads it; False without one."""
        bic = "".join((self.bank_bic or "").split()).upper()
        # Eleven characters name a branch; XXX is the head office, that eight name too.
        return bic.removesuffix("XXX") if len(bic) == 11 else bic or False

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

    def _get_masked_numbers(self):
        """The same with each name that its organisation has had: renamed, it is the same one."""
        # Odoo writes the holder anew when its partner is renamed; another one was typed in.
        if not self or self.acc_holder_name not in (False, self.partner_id.name):
            return {self._get_masked_number()}
        # sudo: who looks at an account may not read the history of its holder
        names = set(self.partner_id.sudo().grant_identity_ids.mapped("name"))
        short = self._get_masked_number(short=True)
        return {self._get_masked_number(), *(f"{short} – {name}" for name in names)}
