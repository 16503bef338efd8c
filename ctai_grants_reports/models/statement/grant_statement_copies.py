import hashlib

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL, LazyTranslate

from odoo.addons.ctai_grants.lib.ledger.chain import HASHED_FIELDS, entry_hash
from odoo.addons.ctai_grants.lib.ledger.copies import CopyError, LedgerComparison

from ...lib import statement_copies
from ...lib.statement import FLOWS

_lt = LazyTranslate(__name__)

BATCH = 1000
# What is wrong with a line, by what differs.
DIFFERENCES = {
    "missing": _lt(
        "%(where)s: entry %(number)s of %(chain)s is not in the ledger any more, or never was."
    ),
    "hash": _lt(
        "%(where)s: entry %(number)s of %(chain)s has the hash %(copy)s in the file, and "
        "%(ledger)s in the ledger today: the ledger was changed since, or the file was edited, or "
        "is of another database."
    ),
    "edited": _lt(
        "%(where)s: the file was edited. Its “%(field)s” of entry %(number)s of %(chain)s is "
        "“%(copy)s”; the ledger, whose hash of this entry the file has and still holds, says "
        "“%(ledger)s”."
    ),
    "altered": _lt(
        "%(where)s: entry %(number)s of %(chain)s was altered in the ledger: it does not match its "
        "hash any more. Its “%(field)s” is “%(copy)s” in the file, and “%(ledger)s” today."
    ),
}


