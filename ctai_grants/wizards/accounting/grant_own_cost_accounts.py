from odoo import Command, api, fields, models
from odoo.exceptions import UserError

from ...lib.guard.words import has_words


class GrantOwnCostAccounts(models.TransientModel):
    """Changes the accounts of own costs, says before what the ledger does, and asks why."""

    _name = "grant.own.cost.accounts"
    _description = "Accounts of Own Costs"
    _inherit = ["grant.company.mixin"]
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    account_ids = fields.Many2many(
        "account.account",
        string="Accounts Followed",
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost', 'expense_other'))]",
        context={"active_test": False},
        default=lambda self: [Command.set(self.env.company.grant_own_cost_account_ids.ids)],
    )
    effect = fields.Text(string="What the Ledger Does", compute="_compute_effect")
    reason = fields.Text()

    @api.depends("account_ids", "company_id")
    def _compute_effect(self):
        for wizard in self:
            accounts, company = wizard.account_ids._origin, wizard.company_id
            lines = []
            if accounts != company.grant_own_cost_account_ids:
                lines = [company._say_accounts_changed(accounts)]
                effect = company._get_own_cost_effect(accounts)
                lines += company._say_own_cost_effect(effect) or [self.env._("No amount changes.")]
            wizard.effect = "\n".join(lines)

    def action_confirm(self):
        """Follow these accounts and no others.

        :raise UserError: no reason, or costs of a closed contract would change
        :raise AccessError: the user is no administrator of grants
        """
        self.ensure_one()
        self.env["grant.subsidy"]._check_group(
            "group_administrator", self.env._("Changing the accounts of own costs")
        )
        if not has_words(self.reason):
            raise UserError(self.env._("Write the reason of this change, in words."))
        self.company_id._change_own_cost_accounts(self.account_ids, self.reason.strip())
        return {"type": "ir.actions.client", "tag": "soft_reload"}
