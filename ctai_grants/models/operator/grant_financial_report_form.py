from odoo import models

from ...lib.accounting.spreadsheet import Refusal
from ...lib.guard.words import clean
from ...lib.operator.form import read_amount, read_day
from .grant_financial_report_hand_in import ATTESTATION, DATES, TEXTS

#: Characters of a text, and of a name or comment.
LONGEST_TEXT = 5000
LONGEST_NAME = 200
#: Funders that can be added with one saving.
NEW_FUNDERS = 3


class GrantFinancialReport(models.Model):
    """What comes from the form on the portal: saved as far as it can be read, and said where not.

    A value goes by the name of its field, that of a line by ``actual_ID``, ``comment_ID`` and
    ``name_ID``; funders that are added by ``new_account_N``, ``new_name_N`` and ``new_actual_N``.
    """

    _inherit = "grant.financial.report"

    def _save_draft(self, values, revision):
        """Keep what was typed.

        :param dict values: texts by the names of the form; what is not there stays
        :param int revision: what the page showed
        :return: dict {name: sentence} of what cannot be read, and was not kept
        :raise UserError: not to be written now, or saved by somebody else meanwhile
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        self._begin_saving(revision)
        vals, errors = self._read_texts(values)
        errors |= self._read_dates(values, vals)
        changed = {name: value for name, value in vals.items() if self[name] != value}
        self.write(changed)
        for line in self.line_ids:
            errors |= line._save_draft(values)
        for number in range(NEW_FUNDERS):
            errors |= self._add_funder(values, number)
        self._transition(revision=self.revision + 1)
        return errors

    def _read_texts(self, values):
        vals = {
            name: clean(values[name], LONGEST_TEXT if name in TEXTS else LONGEST_NAME) or False
            for name in (*TEXTS, *ATTESTATION)
            if name in values and self._fields[name].type in ("char", "text")
        }
        # A box that is not ticked is not sent: the form says that it has one.
        if "has_attested" in values:
            vals["attested"] = bool(values.get("attested"))
        return vals, {}

    def _read_dates(self, values, vals):
        errors = {}
        for name in (*DATES, "attested_date"):
            if name not in values:
                continue
            try:
                day = read_day(values[name])
            except Refusal:
                errors[name] = self.env._("This is no date.")
                continue
            if day or name not in DATES:
                vals[name] = day or False
        start, end = (vals.get(name, self[name]) for name in DATES)
        if end < start:
            errors["exercise_end"] = self.env._(
                "The financial year cannot end before it starts."
            )
            for name in DATES:
                vals.pop(name, None)
        return errors

    def _add_funder(self, values, number):
        """Make the line of a funder that was added to the form."""
        account_name, name_name, actual_name = (
            f"new_{what}_{number}" for what in ("account", "name", "actual")
        )
        name = clean(values.get(name_name), LONGEST_NAME)
        try:
            actual = read_amount(values.get(actual_name))
        except Refusal as refusal:
            return {actual_name: self._say_unread(refusal)}
        if not name and not actual:
            return {}
        code = clean(values.get(account_name), LONGEST_NAME)
        account = self.env["grant.budget.account"].search([("code", "=", code)])
        if not account or not account._has_funders():
            return {account_name: self.env._("Choose which kind of funder this is.")}
        if not name:
            return {name_name: self.env._("Name the funder.")}
        if self.line_ids.filtered(lambda line: line.account_id == account and line.name == name):
            return {name_name: self.env._("This funder is in the list already.")}
        self.line_ids.create(
            {"report_id": self.id, "account_id": account.id, "name": name, "actual": actual}
        )
        return {}

    def _say_unread(self, refusal):
        """Why an amount is not read, in a sentence."""
        match refusal.code:
            case "ambiguous_amount":
                return self.env._(
                    "This may be read in two ways: write thousands without a sign between them."
                )
            case "negative":
                return self.env._("An amount here is not negative.")
            case "too_large":
                return self.env._("This amount is too large.")
        return self.env._("This is no amount: write it as 1234,50.")


class GrantReportLine(models.Model):
    _inherit = "grant.report.line"

    def _save_draft(self, values):
        """Keep what was typed for this line; see :meth:`GrantFinancialReport._save_draft`."""
        self.ensure_one()
        vals = {}
        comment_name, actual_name = f"comment_{self.id}", f"actual_{self.id}"
        if comment_name in values:
            vals["comment"] = clean(values[comment_name], LONGEST_NAME) or False
        errors = self._read_name(values, vals)
        if actual_name in values:
            try:
                vals["actual"] = read_amount(values[actual_name])
            except Refusal as refusal:
                errors[actual_name] = self.report_id._say_unread(refusal)
        if vals.get("actual", self.actual) < self.refused_amount:
            # Sent back: of less than was refused, all is.
            vals["refused_amount"] = vals["actual"]
        changed = {name: value for name, value in vals.items() if self[name] != value}
        if not self.is_loaded and not errors and not (
            vals.get("name", self.name) or vals.get("actual", self.actual)
        ):
            self.unlink()
        elif changed:
            self.write(changed)
        return errors

    def _read_name(self, values, vals):
        name_name = f"name_{self.id}"
        if name_name not in values or not self._is_named():
            return {}
        name = clean(values[name_name], LONGEST_NAME) or False
        others = self.report_id.line_ids - self
        same = others.filtered(lambda line: line.account_id == self.account_id)
        if name and name in same.mapped("name"):
            return {name_name: self.env._("This funder is in the list already.")}
        vals["name"] = name
        return {}

    def _is_named(self):
        """Whether who reports says whose money it is."""
        return self.heading == "74" and not self.budget_line_id
