from odoo import http
from odoo.http import request

from .portal import GrantsPortal


class FramePortal(GrantsPortal):
    """What is around the pages of the portal: help and the notices that the law asks for, which are
    everybody's to read."""

    @http.route(
        "/my/help", type="http", auth="public", website=True, sitemap=False, readonly=True
    )
    def portal_help(self, **kw):
        """How to hand in a file, and whom to ask."""
        return self._render_notice("portal_help", self.env._("Help"))

    @http.route(
        "/my/legal", type="http", auth="public", website=True, sitemap=False, readonly=True
    )
    def portal_legal(self, **kw):
        """Who publishes the portal, and what becomes of personal data."""
        return self._render_notice("portal_legal", self.env._("Legal notice and personal data"))

    @http.route(
        "/my/accessibility", type="http", auth="public", website=True, sitemap=False, readonly=True
    )
    def portal_accessibility(self, **kw):
        """The accessibility statement."""
        return self._render_notice("portal_accessibility", self.env._("Accessibility"))

    def _render_notice(self, template, title):
        return request.render(
            f"ctai_grants.{template}",
            {
                "page_name": "grant_notice",
                "title": title,
                "cities": request.env["res.company"]._get_portal_cities(),
            },
        )
