from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..lib.accounting.spreadsheet import Refusal
from ..lib.operator.form import read_amount, read_day
from ..models.operator.grant_date_request import KINDS
from ..models.operator.grant_date_request_asking import LONGEST_REASON, LONGEST_TITLE
from .portal import SUBSIDY_PAGE, GrantsPortal

#: Lines that can be added to a budget with one request.
NEW_LINES = 2


class AsksPortal(GrantsPortal):
    """What an operator asks the city for. Requests have no access of their own: whoever acts for
    the operator of a subsidy sees those about it, and what is written goes through the methods of
    the documents, which check who writes."""

    def _get_asks_url(self, subsidy_id):
        return f"/my/subsidies/{subsidy_id}/asks"

    def _get_asking_subsidy(self, subsidy_id):
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        if not subsidy_sudo._has_requests_page(request.env.user):
            raise NotFound()
        return subsidy_sudo

    @http.route(
        "/my/subsidies/<int:subsidy_id>/asks", type="http", auth="user", methods=["GET"],
        website=True,
    )  # fmt: skip
    def portal_asks(self, subsidy_id, sent=None, **kw):
        """What was asked about one's own subsidy, the answers, and what can be asked for."""
        subsidy_sudo = self._get_asking_subsidy(subsidy_id)
        return self._render_asks(subsidy_sudo, sent=sent)

    @http.route(
        # Of these kinds only: the address of a request is no page.
        f"/my/subsidies/<int:subsidy_id>/asks/<any({','.join(dict(KINDS))}):kind>", type="http",
        auth="user", methods=["GET", "POST"], website=True,
    )  # fmt: skip
    def portal_ask(self, subsidy_id, kind, **typed):
        """The form of one kind of request; sent, the request."""
        subsidy_sudo = self._get_asking_subsidy(subsidy_id)
        if request.httprequest.method == "GET":
            return self._render_ask(subsidy_sudo, kind, typed)
        values, errors = self._read_ask(subsidy_sudo, kind, typed)
        if errors:
            return self._render_ask(subsidy_sudo, kind, typed, errors)
        try:
            # A refusal is answered with a page, not with an error, which would roll back.
            with request.env.cr.savepoint():
                request.env["grant.date.request"]._ask(subsidy_sudo, kind, values)
        except UserError as error:
            field = getattr(error, "field", None)
            if field:
                return self._render_ask(subsidy_sudo, kind, typed, {field: str(error)})
            return self._render_ask(subsidy_sudo, kind, typed, failure=str(error))
        return request.redirect(f"{self._get_asks_url(subsidy_id)}?sent=1")

    @http.route(
        "/my/subsidies/<int:subsidy_id>/asks/<int:ask_id>/withdraw", type="http", auth="user",
        methods=["POST"], website=True,
    )  # fmt: skip
    def portal_withdraw(self, subsidy_id, ask_id, **kw):
        """Take back what was asked, before it is answered."""
        subsidy_sudo = self._get_asking_subsidy(subsidy_id)
        asked = subsidy_sudo.date_request_ids.filtered(lambda ask: ask.id == ask_id)
        if not asked:
            raise NotFound()
        try:
            # As in portal_ask.
            with request.env.cr.savepoint():
                asked.with_user(request.env.user)._do_withdraw()
        except UserError as error:
            return self._render_asks(subsidy_sudo, failure=str(error))
        return request.redirect(self._get_asks_url(subsidy_id))

    # ------------------------------------------------------------------
    # What the form says
    # ------------------------------------------------------------------

    def _read_ask(self, subsidy_sudo, kind, typed):
        """What was typed, as values of :meth:`_ask`, and what cannot be read, by field."""
        values, errors = {"reason": typed.get("reason")}, {}
        if kind == "dates":
            try:
                values["date_end"] = read_day(typed.get("date_end"))
            except Refusal:
                errors["date_end"] = self.env._("This is no date.")
        elif kind == "split":
            self._read_split(subsidy_sudo, typed, values, errors)
        elif kind == "action":
            values["title"] = typed.get("title")
            values["action"] = self._pick(subsidy_sudo.action_ids, typed.get("action"))
            values["amount"] = self._read_euros(typed, "amount", errors)
        elif kind == "tranche":
            values["tranche"] = self._pick(subsidy_sudo.disbursement_ids, typed.get("tranche"))
        else:
            values["piece"] = self._pick(subsidy_sudo.deliverable_ids, typed.get("piece"))
        return values, errors

    def _read_split(self, subsidy_sudo, typed, values, errors):
        values["amounts"] = {
            line: self._read_euros(typed, f"amount_{line.id}", errors)
            for line in subsidy_sudo.budget_line_ids
            if f"amount_{line.id}" in typed
        }
        values["added"] = added = {}
        for number in range(NEW_LINES):
            amount = self._read_euros(typed, f"new_amount_{number}", errors)
            name = f"new_account_{number}"
            account = self._pick(self._get_new_accounts(subsidy_sudo), typed.get(name))
            if account in added:
                errors[name] = self.env._("This heading is chosen twice.")
            elif account:
                added[account] = amount
            elif amount:
                errors[name] = self.env._("Choose the heading of this amount.")

    def _read_euros(self, typed, name, errors):
        try:
            return read_amount(typed.get(name))
        except Refusal as refusal:
            report = request.env["grant.financial.report"]
            errors[name] = report._say_unread(refusal)
        return 0.0

    def _pick(self, records_sudo, text):
        """The one of these records that a form names; none of anything else."""
        return records_sudo.filtered(lambda record: str(record.id) == text)

    def _get_new_accounts(self, subsidy_sudo):
        """Headings that a split may add: charges and income that name no funder."""
        accounts_sudo = subsidy_sudo.env["grant.budget.account"].search([])
        known = subsidy_sudo.budget_line_ids.account_id
        return (accounts_sudo - known).filtered(lambda account: not account._has_funders())

    # ------------------------------------------------------------------
    # What the pages show
    # ------------------------------------------------------------------

    def _get_asks_values(self, subsidy_sudo):
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "grant_subsidy",
            "subsidy": subsidy_sudo,
            "url": self._get_asks_url(subsidy_sudo.id),
            "contact": subsidy_sudo._get_coordinator(),
            "kinds": self._get_open_kinds(subsidy_sudo),
        }

    def _get_open_kinds(self, subsidy_sudo):
        """What can be asked for now."""
        if subsidy_sudo.state != "signed":
            return []
        return subsidy_sudo._get_request_kinds()

    def _get_offered_kinds(self, subsidy_sudo):
        """What is offered: no payment that there is not, nor the balance, which follows the report
        by itself."""
        kind = subsidy_sudo._get_next_tranche().kind
        is_asked_for = kind and kind != "balance"
        kinds = self._get_open_kinds(subsidy_sudo)
        return [kind for kind in kinds if kind != "tranche" or is_asked_for]

    def _render_asks(self, subsidy_sudo, **values):
        return request.render(
            "ctai_grants.portal_my_asks",
            {
                **self._get_asks_values(subsidy_sudo),
                "title": self.env._("Your requests"),
                "crumb": self.env._("Your requests"),
                "asks": subsidy_sudo.date_request_ids,
                "offered": self._get_offered_kinds(subsidy_sudo),
                **values,
            },
        )

    def _render_ask(self, subsidy_sudo, kind, typed, errors=None, failure=None):
        tranche = subsidy_sudo._get_next_tranche()
        labels = dict(
            request.env["grant.date.request"]._fields["kind"]._description_selection(request.env)
        )
        return request.render(
            "ctai_grants.portal_my_ask",
            {
                **self._get_asks_values(subsidy_sudo),
                "title": labels[kind],
                "crumb": labels[kind],
                "kind": kind,
                "typed": typed,
                "errors": errors or {},
                "failure": failure,
                "longest": LONGEST_REASON,
                "longest_title": LONGEST_TITLE,
                "budget": subsidy_sudo.budget_line_ids,
                "totals": subsidy_sudo.budget_line_ids._get_totals(),
                "new_lines": range(NEW_LINES),
                "new_accounts": self._get_new_accounts(subsidy_sudo),
                "tranche": tranche,
                "awaited": tranche._get_awaited_pieces(),
                "missing": tranche._get_missing(),
                "waiting": subsidy_sudo.date_request_ids.filtered(
                    lambda ask: ask.kind == kind and ask.state == "asked"
                ),
                "currency": subsidy_sudo.currency_id,
                "format_typed": self._format_typed,
            },
        )
