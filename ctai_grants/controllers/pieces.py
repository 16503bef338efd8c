from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..models.proof.grant_deliverable_submission import MOST_FILES
from .portal import LARGEST_REQUEST, SUBSIDY_PAGE
from .subsidies import SubsidyPortal


class PiecePortal(SubsidyPortal):
    """Handing in what an operator owes, and taking it back."""

    @http.route(
        "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>",
        type="http",
        auth="user",
        methods=["GET", "POST"],
        website=True,
        max_content_length=LARGEST_REQUEST,
    )
    def portal_submit(self, subsidy_id, deliverable_id, comment=None, join_photos=None, **kw):
        """Hand in files for a piece of one's own subsidy."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        deliverable = self._get_piece(subsidy_id, deliverable_id)
        page = f"/my/subsidies/{subsidy_id}"
        if request.httprequest.method == "GET":
            # Where a login sends back to, when the session ended before the file was sent.
            return request.redirect(f"{page}#piece_{deliverable_id}")
        try:
            # A refusal is answered with a page, not with an error, which would roll back.
            with request.env.cr.savepoint():
                self._submit(deliverable, comment, bool(join_photos))
        except UserError as error:
            return self._render_subsidy(
                subsidy_sudo,
                failed=subsidy_sudo.deliverable_ids.browse(deliverable_id),
                error=str(error),
                comment=comment,
                join_photos=bool(join_photos),
            )
        return request.redirect(f"{page}?handed_in={deliverable_id}#piece_{deliverable_id}")

    @http.route(
        "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>/take_back",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
    )
    def portal_take_back(self, subsidy_id, deliverable_id, **kw):
        """Take back what was handed in, before it is reviewed."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        deliverable = self._get_piece(subsidy_id, deliverable_id)
        try:
            # As in portal_submit.
            with request.env.cr.savepoint():
                deliverable._do_take_back()
        except UserError as error:
            return self._render_subsidy(
                subsidy_sudo,
                failed=subsidy_sudo.deliverable_ids.browse(deliverable_id),
                error=str(error),
            )
        return request.redirect(f"/my/subsidies/{subsidy_id}#piece_{deliverable_id}")

    def _get_piece(self, subsidy_id, deliverable_id):
        """A piece of that subsidy, as the user, after the check that he may read it."""
        self._get_document(("grant.deliverable",), deliverable_id)
        deliverable = request.env["grant.deliverable"].browse(deliverable_id)
        if deliverable.subsidy_id.id != subsidy_id:
            raise NotFound()
        return deliverable

    def _submit(self, deliverable, comment, join_photos):
        # A field of that name that is no file is text, and not among these; one in which nothing
        # was chosen has no name.
        sent = [file for file in request.httprequest.files.getlist("ufile") if file.filename]
        # sudo: a setting of the city
        largest = deliverable.sudo().company_id.grant_upload_max_mb * 2**20
        # One byte more than allowed is enough for the model to say that it is too much, and one
        # file more than it takes.
        files = []
        for file in sent[: MOST_FILES + 1]:
            # When a request begins again (two at once), Odoo rewinds the first of one name only.
            file.seek(0)
            files.append((file.filename, file.read(largest + 1)))
        deliverable._do_submit_files(files, comment, join_photos)
