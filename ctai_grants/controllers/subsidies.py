from functools import cache, partial

from odoo import http
from odoo.fields import Domain
from odoo.http import request
from odoo.tools import format_date

from .portal import SUBSIDY_PAGE, GrantsPortal


class SubsidyPortal(GrantsPortal):
    """The subsidies of an operator: their list, and a page for each."""

    def _get_subsidy_sortings(self):
        return {
            "start": {"label": self.env._("Date"), "order": "date_start desc, id desc"},
            "name": {"label": self.env._("Name"), "order": "name, id"},
            "code": {"label": self.env._("Code"), "order": "code, id"},
            "amount": {"label": self.env._("Amount"), "order": "amount desc, id"},
        }

    def _get_subsidy_filters(self):
        return {
            # Of subsidies in the feminine: words that French writes in two ways.
            "all": {"label": self.env._("All subsidies"), "domain": Domain.TRUE},
            "open": {
                "label": self.env._("Subsidies in progress"),
                "domain": Domain("state", "in", ("granted", "signed")),
            },
            "closed": {
                "label": self.env._("Closed subsidies"), "domain": Domain("state", "=", "closed")
            },
        }  # fmt: skip

    @http.route(
        ["/my/subsidies", "/my/subsidies/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_subsidies(self, page=1, sortby=None, filterby=None, search=None, **kw):
        """The subsidies that the user may see."""
        values = self._get_list_values(
            SUBSIDY_PAGE, "/my/subsidies", page, self._get_subsidy_sortings(),
            self._get_subsidy_filters(), ("name", "code"),
            {"sortby": sortby, "filterby": filterby, "search": search},
        )  # fmt: skip
        return request.render(
            "ctai_grants.portal_my_subsidies",
            {
                **values,
                "page_name": "grant_subsidy",
                "title": self.env._("Subsidies"),
                "rows": values["documents"]._get_list_rows(),
                # A page has many of the same days, and a widget for each amount takes its time.
                "say_day": cache(partial(format_date, request.env)),
            },
        )

    @http.route("/my/subsidies/<int:subsidy_id>", type="http", auth="user", website=True)
    def portal_subsidy(self, subsidy_id, **kw):
        """One subsidy: what is expected, what was handed in, what was paid."""
        return self._render_subsidy(self._get_document(SUBSIDY_PAGE, subsidy_id))

    def _render_subsidy(self, subsidy_sudo, **values):
        pieces = subsidy_sudo.deliverable_ids
        report = subsidy_sudo._get_report()
        asked, gains = pieces._get_asked(), pieces._get_gains()
        return request.render(
            "ctai_grants.portal_my_subsidy",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": subsidy_sudo.name,
                "subsidy": subsidy_sudo,
                "steps": subsidy_sudo._get_steps(gains),
                "pieces": asked + (pieces - asked).sorted(lambda p: (p.due_date, p.id)),
                "gains": gains,
                "timeline": subsidy_sudo._get_timeline(),
                # A calculation that may still change is the city's.
                "lines": report._get_due_lines() if report else [],
                "currency": subsidy_sudo.currency_id,
                "recoveries": subsidy_sudo._get_told_recoveries(),
                "documents": subsidy_sudo._get_documents(),
                "bank": subsidy_sudo.partner_id._get_grant_bank(),
                "open_pieces": pieces.filtered(lambda piece: piece._is_open_to(request.env.user)),
                **values,
            },
        )
