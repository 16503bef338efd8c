import datetime

from werkzeug.exceptions import NotFound
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
        if file_format not in ("xlsx", "csv", "json"):
            raise NotFound()
        try:
            date = self._parse_date(as_at)
            contract = request.env["grant.contract"].browse(contract_id).exists()
            if not contract:
                raise NotFound()
            stream, name, mimetype = self._make(contract, date, file_format)
        except AccessError as error:
            # The same answer for what is not there and what is not theirs.
            raise NotFound() from error
        except UserError as error:
            template = "ctai_grants_reports.statement_refused"
            values = {"reason": str(error), "contract_id": contract_id}
            return request.render(template, values, status=400)
        return self._send(stream, name, mimetype)

    def _make(self, contract, date, file_format):
        data = request.env["grant.statement.data"]
        contract.check_access("read")
        # A file of zeros says nothing: people are told why. sudo: it was just checked that they
        # may read the contract
        if refusal := data._get_date_refusal(contract.sudo(), date):
            raise UserError(refusal)
        return data._make(contract, date, file_format)

    def _send(self, stream, name, mimetype):
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
        # The figures of a moment, for one reader: nobody on the way keeps them.
        response.headers["Cache-Control"] = "no-store"
        return response

    def _parse_date(self, text):
        try:
            return datetime.date.fromisoformat(text or "")
        except ValueError as error:
            raise UserError(
                request.env._("“%(date)s” is not a date: YYYY-MM-DD is expected.", date=text or "")
            ) from error
