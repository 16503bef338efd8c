import datetime
from functools import partial

from odoo import api, models

from odoo.addons.ctai_grants.lib.guard.money import ZERO, euros

from ..lib.statement import (
    JUSTIFIED,
    NET_PAID,
    Column,
    Table,
    TieOutError,
    add_up,
    derive,
    split_by_action,
)
from .grant_statement_facts import PATHS, get_labels


class GrantStatementLists(models.AbstractModel):
    """Middle sheets: the documents as they were at the date."""

    _name = "grant.statement.lists"
    _description = "Lists of a Grant Statement"

    @api.model
    def _get_tables(self, facts):
        return [
            self._get_subsidies_table(facts),
            self._get_tranches_table(facts),
            *self.env["grant.statement.annexes"]._get_tables(facts),
            self._get_pieces_table(facts),
        ]

    @api.model
    def _get_totals(self, facts, columns, rows, index):
        """One total for each payment path that has rows; ``index``: the column that says which."""
        labels = {"city": self.env._("Total, city"), "direct": self.env._("Total, State")}
        return [
            add_up(labels[path], columns, rows, (index, facts.paths[path]))
            for path in PATHS
            if any(row[index] == facts.paths[path] for row in rows)
        ]

    # ------------------------------------------------------------------
    # Operators and actions
    # ------------------------------------------------------------------

    @api.model
    def _get_subsidies_table(self, facts):
        columns = self._get_subsidy_columns()
        labels = get_labels(self.env, "grant.subsidy", "state")
        rows = [
            row
            for subsidy, state in facts.subsidies
            for row in self._get_subsidy_rows(facts, subsidy, columns, labels[state])
        ]
        # 8 is the column “Paid by”.
        totals = self._get_totals(facts, columns, rows, 8)
        self._check_totals(facts, columns, rows)
        title = self.env._("Operators and actions")
        return Table(title, columns, partial(iter, rows), totals, "operators")

    @api.model
    def _get_subsidy_columns(self):
        amount = partial(Column, kind="amount", width=14)
        return [
            Column(self.env._("Operator"), width=28),
            Column(self.env._("SIRET"), "siret", 16),
            Column(self.env._("RNA"), width=12),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Action"), width=34),
            Column(self.env._("Themes"), width=24),
            Column(self.env._("Audience"), width=20),
            Column(self.env._("Envelope"), width=12),
            Column(self.env._("Paid by"), width=9),
            amount(self.env._("Amount")),
            amount(self.env._("Committed"), flow="commitment"),
            amount(self.env._("Paid"), flow="payment"),
            amount(self.env._("Recovered"), flow="recovery"),
            amount(self.env._("Justified"), flow="justification"),
            Column(self.env._("Justified, %"), "rate", 11, terms=JUSTIFIED, base=NET_PAID),
            Column(self.env._("State"), width=12),
        ]

    @api.model
    def _get_subsidy_rows(self, facts, subsidy, columns, state):
        derived = [column for column in columns if column.flow or column.base]
        actions = {action.id: action for action in subsidy.action_ids if facts.existed(action)}
        for action_id, amount, sums in split_by_action(
            [(key, euros(facts.value(action, "amount"))) for key, action in actions.items()],
            euros(facts.value(subsidy, "amount")),
            facts.by_subsidy[subsidy.id],
        ):
            together = self.env._("All actions together") if actions else subsidy.name
            yield (
                *self._get_subsidy_head(facts, subsidy, actions.get(action_id), together),
                amount,
                *(derive(column, sums) for column in derived),
                state,
            )

    @api.model
    def _get_subsidy_head(self, facts, subsidy, action, together):
        """Whose money a row is about; ``together`` names what is of no action."""
        partner = facts.identity(subsidy.partner_id)
        return (
            partner.name,
            partner._get_siret() or "",
            partner.rna or "",
            subsidy.code,
            action.name if action else together,
            ", ".join((action or subsidy).theme_ids.mapped("name")),
            ", ".join(action.audience_ids.mapped("name")) if action else "",
            subsidy.envelope_id.code,
            facts.paths[subsidy.payment_path],
        )

    @api.model
    def _check_totals(self, facts, columns, rows):
        """Each euro of the summary that a subsidy moved is in one row of the operators.

        :raise TieOutError: naming the first column that differs
        """
        total = add_up("", columns, rows)
        for index, column in enumerate(columns):
            if not column.flow:
                continue
            expected = sum((sums[column.flow] for sums in facts.by_envelope.values()), ZERO)
            if total.values[index] != expected:
                raise TieOutError(f"{column.label}: {total.values[index]} ≠ {expected}.")

    # ------------------------------------------------------------------
    # Tranches
    # ------------------------------------------------------------------

    @api.model
    def _get_tranches_table(self, facts):
        columns = self._get_tranche_columns()
        paid = self._read_paid(facts)
        rows = [
            (*self._get_tranche_head(facts, subsidy), *row)
            for subsidy, _state in facts.subsidies
            for row in self._get_tranche_rows(facts, subsidy, paid)
        ]
        # 3 is the column “Paid by”.
        totals = self._get_totals(facts, columns, rows, 3)
        return Table(self.env._("Tranches"), columns, partial(iter, rows), totals, "tranches")

    @api.model
    def _get_tranche_rows(self, facts, subsidy, paid):
        kinds = get_labels(self.env, "grant.disbursement", "kind")
        states = get_labels(self.env, "grant.disbursement", "state")
        rest = facts.sum_flow(subsidy, "payment")
        # In the order of what was planned then, whatever has moved since.
        for tranche in sorted(
            subsidy.disbursement_ids,
            key=lambda one: (self._get_planned(facts, one)[1] or datetime.date.max, one.id),
        ):
            if not facts.existed(tranche):
                continue
            amount, paid_on = paid.get(tranche.id, (ZERO, None))
            rest -= amount
            state = states[facts.tranche_state(tranche, amount)]
            planned = self._get_planned(facts, tranche)
            *order, batch = self._get_order(facts, tranche)
            yield tranche.name, kinds[tranche.kind], *planned, state, *order, amount, paid_on, batch
        # Costs of the city have no tranches: accounting says what is paid of them.
        if rest:
            yield self._get_other_label(), "", ZERO, None, "", "", None, rest, None, None

    @api.model
    def _get_other_label(self):
        return self.env._("Payments without a tranche")

    @api.model
    def _get_tranche_columns(self):
        return [
            Column(self.env._("Operator"), width=28),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Envelope"), width=12),
            Column(self.env._("Paid by"), width=9),
            Column(self.env._("Tranche"), width=34),
            Column(self.env._("Kind"), width=12),
            Column(self.env._("Amount"), "amount"),
            Column(self.env._("Due on"), "date", 12),
            Column(self.env._("State"), width=11),
            Column(self.env._("Order no."), width=18),
            Column(self.env._("Ordered on"), "date", 12),
            Column(self.env._("Paid"), "amount"),
            Column(self.env._("Paid on"), "date", 12),
            # The last: files issued before end with the date.
            Column(self.env._("Batch no."), "integer", 12),
        ]

    @api.model
    def _read_paid(self, facts):
        """What the ledger holds of the payment of each tranche, and its last date."""
        domain = [
            ("envelope_id", "in", facts.envelopes.ids),
            ("date", "<=", facts.as_at),
            ("kind", "=", "payment"),
            ("origin_model", "=", "grant.disbursement"),
        ]
        groups = self.env["grant.entry"]._read_group(
            domain, ["origin_id"], ["amount:sum", "date:max"]
        )
        return {
            tranche_id: (euros(amount), date if euros(amount) else None)
            for tranche_id, amount, date in groups
        }

    @api.model
    def _get_tranche_head(self, facts, subsidy):
        path = facts.paths[subsidy.payment_path]
        name = facts.identity(subsidy.partner_id).name
        return name, subsidy.code, subsidy.envelope_id.code, path

    @api.model
    def _get_planned(self, facts, tranche):
        if not facts.existed(tranche):
            return ZERO, None
        due = facts.value(tranche, "date", "due_date") or None
        return euros(facts.value(tranche, "amount")), due

    @api.model
    def _get_order(self, facts, tranche):
        if not tranche.order_date or tranche.order_date > facts.as_at:
            return "", None, None
        return tranche.order_number or "", tranche.order_date, tranche.order_batch_id.number or None

    # ------------------------------------------------------------------
    # Pieces
    # ------------------------------------------------------------------

    @api.model
    def _get_pieces_table(self, facts):
        columns = self._get_piece_columns(facts)
        rows = [
            (facts.identity(subsidy.partner_id).name, subsidy.code, *row)
            for subsidy, _state in facts.subsidies
            for row in self._get_piece_rows(facts, subsidy)
        ]
        return Table(self.env._("Pieces"), columns, partial(iter, rows), key="pieces")

    @api.model
    def _get_piece_rows(self, facts, subsidy):
        milestones = subsidy.milestone_ids.filtered(facts.existed)
        for piece in subsidy.deliverable_ids:
            if piece.milestone_id not in milestones:
                continue
            due = facts.value(piece.milestone_id, "date") or None
            # The latest last; without a version, what was decided on the piece itself.
            for about in piece.version_ids.sorted("number") or piece:
                review = self._get_review(facts, about)
                for file in self._get_files(facts, about):
                    yield piece.name, due, *file, *review

    @api.model
    def _get_piece_columns(self, facts):
        return [
            Column(self.env._("Operator"), width=26),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Piece"), width=28),
            Column(self.env._("Due on"), "date", 11),
            Column(self.env._("Version"), "integer", 8),
            Column(self.env._("File"), width=34),
            Column(self.env._("SHA-256"), "hash", 62),
            Column(self.env._("Handed in on"), "datetime", 16),
            Column(self.env._("State as at %(date)s", date=facts.day), width=15),
            Column(self.env._("Last decision"), width=13),
            Column(self.env._("Decided on"), "date", 11),
        ]

    @api.model
    def _get_files(self, facts, about):
        if about._name == "grant.deliverable":
            return [(None, "", "", None)]
        moment = facts.localise(about.submitted_at)
        return [(about.number, file.name, file.sha256, moment) for file in about.file_ids]

    @api.model
    def _get_review(self, facts, about):
        """State at the date, last decision ever and its day. A piece proves what was done by a
        date, and is handed in after it: it is listed all the same, and said to be later."""
        last = facts.history(about)[-1]
        decisions = get_labels(self.env, "grant.decision", "decision")
        decided = (decisions.get(last.decision, ""), last.decided_on)
        is_version = about._name == "grant.deliverable.version"
        if is_version and facts.is_later(about.submitted_at):
            return self.env._("Handed in later"), *decided
        states = get_labels(self.env, "grant.deliverable", "state")
        # What was taken back has a decision for its state.
        state = facts.state(about)
        return states.get(state) or decisions[state], *decided