class GrantStatement(models.Model):
    """The checker: any older statement file, its JSON or its workbook alone, against the ledger of
    today."""

    _inherit = "grant.statement"

    @api.private
    @api.model
    def _check_file(self, stream, filename):
        """Compare a statement file with the ledger of today.

        :param stream: binary file, seekable
        :return: the first difference (a sentence; None: there is none), and what was compared
        :raise UserError: the file cannot be compared
        """
        digest = hashlib.sha256()
        while part := stream.read(1 << 20):
            digest.update(part)
        stream.seek(0)
        try:
            copy = statement_copies.read(stream)
            difference, count = self._compare_copy(copy, filename)
        except (statement_copies.UnreadableError, CopyError, *statement_copies.DAMAGED) as error:
            raise UserError(
                self.env._(
                    "%(file)s is neither the JSON nor the workbook of a statement, or is damaged "
                    "(%(error)s). Take the file as it was sent.",
                    file=filename,
                    error=error,
                )
            ) from error
        # sudo: whose file it is; only its digest is compared
        files = self.env["grant.statement.file"].sudo()
        kept = files.search([("sha256", "=", digest.hexdigest())], limit=1)
        same = self._say_same(copy, kept, filename)
        if difference:
            return (difference if kept else f"{difference} {same}"), None
        told = self.env._(
            "%(file)s: its %(entries)s lines, %(heads)s heads and the figures of %(chains)s "
            "envelopes are those of the ledger.",
            file=filename,
            entries=count,
            heads=len(copy.heads),
            chains=len({chain for chain, _flow in copy.figures}),
        )
        if not kept and (copy.number or copy.heads):
            # What was issued has one form: another one was made of it.
            return same, told
        return None, f"{told} {same}"

    @api.model
    def _say_same(self, copy, kept, filename):
        about = {"file": filename, "number": copy.number or "–"}
        if kept:
            return self.env._(
                "It is, byte for byte, the file that was issued as %(number)s.",
                number=kept.statement_id.name,
            )
        if not copy.number and copy.heads:
            return self.env._(
                "%(file)s has the heads of an issued statement and not its number: it was edited. "
                "Ask for the one that was sent.",
                **about,
            )
        if not copy.number:
            return self.env._(
                "It is of no issued statement: figures of a day, and nothing vouches for its names "
                "and words."
            )
        statement = self.search([("name", "=", copy.number)], limit=1)
        if not statement:
            return self.env._(
                "%(file)s: no statement %(number)s was issued here. The file is of another "
                "database, or the statement was deleted.",
                **about,
            )
        return self.env._(
            "%(file)s is not, byte for byte, the file that was issued as %(number)s: it was edited "
            "or saved again. Ask for the one that was sent.",
            **about,
        )

    @api.model
    def _compare_copy(self, copy, filename):
        """The first difference (a sentence, or None), and how many lines were compared."""
        sums, count, batch, listed = {}, 0, [], {}
        for line in copy.lines:
            count += 1
            batch.append(line)
            number, last, day = listed.get(line.chain, (0, 0, ""))
            if line.number <= last:
                return self._say_listed(line.chain, line.number, filename), count
            listed[line.chain] = number + 1, line.number, max(day, line.date)
            if len(batch) == BATCH:
                if wrong := self._compare_lines(batch, sums, filename):
                    return wrong, count
                batch = []
        wrong = self._compare_lines(batch, sums, filename)
        return wrong or self._compare_whole(copy, listed, sums, filename), count

    def _compare_whole(self, copy, listed, sums, filename):
        return (
            self._compare_listed(listed, filename)
            or self._compare_figures(copy, sums, filename)
            or self._compare_heads(copy, filename)
            or self._compare_chains(copy, filename)
        )

    @api.model
    def _compare_lines(self, lines, sums, filename):
        """The first of these lines that is not as the ledger has it; their kinds are added up."""
        if not lines:
            return None
        entries = self._read_entries([(line.chain, line.number) for line in lines])
        for line in lines:
            entry = entries.get((line.chain, line.number))
            if wrong := self._compare_line(line, entry):
                what, field, copied, kept = wrong
                text = self.env._(DIFFERENCES[what])
                return text % {
                    "where": f"{filename}, {line.place}",
                    "number": line.number,
                    "chain": self.env["grant.entry"]._get_chain_name("envelope", line.chain),
                    "field": field,
                    "copy": copied,
                    "ledger": kept,
                }
            key = (line.chain, entry["kind"])
            sums[key] = sums.get(key, 0) + round(100 * float(entry["amount"]))
        return None

    @api.model
    def _compare_listed(self, listed, filename):
        """The first chain of which the file leaves a line out: an entry before its last one, of
        none of the days after the last day that it states.

        :param dict listed: by chain: how many lines, the last number, the last day
        """
        for chain, (count, last, day) in listed.items():
            ((number,),) = self.env.execute_query(
                SQL(
                    """SELECT count(*) FROM grant_entry
                        WHERE envelope_id = %s AND number <= %s AND date <= %s""",
                    chain, last, day,
                )
            )  # fmt: skip
            if number != count:
                return self._say_listed(chain, last, filename)
        return None

    @api.model
    def _say_listed(self, chain, number, filename):
        return self.env._(
            "%(file)s: until entry %(number)s of %(chain)s, lines were taken out, repeated or "
            "moved. The file was edited.",
            file=filename,
            number=number,
            chain=self.env["grant.entry"]._get_chain_name("envelope", chain),
        )

    @api.model
    def _compare_line(self, line, entry):
        if entry is None:
            return "missing", "", "", ""
        if entry["hash"] != line.hash:
            return "hash", "", line.hash, entry["hash"]
        for field in ("date", "amount"):
            copied = getattr(line, field)
            if copied != entry[field]:
                holds = entry_hash(entry["previous_hash"], entry) == entry["hash"]
                label = self.env["grant.entry"]._fields[field]._description_string(self.env)
                return ("edited" if holds else "altered"), label, copied, entry[field]
        return None

    @api.model
    def _read_entries(self, pairs):
        """The entries of chains and numbers, as they are hashed: {pair: values}."""
        self.env.flush_all()
        chains, numbers = zip(*pairs, strict=True)
        rows = self.env.execute_query(
            SQL(
                """SELECT entry.previous_hash, entry.hash, entry.number::text,
                          entry.envelope_id::text, COALESCE(to_char(date, 'YYYY-MM-DD'), ''),
                          COALESCE(kind, ''), COALESCE((amount::numeric(16, 2))::text, ''),
                          COALESCE(subsidy_id::text, ''), COALESCE(action_id::text, ''),
                          COALESCE(partner_id::text, ''), COALESCE(origin_model, ''),
                          COALESCE(origin_id::text, ''), COALESCE(user_id::text, ''),
                          COALESCE(to_char(posted_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), ''),
                          COALESCE(memo, '')
                     FROM unnest(%s::bigint[], %s::bigint[]) AS wanted (envelope_id, number)
                     JOIN grant_entry entry ON entry.envelope_id = wanted.envelope_id
                                           AND entry.number = wanted.number""",
                list(chains),
                list(numbers),
            )
        )
        names = ("previous_hash", "hash", *HASHED_FIELDS)
        entries = [dict(zip(names, row, strict=True)) for row in rows]
        return {(int(one["envelope_id"]), int(one["number"])): one for one in entries}

    @api.model
    def _compare_figures(self, copy, sums, filename):
        """The first figure of the summary that its own lines do not come to."""
        for chain in dict.fromkeys(chain for chain, _flow in copy.figures):
            for flow in FLOWS:
                said, found = copy.figures.get((chain, flow)), sums.get((chain, flow), 0) / 100
                if said is not None and said != f"{found:.2f}":
                    kinds = self.env["grant.entry"]._fields["kind"]
                    return self.env._(
                        "%(file)s: its summary says %(said)s of “%(kind)s” of %(chain)s, its lines "
                        "come to %(found)s. The file was edited.",
                        file=filename,
                        said=said,
                        kind=dict(kinds._description_selection(self.env))[flow],
                        chain=self.env["grant.entry"]._get_chain_name("envelope", chain),
                        found=f"{found:.2f}",
                    )
        return None

    @api.model
    def _compare_heads(self, copy, filename):
        kinds = {}
        for head in copy.heads:
            kinds.setdefault(head.kind, []).append((head.id, head.number))
        found = {kind: self.env["grant.heads"]._find_hashes(kind, kinds[kind]) for kind in kinds}
        for head in copy.heads:
            kept = (found[head.kind] or {}).get((head.id, head.number))
            if kept != head.hash:
                return self.env._(
                    "%(file)s: %(chain)s ended with line %(number)s and the hash %(copy)s; today "
                    "the hash of this line is %(ledger)s. It or one before it was changed since, "
                    "or the file was edited, or is of another database.",
                    file=filename,
                    chain=self.env["grant.entry"]._get_chain_name(head.kind, head.id),
                    number=head.number,
                    copy=head.hash,
                    ledger=kept or "–",
                )
        return None

    @api.model
    def _compare_chains(self, copy, filename):
        """Whole chains, which a JSON holds: each line of them, and whether they hold in
        themselves."""
        entries = self.env["grant.entry"]
        envelopes = {envelope.id: envelope for envelope in self.env["grant.envelope"].search([])}

        def find_entries(chain, number):
            envelope = envelopes.get(chain)
            return envelope and entries._get_chain_rows(envelope, last=number - 1)

        difference = LedgerComparison(find_entries).find_difference(copy.entries)
        return difference and entries._say_difference(difference, filename)
