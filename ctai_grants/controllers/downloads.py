import zipfile
from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file

from odoo import http
from odoo.exceptions import AccessError
from odoo.http import request

from .portal import GrantsPortal


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
        attachment_sudo = self._get_attachment(file)
        # sudo: the attachment of the file that was just checked
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
