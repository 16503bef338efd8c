from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..lib.accounting.spreadsheet import Refusal
from ..lib.operator.figures import read_figure
from .portal import SUBSIDY_PAGE, GrantsPortal


class FiguresPortal(GrantsPortal):
    """The indicators of a subsidy, on a page of their own. No portal user reads their models:
    whoever may read the subsidy sees its page, and what is told goes through the method of the
    subsidy, which checks who tells it."""

    def _get_figures_url(self, subsidy_id):
        return f"/my/subsidies/{subsidy_id}/figures"

    @http.route(
        "/my/subsidies/<int:subsidy_id>/figures", type="http", auth="user",
        methods=["GET", "POST"], website=True,
    )  # fmt: skip
    def portal_figures(self, subsidy_id, entered=None, **typed):
        """The figures that the convention of one's own subsidy asks for; sent, they are entered:
        all of them, or none."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        if not subsidy_sudo._has_figures_page(request.env.user):
            raise NotFound()
        if request.httprequest.method == "GET":
            return self._render_figures(subsidy_sudo, entered=entered)
        failure = None
        rows, errors = self._read_figures(subsidy_sudo, typed)
        if not errors:
            try:
                # A refusal is answered with a page, not with an error, which would roll back.
                with request.env.cr.savepoint():
                    # As the user: it is asked who tells them, and kept.
                    subsidy = request.env["grant.subsidy"].browse(subsidy_id)
                    errors = subsidy._enter_figures(rows)
            except UserError as error:
                failure = str(error)
        if errors or failure:
            return self._render_figures(subsidy_sudo, typed, errors, failure)
        return request.redirect(f"{self._get_figures_url(subsidy_id)}?entered=1")

    def _read_figures(self, subsidy_sudo, typed):
        """What was typed, as the subsidy takes it, and what cannot be read: errors by field."""
        rows, errors = [], {}
        for row in subsidy_sudo._get_figure_rows():
            target, period = row["target"], row["period"].code
            name = f"{target.id}_{period}"
            if f"value_{name}" not in typed:
                continue
            read = {"target": target, "period": period, "comment": typed.get(f"comment_{name}")}
            known = self._read_number(typed.get(f"known_{name}"))
            read["known"] = -1 if known is None else known
            for what, kind in (("value", target.indicator_id.kind), ("base", "count")):
                try:
                    read[what] = read_figure(typed.get(f"{what}_{name}"), kind)
                except Refusal as refusal:
                    errors[target, period, what] = target._say_fault(refusal.code)
            if read.get("base") is not None:
                read["base"] = int(read["base"])
            rows.append(read)
        return rows, errors

    def _render_figures(self, subsidy_sudo, typed=None, errors=None, failure=None, **values):
        typed = typed or {}
        labels = {
            f"{what}_{target.id}_{period}": target.display_name
            for target, period, what in errors or ()
        }
        errors = {
            f"{what}_{target.id}_{period}": sentence
            for (target, period, what), sentence in (errors or {}).items()
        }
        rows = subsidy_sudo._get_figure_rows()
        for row in rows:
            row["name"] = f"{row['target'].id}_{row['period'].code}"
            row["typed"] = {
                what: typed.get(f"{what}_{row['name']}", self._format_told(row["value"], what))
                for what in ("value", "base", "comment")
            }
        return request.render(
            "ctai_grants.portal_my_figures",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": self.env._("Indicators"),
                "crumb": self.env._("Indicators"),
                "subsidy": subsidy_sudo,
                "is_open": subsidy_sudo.state == "signed",
                "lines": subsidy_sudo.indicator_target_ids,
                "rows": {
                    line: [row for row in rows if row["target"] == line]
                    for line in subsidy_sudo.indicator_target_ids
                },
                "awaited": subsidy_sudo._get_awaited_figures(),
                "today": subsidy_sudo.company_id._grant_today(),
                "errors": errors,
                "labels": labels,
                "failure": failure,
                **values,
            },
        )

    def _format_told(self, value, what):
        """What was told as one types it in French; nothing of nothing."""
        if not value:
            return ""
        if what == "comment":
            return value.comment or ""
        number = value[what]
        if what == "base" and not number:
            return ""
        return f"{number:.0f}" if number == int(number) else f"{number:.2f}".replace(".", ",")
