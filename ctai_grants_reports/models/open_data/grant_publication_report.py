from odoo import api, models
from odoo.exceptions import UserError

from odoo.addons.ctai_grants.lib.accounting.spreadsheet import Refusal

from ...lib.open_data.report import read_report
from .grant_publication_line import FIRST_ROW


class GrantPublication(models.Model):
    """What an aggregator reports of a publication, line by line."""

    _name = "grant.publication"
    _inherit = ["grant.publication", "grant.spreadsheet.mixin"]

    def _read_report(self, name, content, others_taken=False):
        """Record what a report says of the lines of this publication: all of it, or nothing.

        :param str name: what its sender calls the file
        :param bytes content: ODS, XLSX or CSV: the number of the line in the file (the headings
            are line 1), what was wrong, and where it says so whether it was taken
        :param bool others_taken: the lines that it does not name were taken
        :return: how many lines have a new answer
        :raise UserError: the file cannot be read, or names a line that is not there
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        self._check_group("group_coordinator", self.env._("Reading an aggregator's report"))
        try:
            answers = read_report(content)
        except Refusal as refusal:
            raise UserError(self._get_file_message(refusal.code, refusal.about)) from refusal
        lines = {line.row_number: line for line in self.line_ids if line.row_number}
        taken, refused = self.line_ids.browse(), {}
        for answer in answers:
            line = lines.get(answer.line)
            if not line:
                raise UserError(self._say_no_line(answer, len(lines)))
            if not answer.verdict:
                raise UserError(self._say_unclear(answer))
            if answer.verdict == "taken":
                taken |= line
            else:
                refused.setdefault(line, []).append(answer.message)
        if others_taken:
            taken |= self.line_ids.filtered("row_number")
        taken = taken.filtered(lambda line: line not in refused)
        messages = {line: "\n".join(filter(None, texts)) for line, texts in refused.items()}
        answers = self.env["grant.publication.answer"]
        return answers._record(taken, "taken", origin=name) + answers._record(
            self.line_ids.filtered(lambda line: line in refused), "refused", messages, name
        )

    @api.model
    def _say_no_line(self, answer, count):
        return self.env._(
            "Line %(row)s of the report is about line “%(line)s” of the file, which has lines "
            "%(first)s to %(last)s. The headings are line 1. Nothing was recorded.",
            row=answer.row,
            line=answer.cell,
            first=FIRST_ROW,
            last=count + FIRST_ROW - 1,
        )

    @api.model
    def _say_unclear(self, answer):
        return self.env._(
            "Line %(row)s of the report says “%(said)s” of line %(line)s: write whether it was "
            "taken (“accepté”) or refused (“refusé”). Nothing was recorded.",
            row=answer.row,
            said=answer.message,
            line=answer.cell,
        )

    @api.model
    def _get_columns_message(self, about):
        return self.env._(
            "No sheet has the columns of a report: the number of the line (“Ligne”) and what was "
            "wrong (“Message”), or whether it was taken (“Statut”)."
        )

    @api.model
    def _get_file_message(self, code, about):
        if code == "no_rows":
            return self.env._("The report has headings, and no line below them.")
        if code == "double_column":
            return self.env._(
                "The column “%(column)s” is there twice: delete one of them.",
                column=about["column"],
            )
        return super()._get_file_message(code, about)

    def action_read_report(self):
        """Ask for the report of the aggregator."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Report of an Aggregator"),
            "res_model": "grant.publication.report",
            "view_mode": "form",
            "target": "new",
            "context": {"default_publication_id": self.id},
        }
