import zipfile
from tempfile import TemporaryFile

from werkzeug.exceptions import NotFound
from werkzeug.utils import send_file

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request
from odoo.tools.misc import formatLang

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

from ..lib.proof.upload import ALLOWED
from ..models.proof.grant_deliverable_submission import LARGEST_HAND_IN, MOST_FILES

# Far above the largest upload a city can set: a file that is too large is read (to disk, by
# werkzeug) and answered with a sentence beside its field, not with an error page.
LARGEST_REQUEST = 2**30

# What the user must be allowed to read for a page: what it is about, and what it shows of it.
SUBSIDY_PAGE = ("grant.subsidy", "grant.deliverable")
CONTRACT_PAGE = ("grant.contract", "grant.envelope")


class GrantsPortal(CustomerPortal):
    """What operators and prefectures see. Rules live in the models; every page and every
    download first checks that the user may read the document."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        for key, models in (
            ("grant_subsidy_count", SUBSIDY_PAGE),
            ("grant_contract_count", CONTRACT_PAGE),
        ):
            if key in counters:
                seen = self._may_see(models)
                values[key] = request.env[models[0]].search_count([]) if seen else 0
        return values

    def _document_check_access(self, model_name, document_id, access_token=None):
        if model_name == "account.move" and not request.env.user._is_internal():
            # A link with a token goes past every rule; ours has no page here.
            if request.env[model_name].browse(document_id)._is_of_grants():
                raise MissingError(self.env._("This document does not exist."))
        return super()._document_check_access(model_name, document_id, access_token)

    def _may_see(self, models):
        return all(request.env[model].has_access("read") for model in models)

    def _get_document(self, models, document_id):
        """The document in sudo, after the check that the user may read it."""
        try:
            document_sudo = self._document_check_access(models[0], document_id)
        except (AccessError, MissingError) as error:
            # The same answer for what is not there and what is not theirs.
            raise NotFound() from error
        if not self._may_see(models):
            raise NotFound()
        return document_sudo

    def _get_list_values(self, models, url, page, order, sortby=None):
        """The documents that the user may see (in sudo) and what a list of them needs."""
        if not self._may_see(models):
            raise NotFound()
        documents = request.env[models[0]]
        pages = pager(
            url=url,
            url_args={"sortby": sortby} if sortby else {},
            total=documents.search_count([]),
            page=page,
            step=self._items_per_page,
        )
        found = documents.search(
            [], order=order, limit=self._items_per_page, offset=pages["offset"]
        )
        return {
            **self._prepare_portal_layout_values(),
            # sudo: the records that the user's own rules found; names of partners in them
            "documents": found.sudo(),
            "pager": pages,
            "default_url": url,
            "sortby": sortby,
            "breadcrumbs_searchbar": True,
        }

    # ------------------------------------------------------------------
    # Operators
    # ------------------------------------------------------------------

    def _get_subsidy_sortings(self):
        return {
            "start": {"label": self.env._("Newest"), "order": "date_start desc, id desc"},
            "code": {"label": self.env._("Code"), "order": "code, id"},
            "amount": {"label": self.env._("Amount"), "order": "amount desc, id"},
        }

    @http.route(
        ["/my/subsidies", "/my/subsidies/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_subsidies(self, page=1, sortby=None, **kw):
        """The subsidies that the user may see."""
        sortings = self._get_subsidy_sortings()
        sortby = sortby if sortby in sortings else "start"
        values = self._get_list_values(
            SUBSIDY_PAGE, "/my/subsidies", page, sortings[sortby]["order"], sortby
        )
        return request.render(
            "ctai_grants.portal_my_subsidies",
            {
                **values,
                "page_name": "grant_subsidy",
                "title": self.env._("Subsidies"),
                "searchbar_sortings": sortings,
                "asked": {
                    subsidy: self._get_asked(subsidy) if subsidy.state == "signed" else None
                    for subsidy in values["documents"]
                },
            },
        )

    def _get_asked(self, subsidy_sudo):
        """The pieces that the operator has to hand in, late ones first."""
        return subsidy_sudo.deliverable_ids.filtered(
            lambda piece: piece.state in ("expected", "to_complete")
        ).sorted(lambda piece: (piece.due_date, piece.id))

    @http.route("/my/subsidies/<int:subsidy_id>", type="http", auth="user", website=True)
    def portal_subsidy(self, subsidy_id, handed_in=None, **kw):
        """One subsidy: what is expected, what was handed in, what was paid."""
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        return self._render_subsidy(subsidy_sudo, handed_in=handed_in)

    def _render_subsidy(self, subsidy_sudo, **values):
        pieces = subsidy_sudo.deliverable_ids
        report = subsidy_sudo._get_report()
        asked = self._get_asked(subsidy_sudo)
        return request.render(
            "ctai_grants.portal_my_subsidy",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": subsidy_sudo.name,
                "subsidy": subsidy_sudo,
                "asked": asked,
                "late": asked.filtered("is_late"),
                "settled": (pieces - asked).sorted(lambda piece: (piece.due_date, piece.id)),
                # A calculation that may still change is the city's.
                "lines": report._get_due_lines() if report else [],
                "currency": subsidy_sudo.currency_id,
                # What the operator was told by letter, nothing before.
                "recoveries": subsidy_sudo.recovery_ids.filtered("notified_date"),
                "open_pieces": pieces.filtered(lambda piece: piece._is_open_to(request.env.user)),
                "accept": ",".join([f".{name}" for name in ALLOWED] + sorted({*ALLOWED.values()})),
                "types": ", ".join(name.upper() for name in ALLOWED),
                "largest": subsidy_sudo.company_id.grant_upload_max_mb,
                "largest_hand_in": subsidy_sudo.company_id.grant_upload_max_mb * LARGEST_HAND_IN,
                "most_files": MOST_FILES,
                "join_photos": True,
                "format_size": self._format_size,
                **values,
            },
        )

    def _format_size(self, size):
        if size < 1024:
            return self.env._("%(size)s bytes", size=size)
        if size < 2**20:
            return self.env._("%(size)s kB", size=round(size / 1024))
        return self.env._("%(size)s MB", size=formatLang(self.env, size / 2**20, digits=1))

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

    # ------------------------------------------------------------------
    # Prefectures
    # ------------------------------------------------------------------

    @http.route(
        ["/my/contracts", "/my/contracts/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_contracts(self, page=1, **kw):
        """The contracts that the user's service funds."""
        values = self._get_list_values(
            CONTRACT_PAGE, "/my/contracts", page, "date_start desc, id desc"
        )
        return request.render(
            "ctai_grants.portal_my_contracts",
            {
                **values,
                "page_name": "grant_contract",
                "title": self.env._("Contracts with the State"),
            },
        )

    @http.route("/my/contracts/<int:contract_id>", type="http", auth="user", website=True)
    def portal_contract(self, contract_id, **kw):
        """One contract, for the service that funds it: envelopes, subsidies, accepted pieces."""
        contract_sudo = self._get_document(CONTRACT_PAGE, contract_id)
        subsidies = request.env["grant.subsidy"].search([("contract_id", "=", contract_id)])
        # sudo: the user's own rules found the subsidies; their page shows names of partners
        subsidies_sudo = subsidies.sudo()
        return request.render(
            "ctai_grants.portal_my_contract",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_contract",
                "title": contract_sudo.name,
                "contract": contract_sudo,
                "subsidies": subsidies_sudo.grouped("envelope_id"),
                "accepted": self._get_accepted(subsidies).grouped("subsidy_id"),
            },
        )

    def _get_accepted(self, subsidies):
        """The accepted pieces that the user may download (in sudo)."""
        versions = request.env["grant.deliverable.version"].search(
            [("subsidy_id", "in", subsidies.ids)]
        )
        # sudo: the names of the pieces whose versions the user's own rules found
        pieces_sudo = versions.sudo().accepted_of_ids
        return pieces_sudo.filtered(lambda piece: piece.state == "accepted")

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    @http.route("/grants/recoveries/<int:recovery_id>/letter", type="http", auth="user")
    def download_letter(self, recovery_id, **kw):
        """The letter of a recovery as a PDF, for the city's staff."""
        return self._make_pdf_response(request.env["grant.recovery"].browse(recovery_id))

    @http.route("/grants/batches/<int:batch_id>/list", type="http", auth="user")
    def download_batch_list(self, batch_id, **kw):
        """The list of a batch of orders as a PDF, for the finance officers."""
        return self._make_pdf_response(request.env["grant.order.batch"].browse(batch_id))

    def _make_pdf_response(self, document):
        if not document.exists() or not document.has_access("read"):
            raise NotFound()
        try:
            name, content = document._make_pdf()
        except AccessError as error:
            raise NotFound() from error
        except UserError as error:
            values = {"reason": str(error), "document": document}
            return request.render("ctai_grants.document_refused", values, status=400)
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(f"{name}.pdf")),
            ],
        )

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
