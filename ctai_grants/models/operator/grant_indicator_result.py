from odoo import api, fields, models
from odoo.tools import SQL

from .grant_indicator import AGGREGATIONS, KINDS

FIGURES = ("value", "target", "rate")


class GrantIndicatorResult(models.Model):
    """Where each figure that a convention asks for stands: its periods as one, beside its
    target."""

    _name = "grant.indicator.result"
    _description = "Result of an Indicator"
    _auto = False
    _order = "contract_id, indicator_id, subsidy_id, id"
    _rec_name = "target_id"

    target_id = fields.Many2one("grant.indicator.target", string="Asked For", readonly=True)
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    indicator_id = fields.Many2one("grant.indicator", readonly=True)
    theme_id = fields.Many2one("grant.theme", readonly=True)
    action_id = fields.Many2one("grant.action", readonly=True)
    audience_id = fields.Many2one("grant.audience", string="Of Which", readonly=True)
    kind = fields.Selection(KINDS, readonly=True)
    aggregation = fields.Selection(AGGREGATIONS, string="Periods Put Together", readonly=True)
    together = fields.Selection(
        [("sum", "Sum"), ("average", "Weighted average"), ("max", "Largest (at least)")],
        string="Operators Put Together", readonly=True,
    )  # fmt: skip
    target = fields.Float(digits=(16, 2), readonly=True)
    value = fields.Float(digits=(16, 2), readonly=True)
    base = fields.Integer(string="Of How Many", readonly=True, aggregator=None)
    rate = fields.Float(
        string="Reached (%)", digits=(16, 1), readonly=True, help="The figure, of its target."
    )
    is_told = fields.Boolean(string="Reported", readonly=True)
    last_date = fields.Date(string="Told up to", readonly=True, aggregator="max")

    @property
    def _table_query(self):
        return SQL(
            """SELECT result.*,
                      CASE WHEN target > 0 AND is_told THEN 100 * value / target END AS rate
                 FROM (SELECT line.id, line.id AS target_id, line.subsidy_id, line.contract_id,
                              subsidy.envelope_id, line.partner_id, line.company_id,
                              line.indicator_id, indicator.theme_id, line.action_id,
                              line.audience_id, indicator.kind, indicator.aggregation, line.target,
                              CASE WHEN indicator.aggregation = 'average' THEN 'average'
                                   WHEN indicator.is_counted_once THEN 'max'
                                   WHEN indicator.aggregation = 'max' THEN 'max'
                                   ELSE 'sum' END AS together,
                              CASE indicator.aggregation
                                   WHEN 'sum' THEN told.total WHEN 'max' THEN told.largest
                                   WHEN 'latest' THEN told.latest ELSE told.average END AS value,
                              CASE indicator.aggregation
                                   WHEN 'average' THEN told.base END AS base,
                              told.last_date, told.last_date IS NOT NULL AS is_told
                         FROM grant_indicator_target line
                         JOIN grant_indicator indicator ON indicator.id = line.indicator_id
                         JOIN grant_subsidy subsidy ON subsidy.id = line.subsidy_id
                          AND subsidy.state IN ('signed', 'closed')
                         LEFT JOIN LATERAL (
                                  SELECT SUM(value) AS total, MAX(value) AS largest,
                                         (array_agg(value ORDER BY date_end DESC))[1] AS latest,
                                         SUM(value * base) / NULLIF(SUM(base), 0) AS average,
                                         SUM(base) AS base, MAX(date_end) AS last_date
                                    FROM grant_indicator_value value
                                   WHERE value.target_id = line.id AND value.id IN %s) told
                           ON TRUE) result""",
            self.env["grant.indicator.value"]._select_current(),
        )

    def _read_group_select(self, aggregate_spec, query):
        name, _separator, function = aggregate_spec.partition(":")
        if name not in FIGURES or function not in ("sum", "avg"):
            return super()._read_group_select(aggregate_spec, query)
        # Asks whether these may be read.
        columns = {
            other: self._field_to_sql(self._table, other, query)
            for other in (*FIGURES, "base", "together", "indicator_id", "audience_id")
        }
        value, target = (self._put_together(columns, name) for name in ("value", "target"))
        if name != "rate":
            return value if name == "value" else target
        return SQL(
            """CASE WHEN COUNT(*) = 1 THEN MAX(%s)
                    WHEN MIN(%s) <> 'max' THEN 100 * %s / NULLIF(%s, 0) END""",
            columns["rate"], columns["together"], value, target,
        )  # fmt: skip

    @api.model
    def _put_together(self, columns, name):
        """SQL of what several lines come to: written here once, for lists, pivots, graphs and the
        prefecture's page. NULL of several indicators; a part (of which women) is not added to the
        whole that it is a part of; of people counted once, so many at least."""

        def come_to(rows):
            return SQL(
                """CASE MIN(%(together)s)
                        WHEN 'sum' THEN SUM(%(value)s) %(rows)s
                        WHEN 'max' THEN MAX(%(value)s) %(rows)s
                        ELSE %(average)s END""",
                together=columns["together"], value=columns[name], rows=rows,
                average=SQL("AVG(%s) %s", columns[name], rows) if name == "target" else SQL(
                    "SUM(%(value)s * %(base)s) %(rows)s / NULLIF(SUM(%(base)s) %(rows)s, 0)",
                    value=columns[name], base=columns["base"], rows=rows,
                ),
            )  # fmt: skip

        audience = columns["audience_id"]
        return SQL(
            """CASE WHEN COUNT(DISTINCT %s) > 1 THEN NULL
                    WHEN COUNT(DISTINCT COALESCE(%s, 0)) = 1 THEN %s ELSE %s END""",
            columns["indicator_id"], audience, come_to(SQL()),
            come_to(SQL("FILTER (WHERE %s IS NULL)", audience)),
        )  # fmt: skip
