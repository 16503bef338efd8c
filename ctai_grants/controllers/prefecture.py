from werkzeug.exceptions import NotFound

from odoo import http
from odoo.http import request

from odoo.addons.portal.controllers.portal import pager

from ..lib.operator.table_files import make_csv, make_xlsx
from ..lib.proof.upload import XLSX
from ..models.operator.grant_contract_progress import FIGURES
from .contracts import ContractPortal
from .portal import CONTRACT_PAGE

LINES_PER_PAGE = 80


class PrefecturePortal(ContractPortal):
    """How far a contract is, and the lines behind each figure of its page. Lines of the ledger have
    no access of their own for a prefecture: whoever may read the contract sees those that make up
    its figures, and of subsidies that it may not read the sum alone."""

    @http.route()
    def portal_contract(self, contract_id, **kw):
        response = super().portal_contract(contract_id, **kw)
        contract_sudo = response.qcontext["contract"]
        subsidies_sudo = self._get_read_subsidies(contract_id)
        response.qcontext.update(
            by_operator=contract_sudo._get_progress_by_operator(subsidies_sudo),
            by_theme=contract_sudo._get_progress_by_theme(subsidies_sudo),
            get_share=self._get_share,
        )
        return response

    def _get_read_subsidies(self, contract_id):
        # sudo: the subsidies that the user's own rules found; their operators and actions
        return request.env["grant.subsidy"].search([("contract_id", "=", contract_id)]).sudo()

    def _get_share(self, part, whole):
        """A part in whole per cent: 100 only when nothing is left, never more than a bar holds."""
        return max(0, min(100, int(part * 100 / whole + 1e-6))) if whole else 0

    @http.route(
        [
            "/my/contracts/<int:contract_id>/lines",
            "/my/contracts/<int:contract_id>/lines/page/<int:page>",
        ],
        type="http", auth="user", website=True, readonly=True,
    )  # fmt: skip
    def portal_contract_lines(
        self, contract_id, figure=None, envelope=None, operator=None, subsidy=None, page=1, **kw
    ):
        """What a figure of the contract is made of: lines that add up to it."""
        contract_sudo = self._get_document(CONTRACT_PAGE, contract_id)
        subsidies_sudo = self._get_read_subsidies(contract_id)
        page = self._read_page(page)
        if figure not in FIGURES:
            raise NotFound()
        envelope_sudo = self._choose(contract_sudo.envelope_ids, envelope)
        operator_sudo = self._choose(subsidies_sudo.partner_id, operator)
        subsidy_sudo = self._choose(subsidies_sudo, subsidy)
        only = subsidy_sudo or None
        if operator_sudo:
            only = subsidies_sudo.filtered(lambda one: one.partner_id == operator_sudo)
        part = subsidy_sudo or operator_sudo or envelope_sudo
        found = contract_sudo._get_figure(
            figure, subsidies_sudo, envelope_sudo, only, LINES_PER_PAGE,
            (page - 1) * LINES_PER_PAGE,
        )  # fmt: skip
        asked = {
            "figure": figure, "envelope": envelope, "operator": operator, "subsidy": subsidy
        }  # fmt: skip
        url_args = {name: value for name, value in asked.items() if value}
        return request.render(
            "ctai_grants.portal_contract_lines",
            {
                **self._get_lines_values(contract_sudo, part),
                **found,
                "figure": figure,
                "origins": contract_sudo._name_origins(found["entries"]),
                "pager": pager(
                    url=f"/my/contracts/{contract_id}/lines", url_args=url_args,
                    total=found["count"], page=page, step=LINES_PER_PAGE,
                ),
            },
        )  # fmt: skip

    @http.route(
        "/my/contracts/<int:contract_id>/actions", type="http", auth="user", website=True,
        readonly=True,
    )  # fmt: skip
    def portal_contract_actions(self, contract_id, theme=None, **kw):
        """The actions of a theme; without one, those that have none."""
        contract_sudo = self._get_document(CONTRACT_PAGE, contract_id)
        rows = contract_sudo._get_progress_by_theme(self._get_read_subsidies(contract_id))
        row = next((row for row in rows if str(row["theme"].id or "") == (theme or "")), None)
        if not row:
            raise NotFound()
        values = self._get_lines_values(contract_sudo)
        return request.render("ctai_grants.portal_contract_actions", {**values, **row})

    @http.route(
        "/my/contracts/<int:contract_id>/indicators/<string:kind>", type="http", auth="user",
        methods=["GET"], website=True, readonly=True,
    )  # fmt: skip
    def download_indicators(self, contract_id, kind, **kw):
        """The indicators of a contract as its page shows them, small counts withheld: ``xlsx`` or
        ``csv``."""
        contract_sudo = self._get_document(CONTRACT_PAGE, contract_id)
        if kind not in ("xlsx", "csv"):
            raise NotFound()
        headings, rows = contract_sudo._get_indicator_table()
        if kind == "csv":
            content, mimetype = make_csv(headings, rows), "text/csv; charset=utf-8"
        else:
            content = make_xlsx(self.env._("Indicators"), headings, rows)
            mimetype = XLSX
        name = self.env._("indicators %s", contract_sudo.name)
        return request.make_response(
            content,
            headers=[
                ("Content-Type", mimetype),
                ("Content-Length", len(content)),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Disposition", http.content_disposition(f"{name}.{kind}")),
            ],
        )

    def _choose(self, records, number):
        """The record of that number among these, none when no number is given."""
        if not number:
            return records.browse()
        chosen = records.filtered(lambda record: str(record.id) == number)
        if not chosen:
            raise NotFound()
        return chosen

    def _get_lines_values(self, contract_sudo, part=None):
        return {
            **self._prepare_portal_layout_values(),
            "page_name": "grant_contract",
            "title": (part or contract_sudo).name,
            "contract": contract_sudo,
            "currency": contract_sudo.currency_id,
        }
