from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from odoo.addons.ctai_grants.controllers.portal import CONTRACT_PAGE, GrantsPortal


class AnnualReviewPortal(GrantsPortal):
    """The annual reviews of a contract, for who may read it: those that were issued."""

    def _get_issued_review(self, contract_id, review_id):
        """The contract and the review, in sudo; nothing of a draft, or of another contract."""
        contract_sudo = self._get_document(CONTRACT_PAGE, contract_id)
        # sudo: issued, it is for whoever may read its contract, which was just checked
        review_sudo = request.env["grant.annual.review"].sudo().browse(review_id).exists()
        if review_sudo.contract_id != contract_sudo or review_sudo.state == "draft":
            raise NotFound()
        return contract_sudo, review_sudo

    @http.route(
        "/my/contracts/<int:contract_id>/reviews/<int:review_id>", type="http", auth="user",
        website=True, readonly=True,
    )  # fmt: skip
    def portal_annual_review(self, contract_id, review_id, **kw):
        """What a city publishes of a year of its contract."""
        contract_sudo, review_sudo = self._get_issued_review(contract_id, review_id)
        content = review_sudo._get_content()
        return request.render(
            "ctai_grants_reports.portal_annual_review",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_contract",
                "title": content["title"],
                "contract": contract_sudo,
                "review": review_sudo,
                "content": content,
            },
        )

    @http.route(
        "/my/contracts/<int:contract_id>/reviews/<int:review_id>/pdf", type="http", auth="user",
        readonly=True,
    )  # fmt: skip
    def portal_annual_review_pdf(self, contract_id, review_id, **kw):
        """The file that was issued."""
        _contract, review_sudo = self._get_issued_review(contract_id, review_id)
        return self._send_pdf(*review_sudo._print_annual_review())
