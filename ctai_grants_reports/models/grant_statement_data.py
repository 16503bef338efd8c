import datetime
import re
import tempfile

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from ..lib import csv_files, frozen, xlsx
from ..lib.statement import Statement, TieOutError

FORMATS = {
    "xlsx": (xlsx, ".xlsx", xlsx.MIMETYPE),
    "csv": (csv_files, "_csv.zip", "application/zip"),
    "json": (frozen, ".json", frozen.MIMETYPE),
}


class GrantStatementData(models.AbstractModel):
    """Makes the files of a contract's statement as at a date.

    One transaction sees one state of the database: the figures, the lines and the position of
    the ledger they were made from belong together.
    """

    _name = "grant.statement.data"
    _description = "Statement of a Grant Contract"

    @api.model
    def _make(self, contract, as_at, file_format):
        """Make the statement of ``contract`` as at ``as_at``.

        :param as_at: accounting date up to which the ledger counts
        :param str file_format: ``xlsx``, or ``csv`` for a zip of CSV files
        :return: open temporary file, file name, media type
        :raise AccessError: the user may not read the contract
        :raise UserError: a date after today; counters or lines that differ; decisions that cannot
            have followed each other; a ledger too long for a workbook
        """
        contract.ensure_one().check_access("read")
        if as_at > contract.company_id._grant_today():
            raise UserError(self.env._("A statement cannot be made as at a date after today."))
        try:
            # sudo: whoever may read the contract may have its statement, with the names of
            # operators and the list of pieces that a portal user cannot look up
            statement = self.sudo()._build(contract.sudo(), as_at)
            return self._render(statement, file_format)
        except TieOutError as error:
            raise self._get_refusal(str(error)) from error

    @api.model
    def _render(self, statement, file_format):
        renderer, ending, mimetype = FORMATS[file_format]
        if file_format == "xlsx" and statement.ledger_size > xlsx.MAX_LINES:
            raise UserError(
                self.env._("The ledger has too many lines for a workbook: take the CSV files.")
            )
        stream = tempfile.TemporaryFile()
        try:
            renderer.write(statement, stream)
        # Whatever stops it: no open file is left behind.
        except BaseException:
            stream.close()
            raise
        stream.seek(0)
        return stream, statement.name + ending, mimetype

    @api.model
    def _get_date_refusal(self, contract, as_at):
        """Why no statement of this contract can be made as at that date: a sentence, or None."""
        if as_at > contract.company_id._grant_today():
            return self.env._("A statement cannot be made as at a date after today.")
        if contract.signature_date and as_at < contract.signature_date:
            return self.env._(
                "%(date)s is before %(contract)s was signed, on %(signed)s: there is nothing to "
                "state.",
                date=format_date(self.env, as_at),
                contract=contract.display_name,
                signed=format_date(self.env, contract.signature_date),
            )
        return None

    @api.model
    def _get_refusal(self, wrong):
        return UserError(
            self.env._(
                "The ledger does not tie out, no statement can be made: %(wrong)s Have the "
                "ledger verified.",
                wrong=wrong,
            )
        )

    # ------------------------------------------------------------------
    # Building
    # ------------------------------------------------------------------

    @api.model
    def _build(self, contract, as_at, issued=None):
        """The statement as plain objects; see :class:`.lib.statement.Statement`.

        :param issued: the ``grant.statement`` that is issued by it (in sudo), if one is
        """
        facts = self.env["grant.statement.facts"]._read(contract, as_at)
        return self._put_together(facts, issued)

    @api.model
    def _put_together(self, facts, issued=None):
        contract, posted_at = facts.contract, self._get_posted_at(facts)
        lists = self.env["grant.statement.lists"]._get_tables(facts)
        cover = self._get_cover(facts, posted_at)
        return Statement(
            name=self._get_file_name(facts, issued),
            title=self.env._("Financial statement as at %(date)s", date=facts.day),
            author=facts.identity(contract.company_id.partner_id).name,
            running_head=contract.display_name,
            currency=contract.currency_id.symbol,
            made_at=posted_at or datetime.datetime.combine(facts.as_at, datetime.time()),
            cover=[*cover, *issued._get_cover()] if issued else cover,
            notes=self._get_notes(facts),
            summary_title=self.env._("Summary"),
            chart_title=self.env._("Use of the envelopes"),
            empty=self.env._("Nothing at this date."),
            lists=[*lists, *issued._get_own_tables(facts)] if issued else lists,
            about=issued._get_about() if issued else {"as_at": facts.as_at.isoformat()},
            **self.env["grant.statement.summary"]._get_tables(facts),
            **self.env["grant.statement.ledger"]._get_tables(facts),
        )

    @api.model
    def _get_file_name(self, facts, issued=None):
        code = facts.contract.code
        # A code may hold slashes and accents: file systems and headers take what is left.
        code = re.sub(r"[^\w.-]+", "-", code, flags=re.ASCII).strip("-.") or facts.contract.id
        # A name of files, too.
        word = self.env._("statement")
        name = f"{word}_{code}_{facts.as_at:%Y-%m-%d}"
        return f"{name}_{issued.name}" if issued else name

    @api.model
    def _get_posted_at(self, facts):
        """Time of the last posting: the same ledger gives the same bytes whenever asked."""
        last = self.env["grant.entry"]._read_group(
            [("envelope_id", "in", facts.envelopes.ids)], [], ["posted_at:max"]
        )[0][0]
        return last and last.replace(microsecond=0)

    @api.model
    def _get_cover(self, facts, posted_at):
        contract = facts.contract
        start, end, signed = (
            date.strftime("%d/%m/%Y") if date else "–"
            for date in (
                facts.value(contract, "date_start"), facts.value(contract, "date_end"),
                contract.signature_date,
            )
        )
        return [
            (self.env._("Contract"), contract.display_name),
            (self.env._("Funder"), facts.identity(contract.funder_id).display_name),
            (self.env._("City"), facts.identity(contract.company_id.partner_id).name),
            (self.env._("Signed on"), signed),
            (self.env._("Period"), f"{start} – {end}"),
            (self.env._("As at"), facts.day),
            (self.env._("Ledger"), self._get_position(facts, posted_at)),
        ]

    @api.model
    def _get_position(self, facts, posted_at):
        if not posted_at:
            return self.env._("empty")
        return self.env._(
            "last entry posted on %(time)s (%(timezone)s)",
            time=facts.localise(posted_at).strftime("%d/%m/%Y %H:%M:%S"),
            timezone=facts.timezone.key,
        )

    @api.model
    def _get_notes(self, facts):
        return [
            *self._get_direct_notes(facts),
            self.env._(
                "Every amount is a sum of ledger entries whose accounting date is not after "
                "%(date)s.",
                date=facts.day,
            ),
            self.env._(
                "The file ledger.csv that comes with the CSV files holds the whole chain of each "
                "envelope, later entries included: whoever recomputes it finds the heads below."
            ),
        ]

    @api.model
    def _get_direct_notes(self, facts):
        if "direct" not in facts.envelopes.mapped("payment_path"):
            return []
        return [
            self.env._(
                "What the State pays to the operators itself is not in the city's accounts: it is "
                "shown apart, and in no total of what the city paid."
            )
        ]
