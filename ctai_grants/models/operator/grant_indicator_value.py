from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL, format_date


class GrantIndicatorValue(models.Model):
    """A figure told for a period. Written once: a correction is another line, which takes its
    place, and the old one stays readable. No person is named (R9)."""

    _name = "grant.indicator.value"
    _description = "Figure of an Indicator"
    _inherit = ["grant.append.only.mixin"]
    _order = "entered_at desc, id desc"
    # Who told it, and when, are fields of its own.
    _log_access = False

    # Beside its line, so that lists and graphs read one table. Nothing of it changes once signed.
    _copied_fields = (
        "subsidy_id", "contract_id", "partner_id", "company_id", "indicator_id", "action_id",
        "audience_id",
    )  # fmt: skip

    target_id = fields.Many2one(
        "grant.indicator.target", string="Asked For", required=True, readonly=True,
        ondelete="restrict", index=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True
    )
    contract_id = fields.Many2one(
        "grant.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Operator", required=True, readonly=True, ondelete="restrict"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    indicator_id = fields.Many2one(
        "grant.indicator", required=True, readonly=True, ondelete="restrict", index=True
    )
    theme_id = fields.Many2one(related="indicator_id.theme_id")
    action_id = fields.Many2one("grant.action", readonly=True, ondelete="restrict")
    audience_id = fields.Many2one(
        "grant.audience", string="Of Which", readonly=True, ondelete="restrict"
    )
    period = fields.Char(required=True, readonly=True)
    date_start = fields.Date(string="From", required=True, readonly=True)
    date_end = fields.Date(string="To", required=True, readonly=True)
    number = fields.Integer(string="Version", required=True, readonly=True, aggregator=None)
    # Not added up here: how figures are put together, the indicator says (grant.indicator.result).
    value = fields.Float(digits=(16, 2), readonly=True, aggregator=None)
    base = fields.Integer(
        string="Of How Many", readonly=True, aggregator=None,
        help="Of a percentage or a mark: how many people answered or were counted.",
    )  # fmt: skip
    is_withdrawn = fields.Boolean(string="Withdrawn", readonly=True)
    comment = fields.Text(readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Entered By", required=True, readonly=True, ondelete="restrict"
    )
    entered_at = fields.Datetime(string="Entered On", required=True, readonly=True)
    is_current = fields.Boolean(
        string="Counts", compute="_compute_is_current", search="_search_is_current"
    )

    _version_uniq = models.UniqueIndex(
        "(target_id, period, number)", "This figure was told by somebody else at the same time."
    )
    _range = models.Constraint(
        "CHECK (value >= 0 AND value < 1000000000 AND base >= 0 AND number > 0)",
        "A figure is a number, zero or more.",
    )
    _period_order = models.Constraint(
        "CHECK (date_end >= date_start)", "A period cannot end before it starts."
    )

    @api.model
    def _get_chained_fields(self):
        return ["target_id"]

    @api.depends("target_id.display_name", "date_start", "date_end")
    def _compute_display_name(self):
        for value in self:
            value.display_name = self.env._(
                "%(line)s, %(start)s – %(end)s",
                line=value.target_id.display_name,
                start=format_date(self.env, value.date_start),
                end=format_date(self.env, value.date_end),
            )

    def _compute_is_current(self):
        current = self.search([("id", "in", self.ids), ("is_current", "=", True)])
        for value in self:
            value.is_current = value in current

    @api.model
    def _search_is_current(self, operator, value):
        if operator != "in":
            return NotImplemented
        return Domain.OR(
            Domain("id", "in" if is_current else "not in", self._select_current())
            for is_current in value
        )

    @api.model
    def _select_current(self):
        """SQL of the ids of the figures that count: the last one told for each period; in the
        context ``grant_figures_until``, a date: of the periods that ended by then."""
        until = self.env.context.get("grant_figures_until")
        return SQL(
            """(SELECT id FROM (SELECT DISTINCT ON (target_id, period) id, is_withdrawn
                                  FROM grant_indicator_value
                                 WHERE %s
                              ORDER BY target_id, period, number DESC) last
                 WHERE is_withdrawn IS NOT TRUE)""",
            SQL("date_end <= %s", until) if until else SQL("TRUE"),
        )

    @api.model
    def _prepare(self, target, period, number, **told):
        """Values of a line of the present user, now.

        :param target: the line of the convention (a record)
        :param period: a :class:`~..lib.operator.periods.Period`
        :param told: value, base, comment, is_withdrawn
        """
        return {
            "target_id": target.id,
            **{name: target[name].id for name in self._copied_fields},
            "period": period.code,
            "date_start": period.start,
            "date_end": period.end,
            "number": number,
            # sudo() in a caller keeps the user: the one who sent the form
            "user_id": self.env.uid,
            "entered_at": fields.Datetime.now(),
            **told,
        }
