import re

from odoo import api, fields, models
from odoo.exceptions import ValidationError


class GrantSubsidy(models.Model):
    """Where a subsidy stands in the budget that the council voted, and in the city's finance
    software."""

    _inherit = "grant.subsidy"

    budget_chapter = fields.Char(tracking=True, help="Chapter of the voted budget, like 65.")
    budget_function = fields.Char(
        tracking=True,
        help="Functional code of the nomenclature (M57), in digits; the treasury gets it with "
        "each order.",
    )
    budget_service = fields.Char(
        string="Managing Service",
        tracking=True,
        help="Code of the service that manages this money, ten characters at most; the treasury "
        "gets it with each order.",
    )
    engagement_number = fields.Char(
        copy=False,
        tracking=True,
        help="Number of the accounting commitment (engagement) in the city's finance software.",
    )

    @api.constrains("budget_function", "budget_service")
    def _check_budget_codes(self):
        for subsidy in self:
            function, service = subsidy.budget_function, subsidy.budget_service
            if function and not re.fullmatch(r"[0-9]{1,10}", function):
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: “%(code)s” is no functional code: enter its digits, ten at "
                        "most, without spaces or points.",
                        subsidy=subsidy.display_name,
                        code=function,
                    )
                )
            if service and len(service) > 10:
                raise ValidationError(
                    self.env._(
                        "%(subsidy)s: “%(code)s” is too long for the code of a service: ten "
                        "characters at most.",
                        subsidy=subsidy.display_name,
                        code=service,
                    )
                )
