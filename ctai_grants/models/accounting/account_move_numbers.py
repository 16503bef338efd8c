from odoo import api, models
from odoo.exceptions import ValidationError
from odoo.tools import format_date


class AccountMove(models.Model):
    """The numbers of our entries: which one the treasury is told, and an entry of another year that
    blocks them: named, with what to do."""

    _inherit = "account.move"

    @api.constrains("name", "date")
    def _constrains_date_sequence(self):
        """Odoo numbers a year after the highest of the entries that are dated of it: a draft that
        was numbered in another year, and dated back since, gives its number on.

        :raise ValidationError: naming the draft and the journal
        """
        try:
            return super()._constrains_date_sequence()
        except ValidationError as refusal:
            if not (blocking := self._find_misnumbered()):
                raise
            raise ValidationError(
                self.env._(
                    "%(draft)s is a draft dated %(date)s, and has a number of another year: no "
                    "entry of journal “%(journal)s” is numbered in %(year)s because of it. Date "
                    "that draft of the year of its number, or empty its number, and try again.",
                    draft=blocking.name,
                    date=format_date(self.env, blocking.date),
                    journal=blocking.journal_id.display_name,
                    year=blocking.date.year,
                )
            ) from refusal

    def _get_grant_number(self):
        """The number of this claim, or reduction of an order, for the treasury: once in a year.

        Odoo's journals of bills begin anew each month: the month goes before the number, seven
        digits in all, as many as the treasury takes.
        """
        if "month" in self._deduce_sequence_number_reset(self.name):
            return self.date.month * 100_000 + self.sequence_number
        return self.sequence_number

    def _find_misnumbered(self):
        """A draft of the same journal and year as one of these, whose number is of another."""
        for move in self.filtered("date"):
            year = move.date.year
            # sudo: named whoever may see it, it blocks all of the journal
            drafts = self.sudo().search(
                [
                    ("journal_id", "=", move.journal_id.id), ("state", "=", "draft"),
                    ("name", "not in", (False, "/")),
                    ("date", ">=", f"{year}-01-01"), ("date", "<=", f"{year}-12-31"),
                ]
            )  # fmt: skip
            for draft in drafts:
                if not draft._sequence_matches_date():
                    return draft
        return self.browse()
