import itertools

from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date

from ..guard.obstacle import Obstacle


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
            for sentence in document._get_legal_date_obstacles():
                raise ValidationError(sentence)

    def _get_legal_date_obstacles(self):
        """What is wrong with the legal dates of this document: a list of sentences."""
        today = (self.company_id or self.env.company)._grant_today()
        return [
            *(
                self._say_future(name, today)
                for name in self._get_legal_dates()
                if self[name] and self[name] > today
            ),
            *(
                self._say_disorder(before, after)
                for order in self._legal_orders
                for before, after in itertools.pairwise(name for name in order if self[name])
                if self[after] < self[before]
            ),
        ]

    def _say_future(self, name, today):
        sentence = self.env._(
            "%(document)s: “%(field)s” is %(day)s, and today is %(today)s. Enter the "
            "day on which it was done, once it is done.",
            document=self.display_name,
            field=self._fields[name]._description_string(self.env),
            day=format_date(self.env, self[name]),
            today=format_date(self.env, today),
        )
        return Obstacle(sentence, self, name)

    def _say_disorder(self, before, after):
        sentence = self.env._(
            "%(document)s: “%(after)s” (%(later)s) comes before “%(before)s” "
            "(%(earlier)s). Correct the one that is wrong.",
            document=self.display_name,
            after=self._fields[after]._description_string(self.env),
            later=format_date(self.env, self[after]),
            before=self._fields[before]._description_string(self.env),
            earlier=format_date(self.env, self[before]),
        )
        return Obstacle(sentence, self, after)
