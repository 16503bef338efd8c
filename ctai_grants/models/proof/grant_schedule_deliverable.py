from odoo import api, fields, models

from .grant_schedule_template import BASES


class GrantScheduleDeliverable(models.Model):
    """A piece that a schedule template requires."""

    _name = "grant.schedule.deliverable"
    _description = "Schedule Template Piece"
    _order = "template_id, sequence, id"

    template_id = fields.Many2one(
        "grant.schedule.template", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    milestone = fields.Char(required=True, translate=True)
    type_id = fields.Many2one("grant.deliverable.type", required=True, ondelete="restrict")
    name = fields.Char(translate=True, help="Left empty: the name of the type.")
    date_base = fields.Selection(BASES, string="Counted From", required=True, default="signature")
    months = fields.Integer(help="Months after that date.")

    @api.depends("name", "type_id")
    def _compute_display_name(self):
        for line in self:
            line.display_name = line.name or line.type_id.name
