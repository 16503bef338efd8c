from odoo import Command, fields, models
from odoo.exceptions import UserError

from ...lib.accounting.spreadsheet import Refusal, normalise
from ...lib.guard.words import clean
from ...lib.operator.budget import read_budget
from ...lib.proof.upload import decode

#: Characters of a funder's name.
LONGEST_NAME = 200


class GrantBudgetImport(models.TransientModel):
    """Takes the budget of a subsidy from a file or a pasted table: all of it, or nothing."""

    _name = "grant.budget.import"
    _description = "Import the Budget"
    _inherit = ["grant.text.mixin"]

    subsidy_id = fields.Many2one("grant.subsidy", required=True)
    file = fields.Binary(attachment=False)
    filename = fields.Char()
    pasted = fields.Text(string="Or Paste the Table")

    def action_confirm(self):
        """Replace the lines of the budget by those of the file; the line that is the subsidy is
        found by its amount.

        :raise UserError: nothing to read, a row names no account or one twice, a cell is no
            amount, or the convention is signed
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        subsidy = self.subsidy_id
        what = self.env._("Importing a budget")
        subsidy._check_group("group_coordinator", what)
        subsidy._check_state(("draft", "granted"), what)
        content = decode(self.file) or (self.pasted or "").encode()
        try:
            rows = read_budget(content)
        except Refusal as refusal:
            raise UserError(self._get_message(refusal.code, refusal.about)) from refusal
        vals_list = self._prepare_lines(rows)
        subsidy.budget_line_ids.unlink()
        subsidy.budget_line_ids = [Command.create(vals) for vals in vals_list]
        return {"type": "ir.actions.act_window_close"}

    def _prepare_lines(self, rows):
        accounts, lines = self._get_accounts(), {}
        for row in rows:
            account = accounts.get(normalise(row.account)) or accounts.get(normalise(row.label))
            if not account:
                raise UserError(
                    self.env._(
                        "Line %(line)s: “%(account)s” is no account of a budget. Its code or its "
                        "name is expected, as the list of budget accounts has it (604, 60x…).",
                        line=row.row,
                        account=row.account or row.label,
                    )
                )
            key = (account, clean(row.funder, LONGEST_NAME) or False)
            if key in lines:
                raise UserError(
                    self.env._(
                        "Line %(line)s: “%(account)s” is there twice. Add both up, or name the "
                        "funder of each.",
                        line=row.row,
                        account=account.display_name,
                    )
                )
            lines[key] = float(row.amount)
        return self._mark_subsidy([
            {"account_id": account.id, "name": name, "amount": amount}
            for (account, name), amount in lines.items()
        ])  # fmt: skip

    def _mark_subsidy(self, vals_list):
        """Say which line is this subsidy, when one alone can be."""
        accounts, subsidy = self.env["grant.budget.account"], self.subsidy_id
        found = [
            vals
            for vals in vals_list
            if accounts.browse(vals["account_id"])._has_funders()
            and not subsidy.currency_id.compare_amounts(vals["amount"], subsidy.amount)
        ]
        if len(found) == 1:
            found[0]["is_subsidy"] = True
        return vals_list

    def _get_accounts(self):
        """The accounts by what a file may call them: code, number, name in each language."""
        accounts = self.env["grant.budget.account"].search([("active", "=", True)])
        found = {}
        for lang, _name in self.env["res.lang"].get_installed():
            for account in accounts.with_context(lang=lang):
                # A name that two have says nothing.
                name = normalise(account.name)
                known = found.get(name, account)
                found[name] = account if known == account else accounts.browse()
        for heading, those in accounts.grouped("heading").items():
            if len(those) == 1:
                found[heading] = those
        found.update({normalise(account.code): account for account in accounts})
        return found

    def _get_message(self, code, about):
        """Why the file is not read, in a sentence."""
        if "row" in about:
            reasons = {
                "ambiguous_amount": self.env._(
                    "it may be read in two ways: thousands, or three decimals?"
                ),
                "negative": self.env._("the amounts of a budget are not negative"),
            }
            return self.env._(
                "Line %(line)s, column “%(column)s”, “%(cell)s”: %(reason)s.",
                line=about["row"],
                column=about["column"],
                cell=about["cell"],
                reason=reasons.get(code, self.env._("this is no amount of money")),
            )
        if code in ("no_columns", "no_rows"):
            return self.env._(
                "No table has the columns of a budget, with amounts below: Compte, Libellé, "
                "Financeur (under 74), Montant."
            )
        return self.env["grant.spreadsheet.mixin"]._get_file_message(code, about)
