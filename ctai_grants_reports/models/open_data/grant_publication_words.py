from odoo import api, models
from odoo.tools import LazyTranslate

_lt = LazyTranslate(__name__)

# What our rules say of a cell (:mod:`.lib.open_data.rules`), and what to do.
PROBLEMS = {
    "cells": _lt("the line has not as many cells as columns."),
    "required": _lt("nothing is there."),
    "length": _lt("the text is too long."),
    "siret": _lt("this is no SIRET: 14 digits, the last one of which checks the others."),
    "one_of": _lt("neither SIRET nor RNA is there."),
    "rna": _lt("W and nine digits are expected."),
    "date": _lt("this is no day of the calendar, or too long ago."),
    "future": _lt("this day is still to come."),
    "period": _lt("these are no days of the calendar."),
    "order": _lt("the period ends before it begins."),
    "single": _lt("the payment is said to be a single one, and has a period."),
    "amount": _lt("this is no amount of euros."),
    "nothing": _lt("the amount is zero."),
    "share": _lt("a share is between 0.01 and 1."),
    "nature": _lt("the kind of aid is unknown."),
    "yes_no": _lt("“oui” or “non” is expected."),
    "year": _lt("this is no year."),
}
# Where nothing is: what gives the cell its value.
HINTS = {
    "idAttribuant": _lt("Enter the SIRET of the city on its contact."),
    "idBeneficiaire": _lt("Enter the SIRET of the operator."),
    "datesPeriodeVersement": _lt("Give each tranche a due date."),
}


class GrantPublication(models.Model):
    """What is wrong with lines of open data, in words."""

    _inherit = "grant.publication"

    @api.model
    def _say_problem(self, problem):
        sentence = self.env._(PROBLEMS[problem.code])
        if not problem.cell and problem.column in HINTS:
            sentence = f"{sentence} {self.env._(HINTS[problem.column])}"
        return self._say_cell(problem.column, problem.cell, sentence)

    @api.model
    def _say_cell(self, column, cell, sentence):
        """A sentence about a cell of a file, which may have no column, or say nothing."""
        about = {"column": column, "cell": cell, "sentence": sentence}
        if column and cell:
            return self.env._("%(column)s “%(cell)s”: %(sentence)s", **about)
        if cell:
            return self.env._("“%(cell)s”: %(sentence)s", **about)
        if column:
            return self.env._("%(column)s: %(sentence)s", **about)
        return sentence[:1].upper() + sentence[1:]

    @api.model
    def _say_wrong(self, wrong):
        """Lines with errors, one a row.

        :param wrong: list of (line, sentences), as :meth:`_prepare` gives them
        """
        return "\n".join(
            f"• {self._name_line(line)}: {' '.join(sentences)}" for line, sentences in wrong
        )

    @api.model
    def _name_line(self, line):
        model, _comma, record_id = line["source"].partition(",")
        return self.env[model].browse(int(record_id)).display_name
