from odoo import fields, models

from ...lib.treasury.pes_return import is_number


class ResCompany(models.Model):
    _inherit = "res.company"

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
    _grant_pes_formats = models.Constraint(
        "CHECK (grant_pes_post ~ '^(\\d{6,7}|02[AB]\\d{3,4})$' "
        "AND grant_pes_entity ~ '^[0-9A-Z]{3}$' AND grant_pes_budget ~ '^[0-9A-Z]{2}$')",
        "Treasury: the accounting post has 6 or 7 digits, the entity code 3 characters, the budget "
        "code 2.",
    )

    def _has_answered_budget(self, answers):
        """Whether this company is the budget that the treasury answers: budgets of a city may have
        one SIRET, and number their orders each for itself.

        :param answers: of :func:`ctai_grants.lib.treasury.pes_return.read_answers`
        """
        self.ensure_one()
        if answers.siret not in self.partner_id._get_sirets_ever():
            return False
        said = ((answers.entity, self.grant_pes_entity), (answers.budget, self.grant_pes_budget))
        return all(is_number(theirs, ours) for theirs, ours in said if theirs and ours)
