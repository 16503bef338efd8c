from odoo import fields, models


class ResCompany(models.Model):
    """What operators may ask this city for on the portal."""

    _inherit = "res.company"

    grant_asks_dates = fields.Boolean(string="New Dates", default=True)
    grant_asks_split = fields.Boolean(string="Another Split of the Budget", default=True)
    grant_asks_action = fields.Boolean(string="Another Action")
    grant_asks_tranche = fields.Boolean(string="The Next Tranche", default=True)
    grant_asks_question = fields.Boolean(string="A Question about a Piece", default=True)
