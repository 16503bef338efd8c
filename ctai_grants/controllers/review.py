from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from ..lib.proof.picture import make_jpeg
from ..lib.proof.refusal import Refused
from ..lib.proof.upload import ALLOWED, PHOTOS
from .portal import GrantsPortal

PDF = ALLOWED["pdf"]


class ReviewFiles(GrantsPortal):
    """Files that were handed in, to be looked at on the screen of a review. Whoever made them is
    not trusted: what the browser opens as a page is never theirs."""

    @http.route("/grants/files/<int:file_id>/view", type="http", auth="user", readonly=True)
    def view_file(self, file_id, **kw):
        """A file for the city's staff, in a form that does nothing: a picture made anew, a PDF as
        bytes for Odoo's own viewer. Others are downloaded. The right to read it is checked each
        time."""
        if not request.env.user._is_internal():
            raise NotFound()
        file = request.env["grant.deliverable.file"].browse(file_id).exists()
        attachment_sudo = self._get_attachment(file)
        if file.mimetype in PHOTOS:
            return self._shut(self._make_picture(attachment_sudo))
        if file.mimetype == PDF:
            # sudo: the attachment of the file that was just checked
            stream = request.env["ir.binary"].sudo()._get_stream_from(attachment_sudo)
            # The viewer reads it all the same; opened by its address, it is saved.
            return self._shut(stream.get_response(as_attachment=True))
        raise NotFound()

    def _make_picture(self, attachment_sudo):
        try:
            content = make_jpeg(attachment_sudo.raw or b"")
        except (Refused, OSError, ValueError, SyntaxError) as error:
            raise NotFound() from error
        headers = [("Content-Type", "image/jpeg"), ("Content-Length", len(content))]
        return request.make_response(content, headers=headers)

    def _shut(self, response):
        response = self._keep_closed(response)
        response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["X-Frame-Options"] = "DENY"
        response.headers["Cache-Control"] = "private, no-store"
        return response
