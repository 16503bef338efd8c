from odoo import fields, models


class GrantCriterion(models.Model):
    """What actions are evaluated by: one line of the city's grid."""

    _name = "grant.criterion"
    _description = "Evaluation Criterion"
    _inherit = ["grant.company.mixin", "grant.text.mixin"]
    _order = "sequence, id"

    name = fields.Char(required=True, translate=True)
    description = fields.Text(
        string="What to Look At", translate=True, help="Shown beside the mark to give."
    )
    weight = fields.Integer(
        required=True, default=1, aggregator=None, help="How much it counts in the total."
    )
    most = fields.Integer(
        string="Highest Mark", required=True, default=4, aggregator=None,
        help="Marks go from 0 to this one.",
    )  # fmt: skip
    sequence = fields.Integer(default=10)
    company_id = fields.Many2one(
        "res.company", string="City", ondelete="restrict", help="Empty: of every city."
    )
    active = fields.Boolean(default=True)

    _bounds = models.Constraint(
        "CHECK (weight BETWEEN 1 AND 100 AND most BETWEEN 1 AND 100)",
        "The weight and the highest mark of a criterion go from 1 to 100.",
    )
