from odoo import api, fields, models
from odoo.tools import SQL

from ..guard.obstacle import Obstacle
from ..guard.reading import Wanted, keep_lines, read_lines


class GrantSubsidy(models.Model):
    """The budget of a subsidy: a draft warns of what is wrong with it (R2), the signature refuses
    for it."""

    _inherit = "grant.subsidy"

    budget_line_ids = fields.One2many("grant.budget.line", "subsidy_id", string="Budget")
    budget_expense = fields.Monetary(string="Budgeted Charges", compute="_compute_budget")
    budget_income = fields.Monetary(string="Budgeted Income", compute="_compute_budget")
    budget_in_kind = fields.Monetary(
        string="Budgeted in Kind", compute="_compute_budget",
        help="Contributions in kind (86, 87): apart from the totals, and equal on both sides.",
    )  # fmt: skip
    budget_warning = fields.Text(compute="_compute_budget")
    shift_percent = fields.Float(
        string="Shifts between Budget Lines (%)",
        digits=(5, 2),
        help="Of the budgeted charges: what the convention lets the operator move from one line to "
        "another without an amendment. Empty: the convention says nothing of it.",
    )

    _shift_percent_range = models.Constraint(
        "CHECK (shift_percent >= 0 AND shift_percent <= 100)",
        "The part of a budget that may be moved between its lines is between 0 and 100 %.",
    )

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        if self.state in ("draft", "granted"):
            return frozen
        return frozen | {"shift_percent"}

    @api.depends(
        "amount", "budget_line_ids.amount", "budget_line_ids.side", "budget_line_ids.in_kind",
        "budget_line_ids.is_subsidy",
    )  # fmt: skip
    def _compute_budget(self):
        for subsidy in self:
            lines = subsidy.budget_line_ids
            totals = lines._get_totals()
            subsidy.budget_expense = totals["expense"]
            subsidy.budget_income = totals["income"]
            subsidy.budget_in_kind = totals["in_kind_expense"]
            errors = lines._get_errors(subsidy.amount, subsidy.currency_id)
            subsidy.budget_warning = "\n".join(errors)

    def _get_wanted(self):
        # sudo: as there
        subsidies, lines = self.sudo(), self.sudo().env["grant.budget.line"]

        def keep(found):
            # In the order of accounts, which are another table.
            if found:
                read_lines(subsidies, "budget_line_ids", ["account_id", "is_subsidy", "amount"])
            else:
                keep_lines(subsidies, "budget_line_ids", found)

        of_subsidies = SQL("subsidy_id = ANY(%s)", self.ids)
        return [*super()._get_wanted(), Wanted(lines, (), of_subsidies, keep)]

    @api.depends(*(f"budget_line_ids.{name}" for name in ("account_id", "is_subsidy", "amount")))
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_signing_obstacles(self):
        errors = self.budget_line_ids._get_errors(self.amount, self.currency_id)
        return super()._get_signing_obstacles() + [
            Obstacle(error, self, "budget_line_ids") for error in errors
        ]

    @api.ondelete(at_uninstall=False)
    def _unlink_budget(self):
        # Not by the database: what goes is noted where it is sealed.
        self.budget_line_ids.unlink()

    def _has_report_page(self, user):
        """Whether ``user`` reports on this subsidy, or did."""
        self.ensure_one()
        is_of_operator = self.kind == "operator" and self._can_submit(user)
        return is_of_operator and self.state in ("signed", "closed")

    def action_import_budget(self):
        """Ask for the budget as a file or a table that is pasted.

        :raise UserError: signed already
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Importing a budget")
        self._check_group("group_coordinator", what)
        self._check_state(("draft", "granted"), what)
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Import the Budget"),
            "res_model": "grant.budget.import",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subsidy_id": self.id},
        }
