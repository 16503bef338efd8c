from odoo import fields, models


class GrantAudience(models.Model):
    """Whom the money is for. A kind of public, never persons (R9)."""

    _name = "grant.audience"
    _description = "Grant Audience"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    description = fields.Text(translate=True)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "There is already an audience with this code.")
