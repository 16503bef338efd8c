from odoo import http
from odoo.http import request
from odoo.tools import SQL

from ..models.operator.grant_deliverable_page import ASKED
from ..models.operator.grant_disbursement import OWED
from .portal import SUBSIDY_PAGE, GrantsPortal

# Of what is to do, and of what is owed: the rest is on the pages of the subsidies.
SHOWN = 6


class HomePortal(GrantsPortal):
    """The home page of the portal: what to do next, what the city owes, then the rest."""

    @http.route()
    def home(self, **kw):
        """Odoo's home page, with ours before its cards."""
        response = super().home(**kw)
        response.qcontext.update(self._prepare_grants_home())
        return response

    def _prepare_grants_home(self):
        # The cards have their numbers from the start: no script has to ask for them.
        counters = ["grant_subsidy_count", "grant_contract_count"]
        values = self._prepare_home_portal_values(counters)
        if self._may_see(SUBSIDY_PAGE):
            values.update(self._prepare_operator_home(), grant_home=True)
        return values

    def _prepare_operator_home(self):
        # By the rules of the user; what is in them is shown in sudo, as on their pages.
        signed = [("subsidy_id.state", "=", "signed")]
        pieces = request.env["grant.deliverable"]
        asked = pieces.search(
            [*signed, ("state", "in", ASKED)], order="due_date, id", limit=SHOWN
        )
        reviewed = pieces.search(
            [*signed, ("state", "=", "submitted")], order="due_date, id", limit=SHOWN
        )
        tranches = request.env["grant.disbursement"].search([*signed, ("state", "in", OWED)])
        # sudo: as on their pages; read at once, whatever they have in common
        asked, reviewed, tranches = (found.sudo() for found in (asked, reviewed, tranches))
        (asked + reviewed).mapped("name")
        ((asked + reviewed).subsidy_id | tranches.subsidy_id).mapped("name")
        steps = asked._get_steps() + self._get_letters()._get_steps() + self._get_figures()
        return {
            "grant_steps": sorted(steps, key=lambda step: step["date"])[:SHOWN],
            "grant_reviewed": reviewed,
            "grant_owed": tranches._get_owed_tranches()[:SHOWN],
        }

    def _get_figures(self):
        """The steps of the figures that the user's organisation has to enter."""
        own = request.env["grant.subsidy"]._search([("state", "=", "signed")])
        # sudo: operators read no line of a convention; of their own subsidies their page shows them
        subsidies = request.env["grant.subsidy"].sudo()
        return subsidies._get_figure_steps(
            request.env.company, SQL("subsidy.id IN %s", own.subselect()), SHOWN
        )

    def _get_letters(self):
        """The recoveries that the user's organisation may answer (in sudo)."""
        own = request.env["grant.subsidy"]._search([("state", "=", "signed")])
        # sudo: operators read no recovery; of their own subsidies they were told these by letter
        recoveries = request.env["grant.recovery"].sudo()
        return recoveries.search([("subsidy_id", "in", own), ("state", "=", "notified")])
