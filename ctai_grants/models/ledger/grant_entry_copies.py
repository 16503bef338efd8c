from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ...lib.ledger.copies import (
    CopyError,
    HeadsComparison,
    LedgerComparison,
    open_copy,
    read_entries,
    read_heads,
)

_lt = LazyTranslate(__name__)

# What is wrong, by the field of :class:`lib.ledger.copies.Difference`.
DIFFERENCES = {
    "unknown": _lt(
        "%(where)s: there is no %(chain)s here. The file is of another database, or the chain was "
        "deleted since."
    ),
    "missing": _lt(
        "%(where)s: entry %(number)s of %(chain)s (%(date)s) is not in the ledger any more."
    ),
    "head": _lt(
        "%(where)s: on %(date)s, %(chain)s ended with entry %(number)s and the hash %(copy)s; "
        "today the hash of this entry is %(ledger)s. It or one before it was changed since (an "
        "older ledger.csv says which), or the file is of another database."
    ),
    "copy_gap": _lt(
        "%(where)s: in this file, entry %(number)s of %(chain)s comes after entry %(copy)s. Lines "
        "were taken out of it or moved: take the file as it came with the statement."
    ),
    "copy_link": _lt(
        "%(where)s: in this file, entry %(number)s of %(chain)s (%(date)s) does not follow the "
        "hash of the entry before it. The file was altered: take it as it came with the statement."
    ),
    "copy_content": _lt(
        "%(where)s: in this file, the hash of entry %(number)s of %(chain)s (%(date)s) does not "
        "match its content. The file was altered: take it as it came with the statement."
    ),
}
OTHERWISE = _lt(
    "%(where)s: entry %(number)s of %(chain)s (%(date)s) was changed. Its “%(field)s” is "
    "“%(copy)s” in the file, and “%(ledger)s” in the ledger today."
)
FROM_THE_FIRST = _lt(
    "%(difference)s Nothing before it agrees: the file is of another database, or the whole chain "
    "was rewritten."
)
# Why a file cannot be compared, by the code of :class:`lib.ledger.copies.CopyError`.
REFUSALS = {
    "empty": _lt("%(file)s holds no entry and no head: there is nothing to compare."),
    "bad_zip": _lt("%(file)s: this archive is damaged or encrypted. Take it as it was sent."),
    "no_ledger": _lt(
        "%(file)s: there is no ledger.csv in this archive. Take that of the CSV files of a "
        "statement."
    ),
    "not_text": _lt(
        "%(file)s, line %(line)s: this is no text in UTF-8. Take the file as it was sent, not as a "
        "spreadsheet or another program saved it."
    ),
    "spreadsheet": _lt(
        "%(file)s, line %(line)s: the fields are separated by “%(cell)s”, not by commas: a "
        "spreadsheet has saved this file. Take it as it was sent."
    ),
    "columns": _lt(
        "%(file)s, line %(line)s: columns are missing: %(cell)s. Take the ledger.csv of a "
        "statement as it was sent."
    ),
    "unknown": _lt(
        "%(file)s, line %(line)s: this is neither a ledger.csv nor a list of heads "
        "(chain,number,head,time)."
    ),
    "bad_line": _lt(
        "%(file)s, line %(line)s: this line has not the fields of the first. The file is cut off "
        "or was changed: take it as it was sent."
    ),
    "bad_field": _lt(
        "%(file)s, line %(line)s: “%(cell)s” is not how the ledger writes “%(field)s”: a "
        "spreadsheet may have changed it. Take the file as it was sent."
    ),
    "bad_head": _lt(
        "%(file)s, line %(line)s: this line is damaged and says nothing. All the others are those "
        "of the ledger: take it out to see that."
    ),
}


class GrantEntry(models.Model):
    """The verifier: today's ledger beside an older copy of it, that somebody kept elsewhere.

    Who owns the tables can rebuild a chain so that it holds in itself; what has left does not
    change with it.
    """

    _inherit = "grant.entry"

    @api.private
    @api.model
    def _verify_against(self, stream, filename):
        """Compare today's ledger with an older copy of it.

        :param stream: binary file, seekable: a ``ledger.csv``, the archive that it came in, or a
            list of heads
        :return: the first difference (a sentence; None: there is none), and what was compared
        :raise UserError: the file cannot be compared, naming line and field
        """
        try:
            with open_copy(stream) as (kind, lines):
                compare = self._compare_ledger if kind == "ledger" else self._compare_heads
                difference, told = compare(lines, filename)
        except CopyError as error:
            text = self.env._(REFUSALS[error.code])
            about = {"line": error.line, "cell": error.cell, "field": error.field}
            raise UserError(text % {"file": filename, **about}) from error
        return difference and self._say_difference(difference, filename), told

    @api.model
    def _compare_ledger(self, lines, filename):
        envelopes = {envelope.id: envelope for envelope in self.env["grant.envelope"].search([])}

        def find_entries(chain, number):
            envelope = envelopes.get(chain)
            return envelope and self._get_chain_rows(envelope, last=number - 1)

        comparison = LedgerComparison(find_entries)
        difference = comparison.find_difference(read_entries(lines))
        if not comparison.count:
            raise CopyError("empty")
        return difference, self.env._(
            "%(file)s: its %(entries)s entries of %(chains)s envelopes are unchanged in the ledger "
            "(which has %(all)s envelopes: a statement is of one contract).",
            file=filename,
            entries=comparison.count,
            chains=len(comparison.chains),
            all=len(envelopes),
        )

    @api.model
    def _compare_heads(self, lines, filename):
        comparison = HeadsComparison(self.env["grant.heads"]._find_hashes)
        difference = comparison.find_difference(read_heads(lines))
        if not comparison.count:
            raise CopyError("empty")
        return difference, self.env._(
            "%(file)s: its %(heads)s heads of %(chains)s chains, from %(first)s to %(last)s, are "
            "those of the ledger.",
            file=filename,
            heads=comparison.count,
            chains=len(comparison.chains),
            first=comparison.times[0],
            last=comparison.times[1],
        )

    @api.model
    def _say_difference(self, difference, filename):
        field, (kind, chain) = difference.field, difference.chain
        about = difference._asdict() | {
            "where": self.env._("%(file)s, line %(line)s", file=filename, line=difference.line),
            "chain": self._get_chain_name(kind, chain),
        }
        if field == "missing" and kind == "envelope" and not self._find_envelope(chain):
            field = "unknown"
        text = self.env._(DIFFERENCES.get(field, OTHERWISE))
        sentence = text % about
        if difference.number == 1 and field not in DIFFERENCES:
            whole = self.env._(FROM_THE_FIRST)
            return whole % {"difference": sentence}
        return sentence

    @api.model
    def _get_chain_name(self, kind, chain):
        if kind == "envelope":
            named = self._find_envelope(chain).display_name or chain
            return self.env._("envelope “%(envelope)s”", envelope=named)
        model = self.env["grant.heads"]._get_chained().get(kind)
        return f"“{self.env['ir.model']._get(model).name}”" if model else f"{kind} {chain}"

    @api.model
    def _find_envelope(self, chain):
        return self.env["grant.envelope"].search([("id", "=", chain)])
