from odoo import api, fields, models
from odoo.exceptions import UserError

#: The headings of the form, and their side; those without a number have none in the form.
HEADINGS = [
    ("direct", "Charges of the action, all together"),
    ("60", "60 Purchases"),
    ("61", "61 External services"),
    ("62", "62 Other external services"),
    ("63", "63 Taxes"),
    ("64", "64 Staff"),
    ("65", "65 Other running charges"),
    ("66", "66 Financial charges"),
    ("67", "67 Exceptional charges"),
    ("68", "68 Depreciation and provisions"),
    ("69", "69 Income tax, profit sharing"),
    ("ind", "Indirect charges given to the action"),
    ("86", "86 Use of contributions in kind"),
    ("70", "70 Sales of goods and services"),
    ("73", "73 Allocations and set prices"),
    ("74", "74 Subsidies"),
    ("75", "75 Other running income"),
    ("76", "76 Financial income"),
    ("77", "77 Exceptional income"),
    ("78", "78 Provisions taken back"),
    ("79", "79 Charges transferred"),
    ("others", "Other income, all together"),
    ("own", "Own resources given to the action"),
    ("87", "87 Contributions in kind"),
]
INCOME = {"70", "73", "74", "75", "76", "77", "78", "79", "others", "own", "87"}
IN_KIND = {"86", "87"}


class GrantBudgetAccount(models.Model):
    """A line of the budget of an action, as the State's forms have it (Cerfa 12156 and 15059, the
    same lines): what budgets are made of, and financial reports."""

    _name = "grant.budget.account"
    _description = "Budget Account"
    _order = "sequence, id"
    _rec_names_search = ["code", "name"]

    code = fields.Char(required=True, help="As the State's forms name it; files are read by it.")
    name = fields.Char(required=True, translate=True)
    heading = fields.Selection(HEADINGS, required=True)
    side = fields.Selection(
        [("expense", "Charges"), ("income", "Income")],
        compute="_compute_side", store=True, precompute=True,
    )  # fmt: skip
    in_kind = fields.Boolean(compute="_compute_side", store=True, precompute=True)
    is_balancing = fields.Boolean(
        string="Balances the Budget",
        help="The surplus foreseen, or the operator's own money: it makes both sides equal, and is "
        "neither spent nor received. Left out of what is due.",
    )
    is_total = fields.Boolean(
        string="Stands for Several",
        help="A line of the short form, for which a small association adds up several of these.",
    )
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "There is already a budget account with this code.")

    _balances_own = models.Constraint(
        "CHECK (side <> 'income' OR COALESCE(is_balancing, FALSE) = (heading = 'own'))",
        "Of the income, the operator's own resources balance the budget, and nothing else.",
    )

    @api.depends("heading")
    def _compute_side(self):
        for account in self:
            account.side = "income" if account.heading in INCOME else "expense"
            account.in_kind = account.heading in IN_KIND

    @api.depends("code", "name")
    def _compute_display_name(self):
        for account in self:
            number = account._get_number()
            account.display_name = f"{number} {account.name}" if number else account.name

    def _get_number(self):
        """The number that accountants know, or nothing: the form has codes of its own, too."""
        self.ensure_one()
        return self.code if (self.code or "").isdigit() else ""

    def _has_funders(self):
        """Whether such lines say which funder they are of, one line each."""
        self.ensure_one()
        return self.heading == "74"

    def write(self, vals):
        # What budgets and reports say follows them, those that were signed and accepted too.
        changed = [
            account
            for account in self
            for name in ("code", "heading", "is_balancing", "is_total")
            if name in vals and vals[name] != account[name]
        ]
        if changed and (used := self.browse(account.id for account in changed)._get_used()):
            raise UserError(
                self.env._(
                    "%s: budgets or reports have it already. Archive it, and add another.",
                    ", ".join(used.mapped("display_name")),
                )
            )
        return super().write(vals)

    def _get_used(self):
        """Those that a budget or a report has a line of, of whatever city."""
        domain = [("account_id", "in", self.ids)]
        # sudo: whether there is one, whoever may read it
        lines = [self.env[name].sudo() for name in ("grant.budget.line", "grant.report.line")]
        return self.browse().union(*(model.search(domain).account_id for model in lines))
