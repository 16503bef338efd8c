from odoo import api, models
from odoo.tools import SQL, format_date

# Rows that a page holds; what is more is told, and a click away.
MOST = 12
TILES = (
    ("allocated", "allocation"), ("received", "receipt"), ("committed", "commitment"),
    ("paid", "payment"), ("recovered", "recovery"), ("justified", "justification"),
)  # fmt: skip


class GrantContract(models.Model):
    """A contract on one page, for who steers it: envelopes, payments against their schedule, late
    pieces, indicators, actions by theme. Each figure says what stands behind it."""

    _name = "grant.contract"
    _inherit = ["grant.contract", "grant.pdf.mixin"]

    def action_steering(self):
        """Open the page."""
        self.ensure_one()
        return {
            "type": "ir.actions.client",
            "tag": "ctai_grants_reports.steering",
            "name": self._get_steering_name(),
            "context": {"active_id": self.id},
            "params": {"contract_id": self.id},
        }

    def _get_steering_name(self):
        return self.env._("Steering: %s", self.code)

    @api.readonly
    def get_steering(self):
        """What the page shows, for who may read the contract: texts, shares in per cent, and of
        each figure the window behind it (a model and a domain).

        :raise AccessError: the user may not read it
        """
        self.ensure_one().check_access("read")
        # Whoever reads the contract alone, as a prefecture does, has its own page.
        self.env["grant.figure"].check_access("read")
        return {
            "name": self._get_steering_name(),
            "title": self.name,
            "subtitle": " · ".join(filter(None, [
                self.code, self.funder_id.display_name, self._get_state_label(),
                " – ".join(format_date(self.env, day) for day in (self.date_start, self.date_end)
                           if day),
            ])),
            "tiles": self._get_steering_tiles(),
            "envelopes": self._get_steering_envelopes(),
            "schedule": self._get_steering_schedule(),
            "late": self._get_steering_late(),
            "indicators": self._get_steering_indicators(),
            "themes": self._get_steering_themes(),
        }  # fmt: skip

    def _say_euros(self, amount):
        return self.currency_id.format(amount)

    def _open(self, name, model, *domain):
        """The window behind a figure."""
        views = [[False, "list"], [False, "form"]]
        return {
            "type": "ir.actions.act_window", "name": name, "res_model": model, "views": views,
            "domain": [("contract_id", "=", self.id), *domain], "context": {"create": False},
        }  # fmt: skip

    def _get_steering_tiles(self):
        fields = self.env["grant.contract"]._fields
        entries = [
            {
                "label": fields[f"{name}_amount"]._description_string(self.env),
                "value": self._say_euros(self[f"{name}_amount"]),
                "open": self._open(
                    fields[f"{name}_amount"]._description_string(self.env), "grant.entry",
                    ("kind", "=", kind),
                ),
            }
            for name, kind in TILES
        ]  # fmt: skip
        for name in ("available", "to_pay"):
            label = fields[f"{name}_amount"]._description_string(self.env)
            value = self._say_euros(self[f"{name}_amount"])
            model = "grant.envelope" if name == "available" else "grant.subsidy"
            entries.append({"label": label, "value": value, "open": self._open(label, model)})
        return entries

    def _get_steering_envelopes(self):
        fields = self.env["grant.envelope"]._fields
        rows = []
        for envelope in self.envelope_ids:
            bars = [
                {
                    "key": name,
                    "label": fields[f"{name}_amount"]._description_string(self.env),
                    "value": self._say_euros(envelope[f"{name}_amount"]),
                    "amount": envelope[f"{name}_amount"],
                    "share": _share(
                        # As everywhere, paid is a share of what did not come back.
                        envelope[f"{name}_amount"]
                        - (envelope.recovered_amount if name == "paid" else 0.0),
                        envelope.allocated_amount,
                    ),
                    "open": self._open(
                        envelope.name, "grant.entry", ("envelope_id", "=", envelope.id),
                        ("kind", "=", kind),
                    ),
                }
                for name, kind in (("committed", "commitment"), ("paid", "payment"),
                                   ("justified", "justification"))
            ]  # fmt: skip
            rows.append({
                "name": f"{envelope.code} – {envelope.name}",
                "who": dict(
                    envelope._fields["payment_path"]._description_selection(self.env)
                )[envelope.payment_path],
                "allocated": self._say_euros(envelope.allocated_amount),
                "available": self._say_euros(envelope.available_amount),
                "bars": bars,
            })  # fmt: skip
        return rows

    def _get_steering_schedule(self):
        """Month by month what was to be paid, and what was: dicts, the months with nothing left
        out."""
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT month, sum(due), sum(paid)
                     FROM (SELECT date_trunc('month', tranche.due_date)::date AS month,
                                  tranche.amount AS due, 0 AS paid
                             FROM grant_disbursement tranche
                             JOIN grant_subsidy subsidy ON subsidy.id = tranche.subsidy_id
                            WHERE subsidy.contract_id = %(contract)s
                              AND tranche.state <> 'cancelled' AND tranche.due_date IS NOT NULL
                              AND subsidy.state IN ('signed', 'closed')
                            UNION ALL
                           SELECT date_trunc('month', date)::date, 0, amount
                             FROM grant_entry
                             WHERE contract_id = %(contract)s AND kind = 'payment'
                               AND origin_model = 'grant.disbursement') line
                    GROUP BY month ORDER BY month""",
                contract=self.id,
            )
        )
        most = max((float(value) for _month, *values in rows for value in values), default=0)
        shown = [self._make_month(*row, most) for row in rows]
        return {"rows": shown[-24:], "more": max(0, len(shown) - 24)}

    def _make_month(self, month, due, paid, most):
        name = format_date(self.env, month, date_format="MMM y")
        end = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
        within = [("date", ">=", str(month)), ("date", "<", str(end))]
        is_due = [("due_date", ">=", str(month)), ("due_date", "<", str(end))]
        return {
            "name": name,
            "due": self._say_euros(due), "due_share": _share(due, most),
            "paid": self._say_euros(paid), "paid_share": _share(paid, most),
            "amounts": [float(due), float(paid)],
            "open_due": self._open(
                name, "grant.disbursement", ("state", "!=", "cancelled"),
                ("subsidy_id.state", "in", ("signed", "closed")), *is_due,
            ),
            "open_paid": self._open(
                name, "grant.entry", ("kind", "=", "payment"),
                ("origin_model", "=", "grant.disbursement"), *within,
            ),
        }  # fmt: skip

    def _get_steering_late(self):
        domain = [("contract_id", "=", self.id), ("is_late", "=", True)]
        pieces = self.env["grant.deliverable"].search(domain, order="due_date, id")
        today = self.company_id._grant_today()
        return {
            "count": len(pieces),
            "more": max(0, len(pieces) - MOST),
            "open": self._open(self.env._("Late Pieces"), pieces._name, ("is_late", "=", True)),
            "rows": [
                {
                    "name": piece.name,
                    "operator": piece.partner_id.name,
                    "due": format_date(self.env, piece.due_date),
                    "days": self.env._("%s days", (today - piece.due_date).days),
                    "open": piece._get_records_action(),
                }
                for piece in pieces[:MOST]
            ],
        }

    def _get_steering_indicators(self):
        """As the city knows them: this page does not leave it. The PDF does, and has those that are
        published."""
        results = self.env["grant.indicator.result"].search(
            [("contract_id", "=", self.id), ("audience_id", "=", False)],
            order="indicator_id, subsidy_id",
        )
        rows = [
            {
                "name": line.indicator_id.display_name,
                "operator": line.partner_id.name,
                "target": line.indicator_id._format(line.target) if line.target else "–",
                "value": line.indicator_id._format(line.value) if line.is_told else "–",
                "rate": self.env._("%s %%", int(line.rate)) if line.rate else "–",
                "share": _share(line.rate or 0, 100),
                "open": self._open(
                    line.indicator_id.name, "grant.indicator.value",
                    ("target_id", "=", line.target_id.id), ("is_current", "=", True),
                ),
            }
            for line in results[: 2 * MOST]
        ]  # fmt: skip
        more = max(0, len(results) - 2 * MOST)
        name = self.env._("Indicators")
        return {"rows": rows, "more": more, "open": self._open(name, results._name)}

    def _get_steering_themes(self):
        figures = self.env["grant.figure"]
        groups = figures._read_group(
            [("contract_id", "=", self.id), ("subsidy_id.kind", "=", "operator")],
            ["themes"],
            ["committed:sum", "paid:sum", "recovered:sum", "action_id:count_distinct",
             "partner_id:count_distinct"],
        )  # fmt: skip
        rows = []
        for themes, committed, paid, recovered, actions, operators in groups:
            if committed:
                name = themes or self.env._("Without a theme")
                own = ("themes", "=", themes)
                net = (paid or 0) - (recovered or 0)
                rows.append({
                    "name": name, "actions": actions, "operators": operators,
                    "committed": self._say_euros(committed), "amount": committed,
                    "paid": self._say_euros(net), "share": _share(net, committed),
                    "open": self._open(name, "grant.figure", own, ("kind", "=", "commitment")),
                    "open_paid": self._open(
                        name, "grant.figure", own, ("kind", "in", ("payment", "recovery"))
                    ),
                })  # fmt: skip
        rows.sort(key=lambda row: -row["amount"])
        return {"rows": rows[: 2 * MOST], "more": max(0, len(rows) - 2 * MOST)}

    # ------------------------------------------------------------------
    # On paper
    # ------------------------------------------------------------------

    def _print_steering(self):
        """Name and bytes of the PDF: of indicators, those that leave the city."""
        page = self.get_steering()
        today = self.company_id._grant_today()
        del page["indicators"]
        data = {
            **page,
            "title": self.env._("Steering of the contract as at %s", format_date(self.env, today)),
            "name": page["title"],
            "date": today,
            "published": [
                {"theme": theme["name"], **indicator}
                for theme in self._get_published_indicators()
                for indicator in theme["indicators"]
            ],
            "words": self._get_steering_words(),
        }
        # Windows behind figures are nothing on paper.
        return data["title"], self._typeset(
            "ctai_grants_reports/report/figures/steering.typ", _without_windows(data)
        )

    def _get_steering_words(self):
        return {
            "envelopes": self.env._("Envelopes"), "allocated": self.env._("Allocated"),
            "available": self.env._("Available"),
            "schedule": self.env._("Payments against their schedule"),
            "month": self.env._("Month"), "due": self.env._("To pay by the conventions"),
            "paid": self.env._("Paid"),
            "late": self.env._("Late pieces"), "piece": self.env._("Piece"),
            "operator": self.env._("Operator"), "since": self.env._("Due on"),
            "days": self.env._("Late by"), "none_late": self.env._("No operator is late."),
            "indicators": self.env._("Indicators that are published"),
            "indicator": self.env._("Indicator"), "target": self.env._("Target"),
            "value": self.env._("To date"), "rate": self.env._("Reached"),
            "few": self.env._(
                "Numbers below 5 are shown as “< 5”; a figure that would give a small one away is "
                "withheld."
            ),
            "themes": self.env._("Actions by theme"), "theme": self.env._("Theme"),
            "actions": self.env._("Actions"), "operators": self.env._("Operators"),
            "committed": self.env._("Committed"), "none": self.env._("Nothing yet."),
            "more": self.env._("and more, in Odoo:"),
            "bars": self.env._("The same amounts, as bars."),
        }  # fmt: skip


def _share(part, whole):
    """A part in whole per cent, as a bar shows it: all of it only when nothing is left."""
    return max(0, min(100, int(100 * float(part) / float(whole) + 1e-6))) if whole else 0


def _without_windows(data):
    if isinstance(data, dict):
        return {
            name: _without_windows(value) for name, value in data.items()
            if not name.startswith("open")
        }  # fmt: skip
    return [_without_windows(value) for value in data] if isinstance(data, list) else data
