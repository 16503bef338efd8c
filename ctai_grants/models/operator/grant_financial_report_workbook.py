from odoo import models
from odoo.exceptions import UserError

from ...lib.accounting.spreadsheet import Refusal
from ...lib.operator.workbook import Row, Words, get_mark, make_workbook, read_workbook
from .grant_financial_report_form import LONGEST_NAME, LONGEST_TEXT
from .grant_financial_report_hand_in import TEXTS


class GrantFinancialReport(models.Model):
    """The report as a workbook, for who fills it in without the page; attested and handed in on
    the page all the same."""

    _inherit = "grant.financial.report"

    def _make_workbook(self):
        """The workbook of this report as it is now: its name, and the file (XLSX)."""
        self.ensure_one()
        words = Words(
            sheet=self.env._("Report"),
            title=self.display_name,
            help=self.env._(
                "Fill in the coloured cells, save the file, and send it back on the page of the "
                "report. Rows stay where they are. Numbers only: never the names of people."
            ),
            headings=(
                self.env._("Line"), self.env._("Forecast"), self.env._("Actual"),
                self.env._("Comment"),
            ),
        )  # fmt: skip
        content = make_workbook(get_mark(self.id, self.revision), words, self._get_rows())
        return self.env._("financial report %s", self.subsidy_id.code), content

    def _get_rows(self):
        """The rows of the workbook, in an order that nothing changes but another line."""
        rows = []
        for name in ("expense_line_ids", "income_line_ids", "in_kind_line_ids"):
            rows.append(Row("", self._fields[name]._description_string(self.env)))
            rows += [
                Row(
                    f"actual_{line.id}", line.display_name, line.forecast, line.actual,
                    line.comment or "", longest=LONGEST_NAME,
                )
                for line in self[name].sorted(lambda line: (line.account_id.sequence, line.id))
                if not (line.is_balancing and line.side == "expense")
            ]  # fmt: skip
        rows.append(Row("", self.env._("In words")))
        return rows + [
            Row(
                name, self._fields[name]._description_string(self.env), text=self[name] or "",
                is_text=True, longest=LONGEST_TEXT,
            )
            for name in TEXTS
        ]  # fmt: skip

    def _take_workbook(self, content):
        """Keep what the workbook says: all of it, or nothing.

        :param bytes content: XLSX or ODS
        :raise UserError: it is not the workbook of this report as it is now, or a cell cannot be
            read: each with its sheet and cell
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        self._begin_saving(self.revision)
        try:
            found, wrong = read_workbook(
                content, get_mark(self.id, self.revision), self._get_rows()
            )
        except Refusal as refusal:
            if refusal.code == "older" and self._has_taken(content):
                return
            raise UserError(self._say_refused(refusal)) from refusal
        if wrong:
            raise UserError("\n".join(self._say_cell(refusal) for refusal in wrong))
        values = {}
        for key, (amount, text) in found.items():
            if amount is None:
                values[key] = text
            else:
                values |= {key: amount, key.replace("actual_", "comment_"): text}
        if errors := self._save_draft(values, self.revision):
            raise UserError("\n".join(errors.values()))

    def _has_taken(self, content):
        """Whether the workbook is of the saving before and says what is kept: a second click."""
        try:
            found, wrong = read_workbook(
                content, get_mark(self.id, self.revision - 1), self._get_rows()
            )
        except Refusal:
            return False
        kept = {row.key: (row.actual or 0, row.text) for row in self._get_rows() if row.key}
        sent = {key: (float(amount or 0), text) for key, (amount, text) in found.items()}
        return not wrong and kept == sent

    def _say_cell(self, refusal):
        return self.env._(
            "Sheet “%(sheet)s”, cell %(cell)s, “%(value)s”: %(reason)s",
            sheet=refusal.about["sheet"],
            cell=refusal.about["cell"],
            value=refusal.about["value"],
            reason=self._say_expected(refusal),
        )

    def _say_expected(self, refusal):
        """Why a cell is not taken, and what it should be."""
        match refusal.code:
            case "percent":
                return self.env._("This is a percentage: an amount in euros is expected.")
            case "date":
                return self.env._("This is a date: an amount in euros is expected.")
            case "formula":
                return self.env._(
                    "This formula has no result: write the amount or the text itself."
                )
            case "decimals":
                return self.env._("This has more than two decimals: round it to the cent.")
            case "too_long":
                return self.env._(
                    "This text is too long: %(longest)s characters at most.",
                    longest=refusal.about["longest"],
                )
        return self._say_unread(refusal)

    def _say_refused(self, refusal):
        """Why the workbook is not taken, in a sentence."""
        match refusal.code:
            case "not_ours":
                return self.env._(
                    "This is not the workbook of this page: download it here, fill it in and send "
                    "that file."
                )
            case "other_report":
                return self.env._("This is the workbook of another subsidy.")
            case "older":
                return self.env._(
                    "The report was saved after you downloaded this workbook: download it again, "
                    "and copy what you filled in."
                )
            case "twice":
                return self.env._(
                    "The sheets %(sheets)s are both the report: delete the one that is not meant.",
                    sheets=", ".join(f"“{name}”" for name in refusal.about["sheets"]),
                )
            case "too_large":
                return self.env._(
                    "This file is much larger than the workbook of this page. Download the "
                    "workbook again, and copy what you filled in."
                )
            case "moved_columns":
                return self.env._(
                    "Sheet “%(sheet)s”, column of cell %(cell)s: columns were moved, added or "
                    "deleted. Download the workbook again, and copy what you filled in.",
                    **refusal.about,
                )
            case "moved":
                return self.env._(
                    "Sheet “%(sheet)s”, row of cell %(cell)s: rows were moved, added or deleted. "
                    "Download the workbook again, and copy what you filled in.",
                    **refusal.about,
                )
        return self.env["grant.spreadsheet.mixin"]._get_file_message(refusal.code, refusal.about)
