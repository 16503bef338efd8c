from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GrantOperatorYear(models.Model):
    """What is known of an organisation's own budget in a year, and when its certified accounts of
    that year came in: above half of its budget, or 75 000 €, the city annexes them to its own
    (CGCT L2313-1)."""

    _name = "grant.operator.year"
    _description = "Budget of an Organisation"
    _inherit = ["grant.document.mixin"]
    _order = "year desc, partner_id"
    _rec_name = "year"
    _check_company_auto = True

    partner_id = fields.Many2one(
        "res.partner", string="Operator", required=True, ondelete="restrict", index=True,
        domain="[('is_company', '=', True)]", check_company=True,
    )  # fmt: skip
    company_id = fields.Many2one(
        "res.company", required=True, default=lambda self: self.env.company, ondelete="restrict"
    )
    currency_id = fields.Many2one(related="company_id.currency_id")
    year = fields.Integer(required=True, aggregator=None, help="Budget year of the city.")
    income = fields.Monetary(
        string="Budget",
        help="Total income of the organisation in that year, as in its accounts or its budget.",
    )
    source = fields.Char(help="Where that figure was read: accounts of 2021, budget voted.")
    accounts_date = fields.Date(
        string="Certified Accounts Received On",
        help="Handed in otherwise than on the portal. What was accepted there is known already.",
    )

    _once = models.UniqueIndex(
        "(company_id, partner_id, year)", "The budget of this organisation is entered already."
    )
    _year_of_four = models.Constraint(
        "CHECK (year BETWEEN 2000 AND 2999)", "Enter the year in four digits."
    )
    _income_positive = models.Constraint(
        "CHECK (income >= 0 AND income < 1e12)", "The budget of an organisation is not negative."
    )

    @api.constrains("accounts_date")
    def _check_accounts_date(self):
        for known in self:
            if known.accounts_date and known.accounts_date > known.company_id._grant_today():
                raise ValidationError(
                    self.env._(
                        "%(operator)s: accounts cannot have come in on a day after today.",
                        operator=known.partner_id.display_name,
                    )
                )
