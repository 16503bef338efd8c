from werkzeug.exceptions import NotFound

from odoo import http
from odoo.exceptions import UserError
from odoo.http import request

from ..lib.accounting.spreadsheet import Refusal
from ..lib.operator.form import read_day
from ..lib.proof.upload import XLSX, clean_name
from ..models.operator.grant_budget_account import HEADINGS, IN_KIND, INCOME
from ..models.operator.grant_financial_report_form import NEW_FUNDERS
from .portal import SUBSIDY_PAGE, GrantsPortal

# Side and whether in kind: the parts of the form, in its order.
PARTS = (("expense", False), ("income", False), ("expense", True), ("income", True))


class ReportPortal(GrantsPortal):
    """The financial report of an operator, on a page of its own. The report, the budget and the
    request for new dates have no access of their own: whoever may read the subsidy sees its page,
    and what is written goes through the methods of the documents, which check who writes."""

    def _get_report_url(self, subsidy_id):
        return f"/my/subsidies/{subsidy_id}/report"

    def _get_reported_subsidy(self, subsidy_id):
        subsidy_sudo = self._get_document(SUBSIDY_PAGE, subsidy_id)
        if not subsidy_sudo._has_report_page(request.env.user):
            raise NotFound()
        return subsidy_sudo

    @http.route(
        "/my/subsidies/<int:subsidy_id>/report", type="http", auth="user", methods=["GET"],
        website=True,
    )  # fmt: skip
    def portal_report(self, subsidy_id, saved=None, **kw):
        """The report of one's own subsidy, as far as it is written; nothing is made by looking."""
        subsidy_sudo = self._get_reported_subsidy(subsidy_id)
        return self._render_report(subsidy_sudo, saved=saved)

    @http.route(
        "/my/subsidies/<int:subsidy_id>/report/begin", type="http", auth="user",
        methods=["POST"], website=True,
    )  # fmt: skip
    def portal_report_begin(self, subsidy_id, outcome=None, date_end=None, reason=None, **kw):
        """Begin the report, say that the action did not take place, ask for new dates, or choose
        between the whole form and the short one."""
        subsidy_sudo = self._get_reported_subsidy(subsidy_id)
        try:
            with request.env.cr.savepoint():
                if outcome == "new_dates":
                    self._ask_dates(subsidy_sudo, date_end, reason)
                elif outcome in ("report", "not_done"):
                    request.env["grant.financial.report"]._begin(subsidy_sudo, outcome)
                elif outcome in ("whole", "short") and subsidy_sudo.report_ids:
                    subsidy_sudo.report_ids._choose_form(outcome == "short")
                else:
                    raise UserError(self.env._("Choose one of the three first."))
        except UserError as error:
            typed = {"outcome": outcome, "date_end": date_end, "reason": reason}
            choose = outcome not in ("whole", "short")
            return self._render_report(
                subsidy_sudo, failure=str(error), typed=choose and typed, choose=choose
            )
        return request.redirect(self._get_report_url(subsidy_id))

    def _ask_dates(self, subsidy_sudo, date_end, reason):
        try:
            day = read_day(date_end)
        except Refusal:
            day = None
        request.env["grant.date.request"]._ask_dates(subsidy_sudo, day, reason)

    @http.route(
        "/my/subsidies/<int:subsidy_id>/report/save", type="http", auth="user",
        methods=["GET", "POST"], website=True,
    )  # fmt: skip
    def portal_report_save(self, subsidy_id, **values):
        """Keep what was typed; with ``hand_in``, hand the report in."""
        page = self._get_report_url(subsidy_id)
        subsidy_sudo = self._get_reported_subsidy(subsidy_id)
        report_sudo = subsidy_sudo.report_ids
        if request.httprequest.method == "GET" or not report_sudo:
            # Where a login sends back to, when the session ended before the form was sent.
            return request.redirect(page)
        if report_sudo._is_with_city():
            # A second click, or the colleague was faster.
            return request.redirect(page)
        errors, failure, stale = self._save_report(report_sudo, values)
        if errors or failure:
            return self._render_report(
                subsidy_sudo, typed=values, errors=errors, failure=failure, stale=stale
            )
        where = "" if "hand_in" in values else "?saved=1"
        return request.redirect(page + where)

    def _save_report(self, report_sudo, values):
        """Save, then hand in if that is asked: errors by field, a sentence, and whether somebody
        else had saved meanwhile."""
        errors = {}
        try:
            with request.env.cr.savepoint():
                errors = report_sudo._save_draft(values, self._read_revision(values))
        except UserError as error:
            return {}, str(error), True
        if "hand_in" not in values or errors:
            return errors, None, False
        if void := report_sudo._get_void():
            return void, self.env._("The report is saved, and not handed in yet."), False
        try:
            with request.env.cr.savepoint():
                report_sudo._do_hand_in()
        except UserError as error:
            return {}, str(error), False
        return {}, None, False

    def _read_revision(self, values):
        number = self._read_number(values.get("revision"))
        return -1 if number is None else number

    @http.route(
        "/my/subsidies/<int:subsidy_id>/report/keep", type="http", auth="user",
        methods=["GET", "POST"], website=True,
    )  # fmt: skip
    def portal_report_keep(self, subsidy_id, **values):
        """Keep what was typed while one types: as JSON, for the page that is open. By GET a new
        token, for a page that outlived its session."""
        subsidy_sudo = self._get_reported_subsidy(subsidy_id)
        if request.httprequest.method == "GET":
            return request.make_json_response({"token": request.csrf_token()})
        report_sudo = subsidy_sudo.report_ids
        if not report_sudo or report_sudo._is_with_city():
            raise NotFound()
        # A new funder is made when the form is sent: once, not at each pause.
        kept = {name: value for name, value in values.items() if not name.startswith("new_")}
        errors, failure, _stale = self._save_report(
            report_sudo, {name: value for name, value in kept.items() if name != "hand_in"}
        )
        return request.make_json_response(
            {
                "revision": report_sudo.revision,
                "errors": errors,
                "failure": failure,
                "advice": self._get_advice(report_sudo),
            }
        )

    @http.route(
        "/my/subsidies/<int:subsidy_id>/report/workbook", type="http", auth="user",
        methods=["GET", "POST"], website=True, max_content_length=GrantsPortal._get_largest_request,
    )  # fmt: skip
    def portal_report_workbook(self, subsidy_id, ufile=None, **kw):
        """Download the workbook of the report, or send it back filled in."""
        subsidy_sudo = self._get_reported_subsidy(subsidy_id)
        report_sudo = subsidy_sudo.report_ids
        if not report_sudo.line_ids or not report_sudo._is_open_to(request.env.user):
            return request.redirect(self._get_report_url(subsidy_id))
        if request.httprequest.method == "GET":
            return self._send_workbook(report_sudo)
        if not getattr(ufile, "filename", None):
            return self._render_report(subsidy_sudo, failure=self.env._("Choose a file first."))
        if failure := self._note_files(1):
            return self._render_report(subsidy_sudo, failure=failure)
        most = subsidy_sudo.company_id.grant_upload_max_mb
        content = ufile.read(most * 2**20 + 1)
        try:
            with request.env.cr.savepoint():
                if len(content) > most * 2**20:
                    raise UserError(
                        self.env._(
                            "“%(file)s” is larger than %(most)s MB: this is not the workbook that "
                            "you downloaded here.",
                            file=clean_name(ufile.filename), most=most,
                        )
                    )  # fmt: skip
                report_sudo._take_workbook(content)
        except UserError as error:
            return self._render_report(subsidy_sudo, failure=str(error))
        return request.redirect(self._get_report_url(subsidy_id) + "?saved=1")

    def _send_workbook(self, report_sudo):
        name, content = report_sudo._make_workbook()
        return request.make_response(
            content,
            headers=[
                ("Content-Type", XLSX),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(f"{name}.xlsx")),
            ],
        )

    # ------------------------------------------------------------------
    # What the page shows
    # ------------------------------------------------------------------

    def _render_report(self, subsidy_sudo, typed=None, errors=None, **values):
        report_sudo = subsidy_sudo.report_ids
        typed, errors = typed or {}, errors or {}
        is_open = bool(report_sudo) and report_sudo._is_open_to(request.env.user)
        return request.render(
            "ctai_grants.portal_my_report",
            {
                **self._prepare_portal_layout_values(),
                "page_name": "grant_subsidy",
                "title": self.env._("Financial report"),
                "crumb": self.env._("Financial report"),
                "subsidy": subsidy_sudo,
                "report": report_sudo,
                "is_open": is_open,
                "may_begin": not report_sudo and subsidy_sudo._can_submit(request.env.user)
                and subsidy_sudo.state == "signed",
                "date_request": subsidy_sudo._get_new_dates()[:1],
                "may_ask_dates": "dates" in subsidy_sudo._get_request_kinds(),
                "parts": self._get_parts(report_sudo, errors) if report_sudo.line_ids else [],
                "totals": report_sudo.line_ids._get_totals(),
                "forecasts": report_sudo.line_ids._get_totals("forecast"),
                "advice": self._get_advice(report_sudo),
                "funder_accounts": self._get_funder_accounts(report_sudo),
                "new_funders": self._get_new_funders(typed, errors, values.get("stale")),
                "typed": typed,
                "errors": errors,
                "currency": subsidy_sudo.currency_id,
                "format_typed": self._format_typed,
                "today": subsidy_sudo.company_id._grant_today(),
                **values,
            },
        )

    def _get_advice(self, report_sudo):
        # Of a form that is still empty, all of it would be.
        begun = any(report_sudo.line_ids.mapped("actual"))
        return report_sudo._get_advice() if begun else []

    def _get_parts(self, report_sudo, errors):
        """The form: of each part its headings, those of which something is foreseen or entered
        before the others, and so of each heading its lines."""
        labels = dict(
            report_sudo.line_ids._fields["heading"]._description_selection(request.env)
        )
        by_heading = report_sudo.line_ids.grouped("heading")
        parts = []
        for side, in_kind in PARTS:
            headings = [
                self._get_heading(heading, labels[heading], by_heading[heading], errors)
                for heading, _label in HEADINGS
                if heading in by_heading
                and (heading in INCOME, heading in IN_KIND) == (side == "income", in_kind)
            ]
            used = [heading for heading in headings if heading["used"]]
            others = [heading for heading in headings if not heading["used"]]
            parts.append({"side": side, "in_kind": in_kind, "used": used, "others": others})
        return parts

    def _get_heading(self, heading, label, lines, errors):
        used = lines.filtered(
            lambda line: line.forecast or line.actual or line.name or line.report_id.is_short
        )
        others = lines - used
        wrong = any(f"actual_{line.id}" in errors for line in others)
        return {
            "heading": heading, "label": label, "used": used, "others": others, "wrong": wrong
        }  # fmt: skip

    def _get_new_funders(self, typed, errors, nothing_kept):
        """Rows for funders to add: empty, but for what was typed and could not be taken."""
        rows = []
        for number in range(NEW_FUNDERS):
            names = {what: f"new_{what}_{number}" for what in ("account", "name", "actual")}
            wrong = [errors[name] for name in names.values() if name in errors]
            values = {what: typed.get(name) for what, name in names.items()}
            again = values if wrong or nothing_kept else {}
            rows.append({"number": number, "error": " ".join(wrong), "typed": again})
        return rows

    def _get_funder_accounts(self, report_sudo):
        return report_sudo.line_ids.account_id.filtered(lambda account: account._has_funders())
