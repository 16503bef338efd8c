from functools import partial

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import SQL, format_datetime, mute_logger

from ...lib.guard.words import clean
from ...lib.operator.figures import get_fault
from ..guard.obstacle import Obstacle
from ..guard.reading import Wanted, keep_lines

#: Characters of a comment on a figure.
LONGEST_COMMENT = 1000


class GrantSubsidy(models.Model):
    """The figures that the convention of a subsidy asks for, and those that were told."""

    _inherit = "grant.subsidy"

    indicator_target_ids = fields.One2many(
        "grant.indicator.target", "subsidy_id", string="Indicators"
    )

    @api.ondelete(at_uninstall=False)
    def _unlink_indicators(self):
        # Not by the database: what goes is noted where it is sealed.
        self.indicator_target_ids.unlink()

    def _get_wanted(self):
        # sudo: as there
        subsidies, lines = self.sudo(), self.sudo().env["grant.indicator.target"]
        of_subsidies = SQL("subsidy_id = ANY(%s)", self.ids)
        keep = partial(keep_lines, subsidies, "indicator_target_ids")
        wanted = Wanted(lines, ("subsidy_id", "audience_id"), of_subsidies, keep)
        return [*super()._get_wanted(), wanted]

    @api.depends("indicator_target_ids.audience_id")
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_signing_obstacles(self):
        parts = self.indicator_target_ids.filtered(
            lambda line: line.audience_id and not line._get_whole()
        )
        return super()._get_signing_obstacles() + [
            Obstacle(
                self.env._(
                    "%(subsidy)s: “%(line)s” is a part, and nothing asks for the whole. Add "
                    "the line of everybody.",
                    subsidy=self.display_name,
                    line=line.display_name,
                ),
                self,
                "indicator_target_ids",
            )
            for line in parts
        ]

    def _has_figures_page(self, user):
        """Whether ``user`` tells figures of this subsidy, or did."""
        self.ensure_one()
        is_open = self.state in ("signed", "closed") and bool(self.indicator_target_ids)
        return is_open and self._can_submit(user)

    def _get_awaited_figures(self):
        """What is over and not told yet: pairs of line and period."""
        self.ensure_one()
        if self.state != "signed":
            return []
        today, lines = self.company_id._grant_today(), self.indicator_target_ids
        current = lines._get_current()
        return [
            (line, period)
            for line in lines
            for period in line._get_periods().values()
            if period.end < today and (line, period.code) not in current
        ]

    def _get_figure_rows(self):
        """The figures of all periods that have begun: dicts with ``target``, ``period``, ``value``
        (the figure that counts, or none), ``known`` (version of the last one told) and ``past``
        (what was told before, the last one first)."""
        self.ensure_one()
        today = self.company_id._grant_today()
        told = self.indicator_target_ids.value_ids.grouped(lambda v: (v.target_id, v.period))
        rows = []
        for line in self.indicator_target_ids:
            for period in line._get_periods().values():
                if period.start > today:
                    continue
                values = told.get((line, period.code), line.value_ids.browse())
                values = values.sorted("number", reverse=True)
                last = values[:1]
                current = last if last and not last.is_withdrawn else last.browse()
                rows.append({
                    "target": line, "period": period, "value": current,
                    "known": last.number, "past": values - current,
                })  # fmt: skip
        return rows

    def _enter_figures(self, rows):
        """Tell figures: all of them, or none. What says the same as before is left as it is; what
        differs takes its place; nothing instead of a figure withdraws it.

        :param rows: dicts with ``target`` (a line), ``period`` (its code), ``known`` (version that
            was seen, 0 of none), ``value`` (number or None), ``base`` (whole number or None) and
            ``comment``
        :return: what cannot be taken, as a dict {(line, code, name of the field): sentence}; with
            one, nothing was entered
        :raise UserError: not signed, or somebody else told one of these meanwhile
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        self.ensure_one()
        # sudo: nothing is told before it is known who may
        subsidy = self.sudo()
        if not subsidy._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot tell figures of this subsidy."))
        subsidy._check_state(("signed",), self.env._("Entering figures"))
        # Nobody closes or amends it meanwhile; a second click finds what the first one told.
        subsidy._lock_in_turn()
        lines = subsidy.indicator_target_ids
        rows = [{**row, "comment": clean(row["comment"], LONGEST_COMMENT)} for row in rows]
        if any(row["target"] not in lines for row in rows):
            raise AccessError(self.env._("You cannot tell figures of this subsidy."))
        last = {}
        for value in lines.value_ids.sorted("number"):
            last[value.target_id, value.period] = value
        changed = [row for row in rows if self._is_told_anew(row, last)]
        if errors := self._get_figure_errors(changed, rows, last):
            return errors
        self._append_figures(changed, last)
        if not subsidy._get_awaited_figures():
            subsidy.activity_unlink(["ctai_grants.mail_activity_figures"])
        return {}

    @api.model
    def _is_told_anew(self, row, last):
        before = last.get((row["target"], row["period"]))
        if not before or before.is_withdrawn:
            return row["value"] is not None or bool(row["base"] or row["comment"])
        return (before.value, before.base, before.comment or "") != (
            row["value"], row["base"] or 0, row["comment"]
        )  # fmt: skip

    def _get_figure_errors(self, changed, rows, last):
        # sudo: what day it is in that city
        errors, today = {}, self.company_id.sudo()._grant_today()
        for row in changed:
            key = (row["target"], row["period"])
            period = row["target"]._get_periods().get(row["period"])
            if not period or period.start > today:
                errors[(*key, "value")] = self.env._(
                    "No figure can be told for this period: it is not within the subsidy, or has "
                    "not begun."
                )
            elif row["value"] is None and not (last.get(key) and not last[key].is_withdrawn):
                errors[(*key, "value")] = self.env._("Write the figure too, or leave all empty.")
            elif row["value"] is not None:
                errors |= self._get_number_errors(row)
        return errors or self._get_part_errors(changed, rows)

    def _get_number_errors(self, row):
        target, errors, key = row["target"], {}, (row["target"], row["period"])
        if fault := get_fault(row["value"], target.indicator_id.kind):
            errors[(*key, "value")] = target._say_fault(fault)
        if not target.indicator_id._get_weighted():
            return errors
        base = row["base"] or 0
        if get_fault(base, "count") or base < 1:
            errors[(*key, "base")] = self.env._(
                "Write of how many: without it, this figure cannot be put together with others."
            )
        return errors

    def _get_part_errors(self, changed, rows):
        """A part is not larger than the whole of the same period."""
        told = {(row["target"], row["period"]): row["value"] for row in rows}
        errors = {}
        for target, period in [(row["target"], row["period"]) for row in changed]:
            if target.indicator_id._get_weighted():
                continue
            for line in target.subsidy_id.indicator_target_ids:
                whole = line._get_whole()
                if target not in (line, whole) or not whole:
                    continue
                part, all_of_it = (
                    self._get_told(one, period, told) for one in (line, whole)
                )  # fmt: skip
                if part is not None and all_of_it is not None and part > all_of_it:
                    errors[target, period, "value"] = self.env._(
                        "“%(part)s” is a part of “%(whole)s” and cannot be more: %(less)s.",
                        part=line._get_name(),
                        whole=whole._get_name(),
                        less=line.indicator_id._format(all_of_it),
                    )
        return errors

    @api.model
    def _get_told(self, line, period, told):
        if (line, period) in told:
            return told[line, period]
        current = line._get_current().get((line, period))
        return current.value if current else None

    def _append_figures(self, changed, last):
        # sudo: lines come from here alone; who may tell them was asked above
        values = self.env["grant.indicator.value"].sudo()
        vals_list = []
        for row in changed:
            target, before = row["target"], last.get((row["target"], row["period"]))
            if (before.number if before else 0) != row["known"]:
                self._refuse_stale(before, target)
            vals_list.append(
                values._prepare(
                    target, target._get_periods()[row["period"]], row["known"] + 1,
                    value=row["value"] or 0.0, base=row["base"] or 0,
                    comment=row["comment"] or False, is_withdrawn=row["value"] is None,
                )
            )  # fmt: skip
        if not vals_list:
            return
        try:
            with self.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                values._append(vals_list)
        except psycopg2.errors.UniqueViolation as error:
            # Told at the same moment, and not seen from here: look again.
            raise ConcurrencyError("told meanwhile") from error

    def _refuse_stale(self, before, target):
        if not before:
            raise UserError(
                self.env._(
                    "%(line)s: somebody else entered figures at the same moment. Nothing of yours "
                    "was entered: look at the page again first.",
                    line=target.display_name,
                )
            )
        raise UserError(
            self.env._(
                "%(line)s: %(user)s entered a figure on %(time)s, which this page did not show. "
                "Nothing of yours was entered: look at the page again first.",
                line=target.display_name,
                user=before.user_id.name,
                time=format_datetime(self.env, before.entered_at, dt_format="short"),
            )
        )

    def action_enter_figures(self):
        """Enter figures that the operator sent on paper.

        :raise UserError: not signed, or its convention asks for none
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Entering figures")
        self._check_group("group_coordinator", what)
        self._check_state(("signed",), what)
        if not self.indicator_target_ids:
            raise UserError(
                self.env._("%s: its convention asks for no indicator.", self.display_name)
            )
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Enter Figures"),
            "res_model": "grant.indicator.entry",
            "view_mode": "form",
            "target": "new",
            "context": {"default_subsidy_id": self.id},
        }

    def action_view_figures(self):
        """Open the figures that were told, old ones included."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_indicator_value_action"
        )
        return {**action, "domain": [("subsidy_id", "in", self.ids)], "context": {}}
