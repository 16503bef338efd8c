from odoo import api, fields, models
from odoo.tools import format_date

from odoo.addons.ctai_grants.lib.guard.money import ZERO

from ...models.statement.grant_statement_line import FIGURES, KEY


class GrantStatementMatrix(models.TransientModel):
    """Past statements side by side: a line each for envelopes and subsidies, a column each for
    statements. Lines that do not tie out any more with the ledger come first."""

    _name = "grant.statement.matrix"
    _description = "Statements Side by Side"

    contract_id = fields.Many2one("grant.contract", required=True, readonly=True)
    figure = fields.Selection(
        lambda self: [
            (name, self.env["grant.statement.line"]._fields[name]._description_string(self.env))
            for name in FIGURES
        ],
        required=True,
        default="paid",
    )
    table = fields.Html(compute="_compute_table", sanitize=False, compute_sudo=False)

    def _compute_display_name(self):
        self.display_name = self.env._("Statements side by side")

    @api.depends("contract_id", "figure")
    def _compute_table(self):
        for window in self:
            window.contract_id.check_access("read")
            statements = window.env["grant.statement"]._get_standing(window.contract_id)
            window.table = self.env["ir.qweb"]._render(
                "ctai_grants_reports.statement_matrix",
                {
                    "columns": [
                        (one.name, format_date(self.env, one.as_at), one.id) for one in statements
                    ],
                    "rows": window._get_rows(statements),
                },
            )

    def _get_rows(self, statements):
        """The lines, those that do not tie out first: list of dicts (``name``, ``label``,
        ``is_untied``, ``cells``)."""
        lines, cells = {}, {}
        for statement in statements:
            # What the ledger says of that date today.
            now = {self._key(line): line for line in statement._get_lines_today()}
            said = {self._key(line): line for line in statement.line_ids._get_values()}
            for key in (*said, *now):
                line = said.get(key) or now[key]
                # The last one says how it is called.
                lines[key] = line
                cells[key, statement] = self._make_cell(said.get(key), now.get(key))
        rows = [
            {
                "name": line["name"],
                "label": line["label"],
                "is_envelope": not line["subsidy_id"],
                "cells": [cells.get((key, statement)) for statement in statements],
                "is_untied": any(
                    (cell := cells.get((key, statement))) and cell["ledger"]
                    for statement in statements
                ),
            }
            for key, line in lines.items()
        ]
        return sorted(rows, key=lambda row: not row["is_untied"])

    @api.model
    def _key(self, line):
        return tuple(line[name] for name in KEY)

    def _make_cell(self, said, now):
        one, other = ((line or {}).get(self.figure, ZERO) for line in (said, now))
        money = self.contract_id.currency_id
        return {
            "said": money.format(float(one)) if said else "–",
            "is_cancelled": bool(said) and said["state"] == "cancelled",
            "state": said["state_label"] if said else "",
            # Nothing: it still is what was stated.
            "ledger": money.format(float(other)) if one != other else "",
        }


class GrantContract(models.Model):
    _inherit = "grant.contract"

    def action_compare_statements(self):
        """Open the statements of this contract side by side."""
        self.ensure_one()
        window = self.env["grant.statement.matrix"].create({"contract_id": self.id})
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Statements side by side"),
            "res_model": window._name,
            "res_id": window.id,
            "views": [(False, "form")],
        }
