import io
import tempfile

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date, format_datetime

from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros
from odoo.addons.ctai_grants.lib.guard.typeset import SUBSTITUTE, Unprintable
from odoo.addons.ctai_grants.lib.ledger.heads import write_heads
from odoo.addons.ctai_grants.models.guard import transition
from odoo.addons.ctai_grants.models.guard.grant_acting_mixin import asks_reason

from ...lib import frozen, pdf, xlsx
from ...lib.statement import TieOutError, split_by_action
from .grant_statement_line import FLOWS

_lt = LazyTranslate(__name__)


class GrantStatement(models.Model):
    """Issuing: in one transaction, numbered, frozen and rendered once."""

    _inherit = "grant.statement"

    # ------------------------------------------------------------------
    # Issuing
    # ------------------------------------------------------------------

    def action_issue(self):
        """Issue these drafts: from then on nothing of them changes.

        :raise UserError: something prevents it, or a control fails
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        self._check_staff(self.env._("Issuing a statement"))
        for statement in self:
            statement._issue()
        return True

    @asks_reason("issue_anyway", _lt("Issue in Spite of a Control"))
    def _do_issue_anyway(self, reason):
        """Issue these drafts though a control fails, and say why.

        :raise AccessError: the user is not a finance manager
        """
        self._check_group(
            "group_finance_manager", self.env._("Issuing a statement whose controls fail")
        )
        for statement in self:
            statement._issue(reason)
        return True

    def action_issue_anyway(self):
        """Ask why a statement is issued though a control fails."""
        return self._ask_reason("issue_anyway")

    def _issue(self, reason=None):
        self.ensure_one().check_access("write")
        # One of two who issue at once: for the contract, whose statements follow each other.
        self.contract_id.lock_for_update(allow_referencing=True)
        self.lock_for_update(allow_referencing=True)
        self._check_state(("draft",), self.env._("Issuing a statement"))
        # sudo: whoever may issue has the whole statement, with names and pieces, and its files
        statement = self.sudo().with_context(lang=self._get_lang())
        if obstacle := statement._get_obstacle():
            raise UserError(obstacle)
        try:
            reader = statement.env["grant.statement.facts"]
            facts = reader._read(statement.contract_id, statement.as_at)
            statement._freeze(facts, reason)
        except TieOutError as error:
            raise self.env["grant.statement.data"]._get_refusal(str(error)) from error

    def _get_lang(self):
        """The language of a statement: the city's."""
        # sudo: the language of the city, which every page shows
        return self.company_id.sudo().partner_id.lang or self.env.lang

    def _freeze(self, facts, reason):
        lines = self._get_live_lines(facts)
        checks = self._get_controls(facts, lines)
        failing = [check["name"] for check in checks if not check["is_held"]]
        if failing and not reason:
            raise UserError(
                self.env._(
                    "%(statement)s is not issued: %(controls)s. Mend it, or a finance manager says "
                    "why it is issued all the same.",
                    statement=self.display_name,
                    controls="; ".join(failing),
                )
            )
        heads = self.env["grant.heads"]
        self._transition(
            name=self.company_id._next_grant_number(self.browse()),
            issued_at=fields.Datetime.now(),
            issued_by_id=self.env.uid,
            lang=self.env.lang or "en_US",
            heads=write_heads(
                heads._get_heads(self.company_id), heads._get_time(self.company_id), header=True
            ),
            forced_reason=reason if failing else False,
        )
        self._append_lines(lines)
        self._append_checks(checks)
        self._render(facts)
        # First: at no moment do two of them stand.
        if self.replaces_id:
            self.replaces_id._act("replaced", text=self.name)
            self.replaces_id.flush_recordset()
        self._act("issued")
        if failing:
            self._act("forced", text="\n".join([reason, *failing]))
        if self.company_id.grant_stamp_url:
            # Not here: an authority that does not answer holds nobody up.
            self.env.ref("ctai_grants_reports.ir_cron_stamp")._trigger()

    def _get_obstacle(self):
        """What prevents that this draft is issued, whoever says what: a sentence, or None."""
        contract = self.contract_id
        about = {
            "contract": contract.display_name,
            "date": format_date(self.env, self.as_at),
            "statement": self.display_name,
        }
        if contract.state == "draft":
            return self.env._("%(contract)s is not in force: there is nothing to state.", **about)
        if refusal := self.env["grant.statement.data"]._get_date_refusal(contract, self.as_at):
            return refusal
        domain = [("contract_id", "=", contract.id), ("date", "<=", self.as_at)]
        if not self.env["grant.entry"].search_count(domain, limit=1):
            return self.env._(
                "The ledger of %(contract)s has no entry until %(date)s: there is nothing to "
                "state.",
                **about,
            )
        other = self._get_standing(contract).filtered(lambda one: one.as_at == self.as_at)
        if other - self.replaces_id:
            return self.env._(
                "%(other)s stands: correct it by its button, and do not issue another one.",
                other=other.display_name,
            )
        if self.replaces_id and self._get_empty(["correction"]):
            return self.env._(
                "%(statement)s: write why it was corrected, which is told in it.", **about
            )
        return None

    @api.model
    def _create_correction(self, vals):
        return transition.creating(self, [vals]).create([vals])

    # ------------------------------------------------------------------
    # Lines
    # ------------------------------------------------------------------

    @api.model
    def _get_live_lines(self, facts):
        """The lines of a statement of these facts: list of dicts, as ``grant.statement.line``."""
        states = dict(self.env["grant.subsidy"]._fields["state"]._description_selection(self.env))
        lines = [self._get_envelope_line(facts, envelope) for envelope in facts.envelopes]
        for subsidy, state in self._get_stated_subsidies(facts):
            identity = facts.identity(subsidy.partner_id)
            actions = {action.id: action for action in subsidy.action_ids if facts.existed(action)}
            for action_id, amount, sums in split_by_action(
                [(key, euros(facts.value(one, "amount"))) for key, one in actions.items()],
                euros(facts.value(subsidy, "amount")),
                facts.by_subsidy[subsidy.id],
            ):
                action = actions.get(action_id)
                lines.append(
                    {
                        "envelope_id": subsidy.envelope_id.id,
                        "subsidy_id": subsidy.id,
                        "action_id": action_id or False,
                        "name": identity.name or "",
                        "siret": identity._get_siret() or "",
                        "label": f"{subsidy.code} – {action.name if action else subsidy.name}",
                        "state": state,
                        "state_label": states[state],
                        "payment_path": subsidy.payment_path,
                        "granted": amount,
                        **{name: sums.get(flow, ZERO) for name, flow in FLOWS.items()},
                        "entry_count": 0,
                        "chain_head": "",
                    }
                )
        return lines

    @api.model
    def _get_stated_subsidies(self, facts):
        """Those that are listed, and those that were cancelled in the period: shown as such."""
        listed = {subsidy.id for subsidy, _state in facts.subsidies}
        subsidies = self.env["grant.statement.facts"]._search_subsidies(facts.contract)
        cancelled = [
            (subsidy, "cancelled")
            for subsidy in subsidies
            if subsidy.id not in listed
            # A draft that was given up was never an award.
            and facts.state(subsidy) == "cancelled"
            and any(step.state in ("granted", "signed") for step in facts.history(subsidy))
        ]
        return [*facts.subsidies, *cancelled]

    @api.model
    def _get_envelope_line(self, facts, envelope):
        sums = facts.by_envelope[envelope.id]
        return {
            "envelope_id": envelope.id,
            "subsidy_id": False,
            "action_id": False,
            "name": f"{envelope.code} – {envelope.name}",
            "siret": "",
            "label": "",
            "state": "",
            "state_label": "",
            "payment_path": envelope.payment_path,
            "granted": ZERO,
            **{name: sums.get(flow, ZERO) for name, flow in FLOWS.items()},
            "entry_count": envelope.entry_count,
            "chain_head": envelope.chain_head,
        }

    def _append_lines(self, lines):
        common = {
            "statement_id": self.id,
            "company_id": self.company_id.id,
            "currency_id": self.currency_id.id,
        }
        amounts = ("granted", *FLOWS)
        self.env["grant.statement.line"]._append(
            [
                {**line, **{name: float(line[name]) for name in amounts}, **common,
                 "position": position}
                for position, line in enumerate(lines, 1)
            ]
        )  # fmt: skip

    def _append_checks(self, checks):
        common = {"statement_id": self.id, "company_id": self.company_id.id}
        self.env["grant.statement.check"]._append([{**check, **common} for check in checks])

    # ------------------------------------------------------------------
    # Files
    # ------------------------------------------------------------------

    def _render(self, facts):
        """Render and keep the files: the JSON of the ledger, the others of the JSON."""
        data, files = self.env["grant.statement.data"], self.env["grant.statement.file"]
        stated = data._put_together(facts, self)
        with tempfile.TemporaryFile() as kept:
            frozen.write(stated, kept)
            kept.seek(0)
            files._keep(self, "json", f"{stated.name}.json", frozen.MIMETYPE, kept.read())
            kept.seek(0)
            again = frozen.read(kept)
        digest = self.file_ids.sha256
        for kind, (name, mimetype, content) in self._make_files(again, digest):
            files._keep(self, kind, name, mimetype, content)

    @api.model
    def _make_files(self, stated, digest):
        """Yield the files of a statement that is read from its JSON: kind, and name, media type,
        content. The same bytes each time.

        :param str digest: SHA-256 of the JSON
        :raise UserError: no document can be made of it
        """
        data = self.env["grant.statement.data"]
        document = io.BytesIO()
        note = stated.about["words"]["note"]
        try:
            pdf.write(stated, document, digest, note)
        except Unprintable as error:
            raise UserError(
                self.env._(
                    "%(statement)s: the PDF cannot be made. Look for unusual signs in names and "
                    "texts. What the program says: %(error)s",
                    statement=stated.about["number"],
                    error=error,
                )
            ) from error
        yield "pdf", (f"{stated.name}.pdf", pdf.MIMETYPE, document.getvalue())
        for kind in ("xlsx", "csv"):
            # A ledger too long for a workbook is in the other files.
            if kind == "xlsx" and stated.ledger_size > xlsx.MAX_LINES:
                continue
            stream, name, mimetype = data._render(stated, kind)
            with stream:
                yield kind, (name, mimetype, stream.read())

    def _get_cover(self):
        """Lines of the cover that an issued statement has besides: pairs of texts."""
        zone = str(self.company_id._grant_timezone())
        start = self.date_from.strftime("%d/%m/%Y") if self.date_from else "–"
        lines = [
            (self.env._("Statement no."), self.name),
            (self.env._("Stated period"), f"{start} – {self.as_at:%d/%m/%Y}"),
            (
                self.env._("Issued on"),
                format_datetime(self.env, self.issued_at, tz=zone, dt_format="dd/MM/y HH:mm:ss"),
            ),
        ]
        if self.replaces_id:
            lines += [
                (self.env._("Replaces"), self.replaces_id.name),
                (self.env._("Why it was corrected"), self.correction),
            ]
        if self.forced_reason:
            lines.append((self.env._("Issued in spite of a control"), self.forced_reason))
        return lines

    def _get_about(self):
        """What programs look for in the file of an issued statement."""
        contract = self.contract_id
        return {
            "number": self.name,
            "contract": contract.code,
            "city": self.company_id.partner_id._get_identity(self.as_at)._get_siret() or "",
            "date_from": self.date_from.isoformat() if self.date_from else "",
            "as_at": self.as_at.isoformat(),
            "issued_at": self.issued_at.isoformat(),
            "lang": self.lang,
            "replaces": self.replaces_id.name or "",
            "database": self.env["ir.config_parameter"].get_param("database.uuid") or "",
            **self._get_paper(),
        }

    def _get_paper(self):
        """What the document shows of the city, as it is when it is issued."""
        city = self.company_id.partner_id._get_identity(self.as_at)
        about = {"date": self.as_at, "kind": "statement"}
        page, pictures = self.env["grant.pdf.mixin"]._get_page_data(self.company_id, about)
        address = city._display_address(without_company=True).splitlines()
        signatures = [[self.env._("For %(city)s,", city=city.name),
                       city.legal_representative or self.env._("the mayor")]]  # fmt: skip
        if self.is_certified:
            signatures.append(
                [self.env._("The public accountant,"), self.env._("who certifies the payments")]
            )
        logo = pictures.get("logo.svg", b"")
        return {
            "sender": [city.name, *filter(None, map(str.strip, address))],
            "signatures": signatures,
            "logo": logo.decode(),
            "words": {
                "digest": self.env._("SHA-256 of the data that this document was made from"),
                "logo": page.get("logo_alt", ""),
                "currency": self.env._("Amounts in %s.", self.currency_id.name),
                "certified": self.env._(
                    "Statement %(number)s of %(contract)s as at %(date)s, in accordance with the "
                    "entries of the ledger.",
                    number=self.name,
                    contract=self.contract_id.code,
                    date=format_date(self.env, self.as_at),
                ),
                "note": self.env._(
                    "%(sign)s stands for a sign that cannot be printed in this document.",
                    sign=SUBSTITUTE,
                ),
            },
        }
