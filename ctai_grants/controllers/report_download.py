import json

from werkzeug.exceptions import InternalServerError, NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import content_disposition, request

from odoo.addons.web.controllers.report import ReportController

TYPES = {"pdf": "application/pdf", "zip": "application/zip"}


class GrantsReports(ReportController):
    """Reports of type ``typst`` at the doors of Odoo's own reports: ``/report/typst/…``, and the
    download of the web client. For who works in the back office: portal users have pages."""

    @http.route()
    def report_routes(self, reportname, docids=None, converter=None, **data):
        if converter != "typst":
            return super().report_routes(reportname, docids=docids, converter=converter, **data)
        if not request.env.user._is_internal():
            raise NotFound()
        ids = [int(part) for part in (docids or "").split(",") if part.isdecimal()]
        reports = request.env["ir.actions.report"]
        try:
            reports._get_report(reportname)
        except ValueError as error:
            raise NotFound() from error
        documents = reports._make_typst(reportname, ids)
        content, kind = reports._pack_typst(documents)
        several = kind == "zip"
        name = reports._get_report(reportname).name if several else documents[0][0]
        return request.make_response(
            content,
            headers=[
                ("Content-Type", TYPES[kind]),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", content_disposition(f"{name}.{kind}")),
            ],
        )

    @http.route()
    def report_download(self, data, context=None, token=None, readonly=True):
        url, kind = json.loads(data)[:2]
        if kind != "typst":
            return super().report_download(data, context=context, token=token, readonly=readonly)
        reportname, _slash, docids = url.partition("/report/typst/")[2].partition("/")
        try:
            return self.report_routes(reportname, docids=docids, converter="typst")
        except UserError as error:
            # What the web client shows as a dialog.
            told = {"code": 0, "message": "Odoo Server Error"}
            told["data"] = http.serialize_exception(error)
            response = request.make_response(
                json.dumps(told), headers=[("Content-Type", "text/html; charset=utf-8")]
            )
            raise InternalServerError(response=response) from error
