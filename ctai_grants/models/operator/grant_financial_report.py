from odoo import api, fields, models
from odoo.exceptions import UserError

from ..guard import transition

#: Added up from the lines, when there are any.
TOTALS = ("budget_amount", "actual_amount", "eligible_amount", "other_income")


class GrantFinancialReport(models.Model):
    """The lines of a financial report (Cerfa 15059*02), and its totals that come of them."""

    _inherit = "grant.financial.report"

    line_ids = fields.One2many("grant.report.line", "report_id", string="Lines")
    expense_line_ids = fields.One2many(
        "grant.report.line", "report_id", string="Charges",
        domain=[("side", "=", "expense"), ("in_kind", "=", False)],
    )  # fmt: skip
    income_line_ids = fields.One2many(
        "grant.report.line", "report_id", string="Income",
        domain=[("side", "=", "income"), ("in_kind", "=", False)],
    )  # fmt: skip
    in_kind_line_ids = fields.One2many(
        "grant.report.line", "report_id", string="In Kind", domain=[("in_kind", "=", True)]
    )
    has_lines = fields.Boolean(compute="_compute_has_lines")
    has_budget = fields.Boolean(compute="_compute_has_lines")
    budget_amount = fields.Monetary(
        compute="_compute_from_lines", store=True, readonly=False
    )
    actual_amount = fields.Monetary(compute="_compute_from_lines", store=True, readonly=False)
    eligible_amount = fields.Monetary(compute="_compute_from_lines", store=True, readonly=False)
    other_income = fields.Monetary(compute="_compute_from_lines", store=True, readonly=False)

    @api.depends("line_ids.budget_line_id", "subsidy_id.budget_line_ids")
    def _compute_has_lines(self):
        for report in self:
            # Of one that is not saved yet, those to come.
            report.has_budget = bool(report._has_budget() or report.subsidy_id.budget_line_ids)
            report.has_lines = bool(report.line_ids or report.has_budget)

    @api.depends(
        "line_ids.forecast", "line_ids.actual", "line_ids.refused_amount", "line_ids.side",
        "line_ids.in_kind", "line_ids.is_balancing", "line_ids.is_subsidy",
    )  # fmt: skip
    def _compute_from_lines(self):
        for report in self:
            for name, amount in report._get_line_totals().items():
                report[name] = amount

    def _get_line_totals(self):
        """Euros of each of :data:`TOTALS`: of the lines, or as they were typed."""
        self.ensure_one()
        if not self.line_ids:
            return {name: self[name] for name in TOTALS}
        charges, income = self._get_charges(), self._get_other_income()
        actual = sum(charges.mapped("actual"))
        amounts = (
            # Without a budget in the system, somebody types what the convention foresees.
            sum(charges.mapped("forecast")) if self._has_budget() else self.budget_amount,
            actual,
            actual - sum(charges.mapped("refused_amount")),
            sum(income.mapped("actual")),
        )
        return {name: round(amount, 2) for name, amount in zip(TOTALS, amounts, strict=True)}

    def _has_budget(self):
        """Whether the forecasts of the lines are those of a budget."""
        return bool(self.line_ids.budget_line_id)

    def _get_added_up(self):
        """Names of the amounts that nobody types, because the lines say them."""
        if not self.line_ids:
            return set()
        return {*TOTALS} if self._has_budget() else {*TOTALS} - {"budget_amount"}

    def _get_charges(self):
        """The lines of what is spent: not what is given in kind, nor what balances the budget."""
        return self.line_ids.filtered(
            lambda line: line.side == "expense" and not line.in_kind and not line.is_balancing
        )

    def _get_other_income(self):
        """The lines of what is received without this subsidy; the operator's own money is none."""
        return self.line_ids.filtered(
            lambda line: line.side == "income"
            and not line.in_kind
            and not line.is_balancing
            and not line.is_subsidy
        )

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    @api.model_create_multi
    def create(self, vals_list):
        reports = super().create(vals_list)
        for report, vals in zip(reports, vals_list, strict=True):
            if report.subsidy_id.budget_line_ids:
                report._load_lines()
                typed = {name: vals[name] for name in TOTALS if vals.get(name)}
                report._check_frozen_fields(typed)
        return reports

    def _check_frozen_fields(self, vals):
        for name in sorted(self._get_added_up().intersection(vals)):
            if self._is_changed(self, name, vals[name]):
                raise UserError(
                    self.env._(
                        "%(report)s: “%(field)s” is added up from the lines of the report. Change "
                        "the lines.",
                        report=self.display_name,
                        field=self._fields[name]._description_string(self.env),
                    )
                )
        return super()._check_frozen_fields(vals)

    @api.ondelete(at_uninstall=False)
    def _unlink_lines(self):
        # Not by the database: what goes is noted where it is sealed.
        lines = self.line_ids
        transition.writing(lines, ("is_loaded",)).unlink()

    # ------------------------------------------------------------------
    # Loading
    # ------------------------------------------------------------------

    def _load_lines(self):
        """Make the lines of the form that are not there yet; forecasts follow the budget until the
        report is accepted."""
        lines = self.env["grant.report.line"]
        for report in self.filtered(lambda report: report.state != "accepted"):
            report._follow_budget()
            if vals_list := report._prepare_missing_lines():
                transition.creating(lines, vals_list).create(vals_list)

    def _follow_budget(self):
        # sudo: as below
        for added in self.subsidy_id.sudo().budget_line_ids - self.line_ids.budget_line_id:
            free = self.line_ids.filtered(
                lambda line, added=added: line.account_id == added.account_id
                and line.is_loaded
                and not (line.budget_line_id or line.is_subsidy)
            )
            free[:1]._transition(budget_line_id=added.id, name=added.name)
        for line in self.line_ids:
            amount = line.budget_line_id.amount
            if line.budget_line_id and self.currency_id.compare_amounts(amount, line.forecast):
                line._transition(forecast=amount)

    def _prepare_missing_lines(self):
        """Values of a line for each line of the budget, and for each account without any."""
        # sudo: an operator begins its report; of the budget that it signed
        budget = self.subsidy_id.sudo().budget_line_ids
        known = self.line_ids.budget_line_id
        vals_list = [
            {
                "account_id": line.account_id.id,
                "name": line.name,
                "budget_line_id": line.id,
                "is_subsidy": line.is_subsidy,
                "forecast": line.amount,
            }
            for line in budget - known
        ]
        accounts = self.env["grant.budget.account"].search(self._get_form_domain())
        without = accounts - budget.account_id - self.line_ids.account_id
        if not budget and not self.line_ids:
            vals_list.append(self._prepare_subsidy_line())
        vals_list += [{"account_id": account.id} for account in without]
        loaded = {"report_id": self.id, "is_loaded": True}
        return [{**vals, **loaded} for vals in vals_list]

    def _get_form_domain(self):
        """Which accounts the form has a line of, whatever the budget says."""
        # A surplus that was not foreseen is no line.
        lines = ["|", ("is_balancing", "=", False), ("side", "=", "income")]
        return [("is_total", "=", False), *lines]

    def _prepare_subsidy_line(self):
        """Values of the line of this subsidy, in a report without a budget."""
        direct = self.subsidy_id.envelope_id.payment_path == "direct"
        account = "budget_account_74etat" if direct else "budget_account_74com"
        funder = self.contract_id.funder_id if direct else self.company_id
        return {
            "account_id": self.env.ref(f"ctai_grants.{account}").id,
            "name": funder.display_name,
            "is_subsidy": True,
            "forecast": self.subsidy_id.amount,
        }

    def action_load_lines(self):
        """Enter the report line by line, as the form has it.

        :raise UserError: accepted, or handed in
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Entering the lines of a report")
        self._check_group("group_coordinator", what)
        self._check_with_operator(what)
        self._load_lines()
        return True
