from odoo import http
from odoo.http import request

from ..lib.proof.upload import ALLOWED
from ..models.proof.grant_deliverable_submission import LARGEST_HAND_IN, MOST_FILES
from .portal import SUBSIDY_PAGE, GrantsPortal


class SubsidyPortal(GrantsPortal):
    """The subsidies of an operator: their list, and a page for each."""

    def _get_subsidy_sortings(self):
        return {
            "start": {"label": self.env._("Newest"), "order": "date_start desc, id desc"},
            "code": {"label": self.env._("Code"), "order": "code, id"},
            "amount": {"label": self.env._("Amount"), "order": "amount desc, id"},
        }

    @http.route(
        ["/my/subsidies", "/my/subsidies/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_subsidies(self, page=1, sortby=None, **kw):
        """The subsidies that the user may see."""
        sortings = self._get_subsidy_sortings()
        sortby = sortby if sortby in sortings else "start"
        values = self._get_list_values(
            SUBSIDY_PAGE, "/my/subsidies", page, sortings[sortby]["order"], sortby
        )
        return request.render(
            "ctai_grants.portal_my_subsidies",
            {
                **values,
                "page_name": "grant_subsidy",
                "title": self.env._("Subsidies"),
                "searchbar_sortings": sortings,
                "asked": {
                    subsidy: self._get_asked(subsidy) if subsidy.state == "signed" else None
                    for subsidy in values["documents"]
                },
            },
        )

    def _get_asked(self, subsidy_sudo):
        """The pieces that the operator has to hand in, late ones first."""
        return subsidy_sudo.deliverable_ids.filtered(
            lambda piece: piece.state in ("expected", "to_complete")
        ).sorted(lambda piece: (piece.due_date, piece.id))

    @http.route("/my/subsidies/<int:subsidy_id>", type="http", auth="user", website=True)
    def portal_subsidy(self, subsidy_id, handed_in=None, **kw):
        """One subsidy: what is expected, what was handed in, what was paid."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        return self._render_subsidy(subsidy_sudo, handed_in=handed_in)

    def _render_subsidy(self, subsidy_sudo, **values):
        pieces = subsidy_sudo.deliverable_ids
        report = subsidy_sudo._get_report()
        asked = self._get_asked(subsidy_sudo)
        return request.render(
            "ctai_grants.portal_my_subsidy",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": subsidy_sudo.name,
                "subsidy": subsidy_sudo,
                "asked": asked,
                "late": asked.filtered("is_late"),
                "settled": (pieces - asked).sorted(lambda piece: (piece.due_date, piece.id)),
                # A calculation that may still change is the city's.
                "lines": report._get_due_lines() if report else [],
                "currency": subsidy_sudo.currency_id,
                # What the operator was told by letter, nothing before.
                "recoveries": subsidy_sudo.recovery_ids.filtered("notified_date"),
                "open_pieces": pieces.filtered(lambda piece: piece._is_open_to(request.env.user)),
                "accept": ",".join([f".{name}" for name in ALLOWED] + sorted({*ALLOWED.values()})),
                "types": ", ".join(name.upper() for name in ALLOWED),
                "largest": subsidy_sudo.company_id.grant_upload_max_mb,
                "largest_hand_in": subsidy_sudo.company_id.grant_upload_max_mb * LARGEST_HAND_IN,
                "most_files": MOST_FILES,
                "join_photos": True,
                "format_size": self._format_size,
                **values,
            },
        )
