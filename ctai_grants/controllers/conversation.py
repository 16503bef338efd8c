from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..models.operator.grant_recovery import LONGEST_ANSWER
from ..models.operator.grant_subsidy_messages import LONGEST_MESSAGE
from .portal import SUBSIDY_PAGE, GrantsPortal


class ConversationPortal(GrantsPortal):
    """What an operator writes to the city: messages about a subsidy, the answer to a recovery.
    Neither has an access of its own: who acts for the operator sees its page, and what is written
    goes through methods that check who writes."""

    def _get_discussed_subsidy(self, subsidy_id):
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        if not subsidy_sudo._has_messages(request.env.user):
            raise NotFound()
        return subsidy_sudo

    @http.route(
        "/my/subsidies/<int:subsidy_id>/messages", type="http", auth="user", website=True,
        methods=["GET", "POST"],
    )  # fmt: skip
    def portal_messages(self, subsidy_id, text=None, sent=None, **kw):
        """Read and write the messages about a subsidy."""
        subsidy_sudo = self._get_discussed_subsidy(subsidy_id)
        if request.httprequest.method == "GET":
            return self._render_messages(subsidy_sudo, sent=sent)
        try:
            # A refusal is answered with a page, not with an error, which would roll back.
            with request.env.cr.savepoint():
                # As the user: the document that was checked is the superuser's.
                request.env["grant.subsidy"].browse(subsidy_id)._write_to_city(text)
        except UserError as error:
            return self._render_messages(subsidy_sudo, error=str(error), text=text)
        return request.redirect(f"/my/subsidies/{subsidy_id}/messages?sent=1#new_message")

    def _render_messages(self, subsidy_sudo, **values):
        return request.render(
            "ctai_grants.portal_my_messages",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": self.env._("Messages with the city"),
                "crumb": self.env._("Messages with the city"),
                "subsidy": subsidy_sudo,
                "exchanges": subsidy_sudo.exchange_ids,
                "longest": LONGEST_MESSAGE,
                **values,
            },
        )

    @http.route(
        "/my/subsidies/<int:subsidy_id>/recoveries/<int:recovery_id>", type="http", auth="user",
        website=True, methods=["GET", "POST"],
    )  # fmt: skip
    def portal_recovery(self, subsidy_id, recovery_id, text=None, **kw):
        """Read the letter of a recovery, and answer it within the delay."""
        subsidy_sudo = self._get_discussed_subsidy(subsidy_id)
        # What the operator was told by letter, nothing before.
        recovery_sudo = subsidy_sudo.recovery_ids.filtered(
            lambda recovery: recovery.id == recovery_id and recovery.notified_date
        )
        if not recovery_sudo:
            raise NotFound()
        if request.httprequest.method == "GET":
            return self._render_recovery(recovery_sudo)
        try:
            with request.env.cr.savepoint():
                # As above.
                request.env["grant.recovery"].browse(recovery_id)._answer(text)
        except UserError as error:
            return self._render_recovery(recovery_sudo, error=str(error), text=text)
        return request.redirect(f"/my/subsidies/{subsidy_id}/recoveries/{recovery_id}")

    def _render_recovery(self, recovery_sudo, **values):
        return request.render(
            "ctai_grants.portal_my_recovery",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": recovery_sudo.name,
                "crumb": recovery_sudo.name,
                "subsidy": recovery_sudo.subsidy_id,
                "recovery": recovery_sudo,
                "longest": LONGEST_ANSWER,
                **values,
            },
        )
