from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError


class ResCompany(models.Model):
    _inherit = "res.company"

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
    grant_account_ids = fields.One2many(
        "grant.account", "company_id", string="Accounts of Grants",
        groups="ctai_grants.group_reader",
    )  # fmt: skip
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
        # An account that is archived keeps what was booked on it.
        context={"active_test": False},
        wakes="_get_own_cost_envelopes",
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
    grant_order_limit = fields.Monetary(
        string="Orders Up To",
        default=0.0,
        help="A finance officer orders up to this amount, a finance manager any. Zero: no limit.",
    )
    _grant_payment_days_positive = models.Constraint(
        "CHECK (grant_payment_days > 0 AND grant_late_interest_rate >= 0 "
        "AND grant_order_limit >= 0)",
        "Days to pay, interest and limit of orders cannot be negative.",
    )

    @api.constrains(
        "grant_purchase_journal_id", "grant_sale_journal_id", "grant_payment_journal_id",
        "grant_payroll_journal_id", "grant_own_cost_account_ids",
    )  # fmt: skip
    def _check_grant_settings(self):
        """Journals and accounts are this city's own: Odoo looks at that where a model asks it to,
        and companies do not."""
        self._check_company(self._check_grant_settings._constrains)

    @api.constrains("grant_analytic_plan_id")
    def _check_grant_analytic_plan(self):
        for company in self.filtered("grant_analytic_plan_id"):
            # sudo: all companies, whatever those of the user
            other = self.sudo().with_context(active_test=False).search([
                ("grant_analytic_plan_id", "=", company.grant_analytic_plan_id.id),
                ("id", "!=", company.id),
            ], limit=1)  # fmt: skip
            if other:
                raise ValidationError(
                    self.env._(
                        "The analytic plan “%(plan)s” is that of the envelopes of %(company)s: "
                        "choose another one, or leave it to “Set up what is missing”.",
                        plan=company.grant_analytic_plan_id.name,
                        company=other.name,
                    )
                )

    def _get_own_cost_envelopes(self):
        """The envelopes of these companies that costs can be booked on."""
        # sudo: who sets the accounts of own costs may not see the envelopes
        envelopes = self.env["grant.envelope"].sudo()
        return envelopes.search([("company_id", "in", self.ids), ("state", "=", "in_force")])

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
        :raise UserError: not a company that can run grants (``_check_grant_company``)
        """
        self.ensure_one()
        self._check_grant_company()
        for purpose, kind in (
            ("purchase", "purchase"), ("sale", "sale"), ("payment", "bank"), ("payroll", "general")
        ):  # fmt: skip
            name = f"grant_{purpose}_journal_id"
            self[name] = self[name] or self._find_journal(kind)
        if not self.grant_analytic_plan_id:
            self.grant_analytic_plan_id = self.env["account.analytic.plan"].create(
                {"name": self.env._("Grant Envelopes – %(city)s", city=self.name)}
            )
        self._set_up_treasury(self.grant_payment_journal_id)
        made = self.env["grant.account"]._create_missing(self)
        if not self.grant_own_cost_account_ids:
            costs, new = self.env["grant.account"]._find_own_cost_accounts(self)
            self.grant_own_cost_account_ids = costs
            made |= new
        return made

    def _get_grant_obstacles(self):
        obstacles = super()._get_grant_obstacles()
        if sentence := self._get_chart_obstacle():
            obstacles.append((sentence, "account.action_account_config"))
        return obstacles

    def _get_chart_obstacle(self):
        """Why orders and claims cannot be booked in this chart, or ``None``: it is that of another
        country, and can still be changed, or there is none. A city's own chart will do."""
        root = self.root_id
        chart = root.chart_template
        if chart and not chart.startswith("fr") and not root._existing_accounting():
            return self.env._(
                "Its chart of accounts is “%(chart)s”, which is not that of France: choose "
                "“France” in Settings > Invoicing > Fiscal Localization, and save, before the "
                "first journal item.",
                chart=dict(root._chart_template_selection()).get(chart, chart),
            )
        domain = self.env["account.account"]._check_company_domain(self)
        for side in ("liability_payable", "asset_receivable"):
            if not self.env["account.account"].search_count(
                [*domain, ("account_type", "=", side)], limit=1
            ):
                return self.env._(
                    "It has no chart of accounts (none is payable, or none receivable): choose "
                    "the French one in Settings > Invoicing > Fiscal Localization."
                )
        return None

    def _get_missing_grant_settings(self):
        """The labels of the journals that no setting names."""
        purposes = ("purchase", "sale", "payment", "payroll")
        names = [f"grant_{purpose}_journal_id" for purpose in purposes]
        return [self._fields[n]._description_string(self.env) for n in names if not self[n]]

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
