from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from .portal import SUBSIDY_PAGE, GrantsPortal

PAGE = "/my/people"


class PeoplePortal(GrantsPortal):
    """Who may act for an operator. The list has no access of its own: an operator's users see
    their own organisation's, and what they do goes through methods that check who acts."""

    def _get_own_operator(self):
        """The organisation (in sudo) that the user acts for."""
        user = request.env.user
        operator = user.commercial_partner_id
        is_operator = user.has_group("ctai_grants.group_portal_operator")
        if not is_operator or operator.grant_role != "operator" or not self._may_see(SUBSIDY_PAGE):
            raise NotFound()
        # sudo: the user's own organisation
        return operator.sudo()

    @http.route(PAGE, type="http", auth="user", website=True, methods=["GET"])
    def portal_people(self, done=None, **kw):
        """Who may act for one's own organisation."""
        return self._render_people(self._get_own_operator(), done=done)

    def _render_people(self, operator_sudo, **values):
        # sudo: those of the user's own organisation, and what was done about them
        accesses_sudo = request.env["grant.access"].sudo().search(
            [("operator_id", "=", operator_sudo.id)]
        )
        present = accesses_sudo.filtered(lambda access: access.state != "ended")
        return request.render(
            "ctai_grants.portal_my_people",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_people",
                "title": self.env._("Who may act"),
                "operator": operator_sudo,
                "accesses": present,
                "own": present.filtered(lambda access: access.user_id == request.env.user),
                "may_manage": accesses_sudo._is_representative_of(operator_sudo),
                "acts": accesses_sudo.act_ids.sorted("id", reverse=True)[:50],
                **values,
            },
        )

    @http.route(
        f"{PAGE}/invite", type="http", auth="user", website=True, methods=["GET", "POST"]
    )
    def portal_people_invite(self, name=None, email=None, **kw):
        """Invite a colleague."""
        operator_sudo = self._get_own_operator()
        if request.httprequest.method == "GET":
            # Where a login sends back to.
            return request.redirect(PAGE)
        try:
            # A refusal is answered with a page, not with an error, which would roll back.
            with request.env.cr.savepoint():
                request.env["grant.access"]._invite(operator_sudo, name, email)
        except UserError as error:
            typed = {"name": name, "email": email}
            return self._render_people(operator_sudo, error=str(error), typed=typed)
        return request.redirect(f"{PAGE}?done=invited")

    @http.route(
        f"{PAGE}/<int:access_id>/<any(send_again,withdraw,remove,leave):act>", type="http",
        auth="user", website=True, methods=["GET", "POST"],
    )  # fmt: skip
    def portal_people_act(self, access_id, act, sure=None, **kw):
        """Send an invitation again, withdraw it, remove somebody or leave: what cannot be undone
        is asked once more, on a page."""
        operator_sudo = self._get_own_operator()
        # sudo: of the user's own organisation, checked here; the methods check who acts
        access_sudo = request.env["grant.access"].sudo().search(
            [("id", "=", access_id), ("operator_id", "=", operator_sudo.id)]
        )  # fmt: skip
        if not access_sudo:
            raise NotFound()
        if act in ("remove", "leave") and not sure:
            if access_sudo.state != "active":
                return request.redirect(PAGE)
            return self._render_people(operator_sudo, asked=access_sudo, asked_act=act)
        if request.httprequest.method == "GET":
            return request.redirect(PAGE)
        try:
            with request.env.cr.savepoint():
                self._act(access_sudo, act)
        except UserError as error:
            return self._render_people(operator_sudo, failure=str(error))
        if act == "leave":
            request.session.logout(keep_db=True)
            return request.redirect("/web/login")
        return request.redirect(f"{PAGE}?done={act}")

    def _act(self, access_sudo, act):
        if act == "send_again":
            access_sudo.action_send_again()
        elif act == "withdraw":
            access_sudo.action_withdraw()
        elif act == "remove":
            access_sudo.action_remove()
        else:
            access_sudo._leave()

    # ------------------------------------------------------------------
    # Who is invited
    # ------------------------------------------------------------------

    @http.route(
        "/my/invitation", type="http", auth="public", website=True, methods=["GET", "POST"],
        sitemap=False,
    )  # fmt: skip
    def portal_invitation(self, token=None, **kw):
        """Accept an invitation: a page first, as programs that look at mails open every link."""
        access_sudo = request.env["grant.access"]._find_invitation(token)
        error = None
        if access_sudo and request.httprequest.method == "POST":
            try:
                with request.env.cr.savepoint():
                    url = access_sudo._accept()
            except UserError as refusal:
                error = str(refusal)
            else:
                # Whoever is logged in on this machine is somebody else.
                request.session.logout(keep_db=True)
                return self._keep_private(request.redirect(url))
        replaced = access_sudo and access_sudo._get_private_logins()
        values = {"access": access_sudo, "token": token, "error": error, "replaced": replaced}
        response = request.render(
            "ctai_grants.portal_invitation", values, status=200 if access_sudo else 404
        )
        return self._keep_private(response)

    def _keep_private(self, response):
        # Its address is the key.
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["Cache-Control"] = "no-store"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["X-Robots-Tag"] = "noindex"
        return response
