from collections import defaultdict

from odoo import fields, models

from ...lib.operator.suppression import SMALL, Mark, suppress, suppress_parts


class GrantContract(models.Model):
    """The indicators of a contract: all of them inside the city; what of them leaves it, with
    counts below 5 as “< 5” and no total that gives them away (R9)."""

    _inherit = "grant.contract"

    context_figure_ids = fields.One2many(
        "grant.context.figure", "contract_id", string="Context Figures"
    )

    def action_view_indicators(self):
        """Open the indicators of these contracts: targets, figures, rates."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_indicator_result_action"
        )
        return {**action, "domain": [("contract_id", "in", self.ids)]}

    def _get_published_indicators(self, until=None):
        """What the funder is shown of the indicators of this contract, in sudo: nothing else of
        them leaves the city.

        :param until: a date: figures of the periods that ended by then, else all
        :return: dicts of one theme each, with ``name`` and ``indicators``: dicts with ``name``,
            ``note``, ``rows`` (``name``, ``target``, ``cells``, ``rate``), ``columns``, ``total``
            (a row, or None) and ``parts`` (``name`` and ``value``)
        """
        self.ensure_one()
        # sudo: the contract was checked by the caller; what comes out is counts, suppressed
        results = self.env["grant.indicator.result"].sudo()
        if until:
            # The same lines with other figures: what is known of them is not that of the day.
            results.invalidate_model()
            try:
                own = self.with_context(grant_figures_until=until)
                return own._get_published_indicators()
            finally:
                results.invalidate_model()
        results = results.search([("contract_id", "=", self.id)])
        themes = defaultdict(list)
        for indicator, lines in results.grouped("indicator_id").items():
            themes[indicator.theme_id].append(Publication(lines).make())
        return [
            {"name": theme.name or self.env._("All themes"), "indicators": indicators}
            for theme, indicators in sorted(
                themes.items(), key=lambda pair: (not pair[0], pair[0].sequence, pair[0].name or "")
            )
        ]


    def _get_indicator_table(self):
        """The published indicators as a table, for a file: its headings, and rows of texts and
        numbers; what is not shown on the page is a text here as there."""
        self.ensure_one()
        headings = [
            self.env._("Theme"), self.env._("Indicator"), self.env._("Operator"),
            self.env._("Subsidy"), self.env._("Of Which"), self.env._("Target"),
            self.env._("Period"), self.env._("Figure"), self.env._("Reached"),
        ]  # fmt: skip
        rows = []
        for theme in self._get_published_indicators():
            for published in theme["indicators"]:
                about = [theme["name"], published["name"]]
                for row in filter(None, (*published["rows"], published["total"])):
                    who = [row.get("name") or self.env._("All operators"), row.get("detail", "")]
                    for period, cell in zip(published["columns"], row["cells"], strict=True):
                        is_whole = period == published["columns"][-1]
                        rows.append([
                            *about, *who, "", _read(row["target"]) if is_whole else "", period,
                            _read(cell), row["rate"] if is_whole else "",
                        ])  # fmt: skip
                rows += [
                    [*about, "", "", part["name"], "", "", _read(part["value"]), ""]
                    for part in published["parts"]
                ]
        return headings, rows


class Cell(str):
    """A figure as it is shown; ``number``: what a spreadsheet reads, of one that is not hidden."""

    number = None


def _read(cell):
    return cell if getattr(cell, "number", None) is None else cell.number


class Publication:
    """One indicator of one contract as it leaves the city."""

    def __init__(self, results):
        """
        :param results: the lines of one indicator (``grant.indicator.result``), in sudo
        """
        self.env = results.env
        self.indicator = results.indicator_id
        self.results = results
        self.wholes = results.filtered(lambda line: not line.audience_id)
        self.adds_up = all(line.together == "sum" for line in results)
        self.counts = {}
        self.marks = {}

    def make(self):
        """The dict that the page shows (:meth:`GrantContract._get_published_indicators`)."""
        if self.indicator.kind == "count":
            self.counts = self._get_counts()
            self.marks = self._get_marks()
        columns = self._get_columns()
        subsidies = self.wholes.subsidy_id.sorted("code")
        rows = [self._make_row(subsidy, columns) for subsidy in subsidies]
        return {
            "name": self.indicator.display_name,
            "note": self._get_note(),
            "columns": [column or self._get_last_column(columns) for column in columns],
            "rows": rows,
            "total": self._make_total(columns) if len(rows) > 1 else None,
            "parts": self._make_parts(),
        }

    # ------------------------------------------------------------------
    # What is known
    # ------------------------------------------------------------------

    def _get_columns(self):
        """Years of what adds up by the year, or one column; all of several years beside them."""
        years = sorted({column for _subsidy, column in self.counts if column})
        return [*years, ""] if len(years) > 1 else years or [""]

    def _get_last_column(self, columns):
        return self.env._("All years") if len(columns) > 1 else self.env._("To date")

    def _get_counts(self):
        """Whole counts by subsidy and column: of what happens each time the years, of the rest the
        figure to date."""
        counts = defaultdict(int)
        if not (self.adds_up and self.indicator.aggregation == "sum"):
            for subsidy, lines in self.wholes.filtered("is_told").grouped("subsidy_id").items():
                values = [round(line.value) for line in lines]
                counts[subsidy, ""] = sum(values) if self.adds_up else max(values)
            return dict(counts)
        values = self.wholes.target_id._get_current().values()
        for value in values:
            counts[value.subsidy_id, str(value.date_end.year)] += round(value.value)
        return dict(counts)

    def _get_marks(self):
        """What is shown of each cell and total. What is not added up has no totals: each figure
        stands alone."""
        if self.adds_up:
            return suppress(self.counts)
        return {
            key: mark
            for one, count in self.counts.items()
            for key, mark in suppress({one: count}).items()
            if None not in key
        }

    def _sum(self, subsidy, column):
        """A cell or a total (``None``, or the empty column of all years), or nothing of it."""
        cells = [
            count for (one, year), count in self.counts.items()
            if subsidy in (None, one) and (not column or year == column)
        ]  # fmt: skip
        return sum(cells) if cells else None

    def _get_mark(self, subsidy, column):
        """What is shown of a cell or a total. A table of one column has totals of that column only,
        one of a single row of that row only (:mod:`suppression`)."""
        rows = list(dict.fromkeys(one for one, _year in self.counts))
        years = list(dict.fromkeys(year for _one, year in self.counts))
        if len(years) == 1:
            column = years[0]
        elif not subsidy and len(rows) == 1:
            subsidy = rows[0]
        key = (subsidy, column if len(years) == 1 else column or None)
        return self.marks.get(key, Mark.SHOWN)

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

    def _format(self, value, mark=Mark.SHOWN):
        if value is None:
            return "–"
        if mark is Mark.FEW:
            return self.env._("< %s", SMALL)
        if mark is Mark.KEPT:
            return self.env._("withheld")
        cell = Cell(self.indicator._format(value))
        # No more of it than is shown.
        cell.number = round(value, 2)
        return cell

    def _get_note(self):
        if self.indicator.aggregation == "average":
            return self.env._("Average, weighted by how many people it is of.")
        if self.indicator.is_counted_once:
            return self.env._(
                "The same person may follow several actions: operators are not added up."
            )
        return ""

    def _make_row(self, subsidy, columns):
        lines = self.wholes.filtered(lambda line: line.subsidy_id == subsidy)
        target = sum(lines.mapped("target")) if self.adds_up else max(lines.mapped("target"))
        cells, rate = [], ""
        if self.indicator.kind == "count":
            cells = [
                self._format(self._sum(subsidy, column), self._get_mark(subsidy, column))
                for column in columns
            ]
            told = self._sum(subsidy, "")
            shown = self._get_mark(subsidy, "") is Mark.SHOWN
        else:
            told = self._put_together(lines)
            shown = all(self._is_public(line) for line in lines)
            cells = [self._format(told, Mark.SHOWN if shown else Mark.KEPT)]
        if target and shown and told is not None:
            rate = self.env._("%s %%", round(100 * told / target))
        return {
            "name": subsidy.partner_id.name,
            "detail": subsidy.name,
            "target": self._format(target) if target else "",
            "cells": cells,
            "rate": rate,
        }

    def _make_total(self, columns):
        """All operators together, where that means something."""
        target, rate = sum(self.wholes.mapped("target")), ""
        if self.indicator.kind != "count":
            shown = all(self._is_public(line) for line in self.wholes)
            told = self._put_together(self.wholes)
            cells = [self._format(told, Mark.SHOWN if shown else Mark.KEPT)]
            target = target if self.adds_up else 0
        elif self.adds_up:
            cells = [
                self._format(self._sum(None, column), self._get_mark(None, column))
                for column in columns
            ]
            told, shown = self._sum(None, ""), self._get_mark(None, "") is Mark.SHOWN
        else:
            return self._make_least()
        if target and shown and told is not None:
            rate = self.env._("%s %%", round(100 * told / target))
        shown_target = self._format(target) if target else ""
        return {"target": shown_target, "cells": cells, "rate": rate}

    def _make_least(self):
        """Of people counted once: so many at least, if that figure is shown anyhow."""
        told = max(self.counts.values(), default=None)
        at_most = [key for key, count in self.counts.items() if count == told]
        if told is None or any(self.marks[key] is not Mark.SHOWN for key in at_most):
            return None
        cell = self.env._("at least %s", self.indicator._format(told))
        return {"target": "", "cells": [cell], "rate": ""}

    def _put_together(self, lines):
        """One figure of several lines, as everywhere (``grant.indicator.result``)."""
        lines = lines.filtered("is_told")
        if not lines:
            return None
        ((value,),) = lines._read_group([("id", "in", lines.ids)], [], ["value:sum"])
        return value or 0.0

    def _is_public(self, line):
        """Whether a percentage or a mark may be told: not of few people, nor of few among them."""
        if not line.is_told or self.indicator.aggregation != "average":
            return True
        if line.base < SMALL:
            return False
        if self.indicator.kind != "percent":
            return True
        among = line.value * line.base / 100
        return not (0 < among < SMALL or 0 < line.base - among < SMALL)

    # ------------------------------------------------------------------
    # Of which
    # ------------------------------------------------------------------

    def _make_parts(self):
        """Parts (of which women): of all operators where these add up, else of each operator. They
        are told only beside a whole that is shown, of whose operators each one is."""
        parts = self.results - self.wholes
        if not parts or self.indicator.kind != "count":
            return []
        if not self.adds_up:
            return [
                {**part, "name": f"{subsidy.partner_id.name}, {subsidy.name}, {part['name']}"}
                for subsidy, lines in parts.grouped("subsidy_id").items()
                for part in self._make_parts_of(subsidy, lines)
            ]
        return self._make_parts_of(None, parts)

    def _make_parts_of(self, subsidy, lines):
        told = {
            audience: self._add(of_audience) for audience, of_audience
            in lines.filtered("is_told").grouped("audience_id").items()
        }  # fmt: skip
        whole, open_to_see = self._sum(subsidy, ""), self._get_mark(subsidy, "") is Mark.SHOWN
        for line in lines.filtered("is_told"):
            keys = [key for key in self.counts if key[0] == line.subsidy_id]
            open_to_see &= all(self.marks[key] is Mark.SHOWN for key in keys)
        marks = dict.fromkeys(told, Mark.KEPT)
        if open_to_see and all(count <= (whole or 0) for count in told.values()):
            marks = suppress_parts(whole or 0, told)
        return [
            {
                "name": self.env._("of which: %s", audience.name),
                "value": self._format(
                    count, marks[audience] if count else Mark.SHOWN
                ),
            }
            for audience, count in told.items()
        ]  # fmt: skip

    def _add(self, lines):
        values = [round(line.value) for line in lines]
        return sum(values) if self.adds_up else max(values)
