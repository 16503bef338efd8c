import csv
import io
from decimal import Decimal
from functools import partial

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.ctai_grants.lib.ledger.heads import read_head

from ...lib.statement import Column, Table
from .grant_statement_line import FIGURES, KEY, WORDS


class GrantStatement(models.Model):
    """What a statement says beyond figures: its controls, what changed since another one, and the
    heads."""

    _inherit = "grant.statement"

    def _get_own_tables(self, facts):
        """Sheets of an issued statement, made of what was frozen with it."""
        tables = [self._get_checks_table(self.check_ids)]
        if self.replaces_id:
            tables.append(
                self._get_changes_table(
                    self.replaces_id.line_ids._get_values(), self.line_ids._get_values()
                )
            )
        if last := self._get_last():
            tables.append(self._get_belated_table(facts, last))
        return [*tables, self._get_heads_table()]

    def _get_last(self):
        """The statement before: the one that this one replaces, or the last that stands."""
        return self.replaces_id or self._get_before()

    # ------------------------------------------------------------------
    # Controls
    # ------------------------------------------------------------------

    @api.model
    def _get_checks_table(self, checks):
        """
        :param checks: records of ``grant.statement.check``, or dicts of the same names
        """
        columns = [
            Column(self.env._("Control"), width=52),
            Column(self.env._("In the statement"), width=28),
            Column(self.env._("Found elsewhere"), width=40),
            Column(self.env._("Result"), width=16),
        ]
        words = {True: self.env._("Holds"), False: self.env._("Does not hold")}
        rows = [
            (check["name"], check["found"], check["expected"], words[check["is_held"]])
            for check in checks
        ]
        return Table(self.env._("Controls"), columns, partial(iter, rows), key="controls")

    # ------------------------------------------------------------------
    # Figure by figure
    # ------------------------------------------------------------------

    @api.model
    def _get_changes(self, before, after):
        """Each figure and word that differs between the lines of two statements.

        :return: list of (line after or before, name of the field, before, after)
        """
        was = {tuple(line[name] for name in KEY): line for line in before}
        now = {tuple(line[name] for name in KEY): line for line in after}
        changes = []
        for key in dict.fromkeys([*now, *was]):
            old, new = was.get(key, {}), now.get(key, {})
            for name in (*WORDS, *FIGURES):
                empty = "" if name in WORDS else Decimal("0.00")
                one, other = old.get(name, empty), new.get(name, empty)
                if one != other:
                    changes.append((new or old, name, one, other))
        return changes

    @api.model
    def _get_changes_table(self, before, after):
        columns = [
            Column(self.env._("Line"), width=34),
            Column(self.env._("Object"), width=38),
            Column(self.env._("What"), width=14),
            Column(self.env._("Before"), "amount", 15),
            Column(self.env._("After"), "amount", 15),
            Column(self.env._("Difference"), "amount", 15),
            Column(self.env._("Said before"), width=26),
            Column(self.env._("Says now"), width=26),
        ]
        labels = self.env["grant.statement.line"]._fields
        rows = [
            (
                line["name"], line["label"], labels[name]._description_string(self.env),
                *((None, None, None, old, new) if name in WORDS
                  else (old, new, new - old, "", "")),
            )
            for line, name, old, new in self._get_changes(before, after)
        ]  # fmt: skip
        title = self.env._("What was corrected")
        return Table(title, columns, partial(iter, rows), key="changes")

    # ------------------------------------------------------------------
    # Posted since, dated before
    # ------------------------------------------------------------------

    def _get_belated_table(self, facts, last):
        """Entries that were posted since the statement ``last`` and are dated in its time."""
        columns = [
            Column(self.env._("Chain"), "integer", 8),
            Column(self.env._("Number"), "integer", 9),
            Column(self.env._("Date"), "date", 11),
            Column(self.env._("Posted on"), "datetime", 16),
            Column(self.env._("Kind"), width=14),
            Column(self.env._("Operator"), width=28),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Amount"), "amount", 15),
            Column(self.env._("Reference"), width=30),
        ]
        kinds = facts.kinds
        rows = [
            (
                entry.envelope_id.id, entry.number, entry.date,
                facts.localise(entry.posted_at).replace(microsecond=0), kinds[entry.kind],
                facts.identity(entry.partner_id).name if entry.partner_id else "",
                entry.subsidy_id.code or "", Decimal(str(entry.amount)).quantize(Decimal("0.01")),
                entry.memo or "",
            )
            for entry in self._search_belated(last)
        ]  # fmt: skip
        title = self.env._("Posted since, dated before")
        return Table(title, columns, partial(iter, rows), key="belated")

    @api.model
    def _search_belated(self, last):
        """The entries that came after the position of ``last`` and count for its date."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT entry.id
                     FROM grant_entry entry
                     LEFT JOIN grant_statement_line line ON line.envelope_id = entry.envelope_id
                      AND line.statement_id = %s AND line.subsidy_id IS NULL
                    WHERE entry.contract_id = %s AND entry.date <= %s
                      AND entry.number > COALESCE(line.entry_count, 0)
                 ORDER BY entry.envelope_id, entry.number""",
                last.id,
                last.contract_id.id,
                last.as_at,
            )
        )
        return self.env["grant.entry"].browse([key for (key,) in rows])

    # ------------------------------------------------------------------
    # Heads
    # ------------------------------------------------------------------

    def _get_heads_table(self):
        columns = [
            Column(self.env._("Kind of chain"), width=26),
            Column(self.env._("Chain"), "integer", 8),
            Column(self.env._("Name"), width=44),
            Column(self.env._("Last one"), "integer", 10),
            Column(self.env._("SHA-256"), "hash", 62),
        ]
        rows = [
            (head.kind, head.id, head.name, head.number, head.hash) for head in self._read_heads()
        ]
        title = self.env._("Heads of all chains")
        return Table(title, columns, partial(iter, rows), key="heads")

    def _read_heads(self):
        """The heads that were frozen with this statement: list of :class:`Head`."""
        # By hand, for the names: a line of such a list is complete by itself.
        return [
            head._replace(name=head.name.removeprefix(f"{head.kind} {head.id}").strip())
            for head in map(read_head, csv.reader(io.StringIO(self.heads or "")))
            if head
        ]
