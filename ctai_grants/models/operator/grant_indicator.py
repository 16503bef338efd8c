from odoo import api, fields, models
from odoo.exceptions import UserError

KINDS = [("count", "Whole number"), ("number", "Decimal number"), ("percent", "Percentage")]
AGGREGATIONS = [
    ("sum", "Sum"), ("max", "Largest"), ("latest", "Latest"), ("average", "Weighted average"),
]  # fmt: skip
FREQUENCIES = [
    ("once", "Once, for the whole subsidy"), ("year", "Every year"), ("half", "Every half-year"),
    ("quarter", "Every quarter"), ("month", "Every month"),
]  # fmt: skip


class GrantIndicator(models.Model):
    """What operators count: never whom (R9). One definition for all subsidies of all contracts, so
    that their figures can be put together."""

    _name = "grant.indicator"
    _description = "Indicator"
    _order = "sequence, code, id"
    _rec_names_search = ["name", "code"]

    name = fields.Char(required=True, translate=True)
    code = fields.Char(required=True)
    description = fields.Text(
        string="How to Count", translate=True, help="What operators read beside the field."
    )
    kind = fields.Selection(KINDS, required=True, default="count")
    unit = fields.Char(
        translate=True, help="What is counted: people, sessions, hours… Of a percentage: of what."
    )
    theme_id = fields.Many2one("grant.theme", ondelete="restrict", index=True)
    audience_ids = fields.Many2many(
        "grant.audience", string="Of Which", ondelete="restrict",
        help="Audiences that the figure may also be asked for, as a part of all: of which women. "
        "Empty: any.",
    )  # fmt: skip
    aggregation = fields.Selection(
        AGGREGATIONS, required=True, default="sum",
        help="How the figures of several periods become one. Sum: what happens each time "
        "(sessions). Latest: where it stands (people since the beginning). Largest: a peak. "
        "Weighted average: a percentage or a mark, each by how many it is of.",
    )  # fmt: skip
    is_counted_once = fields.Boolean(
        string="People Counted Once",
        help="The same person may be in several actions, so figures of several actions or "
        "operators are not added up: of all of them, only the largest is told (“at least”).",
    )
    frequency = fields.Selection(FREQUENCIES, string="Reported", required=True, default="once")
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True)

    _code_uniq = models.UniqueIndex("(code)", "There is already an indicator with this code.")
    _percent_average = models.Constraint(
        "CHECK (kind <> 'percent' OR aggregation = 'average')",
        "Percentages are neither added up nor taken as they stand last: they are averaged, each "
        "weighted by how many it is of.",
    )
    _counted_once = models.Constraint(
        "CHECK (NOT COALESCE(is_counted_once, FALSE) "
        "OR (kind = 'count' AND aggregation IN ('max', 'latest')))",
        "People counted once are not added up from period to period either: choose “Latest” "
        "(people since the beginning) or “Largest”, of a whole number.",
    )

    @api.depends("name", "unit")
    def _compute_display_name(self):
        for indicator in self:
            name, unit = indicator.name or "", indicator.unit or ""
            said = unit.casefold() in name.casefold()
            indicator.display_name = name if said else f"{name} ({unit})"

    @api.onchange("kind")
    def _onchange_kind(self):
        if self.kind == "percent":
            self.aggregation = "average"
        if self.kind != "count":
            self.is_counted_once = False

    def write(self, vals):
        for name in {"kind", "aggregation", "is_counted_once"}.intersection(vals):
            for indicator in self:
                if indicator[name] != vals[name] and indicator._is_used():
                    raise UserError(
                        self.env._(
                            "“%(indicator)s”: signed subsidies tell this figure as it is defined. "
                            "Nothing was changed: archive it and make another one.",
                            indicator=indicator.name,
                        )
                    )
        return super().write(vals)

    def _is_used(self):
        """Whether it is part of what was signed, for whatever city."""
        self.ensure_one()
        # sudo: a definition is all cities'
        targets = self.env["grant.indicator.target"].sudo()
        signed = ("subsidy_id.state", "not in", ("draft", "granted"))
        return bool(targets.search_count([("indicator_id", "=", self.id), signed], limit=1))

    @api.constrains("audience_ids")
    def _check_audiences(self):
        # sudo: as above
        targets = self.env["grant.indicator.target"].sudo().search(
            [("indicator_id", "in", self.ids), ("audience_id", "!=", False)]
        )  # fmt: skip
        targets._check_audience()

    def _get_weighted(self):
        """Whether a figure says little without how many it is of."""
        self.ensure_one()
        return self.aggregation == "average"

    def _format(self, value):
        """A figure as a reader writes it, without its unit unless that is per cent."""
        self.ensure_one()
        # sudo: languages are nobody's secret
        language = self.env["res.lang"].sudo()._lang_get(self.env.lang or "en_US")
        text = language.format("%.2f" if value != int(value) else "%.0f", value, grouping=True)
        return self.env._("%(number)s %%", number=text) if self.kind == "percent" else text
