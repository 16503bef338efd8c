from odoo import api, fields, models
from odoo.fields import Command
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason
from .grant_financial_report_hand_in import TEXTS

_lt = LazyTranslate(__name__)


class GrantReportLine(models.Model):
    _inherit = "grant.report.line"

    answer = fields.Char(
        string="What Is Missing", readonly=True, copy=False,
        help="What the city asks about this line; the operator reads it beside the line.",
    )  # fmt: skip

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.filtered("actual").report_id._note_author()
        return lines

    def write(self, vals):
        result = super().write(vals)
        if "actual" in vals:
            self.report_id._note_author()
        return result


class GrantFinancialReport(models.Model):
    """Reviewing a report: by somebody else than who handed it in, line by line; the operator is
    told, with its paper or without."""

    _inherit = "grant.financial.report"

    # Beside who made it.
    author_ids = fields.Many2many(
        "res.users", "grant_financial_report_author_rel", string="Figures Entered By",
        readonly=True, copy=False,
    )  # fmt: skip

    def write(self, vals):
        result = super().write(vals)
        if not vals.keys().isdisjoint(("budget_amount", "actual_amount", "other_income")):
            self._note_author()
        return result

    def _note_author(self):
        """Keep that the user entered figures: from a paper, it is not for him to accept them."""
        if not self.env.user._is_internal():
            return
        # sudo: notes who wrote what he was allowed to write
        for report in self.sudo():
            if self.env.user not in report.author_ids:
                report._transition(author_ids=[Command.link(self.env.uid)])

    def _accept(self, reason=None):
        self._check_group("group_coordinator", self.env._("Accepting a financial report"))
        for report in self:
            self.env["grant.review"]._check_two_people(report._get_authors(), report.display_name)
        without = self._get_without_paper()
        result = super()._accept(reason)
        self.env["grant.reminder"]._tell_reports_decided(without)
        return result

    # Marked again: the outermost method is looked at.
    @asks_reason("send_back_report", _lt("Send the Report Back to the Operator"))
    def _do_send_back(self, reason):
        without = self._get_without_paper()
        result = super()._do_send_back(reason)
        self.env["grant.reminder"]._tell_reports_decided(without)
        return result

    def _get_authors(self):
        """Who handed this report in, or its paper for the operator, or entered the figures that
        are on the paper (in sudo)."""
        # sudo: whose logins they are, compared with that of who reviews
        report = self.sudo()
        if report.hand_in == "submitted":
            return report.submitted_by_id
        return report.version_id.user_id | report.create_uid | report.author_ids

    def _get_without_paper(self):
        """Those handed in online that no piece is the paper of: nothing else tells of them."""
        return self.filtered(
            lambda report: report.hand_in == "submitted"
            and report._get_paper_piece().state not in ("submitted", "accepted")
        )

    def action_send_back(self):
        """Ask what is missing, for each line, then send the report back to the operator."""
        if len(self) != 1:
            return super().action_send_back()
        return self.env["grant.review.answer"]._open(self)

    def _do_send_back_lines(self, reason, reasons):
        """Send a report back.

        :param str reason: of all of it; may be empty when there are others
        :param dict reasons: {line: what is missing of it}
        :raise UserError: no reason in words, or a line of another report; as
            :meth:`_do_send_back`
        """
        self.ensure_one()
        said = {line: text for line, text in reasons.items() if text}
        self.env["grant.review.answer"]._check_own(said, self.line_ids)
        sentences = [
            self.env._(
                "• %(line)s: %(reason)s",
                line=line.display_name,
                reason=self._check_reason(text),
            )
            for line, text in said.items()
        ]
        self._do_send_back("\n".join(filter(None, [(reason or "").strip(), *sentences])))
        for line, text in said.items():
            line._transition(answer=text.strip())

    def _do_hand_in(self):
        result = super()._do_hand_in()
        # What was asked stands in the decision, and is answered.
        for line in self.line_ids.filtered("answer"):
            line._transition(answer=False)
        return result

    def _follow_paper(self, decision, reason):
        result = super()._follow_paper(decision, reason)
        if decision == "purged":
            self._clear_words()
        return result

    def _clear_words(self):
        """Persons that the paper names are named by what it was made of: the words go with it, the
        figures stay."""
        for report in self:
            report.write(dict.fromkeys(TEXTS, False))
            report.line_ids.filtered("comment").write({"comment": False})
