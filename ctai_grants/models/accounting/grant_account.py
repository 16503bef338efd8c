from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain

from ...lib.accounting.accounts import ACCOUNTS, NOMENCLATURES, PAYROLL, PAYROLL_PREFIXES, PURPOSES


class GrantAccount(models.Model):
    """Which account of the city's chart takes which money of grants, by nomenclature."""

    _name = "grant.account"
    _description = "Grant Account"
    _inherit = ["grant.company.mixin"]
    _order = "company_id, nomenclature desc, purpose"
    _check_company_auto = True

    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="cascade"
    )
    nomenclature = fields.Selection(NOMENCLATURES, required=True, default="m57")
    purpose = fields.Selection(PURPOSES, required=True)
    account_id = fields.Many2one(
        "account.account",
        required=True,
        ondelete="restrict",
        check_company=True,
        domain="[('account_type', 'in', ('expense', 'expense_other', 'income', 'income_other'))]",
    )

    _purpose_uniq = models.UniqueIndex(
        "(company_id, nomenclature, purpose)",
        "There is already an account for this purpose in this nomenclature.",
    )

    @api.depends("nomenclature", "purpose")
    def _compute_display_name(self):
        labels = {
            name: dict(self._fields[name]._description_selection(self.env))
            for name in ("nomenclature", "purpose")
        }
        for line in self:
            line.display_name = (
                f"{labels['nomenclature'].get(line.nomenclature, '')} – "
                f"{labels['purpose'].get(line.purpose, '')}"
            )

    @api.model
    def _get(self, company, exercise, purpose):
        """The account for ``purpose`` in the books of ``exercise`` (a year).

        :raise UserError: none is set up
        """
        nomenclature = "m57" if exercise >= company.grant_m57_from else "m14"
        # Read once for many orders.
        accounts = company.with_env(self.env).grant_account_ids
        found = accounts.filtered(
            lambda line: (line.nomenclature, line.purpose) == (nomenclature, purpose)
        )
        if not found:
            labels = dict(self._fields["purpose"]._description_selection(self.env))
            raise UserError(
                self.env._(
                    "No account is set up for “%(purpose)s” in %(nomenclature)s (year %(year)s): "
                    "see Settings > Grants > Accounting.",
                    purpose=labels[purpose],
                    nomenclature=nomenclature.upper(),
                    year=exercise,
                )
            )
        return found.account_id

    @api.model
    def _create_missing(self, company):
        """Make the accounts of our table that the company has not, and say what each is for.

        What exists stays as it is.

        :return: the accounts that were made
        """
        known = {
            (line.nomenclature, line.purpose)
            for line in self.search([("company_id", "=", company.id)])
        }
        # The code of an account is another one for each company: seen from the one that is set up.
        accounts = self.env["account.account"].with_company(company)
        made = accounts.browse()
        wanted = [
            (nomenclature, purpose, *about)
            for nomenclature, purposes in ACCOUNTS.items()
            for purpose, about in purposes.items()
        ]
        for nomenclature, purpose, code, name, account_type in wanted:
            if (nomenclature, purpose) in known:
                continue
            account = accounts.search(
                [*accounts._check_company_domain(company), ("code", "=", code)], limit=1
            )
            if not account:
                account = self._make_account(company, code, name, account_type)
                made |= account
            self.create(
                {
                    "company_id": company.id,
                    "nomenclature": nomenclature,
                    "purpose": purpose,
                    "account_id": account.id,
                }
            )
        return made

    @api.model
    def _make_account(self, company, code, name, account_type):
        return (
            self.env["account.account"]
            .with_company(company)
            .create(
                {
                    "code": code,
                    "name": name,
                    "account_type": account_type,
                    "company_ids": company.ids,
                }
            )
        )

    @api.model
    def _find_own_cost_accounts(self, company):
        """The accounts of pay of the city's chart, or those of our table when it has none.

        :return: the accounts, and those of them that were made
        """
        accounts = self.env["account.account"].with_company(company)
        domain = Domain.OR(
            Domain("code", "=like", f"{prefix}%") for prefix in PAYROLL_PREFIXES
        ) & Domain(accounts._check_company_domain(company))
        found = accounts.search(domain & Domain("internal_group", "=", "expense"))
        if found:
            return found, accounts
        made = accounts.union(
            *(self._make_account(company, code, name, "expense") for code, name in PAYROLL)
        )
        return made, made
