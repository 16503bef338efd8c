from odoo import models
from odoo.tools.misc import format_date

from odoo.addons.ctai_grants.lib.award.history import local_date

#: Fields of text of the first and of the third sheet.
NARRATIVE = ("achieved", "audience", "places", "objectives")
TOTALS = ("budget_amount", "actual_amount", "eligible_amount", "other_income")
ANNEX = ("allocation_rules", "observations")


class GrantFinancialReport(models.Model):
    """The financial report in the layout of Cerfa no. 15059*02: what was done, the table of
    figures (the 52 lines of the form, those of each funder), the annex and the attestation."""

    _inherit = "grant.financial.report"

    def _print_financial_report(self):
        """Name and PDF."""
        self.ensure_one()
        report = self.with_context(lang=self.partner_id.lang or self.env.lang)
        date = report._get_printed_day()
        partner = report.partner_id._get_identity(date)
        title = report.env._("Financial report %s", report.subsidy_id.code)
        data = {
            "kind": "financial_report",
            "title": title,
            "date": date,
            "mark": "" if report.submitted_at or report.state == "accepted" else
            report.env._("DRAFT"),
            "form": report.env._("In the layout of the form Cerfa no. 15059*02"),
            "facts": report._get_report_facts(partner),
            "sheets": [
                report.env._("1. Qualitative report"),
                report.env._("2. Table of figures"),
                report.env._("3. Annex"),
            ],
            "narrative": report._get_told(NARRATIVE),
            "sides": [report._get_side("expense"), report._get_side("income")],
            "in_kind": [report._get_side("expense", True), report._get_side("income", True)],
            "share": report._get_share(),
            "annex": [*report._get_gaps(), *report._get_told(ANNEX)],
            "attestation": report._get_attestation(),
            "signature": [
                report.attested_name or report.env._("The legal representative"),
                report.attested_quality or "",
            ],
        }  # fmt: skip
        return f"{title} – {partner.name}", report._typeset_official("financial_report", data)

    def _get_printed_day(self):
        if self.attested_date:
            return self.attested_date
        if self.submitted_at:
            return local_date(self.submitted_at, self.company_id._grant_timezone())
        return self.company_id._grant_today()

    def _get_report_facts(self, partner):
        outcome = dict(self._fields["outcome"]._description_selection(self.env))[self.outcome]
        facts = [
            [self.env._("Association"), partner.name],
            ["SIRET", partner._get_siret() or ""],
            ["RNA", partner.rna or ""],
            [self.env._("Subsidy"), f"{self.subsidy_id.code} – {self.subsidy_id.name}"],
            [
                self.env._("Financial year"),
                self.env._(
                    "from %(start)s to %(end)s",
                    start=format_date(self.env, self.exercise_start),
                    end=format_date(self.env, self.exercise_end),
                ),
            ],
            [self.env._("Outcome"), outcome],
        ]
        # Reported in totals: no line of the table says them.
        totals = () if self.line_ids else TOTALS
        facts += [
            [self._fields[name]._description_string(self.env), self._format_euros(self[name])]
            for name in totals
        ]
        return [fact for fact in facts if fact[1]]

    def _get_told(self, names):
        return [
            [self._fields[name]._description_string(self.env), self[name] or "–"] for name in names
        ]

    def _get_side(self, side, in_kind=False):
        """One side of the table: headings of the form with their sums, and their lines."""
        env = self.env
        labels = {
            ("expense", False): env._("Charges"),
            ("income", False): env._("Income"),
            ("expense", True): env._("Use of contributions in kind"),
            ("income", True): env._("Contributions in kind"),
        }
        label = labels[side, in_kind]
        accounts = env["grant.budget.account"].search(
            [("side", "=", side), ("in_kind", "=", in_kind)]
        )
        by_account = self.line_ids.grouped("account_id")
        accounts = accounts.filtered(lambda a: not a.is_total or a in by_account)
        headings = dict(accounts._fields["heading"]._description_selection(env))
        rows = []
        for heading, own in accounts.grouped("heading").items():
            lines = self.line_ids.filtered(lambda line, own=own: line.account_id in own)
            rows.append([headings[heading], *self._get_figures(lines), True])
            for account in own:
                for line in by_account.get(account, [None]):
                    rows.append(self._get_account_row(account, line))
        every = self.line_ids.filtered(lambda line: line.account_id in accounts)
        return {
            "headings": [label, env._("Forecast"), env._("Actual"), "%"],
            "rows": rows,
            "total": [env._("Total: %s", label), *self._get_figures(every)],
        }

    def _get_account_row(self, account, line):
        if line is None:
            return [account.display_name, "", "", "", False]
        return [line.display_name, *self._get_figures(line), False]

    def _get_figures(self, lines):
        """Forecast, actual, and what part of the forecast that is, as texts."""
        forecast, actual = sum(lines.mapped("forecast")), sum(lines.mapped("actual"))
        if not forecast and not actual:
            return ["", "", ""]
        percent = f"{100 * actual / forecast:.0f}" if forecast else "–"
        return [self._format_figure(forecast), self._format_figure(actual), percent]

    def _format_figure(self, amount):
        lang = self.env["res.lang"]._lang_get(self.env.lang)
        return lang.format("%.2f", amount, grouping=True)

    def _get_share(self):
        """“The subsidy of X represents Y % of the total of the income.”"""
        total = self.line_ids._get_totals()["income"]
        if not total:
            return ""
        lang = self.env["res.lang"]._lang_get(self.env.lang)
        return self.env._(
            "The subsidy of %(amount)s is %(percent)s %% of the total of the income.",
            amount=self._format_euros(self.granted_amount),
            percent=lang.format("%.1f", 100 * self.granted_amount / total),
        )

    def _get_gaps(self):
        """What was said of the gaps between forecast and actual."""
        told = [f"{line.display_name}: {line.comment}" for line in self.line_ids if line.comment]
        return [[self.env._("Gaps between forecast and actual"), "\n".join(told) or "–"]]

    def _get_attestation(self):
        return self.env._(
            "I, the undersigned, %(name)s, legal representative of the association, certify that "
            "the information of this report is exact.\nDone at %(place)s, on %(date)s",
            name=self.attested_name or "…………………………",
            place=self.attested_place or "…………………………",
            date=format_date(self.env, self.attested_date) if self.attested_date else "……………………",
        )
