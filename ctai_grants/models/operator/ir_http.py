import re
from urllib.parse import urlencode, urlsplit

from werkzeug.exceptions import (
    BadRequest,
    HTTPException,
    MethodNotAllowed,
    NotFound,
    RequestEntityTooLarge,
    abort,
)

from odoo import api, models
from odoo.http import Response, SessionExpiredException, request

from .grant_upload_rate import MARGIN

# Pages and downloads about somebody's subsidies, and what opens them.
CLOSED = re.compile(r"/(my|grants|web/(login|reset_password|signup|session))(/|$)")


class IrHttp(models.AbstractModel):
    """What holds for every page of the portal, whichever add-on makes it: no machine on the way and
    no browser of a shared computer keeps it, no other site shows it in a frame, and what cannot be
    answered as it was asked (a form that comes too late, or with too much) is answered in words."""

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
    def _match(cls, path_info):
        try:
            return super()._match(path_info)
        except MethodNotAllowed:
            # The address of a form that was sent, opened again: a reload, or a bookmark.
            path = request.httprequest.path
            if not path.startswith("/my/") or request.httprequest.method not in ("GET", "HEAD"):
                raise
            abort(request.redirect(cls._get_page_above(path)))

    @classmethod
    def _handle_error(cls, exception):
        path = request.httprequest.path
        is_form = (
            request.httprequest.method == "POST"
            and getattr(request, "is_frontend", False)
            and path.startswith("/my/")
        )
        if is_form and isinstance(exception, RequestEntityTooLarge):
            # Odoo would read it once more.
            return cls._answer_late_form(None, 413)
        if path.startswith("/grants/") and isinstance(exception, NotFound):
            # A download that is gone, or somebody else's: said on a page, in the user's language.
            cls._begin_page()
        response = super()._handle_error(exception)
        if is_form and isinstance(exception, SessionExpiredException):
            return cls._answer_late_form(response, 403)
        if is_form and isinstance(exception, BadRequest) and cls._is_token_stale():
            return cls._answer_late_form(response, 400)
        return response

    @api.model
    def _get_page_title(self, title=None, status=None):
        """The title of a page of the portal, and whose it is: of Odoo's own pages, too, which call
        themselves “Odoo”.

        :param title: what the page calls itself
        :param status: of an error
        """
        names = {
            "/my/account": self.env._("My contact details"),
            "/my/addresses": self.env._("My addresses"),
            "/my/address": self.env._("My addresses"),
            "/my/security": self.env._("Password and security"),
            "/my/invitation": self.env._("Invitation"),
            "/web/login": self.env._("Log in"),
            "/web/reset_password": self.env._("Reset the password"),
            "/web/signup": self.env._("Choose a password"),
        }
        path = request.httprequest.path
        if not CLOSED.match(path) and (title or not status):
            # Of the site, of other add-ons: theirs.
            return title or "Odoo"
        title = str(title).strip() if title else ""
        if status:
            title = self.env._("Error %s", status)
        title = title or names.get(path) or self.env._("Portal of subsidies")
        # sudo: the name of the city, on a page of its own
        return f"{title} – {self.env.company.sudo().name}"

    @classmethod
    def _begin_page(cls):
        """Let Odoo answer with a page of the portal where a download was asked for."""
        lang = request.env["ir.http"].get_nearest_lang(request.env.context.get("lang"))
        request.lang = request.env["res.lang"]._get_data(code=lang or cls._get_default_lang().code)
        request.is_frontend = request.is_frontend_multilang = True

    @classmethod
    def _get_page_above(cls, path):
        """The nearest page above an address that takes forms only."""
        routes = request.env["ir.http"].routing_map().bind_to_environ(request.httprequest.environ)
        while path := path.rpartition("/")[0]:
            if routes.test(path, "GET"):
                return path
        return "/my"

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
                "largest": status == 413 and cls._get_largest(),
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
    def _get_largest(cls):
        """Megabytes of the files that the address takes at once."""
        return (request.httprequest.max_content_length - MARGIN) // 2**20

    @classmethod
    def _get_page_before(cls):
        """The path of the page that sent a form, when it is one of the portal."""
        page = urlsplit(request.httprequest.referrer or "")
        if page.netloc == request.httprequest.host and page.path.startswith("/my/"):
            return page.path
        return "/my"
