from odoo import models
from odoo.tools.misc import format_date


class GrantSubsidy(models.Model):
    """The articles of the convention, and its annexes: budget, schedule, pieces, indicators."""

    _inherit = "grant.subsidy"

    def _get_articles(self):
        """Pairs of title and text: those made of the figures, then the city's clauses."""
        words = self.env["grant.document.wording"]._get_words(self.company_id, "convention")
        clauses = words.get("clauses") or "\n\n".join(self._get_default_clauses())
        told = [*self._get_own_articles()]
        for part in filter(str.strip, clauses.replace("\r", "").split("\n\n")):
            title, _line, text = part.strip().partition("\n")
            told.append([title, text])
        return told

    def _get_own_articles(self):
        actions = "\n".join(
            f"– {action.name} ({self._format_euros(action.amount)})"
            if action.amount
            else f"– {action.name}"
            for action in self.action_ids
        )
        yield [
            self.env._("Object"),
            self.env._(
                "The operator undertakes, on its own initiative and responsibility, the project "
                "“%s”. The city contributes to it and expects no direct counterpart.",
                self.name,
            )
            + (f"\n{actions}" if actions else ""),
        ]
        if self.date_start and self.date_end:
            yield [
                self.env._("Duration"),
                self.env._(
                    "The convention covers the period from %(start)s to %(end)s. It takes effect "
                    "on its notification to the operator.",
                    start=format_date(self.env, self.date_start),
                    end=format_date(self.env, self.date_end),
                ),
            ]
        yield [
            self.env._("Amount"),
            self.env._(
                "The city contributes %(amount)s, from the envelope “%(envelope)s” of the contract "
                "“%(contract)s”. The budget of the project is in annex 1.",
                amount=self._format_euros(self.amount),
                envelope=self.envelope_id.name,
                contract=self.contract_id.name,
            ),
        ]
        yield [
            self.env._("Payment"),
            self.env._(
                "The contribution is paid in the tranches of annex 2, once the pieces named there "
                "are accepted, to the bank account that the operator gave."
            ),
        ]
        rule = dict(self._fields["due_rule"]._description_selection(self.env))[self.due_rule]
        yield [self.env._("Amount due in the end"), self._get_due_article(rule)]

    def _get_due_article(self, rule):
        text = self.env._("Rule: %s.", rule)
        if self.due_rule == "fixed":
            return text
        if not self.surplus_percent:
            return f"{text} {self.env._('What is not due in the end is paid back.')}"
        kept = self.env["res.lang"]._lang_get(self.env.lang).format("%g", self.surplus_percent)
        surplus = self.env._(
            "The operator may keep a reasonable surplus of %s %% at most; the rest is paid back.",
            kept,
        )
        return f"{text} {surplus}"

    def _get_default_clauses(self):
        """The clauses that conventions have (circulaire no. 5811-SG of 29 September 2015)."""
        yield self.env._(
            "Pieces to hand in\nThe operator hands in, within six months of the end of the "
            "financial year, the financial report (Cerfa no. 15059), the annual accounts and the "
            "activity report, and on the dates of annex 2 the other pieces (law no. 2000-321 of "
            "12 April 2000, article 10; CGCT, article L1611-4)."
        )
        yield self.env._(
            "Other commitments\nThe operator tells the city without delay of any change of its "
            "statutes, its officers or its bank account, and of any delay in the project. It "
            "mentions the support of the city and of the State in its communication."
        )
        yield self.env._(
            "Sanctions\nIf the commitments are not met, or substantially changed or delayed "
            "without written agreement, the city may reduce, suspend or ask back all or part of "
            "its contribution, after it has heard the operator."
        )
        yield self.env._(
            "Control and evaluation\nThe city may control at any time, on documents and on the "
            "spot, how the contribution is used. Both parties evaluate the project with the "
            "indicators of annex 3. No person of the public is named in what is handed in."
        )
        yield self.env._(
            "Amendment\nThe convention is changed by a written amendment only, signed by both "
            "parties, which does not change its general objectives."
        )
        yield self.env._(
            "Termination\nIf one party does not meet its commitments, the other may terminate the "
            "convention two months after a formal notice by registered letter without effect."
        )
        yield self.env._(
            "Appeal\nDisputes that cannot be settled amicably go to the administrative court of "
            "the city's district."
        )

    # ------------------------------------------------------------------
    # Annexes
    # ------------------------------------------------------------------

    def _get_annexes(self):
        """Tables, each with its title: what the template prints one after the other."""
        schedule = self._get_schedule_table()
        tables = [
            {"title": self.env._("Budget of the project"), "tables": self._get_budget_tables()},
            {
                "title": self.env._("Payment schedule and pieces to hand in"),
                "tables": [schedule, self._get_pieces_table()],
            },
            {"title": self.env._("Indicators"), "tables": [self._get_indicators_table()]},
        ]
        for number, annex in enumerate(tables, 1):
            annex["title"] = self.env._(
                "Annex %(number)s – %(title)s", number=number, title=annex["title"]
            )
        return tables

    def _get_budget_tables(self):
        totals = self.budget_line_ids._get_totals()
        labels = {
            ("expense", False): self.env._("Charges"),
            ("income", False): self.env._("Income"),
            ("expense", True): self.env._("Use of contributions in kind"),
            ("income", True): self.env._("Contributions in kind"),
        }
        tables = []
        for (side, in_kind), label in labels.items():
            lines = self.budget_line_ids.filtered(
                lambda line, side=side, in_kind=in_kind: (
                    line.account_id.side == side
                    and line.account_id.in_kind == in_kind
                    and line.amount
                )
            )
            if in_kind and not lines:
                continue
            total = totals[f"in_kind_{side}" if in_kind else side]
            tables.append(
                {
                    "title": label,
                    "headings": [self.env._("Line"), self.env._("Forecast")],
                    "rows": [
                        [line.display_name, self._format_euros(line.amount)] for line in lines
                    ],
                    "total": [self.env._("Total"), self._format_euros(total)],
                    "empty": self.env._("No line is entered."),
                }
            )
        return tables

    def _get_pieces_table(self):
        pieces = self.deliverable_ids.sorted(lambda piece: (piece.due_date, piece.id))
        return {
            "title": self.env._("Pieces to hand in"),
            "headings": [self.env._("Piece"), self.env._("Due on")],
            "rows": [[p.name, format_date(self.env, p.due_date)] for p in pieces],
            "total": [],
            "empty": self.env._("No piece is asked for."),
        }

    def _get_indicators_table(self):
        labels = self.env["grant.indicator.target"]._fields["frequency"]
        labels = dict(labels._description_selection(self.env))
        rows = [
            [
                " – ".join(
                    filter(None, (t.indicator_id.name, t.action_id.name, t.audience_id.name))
                ),
                labels.get(t.frequency, ""),
                f"{t.target:g}" if t.target else "–",
            ]
            for t in self.indicator_target_ids
        ]
        return {
            "title": self.env._("Indicators"),
            "headings": [
                self.env._("Indicator"), self.env._("Reported"), self.env._("Target")
            ],
            "rows": rows,
            "total": [],
            "empty": self.env._("No indicator is asked for."),
        }  # fmt: skip
