from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file

from odoo import http
from odoo.exceptions import AccessError, LockError, UserError
from odoo.fields import Domain
from odoo.http import Response, request

from odoo.addons.ctai_grants.controllers.portal import GrantsPortal
from odoo.addons.ctai_grants.controllers.prefecture import PrefecturePortal

from ..models.statement.grant_statement_act import NEXT

STATEMENT_PAGE = ("grant.statement", "grant.contract")
#: How many lines one answer names at most.
LONGEST_ANSWER = 500


class StatementPortal(GrantsPortal):
    """The statements that a prefecture received: read, downloaded, answered."""

    def _get_statement_sortings(self):
        return {
            "day": {"label": self.env._("Date"), "order": "as_at desc, id desc"},
            "name": {"label": self.env._("Number"), "order": "name, id"},
        }

    def _get_statement_filters(self):
        waiting = Domain("state", "in", tuple(NEXT["acknowledged"]))
        return {
            "all": {"label": self.env._("All statements"), "domain": Domain.TRUE},
            "open": {"label": self.env._("Statements to answer"), "domain": waiting},
            "done": {"label": self.env._("Statements answered or replaced"), "domain": ~waiting},
        }

    @http.route(
        ["/my/statements", "/my/statements/page/<int:page>"], type="http", auth="user",
        website=True, readonly=True,
    )  # fmt: skip
    def portal_my_statements(self, page=1, sortby=None, filterby=None, search=None, **kw):
        """The statements that were issued to the user's service."""
        values = self._get_list_values(
            STATEMENT_PAGE, "/my/statements", page, self._get_statement_sortings(),
            self._get_statement_filters(), ("name", "contract_id.name"),
            {"sortby": sortby, "filterby": filterby, "search": search},
            request.env["grant.statement"]._get_portal_domain(),
        )  # fmt: skip
        return request.render(
            "ctai_grants_reports.portal_my_statements",
            {
                **values,
                "page_name": "grant_statements",
                "title": self.env._("Financial statements"),
                "statement": None,
            },
        )

    @http.route("/my/statements/<int:statement_id>", type="http", auth="user", website=True)
    def portal_statement(self, statement_id, done=None, **kw):
        """One statement; that it was opened is noted, once for each reader."""
        self._get_document(STATEMENT_PAGE, statement_id)
        statement = request.env["grant.statement"].browse(statement_id)
        if not request.env.user._is_internal():
            statement._note_opened()
        return self._show_statement(statement_id, done=done)

    def _show_statement(self, statement_id, **values):
        statement_sudo = self._get_document(STATEMENT_PAGE, statement_id)
        return request.render(
            "ctai_grants_reports.portal_my_statement",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_statements",
                "title": statement_sudo.display_name,
                "statement": statement_sudo,
                "error": None,
                "typed": "",
                **values,
            },
        )

    @http.route(
        "/my/statements/<int:statement_id>/acknowledge", type="http", auth="user",
        methods=["POST"], website=True,
    )  # fmt: skip
    def portal_acknowledge(self, statement_id, text="", **kw):
        """Acknowledge a statement."""
        return self._answer(statement_id, "acknowledged", text)

    @http.route(
        "/my/statements/<int:statement_id>/contest", type="http", auth="user", methods=["POST"],
        website=True,
    )  # fmt: skip
    def portal_contest(self, statement_id, text="", **kw):
        """Contest a statement, in general or line by line (``line_<id>``)."""
        lines = {
            self._read_number(name.removeprefix("line_")): words[:2000]
            for name, words in list(kw.items())[:LONGEST_ANSWER]
            if name.startswith("line_") and isinstance(words, str)
        }
        lines.pop(None, None)
        return self._answer(statement_id, "contested", text, lines)

    def _answer(self, statement_id, kind, text, lines=None):
        self._get_document(STATEMENT_PAGE, statement_id)
        statement = request.env["grant.statement"].browse(statement_id)
        text = text[:10_000] if isinstance(text, str) else ""
        try:
            with request.env.cr.savepoint():
                if kind == "acknowledged":
                    statement._acknowledge(text)
                else:
                    statement._contest(text, lines)
        except AccessError as error:
            raise NotFound() from error
        except (UserError, LockError) as error:
            page = self._show_statement(statement_id, error=str(error), typed=text)
            page.status_code = 400
            return page
        return request.redirect(f"/my/statements/{statement_id}?done={kind}")

    @http.route(
        "/grants/statements/<int:statement_id>/<string:kind>", type="http", auth="user",
        methods=["GET"],
    )  # fmt: skip
    def download_statement_file(self, statement_id, kind, **kw):
        """A file of an issued statement, as it was issued: the same bytes ever after."""
        statement = request.env["grant.statement"].browse(statement_id).exists()
        if kind == "archive":
            return self._send_archive(statement)
        try:
            file_sudo = statement and statement._get_served(kind)
        except AccessError as error:
            # The same answer for what is not there and what is not theirs.
            raise NotFound() from error
        if not file_sudo:
            raise NotFound()
        return self._send_kept(file_sudo.attachment_id.raw, file_sudo.mimetype, file_sudo.name)

    def _send_archive(self, statement):
        try:
            if not statement or statement.state == "draft":
                raise NotFound()
            stream, name = statement._make_archive()
        except AccessError as error:
            raise NotFound() from error
        response = send_file(
            stream, request.httprequest.environ, mimetype="application/zip", as_attachment=True,
            download_name=name, response_class=Response,
        )  # fmt: skip
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response

    def _send_kept(self, content, mimetype, name):
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mimetype),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", "default-src 'none'"),
                ("Cache-Control", "no-store"),
                ("Content-Disposition", http.content_disposition(name)),
            ],
        )


class StatementContractPortal(PrefecturePortal):
    """The page of a contract lists its issued statements."""

    @http.route()
    def portal_contract(self, contract_id, **kw):
        response = super().portal_contract(contract_id, **kw)
        statements = request.env["grant.statement"]
        domain = [("contract_id", "=", contract_id), *statements._get_portal_domain()]
        seen = statements.has_access("read")
        response.qcontext["statements"] = statements.search(domain) if seen else statements
        return response
