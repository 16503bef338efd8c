import re
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import BadRequest, HTTPException

from odoo import models
from odoo.http import Response, SessionExpiredException, request

# Pages and downloads about somebody's subsidies, and what opens them.
CLOSED = re.compile(r"/(my|grants|web/(login|reset_password|signup|session))(/|$)")


class IrHttp(models.AbstractModel):
    """What holds for every page of the portal, whichever add-on makes it: no machine on the way and
    no browser of a shared computer keeps it, no other site shows it in a frame, and a form that
    comes too late is answered in words."""

    _inherit = "ir.http"

    @classmethod
    def _post_dispatch(cls, response):
        result = super()._post_dispatch(response)
        if CLOSED.match(request.httprequest.path):
            response.headers["Cache-Control"] = "no-store"
            # Downloads and invitations have stricter ones already.
            response.headers.setdefault("X-Frame-Options", "SAMEORIGIN")
            response.headers.setdefault("Content-Security-Policy", "frame-ancestors 'self'")
        return result

    @classmethod
    def _handle_error(cls, exception):
        response = super()._handle_error(exception)
        is_form = (
            request.httprequest.method == "POST"
            and getattr(request, "is_frontend", False)
            and request.httprequest.path.startswith("/my/")
        )
        if is_form and isinstance(exception, SessionExpiredException):
            return cls._answer_late_form(response, 403)
        if is_form and isinstance(exception, BadRequest) and cls._is_token_stale():
            return cls._answer_late_form(response, 400)
        return response

    @classmethod
    def _is_token_stale(cls):
        return not request.validate_csrf(cls._get_late_form().get("csrf_token"))

    @classmethod
    def _get_late_form(cls):
        try:
            return request.httprequest.form
        except HTTPException:
            # Larger than is read from who is not logged in.
            return {}

    @classmethod
    def _answer_late_form(cls, answer, status):
        """A page that says what happened to a form, instead of Odoo's ``answer`` to it: nothing was
        done, what was written is there to be copied, a link leads back."""
        if not request.env.uid:
            cls._auth_method_public()
        cls._frontend_pre_dispatch()
        back = cls._get_page_before()
        html = request.env["ir.ui.view"]._render_template(
            "ctai_grants.portal_late_form",
            {
                "logged_out": request.env.user._is_public(),
                "back": back,
                "login": "/web/login?" + urlencode({"redirect": back}),
                # Figures of a report were kept as they were typed; passwords have no spaces or are
                # not ours to show.
                "texts": [
                    text
                    for name, text in cls._get_late_form().items()
                    if " " in text.strip() and "password" not in name
                ],
            },
        )
        response = Response(html, status=status, content_type="text/html;charset=utf-8")
        # The new session, when the one that came was over.
        for cookie in getattr(answer, "headers", {}).get_all("Set-Cookie") if status == 403 else ():
            response.headers.add("Set-Cookie", cookie)
        cls._post_dispatch(response)
        return response

    @classmethod
    def _get_page_before(cls):
        """The path of the page that sent a form, when it is one of the portal."""
        page = urlsplit(request.httprequest.referrer or "")
        if page.netloc == request.httprequest.host and page.path.startswith("/my/"):
            return page.path
        return "/my"
