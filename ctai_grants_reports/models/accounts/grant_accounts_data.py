import datetime
from decimal import Decimal

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ...lib.accounts import workbook
from ...lib.accounts.sheets import Column, Paper, Sheet, to_cents

TEMPLATE = "ctai_grants_reports/report/accounts/lists.typ"
PDF = "application/pdf"


class GrantAccountsData(models.AbstractModel):
    """Makes the files of the annex of the accounts, the certified accounts, the end of the year and
    the cash plan: what the screens show, of one city."""

    _name = "grant.accounts.data"
    _description = "Files for the Accounts"
    _inherit = ["grant.pdf.mixin"]

    @api.model
    def _make(self, what, company, year=None, contract=None, file_format="xlsx"):
        """Make a file.

        :param str what: ``annex``, ``certified``, ``year_end`` or ``cash``
        :param company: the city
        :param int year: the budget year; of a cash plan none
        :param contract: of a cash plan: the one it is about, by default all of the city
        :param str file_format: ``xlsx``, or ``pdf``
        :return: bytes, file name, media type
        :raise AccessError: the user may not read the subsidies
        :raise UserError: a year that has not begun
        """
        self.env["grant.subsidy"].check_access("read")
        self._check_year(what, company, year)
        today = company._grant_today()
        if what == "cash":
            paper = self._get_cash(company, contract, today)
        else:
            paper = getattr(self, f"_get_{what}")(company, year, today)
        if file_format == "pdf":
            return self._print(paper, company), f"{paper.name}.pdf", PDF
        return workbook.write(paper), f"{paper.name}.xlsx", workbook.MIMETYPE

    @api.model
    def _check_year(self, what, company, year):
        """Refuse a year that has not begun; a cash plan has none."""
        today = company._grant_today()
        if what != "cash" and not 2000 <= (year or 0) <= today.year:
            raise UserError(
                self.env._(
                    "%(year)s is not a budget year that has begun: choose one until %(today)s.",
                    year=year,
                    today=today.year,
                )
            )

    @api.model
    def _get_paper(self, name, title, company, today, notes, sheets, about=()):
        return Paper(
            name=name,
            title=title,
            about=[
                (self.env._("City"), company.name),
                *about,
                (self.env._("Made on"), format_date(self.env, today)),
            ],
            notes=notes,
            sheets=sheets,
            date=today,
            author=company.name,
            total=self.env._("Total"),
            empty=self.env._("Nothing."),
        )

    @api.model
    def _find(self, model, company, year):
        return self.env[model].search([("company_id", "=", company.id), ("year", "=", year)])

    # ------------------------------------------------------------------
    # The annex
    # ------------------------------------------------------------------

    @api.model
    def _get_annex(self, company, year, today):
        lines = self._find("grant.annex.line", company, year)
        notes = [
            self.env._(
                "In money: orders of the year in the books, less the credit notes of the same "
                "year. What the State pays to operators itself is none of it."
            )
        ]
        sheets = [
            self._get_annex_sheet(lines),
            self._get_in_kind_sheet(company, year),
            self._get_annex_check(lines),
        ]
        return self._get_paper(
            self.env._("annex_%(year)s", year=year),
            self.env._("Aid given to third parties, in money and in kind – %(year)s", year=year),
            company, today, notes, sheets,
        )  # fmt: skip

    @api.model
    def _get_annex_sheet(self, lines):
        columns = [
            Column(self.env._("Beneficiary"), width=38),
            Column(self.env._("SIREN or RNA"), width=14),
            Column(self.env._("Legal form"), width=24),
            Column(self.env._("In money"), "amount"),
            Column(self.env._("In kind"), "amount"),
            Column(self.env._("Total"), "amount"),
        ]
        forms = dict(self.env["res.partner"]._fields["legal_form"]._description_selection(self.env))
        rows = [
            (
                self._get_name(line), self._get_body(line),
                forms.get(line.partner_id.legal_form, ""),
                line.money_amount, line.in_kind_amount, line.total_amount,
            )
            for line in lines
            if line.ordered_amount or line.reduced_amount or line.in_kind_amount
        ]  # fmt: skip
        return Sheet(self.env._("Annex"), columns, rows)

    @api.model
    def _get_name(self, line):
        """As it was called at the end of the year."""
        return self._get_name_in(line.partner_id, line.year)

    @api.model
    def _get_name_in(self, partner, year):
        return partner._get_identity(datetime.date(year, 12, 31)).name or ""

    @api.model
    def _get_body(self, line):
        # Of a body without number nothing is shown.
        return "" if (line.body or "").startswith("#") else line.body

    @api.model
    def _get_in_kind_sheet(self, company, year):
        aids = self.env["grant.aid.in.kind"].search(
            [
                ("company_id", "=", company.id), ("state", "=", "recorded"),
                ("date_start", ">=", f"{year}-01-01"), ("date_start", "<=", f"{year}-12-31"),
            ],
            order="partner_id, date_start, id",
        )  # fmt: skip
        kinds = dict(aids._fields["kind"]._description_selection(self.env))
        columns = [
            Column(self.env._("Beneficiary"), width=38),
            Column(self.env._("Kind"), width=14),
            Column(self.env._("Object"), width=40),
            Column(self.env._("Start"), "date", 12),
            Column(self.env._("End"), "date", 12),
            Column(self.env._("Ground"), width=24),
            Column(self.env._("Valuation"), "amount"),
        ]
        rows = [
            (
                self._get_name_in(aid.partner_id, year),
                kinds[aid.kind], aid.name, aid.date_start, aid.date_end,
                ", ".join(filter(None, (aid.decision_number, aid.convention_reference))),
                aid.amount,
            )
            for aid in aids
        ]  # fmt: skip
        return Sheet(self.env._("Aid in kind"), columns, rows)

    @api.model
    def _get_annex_check(self, lines):
        columns = [
            Column(self.env._("Beneficiary"), width=38),
            Column(self.env._("Ordered, in the books"), "amount"),
            Column(self.env._("Credit notes of the year"), "amount"),
            Column(self.env._("Ordered, by the tranches"), "amount"),
            Column(self.env._("Difference"), "amount"),
            Column(self.env._("Taken back of earlier years"), "amount"),
            Column(self.env._("Paid in the year, in the ledger"), "amount"),
            Column(self.env._("Paid back in the year, in the ledger"), "amount"),
            Column(self.env._("What differs"), width=60),
        ]
        rows = [self._get_annex_check_row(line) for line in lines]
        return Sheet(self.env._("Tie to the books"), columns, rows)

    def _get_annex_check_row(self, line):
        return (
            self._get_name(line), line.ordered_amount, line.reduced_amount, line.said_amount,
            line.difference, line.prior_amount, line.paid_amount, line.recovered_amount,
            line.remark,
        )  # fmt: skip

    # ------------------------------------------------------------------
    # Certified accounts
    # ------------------------------------------------------------------

    @api.model
    def _get_certified(self, company, year, today):
        lines = self._find("grant.certified.accounts", company, year)
        labels = {
            name: dict(lines._fields[name]._description_selection(self.env))
            for name in ("state", "reason")
        }
        columns = [
            Column(self.env._("Beneficiary"), width=38),
            Column(self.env._("Given in the year"), "amount"),
            Column(self.env._("Budget of the body"), "amount"),
            Column(self.env._("Share"), "rate", 10),
            Column(self.env._("Why"), width=26),
            Column(self.env._("Due on"), "date", 12),
            Column(self.env._("Handed in on"), "date", 12),
            Column(self.env._("State"), width=14),
        ]
        rows = [
            (
                self._get_name(line), line.total_amount, line.income or None,
                line.share if line.income else None, labels["reason"][line.reason],
                line.due_date, line.received_date, labels["state"][line.state],
            )
            for line in lines
        ]  # fmt: skip
        return self._get_paper(
            self.env._("certified_accounts_%(year)s", year=year),
            self.env._("Certified accounts to annex – %(year)s", year=year),
            company, today,
            [self.env._("Above 75 000 € or half of the body's budget (CGCT L2313-1).")],
            [Sheet(self.env._("Certified accounts"), columns, rows, sums=False)],
        )  # fmt: skip

    # ------------------------------------------------------------------
    # End of the year
    # ------------------------------------------------------------------

    @api.model
    def _get_year_end(self, company, year, today):
        lines = self._find("grant.year.end.line", company, year)
        notes = [
            self.env._(
                "Due, not ordered (rattachements): the work was certified by 31 December. Carried "
                "over (restes à réaliser): committed, neither ordered nor due."
            )
        ]
        sheets = [
            self._get_envelope_sheet(lines),
            self._get_subsidy_sheet(lines),
            self._get_account_sheet(company, year),
            self._get_check_sheet(lines),
        ]
        return self._get_paper(
            self.env._("year_end_%(year)s", year=year),
            self.env._("End of the year %(year)s", year=year),
            company, today, notes, sheets,
        )  # fmt: skip

    @api.model
    def _get_amount_columns(self):
        return [
            Column(self.env._("Committed"), "amount"),
            Column(self.env._("Ordered before"), "amount"),
            Column(self.env._("Ordered in the year"), "amount"),
            Column(self.env._("Due, not ordered"), "amount"),
            Column(self.env._("Carried over"), "amount"),
            Column(self.env._("Ordered, not paid"), "amount"),
        ]

    @api.model
    def _get_amounts(self, line):
        return (
            line.committed_amount, line.before_amount, line.ordered_amount,
            line.attached_amount, line.carried_amount, line.unpaid_amount,
        )  # fmt: skip

    @api.model
    def _get_account_code(self, line):
        # sudo: code of an account, to whom may not read the chart
        return line.account_id.sudo().with_company(line.company_id).code or self.env._("several")

    @api.model
    def _get_envelope_sheet(self, lines):
        sums = {}
        for line in lines:
            key = line.envelope_id.display_name, self._get_account_code(line)
            before = sums.get(key, (Decimal(0),) * 6)
            sums[key] = tuple(
                total + to_cents(amount)
                for total, amount in zip(before, self._get_amounts(line), strict=True)
            )
        columns = [
            Column(self.env._("Envelope"), width=36),
            Column(self.env._("Account"), width=12),
            *self._get_amount_columns(),
        ]
        rows = [(*key, *amounts) for key, amounts in sorted(sums.items())]
        return Sheet(self.env._("By envelope and account"), columns, rows)

    @api.model
    def _get_subsidy_sheet(self, lines):
        columns = [
            Column(self.env._("Envelope"), width=30),
            Column(self.env._("Account"), width=12),
            Column(self.env._("Subsidy"), width=40),
            *self._get_amount_columns(),
        ]
        rows = [
            (
                line.envelope_id.display_name, self._get_account_code(line),
                line.subsidy_id.display_name, *self._get_amounts(line),
            )
            for line in lines
        ]  # fmt: skip
        return Sheet(self.env._("By subsidy"), columns, rows)

    @api.model
    def _get_account_sheet(self, company, year):
        columns = [
            Column(self.env._("Envelope"), width=36),
            Column(self.env._("Account"), width=12),
            Column(self.env._("Name of the account"), width=40),
            Column(self.env._("Ordered in the year"), "amount"),
        ]
        rows = [
            (envelope.display_name, account.with_company(company).code, account.name, amount)
            for envelope, account, amount in self.env["grant.year.end.line"]._get_accounts(
                company, year
            )
        ]
        return Sheet(self.env._("Orders by account"), columns, rows)

    @api.model
    def _get_check_sheet(self, lines):
        columns = [
            Column(self.env._("Subsidy"), width=40),
            Column(self.env._("Figure"), width=24),
            Column(self.env._("Here"), "amount"),
            Column(self.env._("By the other road"), "amount"),
            Column(self.env._("Difference"), "amount"),
            Column(self.env._("What differs"), width=70),
        ]
        rows = [row for line in lines for row in self._get_check_rows(line)]
        return Sheet(self.env._("Checks"), columns, rows, sums=False)

    def _get_check_rows(self, line):
        for name, figure, check in line._get_checks():
            label = line._fields[name]._description_string(self.env)
            same = line.currency_id.is_zero(figure - check)
            difference = to_cents(figure) - to_cents(check)
            words = "" if same else line._say_difference(name, figure, check)
            yield line.subsidy_id.display_name, label, figure, check, difference, words

    # ------------------------------------------------------------------
    # Cash plan
    # ------------------------------------------------------------------

    @api.model
    def _get_cash(self, company, contract, today):
        months = self.env["grant.cash.month"].search(
            [
                ("company_id", "=", company.id),
                ("contract_id", "=", contract.id if contract else False),
            ]
        )
        worst = months.filtered("is_worst")
        about = [
            (
                self.env._("Contract"),
                contract.display_name if contract else self.env._("all contracts"),
            ),
            (
                self.env._("At the worst, the city advances"),
                self.env._(
                    "%(amount)s on %(date)s",
                    amount=self._format_money(worst.advanced_amount, company),
                    date=format_date(self.env, worst.advanced_on),
                )
                if worst
                else self.env._("nothing"),
            ),
        ]
        sheets = [self._get_month_sheet(months), self._get_move_sheet(company, contract)]
        return self._get_paper(
            self.env._("cash_plan_%(date)s", date=today.isoformat()),
            self.env._("Cash plan"),
            company, today, [], sheets, about,
        )  # fmt: skip

    @api.model
    def _get_month_sheet(self, months):
        columns = [
            Column(self.env._("Month"), width=30),
            Column(self.env._("From the State"), "amount"),
            Column(self.env._("To operators"), "amount"),
            Column(self.env._("Costs of the city"), "amount"),
            Column(self.env._("Repayments"), "amount"),
            Column(self.env._("Late interest"), "amount"),
            Column(self.env._("Of the month"), "amount"),
            Column(self.env._("Since the beginning"), "amount"),
        ]
        rows = [
            (
                line.name, line.state_amount, line.operator_amount,
                line.own_cost_amount, line.repayment_amount, line.interest_amount, line.amount,
                line.balance,
            )
            for line in months
        ]  # fmt: skip
        return Sheet(self.env._("By month"), columns, rows, sums=False, chart=(7, 1, 2))

    @api.model
    def _get_move_sheet(self, company, contract):
        domain = [("company_id", "=", company.id)]
        if contract:
            domain.append(("contract_id", "=", contract.id))
        moves = self.env["grant.cash.line"].search(domain)
        kinds = dict(moves._fields["kind"]._description_selection(self.env))
        states = dict(moves._fields["readiness"]._description_selection(self.env))
        columns = [
            Column(self.env._("Date"), "date", 12),
            Column(self.env._("Kind"), width=20),
            Column(self.env._("Readiness"), width=16),
            Column(self.env._("Envelope"), width=30),
            Column(self.env._("Subsidy"), width=40),
            Column(self.env._("Amount"), "amount"),
        ]
        rows = [
            (
                move.date, kinds[move.kind], states[move.readiness],
                move.envelope_id.display_name, move.subsidy_id.display_name or "", move.amount,
            )
            for move in moves
        ]  # fmt: skip
        return Sheet(self.env._("Movements"), columns, rows)

    # ------------------------------------------------------------------
    # On paper
    # ------------------------------------------------------------------

    @api.model
    def _print(self, paper, company):
        kinds = {"amount": "right", "rate": "right", "date": "center", "text": "left"}
        sheets = []
        for sheet in paper.sheets:
            totals = sheet.get_totals() if sheet.rows else {}
            sheets.append(
                {
                    "title": sheet.title,
                    "headings": [column.label for column in sheet.columns],
                    "align": [kinds[column.kind] for column in sheet.columns],
                    "widths": [column.width for column in sheet.columns],
                    "rows": [
                        [
                            self._say(column.kind, value, company)
                            for column, value in zip(sheet.columns, row, strict=True)
                        ]
                        for row in sheet.rows
                    ],
                    "totals": [
                        self._say("amount", totals[place], company)
                        if place in totals
                        else ("" if place else paper.total)
                        for place in range(len(sheet.columns))
                    ]
                    if totals
                    else [],
                }
            )
        data = {
            "title": paper.title,
            "date": paper.date,
            "about": [list(pair) for pair in paper.about],
            "notes": list(paper.notes),
            "sheets": sheets,
            "empty": paper.empty,
        }
        return self._typeset(TEMPLATE, data, company)

    @api.model
    def _say(self, kind, value, company):
        if value is None or value is False or value == "":
            return ""
        match kind:
            case "amount":
                return self._format_money(value, company)
            case "date":
                return format_date(self.env, value)
            case "rate":
                return f"{100 * value:.1f} %"
        return str(value)

    @api.model
    def _format_money(self, value, company):
        # Odoo ties sign and number by a mark that no PDF/A may hold.
        return company.currency_id.format(float(to_cents(value))).replace("\ufeff", "")
