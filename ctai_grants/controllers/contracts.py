from odoo import http
from odoo.http import request

from .portal import CONTRACT_PAGE, GrantsPortal


class ContractPortal(GrantsPortal):
    """The contracts of a prefecture."""

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
