from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class GrantReviewAnswer(models.TransientModel):
    """Asks what is missing of a piece, file by file, or of a report, line by line, then sends it
    back to the operator."""

    _name = "grant.review.answer"
    _description = "What Is Missing"
    # A tick is no reason.
    _inherit = ["grant.text.mixin"]

    deliverable_id = fields.Many2one("grant.deliverable", string="Piece", readonly=True)
    report_id = fields.Many2one("grant.financial.report", readonly=True)
    reason = fields.Text(string="What Is Missing")
    line_ids = fields.One2many("grant.review.answer.line", "answer_id")

    @api.model
    def _open(self, document):
        """The window that asks what is missing of ``document``, a piece or a report."""
        is_report = document._name == "grant.financial.report"
        lines = (
            [
                {"report_line_id": line.id}
                for line in document.line_ids
                if line.actual or line.forecast
            ]
            if is_report
            else [{"file_id": file.id} for file in document.last_version_id.file_ids]
        )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Send Back to the Operator"),
            "res_model": self._name,
            "view_mode": "form",
            "target": "new",
            "context": {
                "default_report_id" if is_report else "default_deliverable_id": document.id,
                "default_line_ids": [Command.create(values) for values in lines],
            },
        }

    def action_confirm(self):
        """Send it back with what was written: the operator reads all of it.

        :raise UserError: nothing is written, or the document refuses
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        if self.report_id:
            reasons = {line.report_line_id: line.reason for line in self.line_ids}
            self.report_id._do_send_back_lines(self.reason, reasons)
        else:
            reasons = {line.file_id: line.reason for line in self.line_ids}
            self.deliverable_id._do_send_back_files(self.reason, reasons)
        return {"type": "ir.actions.act_window_close"}

    @api.model
    def _check_own(self, records, own):
        """Refuse what is said of another document's files or lines.

        :raise UserError: there are some
        """
        if any(record not in own for record in records):
            raise UserError(
                self.env._("This is not of what was handed in last: open the review again.")
            )


class GrantReviewAnswerLine(models.TransientModel):
    _name = "grant.review.answer.line"
    _description = "What Is Missing of a File or Line"
    _inherit = ["grant.text.mixin"]

    answer_id = fields.Many2one("grant.review.answer", required=True, ondelete="cascade")
    file_id = fields.Many2one("grant.deliverable.file", readonly=True)
    report_line_id = fields.Many2one("grant.report.line", readonly=True)
    label = fields.Char(string="File or Line", compute="_compute_label", compute_sudo=False)
    currency_id = fields.Many2one(related="report_line_id.currency_id")
    forecast = fields.Monetary(related="report_line_id.forecast")
    actual = fields.Monetary(related="report_line_id.actual")
    reason = fields.Char(string="What Is Missing")

    @api.depends("file_id", "report_line_id")
    def _compute_label(self):
        for line in self:
            line.label = line.file_id.name or line.report_line_id.display_name
