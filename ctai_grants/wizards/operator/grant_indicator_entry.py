from odoo import Command, api, fields, models
from odoo.exceptions import UserError


class GrantIndicatorEntry(models.TransientModel):
    """Figures that an operator sent on paper, entered by the coordinator: all of them, or none."""

    _name = "grant.indicator.entry"
    _description = "Enter Figures"
    _inherit = ["grant.text.mixin"]

    subsidy_id = fields.Many2one("grant.subsidy", required=True, readonly=True)
    line_ids = fields.One2many("grant.indicator.entry.line", "entry_id", string="Figures")

    @api.model
    def default_get(self, names):
        """One line for each figure and period that has begun, with what was told."""
        values = super().default_get(names)
        subsidy = self.env["grant.subsidy"].browse(values.get("subsidy_id")).exists()
        if "line_ids" in names and subsidy:
            subsidy.check_access("read")
            rows = subsidy._get_figure_rows()
            values["line_ids"] = [
                Command.create({
                    "target_id": row["target"].id,
                    "period": row["period"].code,
                    "date_start": row["period"].start,
                    "date_end": row["period"].end,
                    "known": row["known"],
                    "is_told": bool(row["value"]),
                    "value": row["value"].value if row["value"] else 0.0,
                    "base": row["value"].base if row["value"] else 0,
                    "comment": row["value"].comment if row["value"] else False,
                })
                for row in rows
            ]  # fmt: skip
        return values

    def action_confirm(self):
        """Enter the figures of the lines that are ticked.

        :raise UserError: a figure that cannot be, or that somebody else entered meanwhile
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        self.subsidy_id._check_group("group_coordinator", self.env._("Entering figures"))
        errors = self.subsidy_id._enter_figures(
            [
                {
                    "target": line.target_id.sudo(),  # sudo: checked to be of the subsidy
                    "period": line.period,
                    "known": line.known,
                    "value": line.value if line.is_told else None,
                    "base": line.base if line.is_told else None,
                    "comment": line.comment,
                }
                for line in self.line_ids
            ]
        )
        if errors:
            raise UserError(
                "\n".join(
                    f"{target.display_name}, {code}: {sentence}"
                    for (target, code, _name), sentence in errors.items()
                )
            )
        return {"type": "ir.actions.act_window_close"}


class GrantIndicatorEntryLine(models.TransientModel):
    """A figure of one period."""

    _name = "grant.indicator.entry.line"
    _description = "Figure to Enter"
    _inherit = ["grant.money.mixin"]

    entry_id = fields.Many2one("grant.indicator.entry", required=True, ondelete="cascade")
    target_id = fields.Many2one("grant.indicator.target", required=True)
    is_weighted = fields.Boolean(compute="_compute_is_weighted")
    period = fields.Char(required=True)
    date_start = fields.Date(string="From")
    date_end = fields.Date(string="To")
    known = fields.Integer()
    is_told = fields.Boolean(string="Reported")
    value = fields.Float(string="Figure", digits=(16, 2))
    base = fields.Integer(string="Of How Many")
    comment = fields.Char(help="No names.")

    @api.depends("target_id")
    def _compute_is_weighted(self):
        for line in self:
            line.is_weighted = line.target_id.indicator_id._get_weighted()

    @api.onchange("value")
    def _onchange_value(self):
        self.is_told = self.is_told or bool(self.value)
