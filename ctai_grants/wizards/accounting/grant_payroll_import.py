import hashlib

from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.accounting.payroll import read_payroll
from ...lib.accounting.spreadsheet import Refusal
from ...lib.proof.upload import decode


class GrantPayrollImport(models.TransientModel):
    """Takes a month's payroll entry of a post that a contract pays, as payroll software exports it.

    It becomes a draft journal entry: what it costs the contract counts once it is posted.
    """

    _name = "grant.payroll.import"
    _description = "Import a Payroll Entry"
    _inherit = ["grant.text.mixin", "grant.company.mixin"]
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, default=lambda self: self.env.company
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy",
        string="Cost of the City",
        required=True,
        check_company=True,
        domain="[('kind', '=', 'own_cost'), ('state', '=', 'signed')]",
        default=lambda self: self._get_default_subsidy(),
    )
    date = fields.Date(
        required=True,
        default=lambda self: self.env.company._grant_today(),
        help="Accounting date of the entry: the last day of the month, as a rule.",
    )
    # Not required: a file of nothing is no value either, and is told in words that it is empty.
    file = fields.Binary(attachment=False)
    filename = fields.Char()

    @api.model
    def _get_default_subsidy(self):
        found = self.env["grant.subsidy"].search(
            [
                ("company_id", "=", self.env.company.id),
                ("kind", "=", "own_cost"),
                ("state", "=", "signed"),
            ]
        )
        return found if len(found) == 1 else False

    def action_confirm(self):
        """Make the journal entry of the file, in draft.

        :raise UserError: the file cannot be read, does not balance, names an account that is not
            there, or was imported already
        :raise AccessError: the user is not a finance officer
        """
        self.ensure_one()
        subsidy = self.subsidy_id
        what = self.env._("Importing a payroll entry")
        subsidy._check_group("group_finance_officer", what)
        subsidy._check_state(("signed",), what)
        if subsidy.kind != "own_cost":
            raise UserError(
                self.env._("%(subsidy)s is no cost of the city.", subsidy=subsidy.display_name)
            )
        content = decode(self.file)
        try:
            lines = read_payroll(content)
        except Refusal as refusal:
            raise UserError(self._get_message(refusal.code, refusal.about)) from refusal
        # By content: under another name, the same month would count twice.
        sha256 = hashlib.sha256(content).hexdigest()
        self._check_new(sha256)
        move = self._create_move(sha256, lines)
        self._attach(move, content)
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": move.id,
            "views": [(False, "form")],
        }

    def _create_move(self, sha256, lines):
        journal = self.company_id._get_grant_journal("payroll")
        self.company_id._check_grant_open(self.env._("Payroll"), self.date, journal)
        return self.env["account.move"].create(
            {
                "move_type": "entry",
                "journal_id": journal.id,
                "date": self.date,
                "ref": self.env._("Payroll, %(file)s", file=self.filename or self.subsidy_id.name),
                "grant_file_sha256": sha256,
                "line_ids": [Command.create(vals) for vals in self._prepare_lines(lines)],
            }
        )

    def _attach(self, move, content):
        self.env["ir.attachment"].create(
            {
                "name": self.filename or "payroll",
                "raw": content,
                "res_model": move._name,
                "res_id": move.id,
            }
        )

    def _check_new(self, sha256):
        known = self.env["account.move"].search(
            [
                ("company_id", "=", self.company_id.id),
                ("grant_file_sha256", "=", sha256),
                ("state", "!=", "cancel"),
            ],
            limit=1,
        )
        if known:
            raise UserError(
                self.env._(
                    "This file was imported already, as %(move)s of %(date)s: nothing was done.",
                    move=known.display_name,
                    date=format_date(self.env, known.date),
                )
            )

    def _prepare_lines(self, lines):
        """Values of the journal items: those on the accounts of own costs carry the envelope."""
        company = self.company_id
        costs = company.grant_own_cost_account_ids
        analytic = self.subsidy_id.envelope_id._get_analytic_account()
        if not analytic:
            setting = company._fields["grant_analytic_plan_id"]
            raise UserError(
                self.env._(
                    "“%(setting)s” is not set up: see Settings > Grants > Accounting.",
                    setting=setting._description_string(self.env),
                )
            )
        accounts = self.env["account.account"].with_company(company)
        codes = {line.account for line in lines}
        domain = [*accounts._check_company_domain(company), ("code", "in", list(codes))]
        known = {account.code: account for account in accounts.search(domain)}
        if missing := sorted(codes - known.keys()):
            raise UserError(
                self.env._(
                    "No account has the code %(codes)s in the chart of %(company)s.",
                    codes=", ".join(missing),
                    company=company.name,
                )
            )
        if not any(known[line.account] in costs and line.share for line in lines):
            raise UserError(
                self.env._(
                    "No line is on an account of own costs (%(codes)s): see Settings > Grants.",
                    codes=", ".join(costs.mapped("code")) or self.env._("none"),
                )
            )
        return [
            {
                "name": line.label or self.subsidy_id.name,
                "account_id": known[line.account].id,
                "balance": float(line.amount),
                "analytic_distribution": {str(analytic.id): float(line.share)}
                # The net pay and the contributions that are due are no costs.
                if known[line.account] in costs and line.share
                else False,
            }
            for line in lines
        ]

    def _get_message(self, code, about):
        """Why the file is not read, in a sentence."""
        if "row" in about:
            reasons = {
                "missing": self.env._("it is empty"),
                "both_sides": self.env._("a line has a debit or a credit, not both"),
                "bad_share": self.env._("a share is between 0 and 100"),
                "bad_number": self.env._("this is no account number"),
                "ambiguous_amount": self.env._(
                    "it may be read in two ways: thousands, or three decimals?"
                ),
            }
            return self.env._(
                "Line %(line)s, column “%(column)s”, “%(cell)s”: %(reason)s.",
                line=about["row"],
                column=about["column"],
                cell=about["cell"] or "",
                reason=reasons.get(code, self.env._("this is no amount of money")),
            )
        if code == "unbalanced":
            return self.env._(
                "The entry does not balance: debits exceed credits by %(difference)s.",
                difference=self.company_id.currency_id.format(float(about["difference"])),
            )
        if code in ("no_columns", "no_rows"):
            return self.env._(
                "No sheet has the columns of a payroll entry, with lines below: Compte, Libellé, "
                "Débit, Crédit, and if need be Part (the share that the contract pays, in %%)."
            )
        return self.env["grant.spreadsheet.mixin"]._get_file_message(code, about)
