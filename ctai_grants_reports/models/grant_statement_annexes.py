from collections import defaultdict
from functools import partial

from odoo import api, models
from odoo.tools import SQL

from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros

from ..lib.statement import Column, Table, add_up
from .grant_statement_facts import get_labels


class GrantStatementAnnexes(models.AbstractModel):
    """Further sheets: months, the city's own costs, financial reports, indicators, amendments."""

    _name = "grant.statement.annexes"
    _description = "Annexes of a Grant Statement"

    @api.model
    def _get_tables(self, facts):
        return [
            self._get_months_table(facts),
            self._get_own_costs_table(facts),
            self._get_reports_table(facts),
            self._get_indicators_table(facts),
            self._get_amendments_table(facts),
        ]

    # ------------------------------------------------------------------
    # Over time
    # ------------------------------------------------------------------

    @api.model
    def _get_months_table(self, facts):
        columns = [
            Column(self.env._("Month"), "date", 12),
            Column(self.env._("Committed so far"), "amount", 18),
            Column(self.env._("Received so far, city"), "amount", 18),
            Column(self.env._("Paid so far, city"), "amount", 18),
            Column(self.env._("Paid so far, State"), "amount", 18),
            Column(self.env._("Justified so far"), "amount", 18),
        ]
        places = {
            "commitment": (0, 0), "receipt": (1, 1), "payment": (2, 3), "recovery": (2, 3),
            "justification": (4, 4),
        }  # fmt: skip
        moved = defaultdict(lambda: [ZERO] * 5)
        for month, path, kind, amount in self._read_months(facts):
            if kind in places:
                sign = -1 if kind == "recovery" else 1
                moved[month][places[kind][path == "direct"]] += sign * euros(amount)
        rows, so_far = [], [ZERO] * 5
        for month in sorted(moved):
            so_far = [a + b for a, b in zip(so_far, moved[month], strict=True)]
            rows.append((month, *so_far))
        return Table(self.env._("Month by month"), columns, partial(iter, rows), key="months")

    @api.model
    def _read_months(self, facts):
        """Sums by last day of the month, payment path and kind."""
        self.env.flush_all()
        return self.env.execute_query(
            SQL(
                """SELECT LEAST(
                              (date_trunc('month', entry.date) + interval '1 month - 1 day')::date,
                              %(as_at)s), envelope.payment_path, entry.kind, sum(entry.amount)
                     FROM grant_entry entry
                     JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
                    WHERE entry.envelope_id = ANY(%(envelopes)s) AND entry.date <= %(as_at)s
                 GROUP BY 1, 2, 3""",
                as_at=facts.as_at,
                envelopes=facts.envelopes.ids,
            )
        )

    # ------------------------------------------------------------------
    # Own costs of the city
    # ------------------------------------------------------------------

    @api.model
    def _get_own_costs_table(self, facts):
        columns = [
            Column(self.env._("Subsidy"), width=18),
            Column(self.env._("Object"), width=38),
            Column(self.env._("Account"), width=44),
            Column(self.env._("Month"), "date", 12),
            Column(self.env._("Booked"), "amount", 15),
            Column(self.env._("Covered by the contract"), "amount", 15),
        ]
        # By account and month: labels of a payroll are of people.
        groups = self.env["grant.own.cost"]._read_group(
            [("envelope_id", "in", facts.envelopes.ids), ("date", "<=", facts.as_at)],
            ["subsidy_id", "account_id", "date:month"],
            ["amount:sum", "covered_amount:sum"],
        )
        rows = [
            (
                subsidy.code or "", subsidy.name or "",
                account.with_company(facts.contract.company_id).display_name, month,
                euros(amount), euros(covered),
            )
            for subsidy, account, month, amount, covered in groups
        ]  # fmt: skip
        totals = [add_up(self.env._("Total"), columns, rows)] if rows else []
        title = self.env._("Costs of the city")
        return Table(title, columns, partial(iter, rows), totals, "own_costs")

    # ------------------------------------------------------------------
    # Financial reports
    # ------------------------------------------------------------------

    @api.model
    def _get_reports_table(self, facts):
        """Accepted reports by heading: of one without lines, its totals."""
        columns = [
            Column(self.env._("Operator"), width=28),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Accepted on"), "date", 12),
            Column(self.env._("Heading"), width=40),
            Column(self.env._("Charges foreseen"), "amount", 15),
            Column(self.env._("Charges made"), "amount", 15),
            Column(self.env._("Income foreseen"), "amount", 15),
            Column(self.env._("Income received"), "amount", 15),
        ]
        rows = [
            (*head, *row)
            for report in self._search_reports(facts)
            for head in [
                (facts.identity(report.partner_id).name, report.subsidy_id.code,
                 report.acceptance_date)
            ]
            for row in self._get_report_rows(report)
        ]  # fmt: skip
        totals = [add_up(self.env._("Total"), columns, rows)] if rows else []
        title = self.env._("Financial reports")
        return Table(title, columns, partial(iter, rows), totals, "reports")

    @api.model
    def _search_reports(self, facts):
        """The reports that were accepted by the date."""
        return self.env["grant.financial.report"].search(
            [
                ("envelope_id", "in", facts.envelopes.ids), ("state", "=", "accepted"),
                ("acceptance_date", "<=", facts.as_at),
            ],
            order="acceptance_date, id",
        )  # fmt: skip

    @api.model
    def _get_report_rows(self, report):
        lines = report.line_ids.filtered(lambda line: not line.in_kind)
        if not lines:
            yield (
                self.env._("All together"), euros(report.budget_amount),
                euros(report.actual_amount), None, euros(report.other_income),
            )  # fmt: skip
        labels = get_labels(self.env, "grant.report.line", "heading")
        for heading, of_heading in lines.grouped("heading").items():
            forecast = euros(sum(of_heading.mapped("forecast")))
            actual = euros(sum(of_heading.mapped("actual")))
            if forecast or actual:
                is_income = of_heading[0].side == "income"
                amounts = (forecast, actual)
                nothing = (None, None)
                yield labels[heading], *(nothing + amounts if is_income else amounts + nothing)

    # ------------------------------------------------------------------
    # Indicators
    # ------------------------------------------------------------------

    @api.model
    def _get_indicators_table(self, facts):
        """What leaves the city of its indicators (R9): as told when the statement is made."""
        columns = [
            Column(self.env._("Theme"), width=28),
            Column(self.env._("Indicator"), width=44),
            Column(self.env._("Operator"), width=30),
            Column(self.env._("Target"), width=12),
            Column(self.env._("Figure"), width=16),
            Column(self.env._("Reached"), width=10),
            Column(self.env._("Remarks"), width=44),
        ]
        called = {partner.name: identity.name for partner, identity in facts.identities.items()}
        rows = [
            (theme["name"], indicator["name"], *row, indicator["note"])
            for theme in facts.contract._get_published_indicators()
            for indicator in theme["indicators"]
            for row in self._get_indicator_rows(indicator, called)
        ]
        title = self.env._("Indicators")
        return Table(title, columns, partial(iter, rows), key="indicators")

    @api.model
    def _get_indicator_rows(self, indicator, called):
        for row in indicator["rows"]:
            name = called.get(row["name"], row["name"])
            yield name, row["target"], row["cells"][-1], row["rate"]
        if total := indicator["total"]:
            yield self.env._("All operators"), total["target"], total["cells"][-1], total["rate"]
        for part in indicator["parts"]:
            yield part["name"], "", part["value"], ""

    # ------------------------------------------------------------------
    # Amendments
    # ------------------------------------------------------------------

    @api.model
    def _get_amendments_table(self, facts):
        columns = [
            Column(self.env._("Amendment"), width=40),
            Column(self.env._("Signed on"), "date", 12),
            Column(self.env._("Decision"), width=16),
            Column(self.env._("Object"), width=44),
            Column(self.env._("Amount before"), "amount", 15),
            Column(self.env._("Amount after"), "amount", 15),
            Column(self.env._("End before"), "date", 12),
            Column(self.env._("End after"), "date", 12),
        ]
        rows = [
            (
                amendment.display_name, amendment.signature_date, amendment.decision_number or "",
                amendment.reason or "",
                # Of a contract, its envelopes have the amounts.
                *((euros(amendment.amount_before), euros(amendment.amount))
                  if amendment.subsidy_id else (None, None)),
                amendment.date_end_before or None, amendment.date_end or None,
            )
            for amendment in self._search_amendments(facts)
        ]  # fmt: skip
        return Table(self.env._("Amendments"), columns, partial(iter, rows), key="amendments")

    @api.model
    def _search_amendments(self, facts):
        return self.env["grant.amendment"].search(
            [
                "|", ("contract_id", "=", facts.contract.id),
                ("subsidy_id.contract_id", "=", facts.contract.id),
                ("state", "=", "signed"), ("signature_date", "<=", facts.as_at),
            ],
            order="signature_date, id",
        )  # fmt: skip
