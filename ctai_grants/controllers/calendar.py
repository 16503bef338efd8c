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
        # sudo: the subsidies that the user's own rules find; what is due of them
        own = request.env["grant.subsidy"].search([("state", "=", "signed")]).sudo()
        return self._send_calendar(own, "/my/subsidies")

    @http.route(
        "/my/subsidies/<int:subsidy_id>/calendar.ics", type="http", auth="user", website=True,
        readonly=True,
    )  # fmt: skip
    def portal_subsidy_calendar(self, subsidy_id, **kw):
        """The calendar file of one subsidy."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        return self._send_calendar(subsidy_sudo, subsidy_sudo.access_url)

    def _send_calendar(self, subsidies_sudo, page):
        content = subsidies_sudo._make_calendar()
        if not content:
            # The page says that nothing is expected.
            return request.redirect(page)
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "text/calendar; charset=utf-8"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(self.env._("dates") + ".ics")),
            ],
        )
