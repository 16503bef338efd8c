from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ..guard import transition


class GrantReportLine(models.Model):
    """One line of a financial report: what was foreseen, what was spent or received, and what of it
    the city refuses. A report is loaded with every line of the form; lines under 74 are added, one
    a funder."""

    _name = "grant.report.line"
    _description = "Line of a Financial Report"
    _inherit = ["grant.document.mixin", "grant.budget.mixin"]
    _order = "report_id, account_id, id"
    _check_company_auto = True

    # Said by who reports, and by who reviews.
    _reported_fields = ("account_id", "name", "actual", "comment")
    _reviewed_fields = ("refused_amount", "refused_ground")
    _counted_field = "actual"

    report_id = fields.Many2one(
        "grant.financial.report", required=True, ondelete="restrict", index=True,
        check_company=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one(related="report_id.subsidy_id", store=True, index=True)
    company_id = fields.Many2one(related="report_id.company_id", store=True)
    currency_id = fields.Many2one(related="report_id.currency_id", store=True)
    account_id = fields.Many2one(
        "grant.budget.account", required=True, ondelete="restrict", index=True
    )
    heading = fields.Selection(related="account_id.heading", store=True)
    side = fields.Selection(related="account_id.side", store=True)
    in_kind = fields.Boolean(related="account_id.in_kind", store=True)
    is_balancing = fields.Boolean(related="account_id.is_balancing", store=True)
    budget_line_id = fields.Many2one(
        "grant.budget.line", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    is_loaded = fields.Boolean(readonly=True, help="One of the lines of the form.")
    is_subsidy = fields.Boolean(string="This Subsidy", readonly=True)
    name = fields.Char(string="Funder or Detail")
    forecast = fields.Monetary(readonly=True)
    actual = fields.Monetary()
    gap = fields.Monetary(compute="_compute_gap", help="Actual less forecast.")
    gap_percent = fields.Float(string="Gap (%)", digits=(7, 1), compute="_compute_gap")
    asks_comment = fields.Boolean(compute="_compute_gap")
    comment = fields.Char(help="Asked where the gap is larger than the city's threshold.")
    refused_amount = fields.Monetary(string="Not Eligible")
    refused_ground = fields.Char(
        string="Ground",
        help="Why this spending is not eligible: out of the period, not linked to the action, "
        "without proof…",
    )
    eligible = fields.Monetary(compute="_compute_eligible")

    _amounts_positive = models.Constraint(
        "CHECK (actual >= 0 AND refused_amount >= 0)",
        "The amounts of a financial report cannot be negative.",
    )
    _refused_within = models.Constraint(
        "CHECK (COALESCE(refused_amount, 0) <= COALESCE(actual, 0))",
        "What is refused of a line cannot exceed what was spent.",
    )
    _line_uniq = models.UniqueIndex(
        "(report_id, account_id, COALESCE(name, ''), COALESCE(budget_line_id, 0))",
        "This account is in the report already: change that line, or name another funder.",
    )

    @api.depends("account_id.display_name", "name")
    def _compute_display_name(self):
        for line in self:
            names = (line.account_id.display_name, line.name)
            line.display_name = " – ".join(filter(None, names))

    @api.depends("forecast", "actual", "comment", "company_id.grant_gap_percent")
    def _compute_gap(self):
        for line in self:
            line.gap = line.actual - line.forecast
            line.gap_percent = 100 * line.gap / line.forecast if line.forecast else 0.0
            line.asks_comment = line._is_gap_large() and not line.comment

    def _is_gap_large(self):
        """Whether the gap is one that the city asks to explain: of what was foreseen, or all of
        what was not."""
        threshold = self.company_id.grant_gap_percent
        if not threshold or self.is_balancing or not self.currency_id:
            return False
        if self.currency_id.is_zero(self.forecast):
            return not self.currency_id.is_zero(self.actual)
        return abs(self.gap_percent) > threshold

    @api.depends("actual", "refused_amount")
    def _compute_eligible(self):
        for line in self:
            line.eligible = line.actual - line.refused_amount

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _get_frozen_fields(self):
        frozen = {"report_id"}
        if self.is_loaded:
            frozen.add("account_id")
        if self.budget_line_id:
            frozen.add("name")
        if self.report_id._is_with_city():
            frozen.update(self._reported_fields)
        if self.report_id.state == "accepted":
            frozen.update(self._reviewed_fields)
        return frozenset(frozen)

    def _get_state_label(self):
        return self.report_id._get_state_label()

    @api.constrains("account_id")
    def _check_added(self):
        for line in self:
            if not line.is_loaded and not line.account_id._has_funders():
                raise ValidationError(
                    self.env._(
                        "%(line)s is in the form already: only funders (74) are added.",
                        line=line.account_id.display_name,
                    )
                )

    @api.constrains("refused_amount", "side", "in_kind")
    def _check_refused(self):
        for line in self:
            is_charge = line.side == "expense" and not line.in_kind and not line.is_balancing
            if line.refused_amount and not is_charge:
                raise ValidationError(
                    self.env._("%s: only charges are refused.", line.display_name)
                )

    @api.model_create_multi
    def create(self, vals_list):
        is_loading = transition.is_open(self)
        lines = super().create(vals_list)
        if not is_loading:
            lines.report_id._check_with_operator(self.env._("Adding to a financial report"))
        return lines

    @api.ondelete(at_uninstall=False)
    def _unlink_except_added(self):
        self.report_id._check_with_operator(self.env._("Removing from a financial report"))
        for line in self:
            _line, allowed = transition.spend(line)
            if line.is_loaded and not allowed:
                raise UserError(
                    self.env._(
                        "%s is a line of the form: leave it at zero.", line.display_name
                    )
                )
