import psycopg2

from odoo import api, fields, models
from odoo.tools import SQL, LazyTranslate, format_date

from ...lib.ledger import chain
from ...lib.ledger.days import Days

_lt = LazyTranslate(__name__)

# What is too much on a day, by the kind that ``lib.ledger.days`` names.
TOO_MUCH = {
    "commitment": _lt(
        "%(document)s: on %(date)s, %(much)s were committed of %(ceiling)s allocated."
    ),
    "payment": _lt(
        "%(document)s: on %(date)s, %(much)s were paid and not paid back, of %(ceiling)s committed."
    ),
    "recovery": _lt("%(document)s: on %(date)s, %(much)s were paid back of %(ceiling)s paid."),
    "undone": _lt(
        "%(document)s: on %(date)s, %(much)s more of the repayments were cancelled than there were."
    ),
}


class GrantEntry(models.Model):
    """The verifier: what it finds wrong, in sentences."""

    _inherit = "grant.entry"

    @api.private
    @api.model
    def _get_chain_rows(self, envelope, last=0):
        """Yield the entries of ``envelope`` in order, those after number ``last``, as
        :mod:`lib.ledger.chain` reads them."""
        names = ("previous_hash", "hash", *chain.HASHED_FIELDS)
        for row in self._read_chain(envelope, last):
            yield dict(zip(names, row, strict=True))

    @api.model
    def _read_chain(self, envelope, last=0):
        """Yield the entries of ``envelope`` in order, those after number ``last``, as rows of
        texts: the hash of the one before, its own, the values hashed.

        Straight from the tables, in batches: memory stays flat whatever the ledger's length.
        """
        self.env.flush_all()
        batch = [None]
        while batch:
            # Each value as the text that was hashed (grant_entry_text).
            batch = self.env.execute_query(
                SQL(
                    """SELECT previous_hash, hash, number::text, envelope_id::text,
                              COALESCE(to_char(date, 'YYYY-MM-DD'), ''), COALESCE(kind, ''),
                              COALESCE((amount::numeric(16, 2))::text, ''),
                              COALESCE(subsidy_id::text, ''), COALESCE(action_id::text, ''),
                              COALESCE(partner_id::text, ''), COALESCE(origin_model, ''),
                              COALESCE(origin_id::text, ''), COALESCE(user_id::text, ''),
                              COALESCE(to_char(posted_at, 'YYYY-MM-DD"T"HH24:MI:SS.US'), ''),
                              COALESCE(memo, '')
                         FROM grant_entry WHERE envelope_id = %s AND number > %s
                        ORDER BY grant_entry.number LIMIT 5000""",
                    envelope.id,
                    last,
                )
            )
            yield from batch
            last = int(batch[-1][2]) if batch else last

    @api.private
    @api.model
    def _verify(self, envelopes):
        """Check hash chains and counters of ``envelopes`` against their entries, these against
        accounting (R6), and every rule at every date.

        :return: list of sentences, one for each thing that is wrong, empty when all holds
        """
        return [
            *self._get_untied(envelopes),
            *self._get_broken_days(envelopes),
            *(
                sentence
                for source in self._get_sources()
                for sentence in source._get_misdated(envelopes)
            ),
            *self._get_strays(envelopes),
            *self._get_misstated(envelopes),
        ]

    @api.private
    @api.model
    def _verify_database(self):
        """Check all that can be: :meth:`_verify` of every envelope, days, the guards of the
        database, chained lines, the tables of documents, and the files that were handed in.

        :return: list of sentences, as there
        """
        # First: what is not there, or not yet, cannot be read.
        schema = self.env["grant.schema"]
        outdated = schema._get_outdated()
        if missing := schema._get_missing_tables():
            return outdated or missing
        try:
            with self.env.cr.savepoint():
                return [*outdated, *self._verify_all()]
        except psycopg2.ProgrammingError:
            # A column that comes with the upgrade.
            if outdated:
                return outdated
            raise

    def _verify_all(self):
        envelopes = self.env["grant.envelope"].search(fields.Domain.TRUE)
        return [*self._verify_city(envelopes), *self._verify_tables(envelopes)]

    def _verify_city(self, envelopes):
        return [*self._verify(envelopes), *self._get_postdated(envelopes)]

    def _verify_tables(self, envelopes):
        """What guards all: triggers, chained lines, seals, files."""
        return [
            *self.env["grant.schema"]._get_broken_guards(),
            *self.env["grant.append.only.mixin"]._get_broken_lines(),
            *self.env["grant.seal"]._get_altered_documents(),
            *self._get_altered_files(envelopes),
        ]

    @api.model
    def _get_altered_files(self, envelopes):
        """Hook: sentences naming the files of documents that are not what they were."""
        return []

    @api.private
    @api.model
    def _get_untied(self, envelopes):
        """What does not tie out in the ledger of ``envelopes`` as it is now: list of sentences."""
        return [
            *self._get_broken_chains(envelopes),
            *self._get_misplaced(envelopes),
            *self._get_wrong_counters(envelopes),
            *(
                sentence
                for source in self._get_sources()
                for sentence in source._get_unbalanced(envelopes)
            ),
        ]

    @api.model
    def _get_broken_chains(self, envelopes):
        """Sentences naming the first entry of each envelope that does not follow the one before."""
        sentences = []
        for envelope in envelopes:
            if broken := chain.find_break(self._read_chain(envelope), envelope.chain_head):
                sentences.append(
                    self.env._(
                        "Envelope “%(envelope)s”: %(broken)s.",
                        envelope=envelope.display_name,
                        broken=broken,
                    )
                )
        return sentences

    @api.model
    def _get_broken_days(self, envelopes):
        """Sentences naming the first day of each envelope and subsidy on which more was committed,
        paid or paid back than there was."""
        days = {envelope.id: Days() for envelope in envelopes}
        for envelope_id, *moved in self.env.execute_query(
            SQL(
                """SELECT envelope_id, subsidy_id, to_char(date, 'YYYY-MM-DD'), kind,
                          (sum(amount) * 100)::bigint
                     FROM grant_entry WHERE envelope_id = ANY(%s)
                    GROUP BY envelope_id, subsidy_id, date, kind""",
                envelopes.ids,
            )
        ):
            days[envelope_id].add(*moved)
        sentences = {kind: self.env._(text) for kind, text in TOO_MUCH.items()}
        return [
            sentences[kind]
            % {
                "document": (
                    self.env["grant.subsidy"].browse(owner) if owner else envelope
                ).display_name,
                "date": format_date(self.env, date),
                "much": envelope.currency_id.format(cents / 100),
                "ceiling": envelope.currency_id.format(ceiling / 100),
            }
            for envelope in envelopes
            for owner, date, kind, cents, ceiling in days[envelope.id].get_broken()
        ]

    @api.model
    def _get_sources(self):
        """The models whose documents post entries, in the order of their names."""
        names = self.pool.descendants(["grant.source.mixin"], "_inherit")
        return [self.env[name] for name in sorted(names) if not self.env[name]._abstract]

    @api.model
    def _get_misstated(self, envelopes):
        """Sentences naming the documents that say something else than ledger and accounting."""
        names = sorted(self.pool.descendants(["grant.document.mixin"], "_inherit"))
        return [
            sentence
            for name in names
            if not self.env[name]._abstract
            for sentence in self.env[name]._get_misstated(envelopes)
        ]

    @api.model
    def _get_misplaced(self, envelopes):
        """Sentences naming the first entry of each envelope that says another contract, company
        or currency than its envelope, or has a subsidy of another one: the hash chain covers
        neither."""
        self.env.flush_all()
        # No list is empty: “IN ()” is no SQL, and no envelope has the id 0.
        rows = self.env.execute_query(
            SQL(
                """SELECT DISTINCT ON (entry.envelope_id) entry.envelope_id, entry.number
                     FROM grant_entry entry
                     JOIN grant_envelope envelope ON envelope.id = entry.envelope_id
                     LEFT JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                    WHERE entry.envelope_id IN %s
                      AND (entry.contract_id IS DISTINCT FROM envelope.contract_id
                           OR entry.company_id IS DISTINCT FROM envelope.company_id
                           OR entry.currency_id IS DISTINCT FROM envelope.currency_id
                           OR subsidy.envelope_id <> entry.envelope_id)
                    ORDER BY entry.envelope_id, entry.number""",
                tuple(envelopes.ids) or (0,),
            )
        )
        return [
            self.env._(
                "Envelope “%(envelope)s”: entry %(number)s does not belong to its contract, "
                "company, currency or subsidies.",
                envelope=self.env["grant.envelope"].browse(envelope_id).display_name,
                number=number,
            )
            for envelope_id, number in rows
        ]

    @api.model
    def _get_wrong_counters(self, envelopes):
        """Sentences naming the counters of envelopes and subsidies that differ from the ledger."""
        wrong = []
        # The archived ones too: their entries count in their envelope.
        subsidies = (
            self.env["grant.subsidy"]
            .with_context(active_test=False)
            .search([("envelope_id", "in", envelopes.ids)])
        )
        for records, key in ((envelopes, "envelope_id"), (subsidies, "subsidy_id")):
            posted = {}
            for record, kind, amount, number in self._read_group(
                [(key, "in", records.ids)], [key, "kind"], ["amount:sum", "__count"]
            ):
                posted[record, kind] = amount
                posted[record, "entries"] = posted.get((record, "entries"), 0) + number
            for record in records:
                # The head is judged with its chain.
                for counter in records._get_counters().keys() - {"chain_head"}:
                    kind = records._get_counters()[counter]
                    wrong += record._judge_counter(counter, posted.get((record, kind), 0))
        return wrong
