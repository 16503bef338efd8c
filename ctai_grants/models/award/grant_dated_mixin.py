from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date


class GrantDatedMixin(models.AbstractModel):
    """A document with dates of acts that the law puts in order: none before the one that it needs,
    and none that is still to come."""

    _name = "grant.dated.mixin"
    _description = "Legal Dates"

    # Rows of names of date fields, each row in the order in which the acts follow each other.
    _legal_orders = ()
    # What follows no other.
    _legal_others = ()

    @api.model
    def _get_legal_dates(self):
        """Names of the fields that say on what day something was done that counts in law."""
        names = [*(name for order in self._legal_orders for name in order), *self._legal_others]
        return list(dict.fromkeys(names))

    @api.constrains(lambda self: self._get_legal_dates())
    def _check_legal_dates(self):
        """Refuse legal dates in the future of the city's day, or out of order.

        :raise ValidationError: naming the document and the dates
        """
        for document in self:
            document._check_no_future()
            for order in self._legal_orders:
                filled = [name for name in order if document[name]]
                for before, after in zip(filled, filled[1:], strict=False):
                    document._check_order(before, after)

    def _check_no_future(self):
        today = (self.company_id or self.env.company)._grant_today()
        for name in self._get_legal_dates():
            if self[name] and self[name] > today:
                raise ValidationError(
                    self.env._(
                        "%(document)s: “%(field)s” is %(day)s, and today is %(today)s. Enter the "
                        "day on which it was done, once it is done.",
                        document=self.display_name,
                        field=self._fields[name]._description_string(self.env),
                        day=format_date(self.env, self[name]),
                        today=format_date(self.env, today),
                    )
                )

    def _check_order(self, before, after):
        if self[after] < self[before]:
            raise ValidationError(
                self.env._(
                    "%(document)s: “%(after)s” (%(later)s) comes before “%(before)s” "
                    "(%(earlier)s). Correct the one that is wrong.",
                    document=self.display_name,
                    after=self._fields[after]._description_string(self.env),
                    later=format_date(self.env, self[after]),
                    before=self._fields[before]._description_string(self.env),
                    earlier=format_date(self.env, self[before]),
                )
            )
