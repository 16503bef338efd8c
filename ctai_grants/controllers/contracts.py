from odoo import http
from odoo.fields import Domain
from odoo.http import request

from .portal import CONTRACT_PAGE, GrantsPortal


class ContractPortal(GrantsPortal):
    """The contracts of a prefecture."""

    def _get_contract_sortings(self):
        return {
            "start": {"label": self.env._("Date"), "order": "date_start desc, id desc"},
            "name": {"label": self.env._("Name"), "order": "name, id"},
            "code": {"label": self.env._("Code"), "order": "code, id"},
        }

    def _get_contract_filters(self):
        # Of contracts in the masculine: a word that French writes in two ways.
        return {
            "all": {"label": self.env._("All contracts"), "domain": Domain.TRUE},
            "open": {
                "label": self.env._("Contracts in force"),
                "domain": Domain("state", "!=", "closed"),
            },
            "closed": {
                "label": self.env._("Closed contracts"), "domain": Domain("state", "=", "closed")
            },
        }  # fmt: skip

    @http.route(
        ["/my/contracts", "/my/contracts/page/<int:page>"], type="http", auth="user", website=True
    )
    def portal_my_contracts(self, page=1, sortby=None, filterby=None, search=None, **kw):
        """The contracts that the user's service funds."""
        values = self._get_list_values(
            CONTRACT_PAGE, "/my/contracts", page, self._get_contract_sortings(),
            self._get_contract_filters(), ("name", "code"),
            {"sortby": sortby, "filterby": filterby, "search": search},
        )  # fmt: skip
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
