from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

    grant_convention_threshold = fields.Monetary(
        string="Convention Threshold",
        default=23000.0,
        help="Above this amount (euros a year and operator), no payment is certified without a "
        "signed convention (loi 2000-321, art. 10; décret 2001-495, art. 1).",
    )
    grant_upload_max_mb = fields.Integer(
        string="Largest Upload (MB)",
        default=15,
        help="Files that operators hand in on the portal cannot be larger.",
    )
    grant_purchase_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Orders",
        domain="[('type', '=', 'purchase')]",
        check_company=True,
        help="Where orders to pay (mandats) are booked as vendor bills.",
    )
    grant_sale_journal_id = fields.Many2one(
        "account.journal",
        string="Journal of Claims",
        domain="[('type', '=', 'sale')]",
        check_company=True,
        help="Where claims on the State and on operators (titres de recette) are booked.",
    )
    grant_payment_journal_id = fields.Many2one(
        "account.journal",
        string="Treasury Journal",
        domain="[('type', 'in', ('bank', 'cash', 'general'))]",
        check_company=True,
        help="Where the payments that the treasury reports are booked.",
    )
    grant_m57_from = fields.Integer(
        string="M57 From Year",
        default=2024,
        help="First financial year of the city under M57; the years before are under M14.",
    )
    grant_analytic_plan_id = fields.Many2one(
        "account.analytic.plan",
        string="Analytic Plan of Envelopes",
        help="Each envelope gets an analytic account of this plan.",
    )
    grant_own_cost_account_ids = fields.Many2many(
        "account.account",
        "res_company_grant_own_cost_account_rel",
        "company_id",
        "account_id",
        string="Accounts of Own Costs",
        domain="[('account_type', 'in', ('expense', 'expense_direct_cost', 'expense_other'))]",
        check_company=True,
        help="What is booked there on the analytic account of an envelope is a cost of the city: "
        "payroll accounts, as a rule.",
    )
    grant_payroll_journal_id = fields.Many2one(
        "account.journal",
        string="Payroll Journal",
        domain="[('type', '=', 'general')]",
        check_company=True,
        help="Where imported payroll entries are booked.",
    )
    grant_pes_post = fields.Char(
        string="Accounting Post",
        help="Number (codique) of the treasury's post that keeps the city's accounts: 6 or 7 "
        "characters.",
    )
    grant_pes_entity = fields.Char(
        string="Entity Code", help="CodCol: the three characters that name the city there."
    )
    grant_pes_budget = fields.Char(
        string="Budget Code", help="CodBud: two characters, 00 for the main budget."
    )
    grant_pes_budget_label = fields.Char(string="Budget Label")
    grant_order_limit = fields.Monetary(
        string="Orders Up To",
        default=0.0,
        help="A finance officer orders up to this amount, a finance manager any. Zero: no limit.",
    )
    grant_payment_days = fields.Integer(
        string="Days to Pay",
        default=60,
        help="From the notification of the award, unless the convention says otherwise (loi "
        "2000-321, art. 10).",
    )
    grant_late_interest_rate = fields.Float(
        string="Interest on Late Payment (% a Year)", default=0.0
    )
    grant_contradictory_days = fields.Integer(
        string="Days to Answer",
        default=15,
        help="Days that an operator has to answer, once it is told that money is to be paid back, "
        "before the city can decide (CRPA, art. L121-1).",
    )

    _grant_pes_formats = models.Constraint(
        "CHECK (grant_pes_post ~ '^(\\d{6,7}|02[AB]\\d{3,4})$' "
        "AND grant_pes_entity ~ '^[0-9A-Z]{3}$' AND grant_pes_budget ~ '^[0-9A-Z]{2}$')",
        "Treasury: the accounting post has 6 or 7 digits, the entity code 3 characters, the budget "
        "code 2.",
    )
    _grant_contradictory_days_positive = models.Constraint(
        "CHECK (grant_contradictory_days BETWEEN 1 AND 365)",
        "An operator has between 1 and 365 days to answer.",
    )
    _grant_upload_max_positive = models.Constraint(
        "CHECK (grant_upload_max_mb BETWEEN 1 AND 100)",
        "The largest upload is between 1 and 100 MB.",
    )
    _grant_payment_days_positive = models.Constraint(
        "CHECK (grant_payment_days > 0 AND grant_late_interest_rate >= 0 "
        "AND grant_order_limit >= 0)",
        "Days to pay, interest and limit of orders cannot be negative.",
    )

    def write(self, vals):
        res = super().write(vals)
        if "grant_convention_threshold" in vals:
            # sudo: who sets the threshold may not be allowed to touch tranches
            tranches = self.env["grant.disbursement"].sudo()
            tranches.search([
                ("company_id", "in", self.ids), ("state", "in", ("planned", "ready"))
            ])._refresh_readiness()  # fmt: skip
        if "grant_own_cost_account_ids" in vals:
            # sudo: likewise the ledger
            envelopes = self.env["grant.envelope"].sudo()
            self.env["grant.own.cost"]._sync(
                envelopes.search([("company_id", "in", self.ids), ("state", "=", "in_force")])
            )
        return res

    @api.constrains("currency_id")
    def _check_ledger_currency(self):
        # sudo: who administers companies may not read the ledger
        entries = self.env["grant.entry"].sudo()
        for company in self:
            if entries.search_count(
                [("company_id", "=", company.id), ("currency_id", "!=", company.currency_id.id)],
                limit=1,
            ):
                raise ValidationError(
                    self.env._(
                        "%(company)s: the currency cannot be changed any more, the grant ledger "
                        "holds amounts in it.",
                        company=company.display_name,
                    )
                )

    def _get_grant_journal(self, purpose):
        """The journal for ``purpose``: ``purchase``, ``sale``, ``payment`` or ``payroll``.

        :raise UserError: none is set up
        """
        self.ensure_one()
        name = f"grant_{purpose}_journal_id"
        if not self[name]:
            raise UserError(
                self.env._(
                    "“%(setting)s” is not set up: see Settings > Grants > Accounting.",
                    setting=self._fields[name]._description_string(self.env),
                )
            )
        return self[name]

    def _set_up_grant_accounting(self):
        """Set up what is missing: journals, accounts, analytic plan; what is there stays.

        :return: the accounts that were made
        """
        self.ensure_one()
        for purpose, kind in (
            ("purchase", "purchase"), ("sale", "sale"), ("payment", "bank"), ("payroll", "general")
        ):  # fmt: skip
            name = f"grant_{purpose}_journal_id"
            self[name] = self[name] or self._find_journal(kind)
        if not self.grant_analytic_plan_id:
            self.grant_analytic_plan_id = self.env["account.analytic.plan"].create(
                {"name": self.env._("Grant Envelopes")}
            )
        self._set_up_treasury(self.grant_payment_journal_id)
        made = self.env["grant.account"]._create_missing(self)
        if not self.grant_own_cost_account_ids:
            costs, new = self.env["grant.account"]._find_own_cost_accounts(self)
            self.grant_own_cost_account_ids = costs
            made |= new
        return made

    def _find_journal(self, kind):
        journals = self.env["account.journal"]
        return journals.search(
            [*journals._check_company_domain(self), ("type", "=", kind)], limit=1
        )

    def _set_up_treasury(self, journal):
        """The treasury pays and reports: a payment is on its account at once, not outstanding."""
        lines = journal.outbound_payment_method_line_ids + journal.inbound_payment_method_line_ids
        for line in lines:
            if not line.payment_account_id:
                line.payment_account_id = journal.default_account_id
