import datetime

from odoo import models
from odoo.tools.misc import format_date

from .grant_financial_report_hand_in import TEXTS

#: After the end of a year, its report is due within six months (arrêté of 11 October 2006).
DAYS_TO_REPORT = 184


class GrantFinancialReport(models.Model):
    """The paper of a report that was handed in online: a version of the piece that the convention
    asks for, so that it is kept, hashed and reviewed as a report on paper is."""

    _name = "grant.financial.report"
    _inherit = ["grant.financial.report", "grant.pdf.mixin"]

    def _do_hand_in(self):
        result = super()._do_hand_in()
        piece = self._get_piece()
        if not piece and self.env.user._is_portal():
            piece = self._add_piece()
        if piece:
            name, content = self._make_pdf()
            version = piece._do_submit(f"{name}.pdf", content)
            # sudo: the version that was just made, of this operator's own piece
            self._transition(version_id=version.sudo().id)
        return result

    def _get_piece(self):
        """The piece of the subsidy that is its financial report, while a file is awaited for it."""
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report", False)
        # sudo: an operator hands in a piece of its own
        pieces = self.subsidy_id.sudo().deliverable_ids
        return pieces.filtered(
            lambda piece: piece.type_id == kind and piece._is_open_to(self.env.user)
        )[:1]

    def _add_piece(self):
        """A piece for a report that nobody asked for, or after one that was accepted: who hands it
        in gets its receipt, and takes it back, as of any other."""
        kind = self.env.ref("ctai_grants.deliverable_type_financial_report", False)
        if not kind:
            return self.env["grant.deliverable"]
        # sudo: an operator hands in a report of its own subsidy; nothing depends on this piece
        subsidy = self.subsidy_id.sudo()
        due = self.exercise_end + datetime.timedelta(days=DAYS_TO_REPORT)
        # Of a year before, which the review sees; no milestone comes before the subsidy.
        start = subsidy.date_start or subsidy.decision_date or subsidy.signature_date
        due = max(due, start or due)
        city = subsidy.with_context(lang=subsidy.company_id.partner_id.lang or self.env.lang)
        # sudo: how the city calls it
        name = kind.sudo().with_env(city.env).name
        step = city.env["grant.milestone"].create(
            {"name": name, "subsidy_id": subsidy.id, "date": due}
        )
        piece = city.env["grant.deliverable"].create(
            {"name": name, "type_id": kind.id, "milestone_id": step.id}
        )
        return piece.with_env(self.env)

    def _get_paper_piece(self):
        """The piece whose last version is the paper of this report."""
        version = self.version_id if self.submitted_at else self.version_id.browse()
        return version.deliverable_id.filtered(lambda piece: piece.last_version_id == version)

    def _follow_paper(self, decision, reason):
        """What becomes of these reports whose paper was taken back by the operator, or purged: they
        are its own again."""
        for report in self:
            back = {"attested": False, "version_id": False}
            if decision == "taken_back":
                report._transition(hand_in="to_fill", **back)
            else:
                report._decide("to_complete", reason, hand_in="to_complete", answer=reason, **back)
        self.activity_unlink(["ctai_grants.mail_activity_report"])

    def _accept(self, reason=None):
        result = super()._accept(reason)
        for report in self:
            report._settle_pieces()
        return result

    def _settle_pieces(self):
        """Nothing more is awaited for a report that is accepted: its paper is accepted with it, and
        another piece that asks for the same is waived."""
        # One review is enough: the piece is the paper of what was just accepted.
        paper = self.version_id.deliverable_id
        is_report = self.submitted_at or paper._is_financial_report()
        if is_report and paper.state == "submitted" and paper.last_version_id == self.version_id:
            paper.action_accept()
        # Of a later year another report is awaited; what was sent back waits for its answer.
        last = self.exercise_end + datetime.timedelta(days=DAYS_TO_REPORT)
        asked = self.subsidy_id.deliverable_ids.filtered(
            lambda piece: (
                piece.state == "expected"
                and piece._is_financial_report()
                and (not piece.due_date or piece.due_date <= last)
            )
        )
        if asked:
            asked._do_waive(self.env._("%s is accepted.", self.display_name))

    # ------------------------------------------------------------------
    # On paper
    # ------------------------------------------------------------------

    def _make_pdf(self):
        """What was handed in: its name, and the PDF.

        :raise UserError: no PDF can be made of it
        """
        self.ensure_one()
        # sudo: the names that stand on it, of the operator and of the city
        report = self.sudo().with_context(lang=self.partner_id.sudo().lang or self.env.lang)
        title = report.display_name
        content = report._typeset(
            "ctai_grants/report/letter.typ",
            {
                "title": title,
                "city": report.partner_id.name,
                "date": report.attested_date,
                "sender": [report.partner_id.name],
                "recipient": [report.company_id.name],
                "reference": title,
                "text": "\n\n".join(report._get_paper_paragraphs()),
                "signature": [
                    report.env._("Certified exact:"),
                    report.attested_name,
                    report.attested_quality,
                    f"{report.attested_place}, {format_date(report.env, report.attested_date)}",
                ],
            },
            # The operator's paper: no logo of the city.
            company=report.company_id.browse(),
        )
        return report.env._("financial report %s", report.subsidy_id.code), content

    def _get_paper_paragraphs(self):
        """The report in words and figures: paragraphs of lines."""
        label = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
        head = self.env._(
            "Financial year from %(start)s to %(end)s. %(outcome)s.",
            start=format_date(self.env, self.exercise_start),
            end=format_date(self.env, self.exercise_end),
            outcome=label,
        )
        told = [
            f"{self._fields[name]._description_string(self.env)}\n{self[name]}"
            for name in TEXTS
            if self[name]
        ]
        return [head, *(self._get_paper_figures() if self.outcome == "report" else ()), *told]

    def _get_paper_figures(self):
        """Paragraphs of the lines that say something, and of the totals."""
        money = self.currency_id.format
        fields = ("expense_line_ids", "income_line_ids", "in_kind_line_ids")
        paragraphs = []
        for name in fields:
            lines = [
                self.env._(
                    "%(line)s: forecast %(forecast)s, actual %(actual)s",
                    line=line.display_name,
                    forecast=money(line.forecast),
                    actual=money(line.actual),
                )
                + (f" ({line.comment})" if line.comment else "")
                for line in self[name]
                if line.forecast or line.actual
            ]
            if lines:
                label = self._fields[name]._description_string(self.env)
                paragraphs.append("\n".join([label, *lines]))
        totals = self.line_ids._get_totals()
        paragraphs.append(
            self.env._(
                "Total of the charges: %(expense)s. Total of the income: %(income)s.",
                expense=money(totals["expense"]),
                income=money(totals["income"]),
            )
        )
        return paragraphs
