from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import AccessError, MissingError, UserError
from odoo.fields import Domain
from odoo.http import request
from odoo.tools.misc import formatLang

from odoo.addons.portal.controllers.portal import CustomerPortal, pager

from ..lib.guard.words import clean
from ..models.operator.grant_upload_rate import MARGIN

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

    def _get_largest_request(self, files=1):
        """Bytes of the largest upload of any city: more is refused before it is read.

        :param int files: how many of the largest size come at once
        """
        # sudo: a setting of the cities
        [[largest]] = request.env["res.company"].sudo()._read_group(
            [], [], ["grant_upload_max_mb:max"]
        )
        return largest * 2**20 * files + MARGIN

    def _note_files(self, number):
        """Note that the user sends files: a sentence when they are too many, or None. Called before
        what a refusal undoes."""
        address = request.httprequest.remote_addr
        return request.env["grant.upload.rate"]._note(address, number)

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
        # Odoo gives it as OdooBot's: what is written of it is the user's, who hands in and answers.
        # sudo: the document that was just checked
        return document_sudo.with_user(request.env.user).sudo()

    def _read_number(self, text):
        """A whole number of a form or an address; None of anything else, a file under its name
        among it."""
        is_number = isinstance(text, str) and text.isascii() and text.isdecimal() and len(text) < 10
        return int(text) if is_number else None

    def _read_page(self, page):
        """The page asked for: Odoo takes it from the query, too, as whatever was typed there."""
        return max(1, self._read_number(str(page)) or 1)

    def _get_list_values(self, models, url, page, sortings, filters, names, asked, domain=()):
        """The documents that the user may see (in sudo), searched, filtered and ordered, and what a
        list of them needs.

        :param dict sortings: what it is ordered by, the usual order first
        :param dict filters: what it may be reduced to, all of it first
        :param names: fields that are searched
        :param dict asked: what was asked for, as it was typed; kept from page to page
        """
        if not self._may_see(models):
            raise NotFound()
        every = next(iter(filters))
        sortby, filterby = asked.get("sortby"), asked.get("filterby")
        sortby = sortby if sortby in sortings else next(iter(sortings))
        filterby = filterby if filterby in filters else every
        search = clean(asked.get("search"), 100)
        domain = Domain(domain) & filters[filterby]["domain"]
        if search:
            domain &= Domain.OR(Domain(name, "ilike", search) for name in names)
        documents = request.env[models[0]]
        kept = {"sortby": sortby, "filterby": filterby, "search": search}
        pages = pager(
            url=url,
            url_args={name: value for name, value in kept.items() if value},
            total=documents.search_count(domain),
            page=self._read_page(page),
            step=self._items_per_page,
        )
        shown = documents.search(
            domain, order=sortings[sortby]["order"], limit=self._items_per_page,
            offset=pages["offset"],
        )  # fmt: skip
        return {
            **self._prepare_portal_layout_values(),
            # sudo: the records that the user's own rules found; names of partners in them
            "documents": shown.sudo(),
            "pager": pages,
            "default_url": url,
            **kept,
            "searchbar_sortings": sortings,
            "searchbar_filters": filters,
            "is_searched": bool(search) or filterby != every,
        }

    def _format_typed(self, amount):
        """An amount as one types it in French; nothing of zero."""
        return f"{amount:.2f}".replace(".", ",") if amount else ""

    def _format_size(self, size):
        if size < 1024:
            return self.env._("%(size)s bytes", size=size)
        if size < 2**20:
            return self.env._("%(size)s kB", size=round(size / 1024))
        return self.env._("%(size)s MB", size=formatLang(self.env, size / 2**20, digits=1))

    def _make_pdf_response(self, document):
        if not document.exists() or not document.has_access("read"):
            raise NotFound()
        try:
            return self._send_pdf(*document._make_pdf())
        except AccessError as error:
            raise NotFound() from error
        except UserError as error:
            values = {"reason": str(error), "document": document}
            return request.render("ctai_grants.document_refused", values, status=400)

    def _send_pdf(self, name, content):
        return request.make_response(
            content,
            headers=[
                ("Content-Type", "application/pdf"),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(f"{name}.pdf")),
            ],
        )
