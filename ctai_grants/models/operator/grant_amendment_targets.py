from odoo import api, fields, models

from ...lib.operator.periods import split
from ..change.grant_amendment import LINE_FIELDS
from ..change.grant_amendment_line import ITEM_FIELDS
from ..guard.obstacle import Obstacle

TARGET = "grant.indicator.target"
# An amendment says how much is hoped for now. What is asked for stays: figures that are told
# already would have no place any more.
ITEM_FIELDS[TARGET] = {"amount": "target"}
LINE_FIELDS[TARGET] = "target_line_ids"


class GrantAmendment(models.Model):
    """Amendments to the targets of a subsidy."""

    _inherit = "grant.amendment"

    target_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Targets",
        domain=[("item_model", "=", TARGET)],
    )  # fmt: skip

    @api.depends("target_line_ids")
    def _compute_summary(self):
        return super()._compute_summary()

    @api.depends("target_line_ids.name", "target_line_ids.amount")
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_items(self):
        items = super()._get_items()
        return [*items, self.subsidy_id.indicator_target_ids] if self.subsidy_id else items

    def _get_line_obstacles(self):
        obstacles = super()._get_line_obstacles() + self._get_lost_figures()
        added = self.target_line_ids.filtered(lambda line: not line.item_id)
        return obstacles + [
            self._blame(
                line,
                self.env._(
                    "%(item)s: an amendment changes a target, and adds none. Take the line out.",
                    item=line._get_label(),
                ),
            )
            for line in added
        ]

    def _get_lost_figures(self):
        """Sentences on the figures that are told for a period which the subsidy would not have any
        more: they would count on, and nobody could correct them."""
        # sudo: what was told, whoever may read the amendment
        lines, lost = self.subsidy_id.sudo().indicator_target_ids, []
        for line in lines:
            kept = {period.code for period in split(self.date_start, self.date_end, line.frequency)}
            gone = line._get_periods().keys() - kept
            told = [value for (_line, code), value in line._get_current().items() if code in gone]
            lost += sorted(told, key=lambda value: value.date_start)
        return [
            Obstacle(
                self.env._(
                    "A figure is told for a period that it takes away (%(figure)s): empty that "
                    "figure first, or leave the period.",
                    figure=value.display_name,
                ),
                value,
            )
            for value in lost
        ]


class GrantAmendmentLine(models.Model):
    """What an amendment makes of a target."""

    _inherit = "grant.amendment.line"

    item_model = fields.Selection(selection_add=[(TARGET, "Target")], ondelete={TARGET: "cascade"})

    @api.model
    def _read_item(self, item):
        if item._name != TARGET:
            return super()._read_item(item)
        return {"name": item.display_name, "amount": item.target, "date": False}

    def _format(self, name, value):
        if name == "amount" and self.item_model == TARGET:
            # No euros.
            return self._get_item().indicator_id._format(value)
        return super()._format(name, value)
