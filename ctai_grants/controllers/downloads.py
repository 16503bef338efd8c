import zipfile
from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import request

from .portal import SUBSIDY_PAGE, GrantsPortal


class GrantsDownloads(GrantsPortal):
    """Files: of what was handed in, and those that documents are printed as."""

    @http.route("/grants/recoveries/<int:recovery_id>/letter", type="http", auth="user")
    def download_letter(self, recovery_id, **kw):
        """The letter of a recovery as a PDF, for the city's staff."""
        return self._make_pdf_response(request.env["grant.recovery"].browse(recovery_id))

    @http.route("/grants/batches/<int:batch_id>/list", type="http", auth="user")
    def download_batch_list(self, batch_id, **kw):
        """The list of a batch of orders as a PDF, for the finance officers."""
        return self._make_pdf_response(request.env["grant.order.batch"].browse(batch_id))

    # ------------------------------------------------------------------
    # What an operator downloads of its own subsidies
    # ------------------------------------------------------------------

    @http.route(
        "/my/subsidies/<int:subsidy_id>/payments/<int:tranche_id>/receipt",
        type="http", auth="user", methods=["GET"],
    )  # fmt: skip
    def download_receipt(self, subsidy_id, tranche_id, **kw):
        """The notice of payment of a paid tranche, as a PDF."""
        self._get_document(SUBSIDY_PAGE, subsidy_id)
        tranche_sudo = self._get_document(("grant.disbursement",), tranche_id)
        if tranche_sudo.subsidy_id.id != subsidy_id or tranche_sudo.state != "paid":
            raise NotFound()
        return self._keep_closed(self._send_pdf(*tranche_sudo._make_receipt()))

    @http.route(
        "/my/subsidies/<int:subsidy_id>/recoveries/<int:recovery_id>/letter",
        type="http", auth="user", methods=["GET"],
    )  # fmt: skip
    def download_own_letter(self, subsidy_id, recovery_id, **kw):
        """The letter of a recovery as its operator received it, as a PDF."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        told = subsidy_sudo._get_told_recoveries()
        recovery_sudo = told.filtered(lambda recovery: recovery.id == recovery_id)
        if not recovery_sudo:
            raise NotFound()
        return self._keep_closed(self._send_pdf(*recovery_sudo._make_pdf()))

    @http.route(
        "/my/subsidies/<int:subsidy_id>/documents/<int:attachment_id>",
        type="http", auth="user", methods=["GET"], readonly=True,
    )  # fmt: skip
    def download_document(self, subsidy_id, attachment_id, **kw):
        """A file that the city has for the operator, or that of a signed amendment."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        attachment_sudo = subsidy_sudo._get_shared_file(attachment_id)
        if not attachment_sudo:
            raise NotFound()
        return self._send_file(attachment_sudo)

    # ------------------------------------------------------------------
    # What was handed in
    # ------------------------------------------------------------------

    @http.route("/grants/versions/<int:version_id>", type="http", auth="user", readonly=True)
    def download_version(self, version_id, **kw):
        """Download what was handed in: the file, or an archive of the files."""
        version = request.env["grant.deliverable.version"].browse(version_id).exists()
        if not version or not version.has_access("read"):
            raise NotFound()
        files = version.file_ids.filtered(lambda file: not file.purged_at)
        if len(version.file_ids) == 1 or not files:
            return self.download_file(version.file_ids[:1].id)
        attachments = [self._get_attachment(file) for file in files]
        stream = TemporaryFile()
        with zipfile.ZipFile(stream, "w") as archive:
            for file, attachment_sudo in zip(files, attachments, strict=True):
                archive.writestr(zipfile.ZipInfo(file.name), attachment_sudo.raw)
                # One file in memory at a time.
                attachment_sudo.invalidate_recordset(["raw", "datas"])
        stream.seek(0)
        # sudo: the name of the piece whose version was just checked
        name = f"{version.sudo().deliverable_id.name} ({version.number}).zip"
        response = send_file(
            stream, request.httprequest.environ, "application/zip", as_attachment=True,
            download_name=name,
        )  # fmt: skip
        return self._keep_closed(response)

    @http.route("/grants/files/<int:file_id>", type="http", auth="user", readonly=True)
    def download_file(self, file_id, **kw):
        """Download a file that was handed in; the right to read it is checked each time."""
        file = request.env["grant.deliverable.file"].browse(file_id).exists()
        return self._send_file(self._get_attachment(file))

    def _send_file(self, attachment_sudo):
        # sudo: the attachment whose document was just checked
        stream = request.env["ir.binary"].sudo()._get_stream_from(attachment_sudo)
        # Saved, never shown: opened from our own address, a file could act as its reader.
        return self._keep_closed(stream.get_response(as_attachment=True))

    def _get_attachment(self, file):
        """The attachment (in sudo) of a file, after the check that the user may read it."""
        try:
            attachment_sudo = file._get_sudo_attachment() if file else None
        except AccessError:
            attachment_sudo = None
        if not attachment_sudo:
            raise NotFound()
        return attachment_sudo

    def _keep_closed(self, response):
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response
