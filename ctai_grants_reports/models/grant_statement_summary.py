from functools import partial

from odoo import api, models

from ..lib.statement import AVAILABLE, TO_PAY, UNJUSTIFIED, Column, Table, add_up, derive
from .grant_statement_facts import PATHS


class GrantStatementSummary(models.AbstractModel):
    """First sheet: what each envelope comes to, and where its chain stood."""

    _name = "grant.statement.summary"
    _description = "Summary of a Grant Statement"

    @api.model
    def _get_tables(self, facts):
        return {"blocks": self._get_blocks(facts), "positions": self._get_positions(facts)}

    @api.model
    def _get_blocks(self, facts):
        """What goes through the city's accounts, and what the State pays itself: never summed."""
        columns = self._get_columns()
        titles = self._get_titles()
        blocks = []
        for path in PATHS:
            envelopes = facts.envelopes.filtered(lambda e, path=path: e.payment_path == path)
            title, total = titles[path]
            rows = [self._get_row(facts, envelope, columns) for envelope in envelopes]
            if rows:
                totals = [add_up(total, columns, rows)]
                blocks.append(Table(title, columns, partial(iter, rows), totals, path))
        # Without envelopes there is a first sheet all the same.
        return blocks or [Table(titles["city"][0], columns, partial(iter, ()), key="city")]

    @api.model
    def _get_titles(self):
        """Titles of the blocks, and of the totals below them."""
        return {
            "city": (
                self.env._("Through the city's accounts"),
                self.env._("Total through the city's accounts"),
            ),
            "direct": (
                self.env._("Paid to the operators by the State itself"),
                self.env._("Total paid by the State itself"),
            ),
        }

    @api.model
    def _get_columns(self):
        amount = partial(Column, kind="amount", width=15)
        return [
            Column(self.env._("Envelope"), width=44),
            Column(self.env._("Chain"), "integer", 8),
            Column(self.env._("Audience"), width=28),
            Column(self.env._("Programme"), width=12),
            amount(self.env._("Allocated"), flow="allocation"),
            amount(self.env._("Committed"), flow="commitment"),
            amount(self.env._("Paid"), flow="payment"),
            amount(self.env._("Justified"), flow="justification"),
            amount(self.env._("Received"), flow="receipt"),
            amount(self.env._("Recovered"), flow="recovery"),
            amount(self.env._("Available"), terms=AVAILABLE),
            amount(self.env._("To pay"), terms=TO_PAY),
            amount(self.env._("Unjustified"), terms=UNJUSTIFIED),
        ]

    @api.model
    def _get_name(self, envelope):
        # A chain is called by the id of its envelope, which is in each hash.
        return f"{envelope.code} – {envelope.name}", envelope.id

    @api.model
    def _get_row(self, facts, envelope, columns):
        sums = facts.by_envelope[envelope.id]
        return (
            *self._get_name(envelope),
            envelope.audience_id.name or "",
            "-".join(filter(None, (envelope.programme, envelope.programme_action))),
            *(derive(column, sums) for column in columns if column.kind == "amount"),
        )

    @api.model
    def _get_positions(self, facts):
        """Where each chain of the ledger stood when the statement was made (R8)."""
        counted = self._count_entries(facts)
        rows = [
            (*self._get_name(envelope), *counted.get(envelope, (0, 0)), *self._get_end(envelope))
            for envelope in facts.envelopes
        ]
        title = self.env._("Position of the ledger that this statement was made from")
        return Table(title, self._get_position_columns(), partial(iter, rows), key="positions")

    @api.model
    def _get_position_columns(self):
        return [
            Column(self.env._("Envelope"), width=44),
            Column(self.env._("Chain"), "integer"),
            Column(self.env._("Entries counted"), "integer"),
            Column(self.env._("Last one counted"), "integer"),
            Column(self.env._("Last of the chain"), "integer"),
            Column(self.env._("Its SHA-256, head of the chain"), "hash", 62),
        ]

    @api.model
    def _get_end(self, envelope):
        return envelope.entry_count, envelope.chain_head

    @api.model
    def _count_entries(self, facts):
        """{envelope: (entries until the date, number of the last of them)}."""
        domain = [("envelope_id", "in", facts.envelopes.ids), ("date", "<=", facts.as_at)]
        groups = self.env["grant.entry"]._read_group(
            domain, ["envelope_id"], ["__count", "number:max"]
        )
        return {envelope: (count, number) for envelope, count, number in groups}
