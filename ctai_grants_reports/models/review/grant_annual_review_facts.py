from odoo import models
from odoo.tools import format_date

from odoo.addons.ctai_grants.lib.operator.suppression import SMALL
from odoo.addons.ctai_grants.models.guard.dates import say_day

from ...lib.review.prose import find_numbers
from ..figures.grant_figure import MEASURES


class GrantAnnualReview(models.Model):
    """The figures of an annual review: each by a code, in words, and the tables."""

    _inherit = "grant.annual.review"

    # ------------------------------------------------------------------
    # Figures that stand in the text
    # ------------------------------------------------------------------

    def _get_facts(self):
        """What stands for a figure in the text: dict {code: as it reads}."""
        self.ensure_one()
        review = self._in_words()
        contract, rows = review.contract_id, review._get_action_rows()
        evaluations = review._get_evaluations()
        money = review._get_money()
        format_money = contract.currency_id.format
        share = 100 * money["committed"] / money["allocated"] if money["allocated"] else 0
        return {
            "contract": contract.name or "",
            "code": contract.code or "",
            "city": contract.company_id.partner_id._get_identity(review.as_at).name or "",
            "funder": contract.funder_id._get_identity(review.as_at).display_name or "",
            "signed_on": review._say_day(contract.signature_date),
            "start": review._say_day(contract.date_start),
            "end": review._say_day(contract.date_end),
            "year": str(review.year),
            "next_year": str(review.year + 1),
            "as_at": review._say_day(review.as_at),
            "envelopes": review._count("envelope", len(contract.envelope_ids)),
            "operators": review._count("operator", len({row["partner"] for row in rows})),
            "actions": review._count("action", len(rows)),
            "themes": review._count("theme", len(review._get_themes(rows))),
            "theme_names": review._join(review._get_themes(rows)),
            "evaluated": review._count("evaluation", len(evaluations)),
            "meetings": review._count("meeting", len(evaluations.meeting_ids)),
            **{
                name: review._count(
                    "action", len(evaluations.filtered(lambda e, n=name: e.conclusion == n))
                )
                for name in ("continue", "amend", "stop")
            },
            "amendments": review._count("amendment", len(review._get_next_amendments())),
            "few": review.env._("< %s", SMALL),
            "committed_share": review._say_share(share),
            **{name: format_money(amount) for name, amount in money.items()},
        }

    def _say_day(self, day):
        return say_day(self.env, day) or "–"

    def _get_colon(self):
        return "\u00a0: " if (self.env.lang or "").startswith("fr") else ": "

    def _say_share(self, share):
        """In whole per cent; all of it only when nothing is left."""
        return self.env._("%s %%", int(share + 1e-6))

    def _join(self, names):
        """Names as in a sentence: a, b and c."""
        if len(names) < 2:
            return "".join(names)
        return self.env._(
            "%(names)s and %(last)s", names=", ".join(names[:-1]), last=names[-1]
        )

    def _count(self, what, number):
        """A number with its noun, as in a sentence."""
        none, one, many = {
            "envelope": (self.env._("no envelope"), self.env._("one envelope"),
                         self.env._("%s envelopes")),
            "operator": (self.env._("no operator"), self.env._("one operator"),
                         self.env._("%s operators")),
            "action": (self.env._("no action"), self.env._("one action"),
                       self.env._("%s actions")),
            "theme": (self.env._("no theme"), self.env._("one theme"), self.env._("%s themes")),
            "evaluation": (self.env._("no evaluation"), self.env._("one evaluation"),
                           self.env._("%s evaluations")),
            "meeting": (self.env._("no exchange"), self.env._("one exchange"),
                        self.env._("%s exchanges")),
            "amendment": (self.env._("no amendment"), self.env._("one amendment"),
                          self.env._("%s amendments")),
        }[what]  # fmt: skip
        return none if not number else one if number == 1 else many % number

    # ------------------------------------------------------------------
    # What they are read from
    # ------------------------------------------------------------------

    def _read_figures(self, groupby, domain=()):
        """Sums of the ledger up to the date: list of (group, {measure: amount})."""
        self.ensure_one()
        within = [("contract_id", "=", self.contract_id.id), ("date", "<=", self.as_at)]
        found = self.env["grant.figure"]._read_group(
            [*within, *domain], groupby, [f"{name}:sum" for name in MEASURES]
        )
        width = len(groupby)
        return [
            (group[:width], {name: amount or 0.0 for name, amount in
                             zip(MEASURES, group[width:], strict=True)})
            for group in found
        ]  # fmt: skip

    def _get_money(self):
        """Sums of all envelopes; what the city paid, and what the State paid itself, apart."""
        paths = {path: sums for (path,), sums in self._read_figures(["payment_path"])}
        nothing = dict.fromkeys(MEASURES, 0.0)
        city, direct = paths.get("city", nothing), paths.get("direct", nothing)
        whole = {name: city[name] + direct[name] for name in MEASURES}
        return {
            **whole,
            "paid_city": city["paid"],
            "paid_direct": direct["paid"],
            "available": whole["allocated"] - whole["committed"],
            "to_pay": whole["committed"] - whole["paid"] + whole["recovered"],
            "unjustified": whole["paid"] - whole["recovered"] - whole["justified"],
        }

    def _get_action_rows(self):
        """What was committed for each action up to the date: list of dicts, by theme."""
        groups = self._read_figures(["subsidy_id", "action_id", "themes", "audiences"])
        subsidies = self.env["grant.subsidy"].union(*(group[0] for group, _sums in groups))
        names = subsidies.partner_id._get_identities(self.as_at)
        rows = [
            {
                "themes": themes or "",
                "action": action.name or subsidy.name,
                "partner": subsidy.partner_id,
                "operator": names[subsidy.partner_id].name or "",
                "audiences": audiences or "",
                "own_cost": subsidy.kind == "own_cost",
                "committed": sums["committed"],
                "paid": sums["paid"] - sums["recovered"],
            }
            for (subsidy, action, themes, audiences), sums in groups
            if subsidy and sums["committed"] and subsidy.kind == "operator"
        ]
        return sorted(rows, key=lambda row: (not row["themes"], row["themes"], row["operator"]))

    def _get_themes(self, rows):
        names = {name for row in rows for name in row["themes"].split(" + ") if name}
        return sorted(names)

    def _get_evaluations(self):
        """Those of the year that are concluded."""
        return self.env["grant.evaluation"].search(
            [("contract_id", "=", self.contract_id.id), ("year", "=", self.year),
             ("state", "=", "concluded")],
            order="partner_id, action_id",
        )  # fmt: skip

    def _get_next_amendments(self):
        """Amendments signed since the date, and those being drafted."""
        contract = self.contract_id.id
        return self.env["grant.amendment"].search(
            ["|", ("contract_id", "=", contract), ("subsidy_id.contract_id", "=", contract),
             "|", ("state", "=", "draft"), ("signature_date", ">", self.as_at)],
        )  # fmt: skip

    # ------------------------------------------------------------------
    # Tables
    # ------------------------------------------------------------------

    def _get_block(self, name):
        """Tables below a paragraph: dicts with ``title``, ``note``, ``headings``, ``rows``,
        ``totals``, ``numbers`` (how many columns at the right are numbers) and ``chart``."""
        self.ensure_one()
        return getattr(self, f"_get_block_{name}")() if name != "none" else []

    def _make_table(self, title, headings, rows, numbers, totals=(), note="", chart=None):
        return {
            "title": title, "headings": headings, "rows": rows, "numbers": numbers,
            "totals": list(totals), "note": note, "chart": chart, "empty": self.env._("None yet."),
        }  # fmt: skip

    def _get_block_actions(self):
        rows, format_money = self._get_action_rows(), self.currency_id.format
        headings = [
            self.env._("Theme"), self.env._("Action"), self.env._("Operator"),
            self.env._("For whom"), self.env._("Committed"),
        ]  # fmt: skip
        shown = [
            [row["themes"] or self.env._("Without a theme"), row["action"], row["operator"],
             row["audiences"], format_money(row["committed"])]
            for row in rows
        ]  # fmt: skip
        total = format_money(sum(row["committed"] for row in rows))
        return [
            self._make_table(
                self.env._("Actions by theme"), headings, shown, 1,
                [self.env._("All actions"), "", "", "", total] if rows else (),
                self._say_own_costs(),
            )
        ]  # fmt: skip

    def _say_own_costs(self):
        """What the city spends itself is no action of an operator, and is among what is
        committed."""
        own = self._read_figures(["contract_id"], [("subsidy_id.kind", "=", "own_cost")])
        committed = sum(sums["committed"] for _group, sums in own)
        return committed and self.env._(
            "Besides these actions, the city's own costs for the contract: %(amount)s committed.",
            amount=self.currency_id.format(committed),
        ) or ""

    def _get_block_money(self):
        names = ("allocated", "committed", "paid", "justified", "recovered")
        groups = sorted(self._read_figures(["envelope_id"]), key=lambda group: group[0][0].sequence)
        format_money = self.currency_id.format
        words = self.env["grant.figure"]._fields
        labels = [words[name]._description_string(self.env) for name in names]
        rows = [
            [envelope.name, *(format_money(sums[name]) for name in names)]
            for (envelope,), sums in groups
        ]
        totals = [format_money(sum(sums[name] for _group, sums in groups)) for name in names]
        chart = {
            "names": labels[:3],
            "rows": [
                [envelope.name, [sums[name] for name in names[:3]]] for (envelope,), sums in groups
            ],
            "alt": self.env._("The same amounts, as bars."),
        }
        return [
            self._make_table(
                self.env._("Envelopes as at %s", self._say_day(self.as_at)),
                [self.env._("Envelope"), *labels], rows, len(names),
                [self.env._("All envelopes"), *totals] if len(rows) > 1 else (),
                chart=chart if rows else None,
            )
        ]  # fmt: skip

    def _get_block_figures(self):
        """As the funder is shown them: small counts are not told (R9)."""
        tables = [
            self._make_indicator(theme["name"], indicator)
            for theme in self.contract_id._get_published_indicators(self.as_at)
            for indicator in theme["indicators"]
        ]
        return [*tables, *self._get_context()]

    def _make_indicator(self, theme, indicator):
        def cells(row):
            return [row["target"] or "–", *row["cells"], row["rate"] or "–"]

        total = indicator["total"]
        colon = self._get_colon()
        parts = [f"{part['name']}{colon}{part['value']}" for part in indicator["parts"]]
        return self._make_table(
            f"{theme} – {indicator['name']}",
            [self.env._("Operator"), self.env._("Target"), *indicator["columns"],
             self.env._("Reached")],
            [[row["name"], *cells(row)] for row in indicator["rows"]],
            len(indicator["columns"]) + 2,
            [self.env._("All operators"), *cells(total)] if total else (),
            " ".join(filter(None, [indicator["note"], *parts])),
        )  # fmt: skip

    def _get_context(self):
        """Public figures that the contract is read beside, with their sources."""
        figures = self.contract_id.context_figure_ids
        rows = [
            [figure.name, format_date(self.env, figure.date), figure.source,
             figure._format_value()]
            for figure in figures
        ]  # fmt: skip
        headings = [
            self.env._("Figure"), self.env._("Date"), self.env._("Source"), self.env._("Value")
        ]
        title = self.env._("Public figures beside it")
        return [self._make_table(title, headings, rows, 1)] if rows else []

    def _get_block_evaluation(self):
        evaluations = self._get_evaluations()
        conclusions = dict(evaluations._fields["conclusion"]._description_selection(self.env))
        rows = [
            [one.action_id.name, one.partner_id._get_identity(self.as_at).name,
             conclusions[one.conclusion], self._quote(one.conclusion_reason)]
            for one in evaluations
        ]  # fmt: skip
        headings = [
            self.env._("Action"), self.env._("Operator"), self.env._("Conclusion"),
            self.env._("Why"),
        ]  # fmt: skip
        title = self.env._("Evaluations of the year")
        return [self._make_table(title, headings, rows, 0)] if rows else []

    def _quote(self, reason):
        """A reason as it is published: not one with a number that somebody typed, which nothing
        suppresses (R9)."""
        return self.env._("See the city.") if find_numbers(reason or "") else reason
