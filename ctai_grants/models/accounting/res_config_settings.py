from odoo import api, fields, models


class ResConfigSettings(models.TransientModel):
    _inherit = "res.config.settings"

    grant_purchase_journal_id = fields.Many2one(
        related="company_id.grant_purchase_journal_id", readonly=False
    )
    grant_sale_journal_id = fields.Many2one(
        related="company_id.grant_sale_journal_id", readonly=False
    )
    grant_payment_journal_id = fields.Many2one(
        related="company_id.grant_payment_journal_id", readonly=False
    )
    grant_m57_from = fields.Integer(related="company_id.grant_m57_from", readonly=False)
    grant_analytic_plan_id = fields.Many2one(
        related="company_id.grant_analytic_plan_id", readonly=False
    )
    grant_own_cost_account_ids = fields.Many2many(
        related="company_id.grant_own_cost_account_ids",
        readonly=False,
        context={"active_test": False},
    )
    grant_own_costs_followed = fields.Boolean(compute="_compute_grant_own_costs_followed")
    grant_payroll_journal_id = fields.Many2one(
        related="company_id.grant_payroll_journal_id", readonly=False
    )
    grant_order_limit = fields.Monetary(related="company_id.grant_order_limit", readonly=False)

    @api.depends("company_id")
    def _compute_grant_own_costs_followed(self):
        """Whether the ledger follows costs on these accounts: they are changed by an act then."""
        for settings in self:
            # sudo: the administrator of these settings may read no subsidy
            subsidies = self.env["grant.subsidy"].sudo()
            settings.grant_own_costs_followed = bool(
                subsidies.search_count([
                    ("company_id", "=", settings.company_id.id), ("kind", "=", "own_cost"),
                    ("state", "in", ("signed", "closed")),
                ], limit=1)
            )  # fmt: skip

    def action_set_up_grant_accounting(self):
        """Make the journals' settings and accounts that are missing; what exists stays.

        :raise AccessError: the user is not an administrator of grants
        :raise UserError: the company is not French, in euros, with a French chart
        """
        self.ensure_one()
        # Which only administrators of grants may: before sudo.
        self.env["grant.account"].check_access("create")
        # sudo: the administrator of grants may not be the one of accounting
        company = self.company_id.sudo()
        made = company._set_up_grant_accounting()
        missing = company._get_missing_grant_settings()
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "type": "warning" if missing else "success",
                "sticky": bool(missing),
                "message": self._describe_set_up(made, missing),
                "next": {"type": "ir.actions.client", "tag": "soft_reload"},
            },
        }

    def _describe_set_up(self, made, missing):
        """What setting up left missing, before what it made."""
        sentences = []
        if missing:
            sentences.append(
                self.env._(
                    "Still missing: %(settings)s. Make a journal of that type, then set up again.",
                    settings=", ".join(missing),
                )
            )
        if made:
            codes = ", ".join(made.mapped("code"))
            sentences.append(self.env._("Accounts made: %(codes)s.", codes=codes))
        return " ".join(sentences) or self.env._("Nothing was missing.")
