from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.base.models.res_bank import sanitize_account_number


class GrantDisbursement(models.Model):
    """The bank account that a tranche is paid to: the one of its certificate, from the order to the
    file that the treasury pays from."""

    _inherit = "grant.disbursement"

    def _get_certified_account(self):
        """The condition that says which account was verified; none when that was done without."""
        return self.condition_ids.filtered(
            lambda condition: condition.code == "bank" and condition.state == "met"
        )

    def _get_payable_accounts(self):
        """The accounts that may be paid: verified, the operator's own, and what was certified."""
        certified = self._get_certified_account()
        # sudo: who orders, or makes the file, may not read the organisation's accounts
        accounts = self.sudo().partner_id.commercial_partner_id.bank_ids.filtered(
            lambda account: account.active and account.allow_out_payment
        )
        return accounts.filtered(certified._names_account) if certified else accounts

    def _get_paid_account(self):
        """The account to pay, or none: of several that are verified, the one certified."""
        return self._get_payable_accounts()[:1].with_env(self.env)

    def _check_bank(self):
        """The order pays the account that was verified when the work was certified."""
        certified = self._get_certified_account()
        if certified and not self._get_paid_account():
            raise UserError(
                self.env._(
                    "%(tranche)s was certified for the account %(certified)s, and the operator's "
                    "verified account is %(account)s: return it to the coordinator, who checks it.",
                    tranche=self.display_name,
                    certified=certified.reference,
                    account=self._describe_verified_account(),
                )
            )

    def _check_bill_account(self, bill):
        """Refuse a bill that pays another account than the one certified, or one that is archived
        or not verified any more.

        :raise UserError: naming both accounts
        """
        paid = bill.sudo().partner_bank_id  # sudo: as _get_payable_accounts
        certified = self._get_certified_account()
        if paid in self._get_payable_accounts() or not (paid or certified):
            return
        raise UserError(
            self.env._(
                "%(tranche)s: it was certified for the account %(certified)s, and its bill "
                "%(bill)s pays %(account)s. Take the order back, return the tranche to the "
                "coordinator, who checks the account, then order it again.",
                tranche=self.display_name,
                certified=certified.reference or self.env._("none"),
                bill=bill.display_name,
                account=self._describe_account(paid),
            )
        )

    def _describe_verified_account(self):
        """The operator's verified account in words, or what became of the one certified."""
        # sudo: as _get_payable_accounts
        organisation = self.sudo().partner_id.commercial_partner_id
        if verified := organisation._get_grant_bank():
            return self._describe_account(verified)
        certified = self._get_certified_account()
        accounts = organisation.with_context(active_test=False).bank_ids
        gone = accounts.filtered(certified._names_account)[:1]
        return ": ".join([self.env._("none"), *(self._describe_account(a) for a in gone)])

    def _describe_account(self, account):
        """An account in words: enough of its number to know it, and what is wrong with it."""
        about = {"account": account._get_masked_number()}
        if not account:
            return self.env._("none")
        if account.partner_id.commercial_partner_id != self.partner_id.commercial_partner_id:
            return self.env._("%(account)s (of another organisation)", **about)
        if not account.active:
            return self.env._("%(account)s (archived)", **about)
        if not account.allow_out_payment:
            return self.env._("%(account)s (not verified any more)", **about)
        certified = self._get_certified_account()
        if certified and certified._is_unproven(account):
            return self.env._(
                "%(account)s (which cannot be told from the one certified: that certificate is "
                "older than the version that keeps the whole number, and the account was changed "
                "since or has a double; certify again)",
                **about,
            )
        if certified.bic and certified.bic != account._get_bic():
            return self.env._(
                "%(account)s (its BIC was %(certified)s when it was certified, it is %(bic)s now)",
                certified=certified.bic,
                bic=account._get_bic() or self.env._("none"),
                **about,
            )
        return about["account"]

    def _check_bill(self, bill):
        """Refuse to send, or to have signed, a bill that is not what was certified and ordered.

        :raise UserError: naming what differs
        """
        self._check_bill_account(bill)
        # Neither what a setting, nor what a date entered since would change.
        names = ("partner_id", "currency_id", "date", "invoice_line_ids")
        values = self._prepare_bill(self.order_batch_id.date)
        self._check_same(bill, {name: values[name] for name in names})

    def _check_money(self, settlement):
        """Also money that went to another operator than the order's, or to another account, or to
        one that may not be paid any more.

        :raise UserError: naming the order, the payment and what differs
        """
        result = super()._check_money(settlement)
        bill, paid = settlement.move_id, settlement.other_move_id
        party = settlement.other_line_id.partner_id.commercial_partner_id
        if party != bill.commercial_partner_id:
            raise UserError(
                self.env._(
                    "%(document)s: %(payment)s names %(party)s, and the order is for %(operator)s. "
                    "Match it with what it paid, or enter there whom it paid.",
                    document=self.display_name,
                    payment=paid.display_name,
                    party=party.display_name or self.env._("nobody"),
                    operator=bill.commercial_partner_id.display_name,
                )
            )
        for account, number in self._get_accounts_of(paid):
            if number != bill.partner_bank_id.sanitized_acc_number:
                raise UserError(
                    self.env._(
                        "%(payment)s pays the account %(paid)s, and the order %(bill)s is for "
                        "%(account)s: pay that account, or take the order back.",
                        payment=paid.display_name,
                        paid=f"…{number[-4:]}",
                        bill=bill.display_name,
                        account=bill.partner_bank_id._get_masked_number() or self.env._("none"),
                    )
                )
            if account:
                self._check_bill_account(bill)
        return result

    @api.model
    def _get_accounts_of(self, entry):
        """The accounts that an entry of the treasury says it paid: list of (account of the order
        to pay, or none where the bank itself says it; number)."""
        payment, line = entry.origin_payment_id, entry.statement_line_id
        found = []
        if payment.payment_type == "outbound" and payment.partner_bank_id:
            account = payment.partner_bank_id
            found.append((account, account.sanitized_acc_number))
        if line.account_number:
            number = sanitize_account_number(line.account_number)
            found.append((line.partner_bank_id.browse(), number))
        return found
