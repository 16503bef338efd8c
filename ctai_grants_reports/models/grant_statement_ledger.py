from collections import defaultdict
from decimal import Decimal
from functools import partial

from odoo import api, models
from odoo.tools import SQL

from ..lib.statement import Column, Table, checked

BATCH = 5000


class GrantStatementLedger(models.AbstractModel):
    """Last sheet: the ledger's lines until the date; and the whole chains, to verify."""

    _name = "grant.statement.ledger"
    _description = "Ledger of a Grant Statement"

    @api.model
    def _get_tables(self, facts):
        return {
            "ledger": self._get_table(facts),
            "ledger_size": facts.ledger_size,
            "kinds": facts.kinds,
            "chains": [self._get_chain(envelope) for envelope in facts.envelopes],
        }

    @api.model
    def _get_chain(self, envelope):
        read = partial(self.env["grant.entry"]._get_chain_rows, envelope)
        return envelope.display_name, envelope.chain_head, read

    @api.model
    def _get_table(self, facts):
        read = partial(self._read_checked, facts)
        return Table(self.env._("Ledger"), self._get_columns(), read, key="ledger")

    @api.model
    def _read_checked(self, facts):
        """The lines, which must come to what the summary says."""
        expected = {
            (envelope_id, facts.kinds[flow]): amount
            for envelope_id, sums in facts.by_envelope.items()
            for flow, amount in sums.items()
        }
        return checked(self._read_lines(facts), expected, facts.ledger_size)

    @api.model
    def _get_columns(self):
        return [
            Column(self.env._("Chain"), "integer", 8),
            Column(self.env._("Number"), "integer", 9),
            Column(self.env._("Date"), "date", 11),
            Column(self.env._("Kind"), width=14),
            Column(self.env._("Envelope"), width=12),
            Column(self.env._("Operator"), width=28),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Action"), width=38),
            Column(self.env._("Amount"), "amount", 15),
            Column(self.env._("Document"), width=38),
            Column(self.env._("Reference"), width=26),
            Column(self.env._("SHA-256"), "hash", 62),
        ]

    @api.model
    def _read_lines(self, facts):
        """Yield the ledger's lines until the date, by batches: memory stays flat whatever the
        ledger's length."""
        self.env.flush_all()
        for envelope in facts.envelopes:
            last, batch = 0, [None]
            while batch:
                batch = self.env.execute_query(self._get_query(envelope, facts.as_at, last))
                documents = self._get_documents(batch)
                names = self._get_operator_names(facts, batch)
                for number, date, kind, partner, *whose, amount, model, origin, memo, sha in batch:
                    yield (
                        envelope.id, number, date, facts.kinds[kind], envelope.code,
                        names.get(partner), *whose,
                        # From the text of the database, not from a float.
                        Decimal(amount), documents[model, origin], memo, sha,
                    )  # fmt: skip
                last = batch[-1][0] if batch else last

    @api.model
    def _get_operator_names(self, facts, batch):
        """How the operators of these lines were called at the date: {id: name}."""
        ids = {line[3] for line in batch if line[3]}
        partners = self.env["res.partner"].browse(ids - {p.id for p in facts.identities})
        facts.identities.update(partners._get_identities(facts.as_at))
        return {partner.id: identity.name for partner, identity in facts.identities.items()}

    @api.model
    def _get_query(self, envelope, as_at, last):
        return SQL(
            """SELECT entry.number, entry.date, entry.kind, entry.partner_id, subsidy.code,
                      action.name, (entry.amount::numeric(16, 2))::text, entry.origin_model,
                      entry.origin_id, entry.memo, entry.hash
                 FROM grant_entry entry
                 LEFT JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                 LEFT JOIN grant_action action ON action.id = entry.action_id
                WHERE entry.envelope_id = %(envelope)s AND entry.number > %(last)s
                  AND entry.date <= %(as_at)s
                ORDER BY entry.number LIMIT %(batch)s""",
            envelope=envelope.id,
            last=last,
            as_at=as_at,
            batch=BATCH,
        )

    @api.model
    def _get_documents(self, batch):
        """How the documents of these lines are called: {(model, id): kind and name}."""
        ids = defaultdict(set)
        for line in batch:
            ids[line[7]].add(line[8])
        documents = {}
        for model, keys in ids.items():
            # _get() reads with the user's rights, and we run in sudo
            label = self.env["ir.model"]._get(model).name or model
            # A line that somebody forged may name anything: its id is all there is to say.
            is_source = hasattr(self.env.get(model), "_get_entry_names")
            names = self.env[model].browse(keys)._get_entry_names() if is_source else {}
            documents |= {(model, key): f"{label} – {names.get(key, key)}" for key in keys}
        return documents
