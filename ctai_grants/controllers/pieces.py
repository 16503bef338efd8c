from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..lib.proof.upload import ALLOWED
from ..models.proof.grant_deliverable_submission import LARGEST_HAND_IN, MOST_FILES
from .portal import SUBSIDY_PAGE, GrantsPortal

PIECE = "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>"


class PiecePortal(GrantsPortal):
    """The page of a piece: what is asked and what for, handing it in, and taking it back."""

    @http.route(PIECE, type="http", auth="user", methods=["GET"], website=True)
    def portal_piece(self, subsidy_id, deliverable_id, handed_in=None, taken_back=None, **kw):
        """One piece of one's own subsidy. Where a login sends back to, too, when the session
        ended before a file was sent."""
        piece = self._get_piece(subsidy_id, deliverable_id)
        return self._render_piece(piece, handed_in=handed_in, taken_back=taken_back)

    def _render_piece(self, deliverable, **values):
        # sudo: the piece that was just checked; its page shows what only staff may read one by one
        piece = deliverable.sudo()
        company = piece.company_id
        return request.render(
            "ctai_grants.portal_my_piece",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": piece.name,
                "crumb": piece.name,
                "subsidy": piece.subsidy_id,
                "piece": piece,
                "gain": piece._get_gains().get(piece),
                "is_open": piece._is_open_to(request.env.user),
                "has_report_page": piece._is_financial_report()
                and piece.subsidy_id._has_report_page(request.env.user),
                "report_in": piece._get_online_reports(piece.version_ids),
                "decisions": piece._get_told_decisions(),
                "accept": ",".join([f".{name}" for name in ALLOWED] + sorted({*ALLOWED.values()})),
                "types": ", ".join(name.upper() for name in ALLOWED),
                "largest": company.grant_upload_max_mb,
                "largest_hand_in": company.grant_upload_max_mb * LARGEST_HAND_IN,
                "most_files": MOST_FILES,
                "join_photos": True,
                "format_size": self._format_size,
                **values,
            },
        )

    def _get_largest_hand_in(self):
        """Bytes of the largest hand-in of any city; more is refused before it is read."""
        return self._get_largest_request(LARGEST_HAND_IN)

    @http.route(
        PIECE, type="http", auth="user", methods=["POST"], website=True,
        max_content_length=_get_largest_hand_in,
    )  # fmt: skip
    def portal_submit(self, subsidy_id, deliverable_id, comment=None, join_photos=None, **kw):
        """Hand in files for a piece of one's own subsidy."""
        deliverable = self._get_piece(subsidy_id, deliverable_id)
        return self._answer_submission(deliverable, comment, bool(join_photos))

    def _answer_submission(self, deliverable, comment, join_photos):
        """Hand in what came for a piece that was checked."""
        try:
            # A refusal is answered with a page, not with an error, which would roll back.
            with request.env.cr.savepoint():
                self._submit(deliverable, comment, join_photos)
        except UserError as error:
            return self._render_piece(
                deliverable, error=str(error), comment=comment, join_photos=join_photos
            )
        return request.redirect(f"{deliverable._get_page_url()}?handed_in=1")

    @http.route(f"{PIECE}/take_back", type="http", auth="user", methods=["POST"], website=True)
    def portal_take_back(self, subsidy_id, deliverable_id, **kw):
        """Take back what was handed in, before it is reviewed."""
        deliverable = self._get_piece(subsidy_id, deliverable_id)
        try:
            # As in handing in.
            with request.env.cr.savepoint():
                deliverable._do_take_back()
        except UserError as error:
            return self._render_piece(deliverable, error=str(error))
        return request.redirect(f"{deliverable._get_page_url()}?taken_back=1")

    def _get_piece(self, subsidy_id, deliverable_id):
        """A piece of that subsidy, as the user, after the check that he may read both."""
        self._get_document(SUBSIDY_PAGE, subsidy_id)
        self._get_document(("grant.deliverable",), deliverable_id)
        deliverable = request.env["grant.deliverable"].browse(deliverable_id)
        if deliverable.subsidy_id.id != subsidy_id:
            raise NotFound()
        return deliverable

    def _read_sent(self, deliverable):
        """Names and contents of the files of this request."""
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
        return files

    def _submit(self, deliverable, comment, join_photos):
        deliverable._do_submit_files(self._read_sent(deliverable), comment, join_photos)
