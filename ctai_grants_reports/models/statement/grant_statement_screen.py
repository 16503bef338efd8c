from odoo import api, fields, models
from odoo.tools import format_date, format_datetime

from ...lib.statement import Column, Table, TieOutError, add_up
from .grant_statement import STANDING
from .grant_statement_line import FLOWS


class GrantStatement(models.Model):
    """What the form and the page of the prefecture show of a statement: of a draft live, of an
    issued one as it was frozen."""

    _inherit = "grant.statement"

    figures_table = fields.Html(
        string="Envelopes", compute="_compute_tables", sanitize=False, compute_sudo=False
    )
    controls_table = fields.Html(
        compute="_compute_tables", sanitize=False, compute_sudo=False
    )
    changes_table = fields.Html(
        string="What Changes", compute="_compute_tables", sanitize=False, compute_sudo=False
    )
    obstacle = fields.Char(string="What Prevents It", compute="_compute_tables", compute_sudo=False)
    is_failing = fields.Boolean(
        string="A Control Fails", compute="_compute_tables", compute_sudo=False
    )
    can_correct = fields.Boolean(compute="_compute_can_correct")

    @api.depends("state")
    def _compute_can_correct(self):
        for statement in self:
            statement.can_correct = statement.state in STANDING

    @api.depends("contract_id", "as_at", "date_from", "state", "correction")
    def _compute_tables(self):
        for statement in self:
            shown = statement._get_shown() if statement._origin and statement.as_at else {}
            for name in ("figures_table", "controls_table", "changes_table"):
                statement[name] = statement._show(shown.get(name, ()))
            statement.obstacle = shown.get("obstacle", False)
            statement.is_failing = shown.get("is_failing", False)

    def _get_shown(self):
        """What :meth:`_compute_tables` shows: dict of lists of tables, and what prevents it."""
        if self.state != "draft":
            lines, checks = self.line_ids._get_values(), self.check_ids
            return self._put_shown(lines, checks, [])
        self.contract_id.check_access("read")
        # sudo: whoever may read the contract may have its statement
        draft = self.sudo()
        if obstacle := draft._get_obstacle():
            return {"obstacle": obstacle}
        try:
            # sudo: as above
            facts = self.env["grant.statement.facts"].sudo()._read(draft.contract_id, draft.as_at)
        except TieOutError as error:
            return {"obstacle": str(self.env["grant.statement.data"]._get_refusal(str(error)))}
        lines = draft._get_live_lines(facts)
        checks = draft._get_controls(facts, lines)
        last = draft._get_last()
        return draft._put_shown(
            lines, checks, [draft._get_belated_table(facts, last)] if last else []
        )

    def _get_lines_today(self):
        """What a statement of the same contract and date would say today: list of dicts."""
        self.ensure_one().check_access("read")
        # sudo: whoever may read the statement may have it made again
        facts = self.env["grant.statement.facts"].sudo()
        # sudo: as above
        statement = self.sudo()
        return statement._get_live_lines(facts._read(statement.contract_id, statement.as_at))

    def _put_shown(self, lines, checks, belated):
        changes = []
        if self.replaces_id:
            before = self.replaces_id.line_ids._get_values()
            changes = [self._get_changes_table(before, lines)]
        return {
            "figures_table": self._get_figures_tables(lines),
            "controls_table": [self._get_checks_table(checks)],
            "changes_table": changes + belated,
            "is_failing": not all(check["is_held"] for check in checks),
        }

    @api.model
    def _get_figures_tables(self, lines):
        """The envelopes of a statement, by who pays."""
        labels = self.env["grant.statement.line"]._fields
        columns = [
            Column(self.env._("Envelope")),
            *(Column(labels[name]._description_string(self.env), "amount") for name in FLOWS),
        ]
        titles = self.env["grant.statement.summary"]._get_titles()
        tables = []
        for path, (title, total) in titles.items():
            rows = [
                (line["name"], *(line[name] for name in FLOWS))
                for line in lines
                if not line["subsidy_id"] and line["payment_path"] == path
            ]
            if rows:
                totals = [add_up(total, columns, rows)]
                tables.append(Table(title, columns, lambda rows=rows: rows, totals))
        return tables

    def _show(self, tables):
        """HTML of tables, as people of this language read amounts and dates."""
        tables = [table for table in tables if any(True for _row in table.read())]
        if not tables:
            return False
        return self.env["ir.qweb"]._render(
            "ctai_grants_reports.statement_tables", {"tables": tables, "show": self._show_value}
        )

    def _show_value(self, column, value):
        if value is None or value == "":
            return ""
        match column.kind:
            case "amount":
                return self.currency_id.format(float(value))
            case "date":
                return format_date(self.env, value)
            case "datetime":
                return format_datetime(self.env, value, tz="UTC")
            case "rate":
                return f"{100 * value:.1f} %".replace(".", ",")
        return str(value)
