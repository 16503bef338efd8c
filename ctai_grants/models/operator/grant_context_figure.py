from odoo import fields, models


class GrantContextFigure(models.Model):
    """A public figure that a contract is read beside: people protected in the department, say.
    Somebody else's, with its source; no operator tells it."""

    _name = "grant.context.figure"
    _description = "Context Figure"
    _inherit = ["grant.company.mixin", "grant.money.mixin"]
    _order = "contract_id, date desc, id"

    contract_id = fields.Many2one("grant.contract", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="contract_id.company_id", store=True)
    name = fields.Char(required=True, translate=True)
    value = fields.Float(digits=(16, 2), required=True, aggregator=None)
    date = fields.Date(required=True, help="The day, or the last day of the year, that it is of.")
    source = fields.Char(required=True, help="Who published it, and where.")

    _value_range = models.Constraint(
        "CHECK (value >= 0 AND value < 1000000000)", "A figure is a number, zero or more."
    )

    def _format_value(self):
        """The figure as a reader writes it."""
        self.ensure_one()
        # sudo: languages are nobody's secret
        language = self.env["res.lang"].sudo()._lang_get(self.env.lang or "en_US")
        is_whole = self.value == int(self.value)
        return language.format("%.0f" if is_whole else "%.2f", self.value, grouping=True)
