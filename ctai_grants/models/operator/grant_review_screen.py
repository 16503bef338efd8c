from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantReview(models.Model):
    """The screen of a review: what was asked and handed in side by side, with what was decided
    before, the lines of a report, and the files."""

    _inherit = "grant.review"

    instructions = fields.Text(related="deliverable_id.instructions")
    # Where it is written, as the operator wrote it.
    comment = fields.Text(related="deliverable_id.last_version_id.comment")
    submitted_by_id = fields.Many2one(
        "res.users", string="Handed In By", compute="_compute_submitted_by_id"
    )
    disbursement_ids = fields.Many2many(
        "grant.disbursement", string="Unlocks", compute="_compute_disbursement_ids"
    )
    decision_ids = fields.Many2many(
        "grant.decision", string="Decisions", compute="_compute_decision_ids"
    )
    files = fields.Json(compute="_compute_files")
    advice = fields.Text(related="report_id.advice")
    expense_line_ids = fields.One2many(related="report_id.expense_line_ids", readonly=False)
    income_line_ids = fields.One2many(related="report_id.income_line_ids")
    in_kind_line_ids = fields.One2many(related="report_id.in_kind_line_ids")
    actual_amount = fields.Monetary(string="Actual Charges", compute="_compute_amounts")
    refused_amount = fields.Monetary(string="Not Eligible", compute="_compute_amounts")
    eligible_amount = fields.Monetary(string="Eligible Spending", compute="_compute_amounts")
    due_table = fields.Html(related="report_id.due_table", string="What Is Due")
    outcome = fields.Selection(related="report_id.outcome")
    achieved = fields.Text(related="report_id.achieved")
    audience = fields.Text(related="report_id.audience")
    places = fields.Text(related="report_id.places")
    objectives = fields.Text(related="report_id.objectives")
    allocation_rules = fields.Text(related="report_id.allocation_rules")
    observations = fields.Text(related="report_id.observations")

    def write(self, vals):
        """Write what is refused of the lines of a report; the report and its lines see to it.

        :raise UserError: anything else
        """
        if vals.keys() - {"expense_line_ids"}:
            raise UserError(
                self.env._("Of a review, nothing is written but what is refused of its lines.")
            )
        self.check_access("write")
        for review in self:
            review.report_id.write(vals)
        self.invalidate_recordset()
        return super().write({})

    @api.depends("report_id", "deliverable_id")
    def _compute_submitted_by_id(self):
        for review in self:
            version = review.deliverable_id.last_version_id
            review.submitted_by_id = review.report_id.submitted_by_id or version.user_id

    @api.depends("subsidy_id", "deliverable_id", "report_id")
    def _compute_disbursement_ids(self):
        conditions = self.env["grant.condition"].search(
            [
                ("subsidy_id", "in", self.subsidy_id.ids),
                ("state", "=", "unmet"),
                ("tranche_state", "=", "planned"),
                ("code", "in", ("report", "deliverable")),
            ]
        )
        for review in self:
            waiting = conditions.filtered(
                lambda row, review=review: row.subsidy_id == review.subsidy_id
                and (
                    row.deliverable_id == review.deliverable_id
                    if row.code == "deliverable"
                    else bool(review.report_id)
                )
            )
            review.disbursement_ids = waiting.disbursement_id

    @api.depends("deliverable_id", "report_id", "state")
    def _compute_decision_ids(self):
        for review in self:
            decisions = review.deliverable_id.decision_ids | review.report_id.decision_ids
            review.decision_ids = decisions.sorted(lambda one: (one.decided_at, one.id), True)

    @api.depends("deliverable_id", "state")
    def _compute_files(self):
        for review in self:
            review.files = [
                {
                    "id": file.id,
                    "name": file.name,
                    "mimetype": file.mimetype,
                    "size": file.size,
                    "version": file.version_id.number,
                    "purged": bool(file.purged_at),
                }
                for file in review.deliverable_id.version_ids.sorted("number", True).file_ids
            ]

    @api.depends("expense_line_ids.refused_amount", "expense_line_ids.actual")
    def _compute_amounts(self):
        # Of what is on the screen, before it is saved too.
        for review in self:
            charges = review.expense_line_ids.filtered(lambda line: not line.is_balancing)
            review.actual_amount = sum(charges.mapped("actual"))
            review.refused_amount = sum(charges.mapped("refused_amount"))
            review.eligible_amount = review.actual_amount - review.refused_amount
