from odoo import api, fields, models
from odoo.exceptions import ValidationError

from ..proof.grant_schedule_template import BASES
from .grant_disbursement import KINDS


class GrantScheduleTranche(models.Model):
    """A tranche that a schedule template foresees."""

    _name = "grant.schedule.tranche"
    _description = "Schedule Template Tranche"
    _inherit = ["grant.money.mixin"]
    _order = "template_id, sequence, id"

    template_id = fields.Many2one(
        "grant.schedule.template", required=True, ondelete="cascade", index=True
    )
    sequence = fields.Integer(default=10)
    name = fields.Char(required=True, translate=True)
    kind = fields.Selection(KINDS, required=True, default="advance")
    percentage = fields.Float(required=True, digits=(5, 2))
    date_base = fields.Selection(BASES, string="Counted From", required=True, default="signature")
    months = fields.Integer(help="Months after that date.")
    deliverable_ids = fields.Many2many(
        "grant.schedule.deliverable",
        string="Conditions",
        domain="[('template_id', '=', template_id)]",
    )

    _percentage_range = models.Constraint(
        "CHECK (percentage > 0 AND percentage <= 100)",
        "The share of a tranche is above 0 and at most 100 %.",
    )

    @api.constrains("percentage", "template_id")
    def _check_total(self):
        for template in self.template_id:
            # A sum of floats, which may pass 100 by its last bits.
            if round(sum(template.tranche_ids.mapped("percentage")), 2) > 100:
                raise ValidationError(
                    self.env._(
                        "Template “%(template)s”: the tranches exceed 100 %%.",
                        template=template.name,
                    )
                )

    @api.constrains("deliverable_ids", "template_id")
    def _check_deliverables(self):
        for tranche in self:
            if tranche.deliverable_ids.template_id - tranche.template_id:
                raise ValidationError(
                    self.env._(
                        "Tranche “%(tranche)s” depends on a piece of another template.",
                        tranche=tranche.name,
                    )
                )
