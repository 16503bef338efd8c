from odoo import fields, models


class GrantDeliverableType(models.Model):
    """A kind of required piece: bank details, activity report, financial report..."""

    _name = "grant.deliverable.type"
    _description = "Type of Piece"
    _order = "sequence, name"

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    sequence = fields.Integer(default=10)
    instructions = fields.Text(
        translate=True, help="Shown to the operator beside the upload button."
    )
    for_prefecture = fields.Boolean(
        string="Shown to the Prefecture",
        default=True,
        help="The prefecture may download the version that was accepted.",
    )
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "There is already a type of piece with this code.")
