import datetime

from werkzeug.exceptions import BadRequest, NotFound
from werkzeug.utils import send_file

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import Response, request


class GrantStatement(http.Controller):
    """Statements for who may read the contract: back-office readers, and its own prefecture."""

    @http.route(
        "/grants/contracts/<int:contract_id>/statement", type="http", auth="user", readonly=True
    )
    def download_statement(self, contract_id, as_at=None, file_format="xlsx", **kw):
        """Make and download a statement; the right to read the contract is checked each time."""
        contract = request.env["grant.contract"].browse(contract_id).exists()
        try:
            date = datetime.date.fromisoformat(as_at or "")
        except ValueError as error:
            raise BadRequest(
                request.env._("“%(date)s” is not a date: YYYY-MM-DD is expected.", date=as_at or "")
            ) from error
        if not contract or file_format not in ("xlsx", "csv"):
            raise NotFound()
        try:
            stream, name, mimetype = request.env["grant.statement.data"]._make(
                contract, date, file_format
            )
        except AccessError as error:
            # The same answer for what is not there and what is not theirs.
            raise NotFound() from error
        except UserError as error:
            raise BadRequest(str(error)) from error
        response = send_file(
            stream,
            request.httprequest.environ,
            mimetype=mimetype,
            as_attachment=True,
            download_name=name,
            response_class=Response,
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        response.headers["Cache-Control"] = "no-store"
        return response
