from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from .portal import SUBSIDY_PAGE, GrantsPortal


class CalendarPortal(GrantsPortal):
    """What is due, for an operator's own calendar. A file to download, not an address to subscribe
    to: that would be a key to somebody's dates, in whatever program it is put."""

    @http.route(
        "/my/subsidies/calendar.ics", type="http", auth="user", website=True, readonly=True
    )
    def portal_calendar(self, **kw):
        """The calendar file of all subsidies of the user."""
        if not self._may_see(SUBSIDY_PAGE):
            raise NotFound()
        return self._send_calendar()

    @http.route(
        "/my/subsidies/<int:subsidy_id>/calendar.ics", type="http", auth="user", website=True,
        readonly=True,
    )  # fmt: skip
    def portal_subsidy_calendar(self, subsidy_id, **kw):
        """The calendar file of one subsidy."""
        return self._send_calendar(self._get_document(SUBSIDY_PAGE, subsidy_id))

    def _send_calendar(self, subsidy=None):
        pieces = request.env["grant.deliverable"]
        pieces = pieces.search(pieces._get_calendar_domain(subsidy))
        if not pieces:
            # A calendar without a date is no valid one; the page says that nothing is expected.
            return request.redirect(subsidy.access_url if subsidy else "/my/subsidies")
        # sudo: the pieces that the user's own rules found; the name of their city
        content = pieces.sudo()._make_calendar()
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "text/calendar; charset=utf-8"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(self.env._("dates") + ".ics")),
            ],
        )
