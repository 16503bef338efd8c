from odoo import api, fields, models

from ..change.grant_amendment import LINE_FIELDS
from ..change.grant_amendment_line import ITEM_FIELDS
from ..guard.obstacle import Obstacle

BUDGET = "grant.budget.line"
# An amendment splits a budget in another way.
ITEM_FIELDS[BUDGET] = {"amount": "amount"}
LINE_FIELDS[BUDGET] = "budget_line_ids"


class GrantAmendment(models.Model):
    """Amendments to the budget of a subsidy."""

    _inherit = "grant.amendment"

    budget_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Budget",
        domain=[("item_model", "=", BUDGET)],
    )  # fmt: skip

    @api.depends("budget_line_ids")
    def _compute_summary(self):
        return super()._compute_summary()

    @api.depends(
        "budget_line_ids.name", "budget_line_ids.amount", "budget_line_ids.budget_account_id"
    )
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_items(self):
        items = super()._get_items()
        return [*items, self.subsidy_id.budget_line_ids] if self.subsidy_id else items

    def _apply(self):
        result = super()._apply()
        # sudo: whoever signs an amendment does what it says; a report follows the budget
        self.sudo().subsidy_id.report_ids.filtered("line_ids")._load_lines()
        return result

    def _get_line_obstacles(self):
        obstacles = super()._get_line_obstacles()
        nowhere = self.budget_line_ids.filtered(lambda line: not line.account_id)
        return obstacles + [
            self._blame(line, self.env._("%(item)s needs an account.", item=line._get_label()))
            for line in nowhere
        ]

    def _get_subsidy_obstacles(self):
        obstacles = super()._get_subsidy_obstacles()
        errors = self.budget_line_ids._get_errors(self.amount, self.currency_id)
        return obstacles + [Obstacle(error, self, "budget_line_ids") for error in errors]


class GrantAmendmentLine(models.Model):
    """What an amendment makes of a line of the budget."""

    _name = "grant.amendment.line"
    _inherit = ["grant.amendment.line", "grant.budget.mixin"]

    item_model = fields.Selection(
        selection_add=[(BUDGET, "Budget line")], ondelete={BUDGET: "cascade"}
    )
    budget_account_id = fields.Many2one(
        "grant.budget.account", string="Account of the Budget", ondelete="restrict",
        help="Of a line that is added to the budget.",
    )  # fmt: skip
    account_id = fields.Many2one("grant.budget.account", compute="_compute_account")
    is_subsidy = fields.Boolean(string="This Subsidy", compute="_compute_account")

    @property
    def _new_fields(self):
        return (*super()._new_fields, "budget_account_id")

    @api.depends("item_model", "item_id", "budget_account_id")
    def _compute_account(self):
        for line in self:
            item = line._get_item() if line.item_model == BUDGET else None
            line.account_id = item.account_id if item else line.budget_account_id
            line.is_subsidy = bool(item) and item.is_subsidy

    @api.onchange("budget_account_id")
    def _onchange_budget_account_id(self):
        self.name = self.name or self.budget_account_id.display_name

    @api.model
    def _read_item(self, item):
        values = super()._read_item(item)
        # Most have no name of their own.
        return {**values, "name": item.display_name} if item._name == BUDGET else values

    def _prepare_item(self):
        values = super()._prepare_item()
        if self.item_model == BUDGET:
            account = self.budget_account_id
            own = self.name if self.name != account.display_name else False
            values |= {"account_id": account.id, "name": own}
        return values
