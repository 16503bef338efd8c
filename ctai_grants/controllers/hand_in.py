from contextlib import contextmanager

from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, UserError
from odoo.http import request

from .downloads import GrantsDownloads
from .pieces import PiecePortal
from .portal import GrantsPortal


class HandInPortal(GrantsDownloads, PiecePortal):
    """Handing in step by step: files and comment are kept as they come, and handed in together.
    Without JavaScript they come with the form, with it one by one."""

    @http.route(
        "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>/draft",
        type="http", auth="user", methods=["GET", "POST"], website=True,
        max_content_length=GrantsPortal._get_largest_request,
    )  # fmt: skip
    def portal_draft(self, subsidy_id, deliverable_id, comment=None, discard=None, **kw):
        """Keep a file or a comment, or take a file out: as JSON, for the page that is open. By GET
        what is kept, and a new token for a page that outlived its session."""
        piece = self._get_piece(subsidy_id, deliverable_id)
        failures = []
        if request.httprequest.method == "POST":
            failures = self._keep_draft(piece, comment, discard)
        described = piece._describe_draft(request.env.user)
        if piece._is_draftable_by(request.env.user):
            described["token"] = request.csrf_token()
        response = request.make_json_response({**described, "failures": failures})
        response.headers["Cache-Control"] = "no-store"
        return response

    @http.route()
    def portal_submit(self, subsidy_id, deliverable_id, comment=None, join_photos=None, **kw):
        """Hand in files, those that are kept and those that come with the form; with ``save`` or
        ``discard``, only keep them."""
        piece = self._get_piece(subsidy_id, deliverable_id)
        if not piece._is_draftable_by(request.env.user):
            return self._answer_submission(piece, comment, bool(join_photos))
        failures = self._keep_draft(piece, comment, kw.get("discard"))
        if not failures and ("save" in kw or "discard" in kw):
            return request.redirect(request.httprequest.path)
        # Said beside the form by who renders it.
        request.grant_failures = failures
        return self._answer_submission(piece, comment, bool(join_photos))

    def _keep_draft(self, piece, comment, discard):
        """Sentences of what could not be kept of what was sent; the rest is."""
        files = self._read_sent(piece)
        if failure := self._note_files(len(files)):
            return [failure]
        failures = []
        with self._note_refusal(failures):
            failures += piece._keep_files(files)
            if discard:
                piece._discard_file(self._read_number(discard))
        with self._note_refusal(failures):
            if comment is not None:
                piece._keep_comment(comment, self._read_number(request.params.get("revision")))
        return failures

    @contextmanager
    def _note_refusal(self, failures):
        """What is refused is undone and told, and the rest goes on."""
        try:
            with request.env.cr.savepoint():
                yield
        except (AccessError, UserError) as error:
            failures.append(str(error))

    def _submit(self, deliverable, comment, join_photos):
        if not deliverable._is_draftable_by(request.env.user):
            return super()._submit(deliverable, comment, join_photos)
        if request.grant_failures:
            raise UserError("\n".join(request.grant_failures))
        return deliverable._do_submit_draft(
            join_photos,
            self._read_number(request.params.get("revision")),
            self._read_number(request.params.get("seen")),
        )

    @http.route("/grants/versions/<int:version_id>/receipt", type="http", auth="user")
    def download_hand_in_receipt(self, version_id, **kw):
        """The receipt of a hand-in as a PDF, for who handed in and the staff of the city."""
        version = request.env["grant.deliverable.version"].browse(version_id).exists()
        receipt_sudo = version._get_sudo_receipt() if version else None
        if not receipt_sudo:
            raise NotFound()
        return self._make_pdf_response(receipt_sudo)

    @http.route(
        "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>/form",
        type="http", auth="user", methods=["GET"], website=True, readonly=True,
    )  # fmt: skip
    def portal_form(self, subsidy_id, deliverable_id, **kw):
        """The city's form to fill in for a piece of one's own subsidy."""
        # sudo: the form of the kind of the piece that was just checked
        kind_sudo = self._get_piece(subsidy_id, deliverable_id).sudo().type_id
        if not kind_sudo.form:
            raise NotFound()
        # sudo: as said
        binaries = request.env["ir.binary"].sudo()
        stream = binaries._get_stream_from(kind_sudo, "form", kind_sudo.form_name)
        return self._keep_closed(stream.get_response(as_attachment=True))
