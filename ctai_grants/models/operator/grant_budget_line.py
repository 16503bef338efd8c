from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GrantBudgetLine(models.Model):
    """One line of the budget of a subsidy: what the convention foresees. Part of what is signed:
    afterwards an amendment changes it, and nothing else."""

    _name = "grant.budget.line"
    _description = "Budget Line"
    _inherit = ["grant.signed.line.mixin", "grant.budget.mixin"]
    _order = "subsidy_id, account_id, id"
    _check_company_auto = True
    _signed_fields = frozenset({"subsidy_id", "account_id", "name", "is_subsidy", "amount"})

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('kind', '=', 'operator')]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True)
    account_id = fields.Many2one(
        "grant.budget.account", required=True, ondelete="restrict", index=True
    )
    heading = fields.Selection(related="account_id.heading", store=True)
    side = fields.Selection(related="account_id.side", store=True)
    in_kind = fields.Boolean(related="account_id.in_kind", store=True)
    name = fields.Char(
        string="Funder or Detail", help="Of a subsidy (74): who gives it. One line a funder."
    )
    is_subsidy = fields.Boolean(
        string="This Subsidy",
        help="The line under 74 that is the amount granted here. One a budget.",
    )
    amount = fields.Monetary(amendable=True, string="Forecast")

    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amounts of a budget cannot be negative."
    )
    _line_uniq = models.UniqueIndex(
        "(subsidy_id, account_id, COALESCE(name, ''))",
        "This account is in the budget already: change that line, or name another funder.",
    )
    _one_subsidy = models.UniqueIndex(
        "(subsidy_id) WHERE is_subsidy",
        "Another line of this budget is the subsidy already.",
    )

    @api.depends("account_id.display_name", "name")
    def _compute_display_name(self):
        for line in self:
            names = (line.account_id.display_name, line.name)
            line.display_name = " – ".join(filter(None, names))

    @api.constrains("is_subsidy", "account_id", "subsidy_id")
    def _check_line(self):
        for line in self:
            if line.subsidy_id.kind != "operator":
                raise ValidationError(
                    self.env._("A cost of the city has no budget of an operator.")
                )
            if line.is_subsidy and not line.account_id._has_funders():
                raise ValidationError(
                    self.env._(
                        "%(line)s: the subsidy granted here is income under 74.",
                        line=line.display_name,
                    )
                )

    @api.model
    def _say_signed(self, subsidy):
        return self.env._(
            "The budget of %s is part of what was signed: no line is added or deleted. Change it "
            "by an amendment.",
            subsidy.display_name,
        )
