import datetime

from odoo import api, fields, models
from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ...lib.operator.figures import get_fault
from ...lib.operator.periods import MONTHS, split
from .grant_indicator import FREQUENCIES

#: How long figures that were never told are asked for.
YEARS = 3


class GrantIndicatorTarget(models.Model):
    """A figure that a convention asks for, and how large it is hoped to be. Part of what is signed:
    afterwards an amendment changes the target, and nothing else."""

    _name = "grant.indicator.target"
    _description = "Target of an Indicator"
    _inherit = ["grant.signed.line.mixin"]
    _order = "subsidy_id, sequence, id"
    _check_company_auto = True
    _signed_fields = frozenset(
        {"subsidy_id", "indicator_id", "action_id", "audience_id", "frequency", "target"}
    )

    sequence = fields.Integer(default=10)
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('kind', '=', 'operator')]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    indicator_id = fields.Many2one(
        "grant.indicator", required=True, ondelete="restrict", index=True
    )
    action_id = fields.Many2one(
        "grant.action", ondelete="restrict", index="btree_not_null",
        domain="[('subsidy_id', '=', subsidy_id)]", help="Empty: of the whole subsidy.",
    )  # fmt: skip
    audience_id = fields.Many2one(
        "grant.audience", string="Of Which", ondelete="restrict",
        help="Empty: everybody that the action is for. Else a part of them, asked for beside the "
        "line of everybody.",
    )  # fmt: skip
    frequency = fields.Selection(
        FREQUENCIES, string="Reported", required=True, compute="_compute_frequency", store=True,
        readonly=False, precompute=True,
    )  # fmt: skip
    target = fields.Float(digits=(16, 2), amendable=True, help="Zero: told, without a target.")
    value_ids = fields.One2many("grant.indicator.value", "target_id", string="Figures")

    _target_range = models.Constraint(
        # What is no number is above all numbers.
        "CHECK (target >= 0 AND target < 1000000000)",
        "A target is a number, zero or more.",
    )
    _line_uniq = models.UniqueIndex(
        "(subsidy_id, indicator_id, COALESCE(action_id, 0), COALESCE(audience_id, 0))",
        "This figure is asked for already: of this subsidy, this action and this audience.",
    )

    @api.depends("indicator_id")
    def _compute_frequency(self):
        for line in self:
            line.frequency = line.indicator_id.frequency or "once"

    @api.depends("indicator_id.display_name", "audience_id.name", "action_id.name")
    def _compute_display_name(self):
        for line in self:
            names = (line._get_name(), line.action_id.name)
            line.display_name = " – ".join(filter(None, names))

    def _get_name(self):
        """What is counted, in a row of a table that says already of which action."""
        if not self.audience_id:
            return self.indicator_id.display_name
        return self.env._(
            "%(indicator)s, of which: %(audience)s",
            indicator=self.indicator_id.name,
            audience=self.audience_id.name,
        )

    @api.constrains("target", "indicator_id")
    def _check_target(self):
        for line in self:
            if fault := get_fault(line.target, line.indicator_id.kind):
                raise ValidationError(
                    self.env._(
                        "%(line)s: %(fault)s",
                        line=line.display_name,
                        fault=self._say_fault(fault),
                    )
                )

    @api.constrains("subsidy_id", "action_id")
    def _check_action(self):
        for line in self:
            if line.subsidy_id.kind != "operator":
                raise ValidationError(
                    self.env._("A cost of the city has no indicators of an operator.")
                )
            if line.action_id and line.action_id.subsidy_id != line.subsidy_id:
                raise ValidationError(
                    self.env._(
                        "%(line)s: the action is of another subsidy.", line=line.display_name
                    )
                )

    @api.constrains("audience_id", "indicator_id")
    def _check_audience(self):
        for line in self:
            allowed = line.indicator_id.audience_ids
            if line.audience_id and allowed and line.audience_id not in allowed:
                raise ValidationError(
                    self.env._(
                        "%(line)s: this indicator is told for %(allowed)s.",
                        line=line.display_name,
                        allowed=", ".join(allowed.mapped("name")),
                    )
                )

    def _get_whole(self):
        """The line of everybody that this one is a part of, or none."""
        self.ensure_one()
        if not self.audience_id:
            return self.browse()
        return self.subsidy_id.indicator_target_ids.filtered(
            lambda line: not line.audience_id and line.indicator_id == self.indicator_id
            and line.action_id == self.action_id
        )  # fmt: skip

    @api.model
    def _say_fault(self, code):
        """Why something is no figure, in a sentence."""
        sentences = {
            "negative": self.env._("A figure is zero or more."),
            "not_whole": self.env._("This is counted in whole numbers: write 12, not 12.5."),
            "above_hundred": self.env._("A percentage is between 0 and 100."),
            "too_large": self.env._("This number is too large to be true."),
            "ambiguous_amount": self.env._(
                "This can be read in two ways: write 1234 or 1.23 in full."
            ),
        }
        return sentences.get(code) or self.env._(
            "This is no number: write digits only, for instance 25."
        )

    def _get_periods(self):
        """The periods this figure is told for, by code: those of the subsidy as it is now."""
        self.ensure_one()
        subsidy = self.subsidy_id
        return {
            period.code: period
            for period in split(subsidy.date_start, subsidy.date_end, self.frequency)
        }

    def _get_current(self):
        """The figures that count, as ``_select_current`` says of them: dict {(line, code of the
        period): value}, those withdrawn left out."""
        current, until = {}, self.env.context.get("grant_figures_until")
        for value in self.value_ids.sorted("number"):
            if until and value.date_end > until:
                continue
            current[value.target_id, value.period] = value
        return {key: value for key, value in current.items() if not value.is_withdrawn}

    @api.model
    def _get_awaited_sql(self, since, today, condition):
        """SQL of the figures of signed subsidies whose period ended since then and that are not
        told: rows of ``subsidy_id``, ``target_id`` and ``date_end``.

        :param condition: SQL on ``subsidy``
        """
        first, last = since.replace(month=1, day=1), today.replace(month=12, day=31)
        periods = [
            (frequency, *period)
            for frequency in MONTHS
            for period in split(first, last, frequency)
        ] + [("once", "all", datetime.date.min, datetime.date.max)]
        frequencies, codes, starts, ends = map(list, zip(*periods, strict=True))
        return SQL(
            """
            SELECT target.subsidy_id, target.id AS target_id,
                   LEAST(period.last, subsidy.date_end) AS date_end
              FROM unnest(%(frequencies)s, %(codes)s, %(starts)s::date[], %(ends)s::date[])
                   period (frequency, code, first, last)
              JOIN grant_indicator_target target ON target.frequency = period.frequency
              JOIN grant_subsidy subsidy ON subsidy.id = target.subsidy_id
             WHERE subsidy.state = 'signed' AND subsidy.active AND %(condition)s
               AND subsidy.date_start <= period.last AND subsidy.date_end >= period.first
               AND LEAST(period.last, subsidy.date_end) BETWEEN %(since)s AND %(today)s - 1
               AND COALESCE((SELECT COALESCE(value.is_withdrawn, FALSE)
                               FROM grant_indicator_value value
                              WHERE value.target_id = target.id AND value.period = period.code
                           ORDER BY value.number DESC LIMIT 1), TRUE)
            """,
            frequencies=frequencies, codes=codes, starts=starts, ends=ends, since=since,
            today=today, condition=condition,
        )  # fmt: skip

    @api.model
    def _get_awaited(self, company, condition, limit=None):
        """What is awaited by subsidy, the longest first: list of subsidy, end of the first period
        and number of figures. What ended years ago is asked for no more.

        :param company: the city whose day it is; none: of the present one
        """
        today = (company[:1] or self.env.company)._grant_today()
        since = today.replace(year=today.year - YEARS, day=1)
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT subsidy_id, MIN(date_end), COUNT(*) FROM (%s) awaited"
                " GROUP BY subsidy_id ORDER BY 2, 1 LIMIT %s",
                self._get_awaited_sql(since, today, condition), limit,
            )
        )  # fmt: skip
        subsidies = self.env["grant.subsidy"].browse([row[0] for row in rows])
        return [
            (subsidy, end, number)
            for subsidy, (_id, end, number) in zip(subsidies, rows, strict=True)
        ]

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        if self.value_ids:
            # A cancelled subsidy can be a draft again: what is told keeps what it is about.
            return frozen | {"subsidy_id", "indicator_id", "action_id", "audience_id"}
        return frozen

    @api.model
    def _say_signed(self, subsidy):
        return self.env._(
            "The indicators of %s are part of what was signed: none is added or deleted. An "
            "amendment changes their targets.",
            subsidy.display_name,
        )
