from odoo import api, fields, models


class GrantDateRequestLine(models.Model):
    """A line of the budget, as it is and as an operator asks for it."""

    _name = "grant.date.request.line"
    _description = "Budget Line Asked For"
    _inherit = ["grant.document.mixin", "grant.budget.mixin"]
    _order = "request_id, account_id, id"

    request_id = fields.Many2one(
        "grant.date.request", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one(related="request_id.company_id", store=True)
    currency_id = fields.Many2one(related="request_id.currency_id")
    budget_line_id = fields.Many2one(
        "grant.budget.line", readonly=True, ondelete="set null",
        help="The line of the budget; none: it is asked for anew.",
    )  # fmt: skip
    account_id = fields.Many2one(
        "grant.budget.account", required=True, readonly=True, ondelete="restrict"
    )
    name = fields.Char(string="Funder or Detail", readonly=True)
    is_subsidy = fields.Boolean(string="This Subsidy", readonly=True)
    amount_before = fields.Monetary(string="Before", readonly=True)
    amount = fields.Monetary(string="After", readonly=True)
    gain = fields.Monetary(string="Difference", compute="_compute_gain")

    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amounts of a budget cannot be negative."
    )

    @api.depends("amount", "amount_before")
    def _compute_gain(self):
        for line in self:
            line.gain = line.amount - line.amount_before

    @api.depends("account_id.display_name", "name")
    def _compute_display_name(self):
        for line in self:
            names = (line.account_id.display_name, line.name)
            line.display_name = " – ".join(filter(None, names))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        self._check_not_by_hand()
