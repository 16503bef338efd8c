from odoo import fields, models


class GrantTheme(models.Model):
    """What an action is about: housing, health, language, employment..."""

    _name = "grant.theme"
    _description = "Grant Theme"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    sequence = fields.Integer(default=10)
    color = fields.Integer(string="Colour")
    active = fields.Boolean(default=True)

    _name_uniq = models.UniqueIndex("(name)", "There is already a theme with this name.")
