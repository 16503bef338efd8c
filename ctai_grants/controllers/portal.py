from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.http import request

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

from ..lib.upload import ALLOWED

# What Odoo reads of a request before the model judges the file (its own limit is a setting).
LARGEST_REQUEST = 128 * 2**20


class GrantsPortal(CustomerPortal):
    """What operators and prefectures see. Rules live in the models; every page and every
    download first checks that the user may read the document."""

    def _prepare_home_portal_values(self, counters):
        values = super()._prepare_home_portal_values(counters)
        for key, model in (
            ("grant_subsidy_count", "grant.subsidy"),
            ("grant_contract_count", "grant.contract"),
        ):
            if key in counters:
                documents = request.env[model]
                values[key] = documents.search_count([]) if documents.has_access("read") else 0
        return values

    # ------------------------------------------------------------------
    # Lists
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
        return self._render_list(
            "grant.subsidy",
            "ctai_grants.portal_my_subsidies",
            "/my/subsidies",
            page,
            order=sortings[sortby]["order"],
            page_name="grant_subsidy",
            searchbar_sortings=sortings,
            sortby=sortby,
        )

    @http.route(
        ["/my/contracts", "/my/contracts/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_contracts(self, page=1, **kw):
        """The contracts that the user's service funds."""
        return self._render_list(
            "grant.contract",
            "ctai_grants.portal_my_contracts",
            "/my/contracts",
            page,
            order="date_start desc, id desc",
            page_name="grant_contract",
        )

    def _render_list(self, model, template, url, page, order, sortby=None, **values):
        documents = request.env[model]
        if not documents.has_access("read"):
            raise NotFound()
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
        return request.render(
            template,
            {
                **self._prepare_portal_layout_values(),
                # sudo: the records that the user's own rules found; names of partners in them
                "documents": found.sudo(),
                "pager": pages,
                "default_url": url,
                "sortby": sortby,
                **values,
            },
        )

    # ------------------------------------------------------------------
    # One document
    # ------------------------------------------------------------------

    def _get_document(self, model, document_id):
        """The document in sudo, after the check that the user may read it."""
        try:
            return self._document_check_access(model, document_id)
        except (AccessError, MissingError) as error:
            # The same answer for what is not there and what is not theirs.
            raise NotFound() from error

    @http.route("/my/subsidies/<int:subsidy_id>", type="http", auth="user", website=True)
    def portal_subsidy(self, subsidy_id, **kw):
        """One subsidy: what is expected, what was handed in, what was paid."""
        subsidy_sudo = self._get_document("grant.subsidy", subsidy_id)
        return self._render_subsidy(subsidy_sudo, handed_in=kw.get("handed_in"))

    def _render_subsidy(self, subsidy_sudo, **values):
        pieces = subsidy_sudo.deliverable_ids
        asked = pieces.filtered(lambda piece: piece.state in ("expected", "to_complete"))
        user = request.env.user
        return request.render(
            "ctai_grants.portal_my_subsidy",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "subsidy": subsidy_sudo,
                "asked": asked.sorted(lambda piece: (piece.due_date, piece.id)),
                "settled": (pieces - asked).sorted(lambda piece: (piece.due_date, piece.id)),
                "can_submit": subsidy_sudo._can_submit(user),
                "accept": ",".join(f".{extension}" for extension in ALLOWED),
                "types": ", ".join(ALLOWED),
                "largest": subsidy_sudo.company_id.grant_upload_max_mb,
                **values,
            },
        )

    @http.route(
        "/my/subsidies/<int:subsidy_id>/deliverables/<int:deliverable_id>",
        type="http",
        auth="user",
        methods=["POST"],
        website=True,
        max_content_length=LARGEST_REQUEST,
    )
    def portal_submit(self, subsidy_id, deliverable_id, ufile=None, comment=None, **kw):
        """Hand in a file for a piece of one's own subsidy."""
        subsidy_sudo = self._get_document("grant.subsidy", subsidy_id)
        self._get_document("grant.deliverable", deliverable_id)
        deliverable = request.env["grant.deliverable"].browse(deliverable_id)
        if deliverable.subsidy_id.id != subsidy_id:
            raise NotFound()
        try:
            with request.env.cr.savepoint():
                if not ufile or not ufile.filename:
                    raise UserError(self.env._("Choose a file first."))
                deliverable._do_submit(ufile.filename, ufile.read(), comment)
        except UserError as error:
            return self._render_subsidy(
                subsidy_sudo,
                errors={deliverable_id: str(error)},
                comments={deliverable_id: comment},
            )
        return request.redirect(
            f"/my/subsidies/{subsidy_id}?handed_in={deliverable_id}#piece_{deliverable_id}"
        )

    @http.route("/my/contracts/<int:contract_id>", type="http", auth="user", website=True)
    def portal_contract(self, contract_id, **kw):
        """One contract, for the service that funds it: envelopes and subsidies."""
        contract_sudo = self._get_document("grant.contract", contract_id)
        subsidies = request.env["grant.subsidy"].search([("contract_id", "=", contract_id)])
        return request.render(
            "ctai_grants.portal_my_contract",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_contract",
                "contract": contract_sudo,
                # sudo: the subsidies that the user's own rules found; names of partners in them
                "subsidies": subsidies.sudo(),
            },
        )

    @http.route("/grants/versions/<int:version_id>", type="http", auth="user", readonly=True)
    def download_version(self, version_id, **kw):
        """Download what was handed in; the right to read it is checked each time."""
        version = request.env["grant.deliverable.version"].browse(version_id).exists()
        try:
            attachment_sudo = version._get_sudo_attachment() if version else None
        except AccessError:
            attachment_sudo = None
        if not attachment_sudo:
            raise NotFound()
        # sudo: the attachment of the version that was just checked
        stream = request.env["ir.binary"].sudo()._get_stream_from(attachment_sudo)
        response = stream.get_response(as_attachment=True)
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Content-Security-Policy"] = "default-src 'none'"
        return response
