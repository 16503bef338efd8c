from odoo import models
from odoo.exceptions import UserError

# Of what an entry that settles an order or claim is made: money, or what third parties owe.
SETTLING = (
    "asset_cash", "liability_credit_card", "asset_current", "liability_current",
    "liability_payable", "asset_receivable",
)  # fmt: skip


class AccountAccount(models.Model):
    _inherit = "account.account"

    def write(self, vals):
        if "account_type" in vals:
            changed = self.filtered(lambda account: account.account_type != vals["account_type"])
            changed.filtered(lambda a: a.account_type in SETTLING)._check_grant_type()
        return super().write(vals)

    def _check_grant_type(self):
        """Refuse another type for what money of grants went through: by its type it is money, and
        what was paid would not be paid any more.

        :raise UserError: naming the account and an order or claim
        """
        for account in self:
            # sudo: only what one of them is called, to who keeps the accounts
            settled = self.env["grant.settlement"].sudo().search(
                [
                    "|",
                    ("move_id.line_ids.account_id", "=", account.id),
                    ("other_move_id.line_ids.account_id", "=", account.id),
                ],
                limit=1,
            )
            if settled:
                raise UserError(
                    self.env._(
                        "%(account)s: its type cannot be changed, by which %(move)s, an order or "
                        "claim of a grant, counts as settled. Make another account, and use that "
                        "one from now on.",
                        account=account.display_name,
                        move=settled.move_id.display_name,
                    )
                )
