from odoo import api, models
from odoo.exceptions import ValidationError

from ...lib.guard.money import LARGEST_AMOUNT, is_money, is_number

#: What each type of other numbers stays below: an integer is one of the database.
LARGEST = {"float": LARGEST_AMOUNT, "integer": 2**31}


class GrantMoneyMixin(models.AbstractModel):
    """Amounts are money: two decimals, nothing that is not a number, below a trillion. Other
    numbers are numbers: JSON and files carry “NaN” and “Infinity” as well."""

    _name = "grant.money.mixin"
    _description = "Amounts of Money"
    _inherit = ["grant.text.mixin"]

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            self._check_amounts(vals)
        return super().create(vals_list)

    def write(self, vals):
        self._check_amounts(vals)
        return super().write(vals)

    @api.model
    def _check_amounts(self, vals):
        """Refuse what is not an amount of money: no number, more than two decimals, too large.

        :raise ValidationError: naming the field and the value
        """
        for name, value in vals.items():
            field = self._fields.get(name)
            largest = field and LARGEST.get(field.type)
            if largest and not is_number(value, largest):
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s: %(value)s is no number that can be kept.",
                        field=field._description_string(self.env),
                        model=self._get_model_label(),
                        value=value,
                    )
                )
            # A name that is no field is for the ORM to refuse.
            if field and field.type == "monetary" and not is_money(value):
                raise ValidationError(
                    self.env._(
                        "“%(field)s” of %(model)s: %(value)s is not an amount of money, with two "
                        "decimals at most.",
                        field=field._description_string(self.env),
                        model=self._get_model_label(),
                        value=value,
                    )
                )
