import datetime
import re
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from zoneinfo import ZoneInfo

from odoo import api, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..lib import csv_files, xlsx
from ..lib.statement import (
    AVAILABLE,
    FLOWS,
    JUSTIFIED,
    NET_PAID,
    TO_PAY,
    UNJUSTIFIED,
    ZERO,
    Column,
    Statement,
    Table,
    TieOutError,
    add_up,
    checked,
    derive,
    money,
    split_by_action,
    subsidy_state,
    tranche_state,
)

BATCH = 5000
PATHS = ("city", "direct")


@dataclass
class Facts:
    """What the tables of one statement share, read once."""

    contract: models.BaseModel
    as_at: datetime.date
    timezone: ZoneInfo
    envelopes: models.BaseModel
    by_envelope: dict  # envelope id: flow: sum
    by_subsidy: dict  # subsidy id: action id or None: flow: sum
    ledger_size: int
    kinds: dict  # flow: label
    paths: dict  # payment path: label
    decisions: dict = None  # model, id: decisions in the order taken
    subsidies: list = None  # (subsidy, its state at the date)
    undone: dict = None  # model, id: what amendments signed since have changed

    def localise(self, moment):
        """A time of the database in the city's legal time."""
        return moment.replace(tzinfo=datetime.UTC).astimezone(self.timezone).replace(tzinfo=None)

    def existed(self, record):
        """Whether ``record`` was there at the date, and not added by an amendment since."""
        return self.undone.get((record._name, record.id), record) is not None

    def value(self, record, name, field=None):
        """The amount or the date of ``record`` as it was at the date."""
        undone = self.undone.get((record._name, record.id))
        return undone[name] if undone else record[field or name]

    def last_decision(self, record):
        """What was decided last on ``record`` until the date."""
        taken = [
            decision.decision
            for decision in self.decisions[record._name, record.id]
            if self.localise(decision.decided_at).date() <= self.as_at
        ]
        return taken[-1] if taken else None


class GrantStatementData(models.AbstractModel):
    """Reads the ledger of a contract as at a date, and makes the files of its statement.

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
        :raise UserError: a date after today; counters or lines that differ; a ledger too long
            for a workbook
        """
        contract.ensure_one().check_access("read")
        if as_at > contract.company_id._grant_today():
            raise UserError(self.env._("A statement cannot be made as at a date after today."))
        # sudo: whoever may read the contract may have its statement, with the names of operators
        # and the list of pieces that a portal user cannot look up
        statement = self.sudo()._build(contract.sudo(), as_at)
        renderer, name, mimetype = {
            "xlsx": (xlsx, f"{statement.name}.xlsx", xlsx.MIMETYPE),
            "csv": (csv_files, f"{statement.name}_csv.zip", "application/zip"),
        }[file_format]
        if file_format == "xlsx" and statement.ledger_size > xlsx.MAX_LINES:
            raise UserError(
                self.env._("The ledger has too many lines for a workbook: take the CSV files.")
            )
        stream = tempfile.TemporaryFile()
        try:
            renderer.write(statement, stream)
        except BaseException as error:
            stream.close()
            if isinstance(error, TieOutError):
                raise self._get_refusal(str(error)) from error
            raise
        stream.seek(0)
        return stream, name, mimetype

    def _get_refusal(self, wrong):
        return UserError(
            self.env._(
                "The ledger does not tie out, no statement can be made: %(wrong)s Have the "
                "ledger verified.",
                wrong=wrong,
            )
        )

    # ------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------

    def _read_facts(self, contract, as_at):
        """The sums of the ledger until the date, and what was decided by then.

        :raise UserError: the counters differ from the ledger
        """
        entries = self.env["grant.entry"]
        envelopes = contract.envelope_ids
        if wrong := entries._get_wrong_counters(envelopes):
            raise self._get_refusal(wrong[0])
        by_envelope = defaultdict(lambda: defaultdict(lambda: ZERO))
        by_subsidy = defaultdict(lambda: defaultdict(dict))
        size = 0
        for envelope, subsidy, action, kind, amount, count in entries._read_group(
            [("envelope_id", "in", envelopes.ids), ("date", "<=", as_at)],
            ["envelope_id", "subsidy_id", "action_id", "kind"],
            ["amount:sum", "__count"],
        ):
            by_envelope[envelope.id][kind] += money(amount)
            if subsidy:
                by_subsidy[subsidy.id][action.id or None][kind] = money(amount)
            size += count
        facts = Facts(
            contract=contract,
            as_at=as_at,
            timezone=contract.company_id._grant_timezone(),
            envelopes=envelopes,
            by_envelope=by_envelope,
            by_subsidy=by_subsidy,
            ledger_size=size,
            kinds=self._get_labels("grant.entry", "kind"),
            paths={"city": self.env._("City"), "direct": self.env._("State")},
        )
        self._read_documents(facts)
        return facts

    def _read_documents(self, facts):
        subsidies = (
            self.env["grant.subsidy"]
            .with_context(active_test=False)
            .search([("contract_id", "=", facts.contract.id)], order="code, id")
        )
        facts.decisions = defaultdict(list)
        for decision in self.env["grant.decision"].search(
            [("subsidy_id", "in", subsidies.ids)], order="id"
        ):
            about = (
                decision.version_id
                or decision.deliverable_id
                or decision.disbursement_id
                or decision.subsidy_id
            )
            facts.decisions[about._name, about.id].append(decision)
        # sudo: who gets the statement may not read the amendments
        facts.undone = self.env["grant.amendment"].sudo()._get_undone(facts.contract, facts.as_at)
        facts.subsidies = []
        for subsidy in subsidies.sorted(
            lambda s: (
                PATHS.index(s.payment_path), s.envelope_id.sequence, s.envelope_id.id,
                s.partner_id.name or "", s.code,
            )
        ):  # fmt: skip
            state = subsidy_state(
                self._sum_flow(facts, subsidy, "commitment"),
                self._get_granted_on(facts, subsidy),
                facts.last_decision(subsidy),
                facts.as_at,
            )
            moved = any(any(sums.values()) for sums in facts.by_subsidy[subsidy.id].values())
            if moved or state in ("granted", "signed", "closed"):
                facts.subsidies.append((subsidy, state or "draft"))

    def _get_granted_on(self, facts, subsidy):
        """Date of the council's decision; of its recording for a cost of the city itself."""
        if subsidy.state in ("draft", "cancelled"):
            return None
        if subsidy.decision_date:
            return subsidy.decision_date
        for decision in facts.decisions[subsidy._name, subsidy.id]:
            if decision.decision == "granted":
                return facts.localise(decision.decided_at).date()
        return None

    @api.model
    def _sum_flow(self, facts, subsidy, flow):
        return sum((sums.get(flow, ZERO) for sums in facts.by_subsidy[subsidy.id].values()), ZERO)

    @api.model
    def _get_labels(self, model, field):
        return dict(self.env[model]._fields[field]._description_selection(self.env))

    # ------------------------------------------------------------------
    # Building
    # ------------------------------------------------------------------

    def _build(self, contract, as_at):
        """The statement as plain objects; see :class:`.lib.statement.Statement`."""
        facts = self._read_facts(contract, as_at)
        day = as_at.strftime("%d/%m/%Y")
        posted_at = self._get_posted_at(facts)
        code = re.sub(r"[^\w.-]+", "-", contract.code, flags=re.ASCII).strip("-.") or contract.id
        # A name of files, too.
        word = self.env._("statement")
        lists = [
            self._get_subsidies_table(facts),
            self._get_tranches_table(facts),
            self._get_pieces_table(facts),
        ]
        return Statement(
            name=f"{word}_{code}_{as_at:%Y-%m-%d}",
            title=self.env._("Financial statement as at %(date)s", date=day),
            author=contract.company_id.name,
            running_head=contract.display_name,
            currency=contract.currency_id.symbol,
            made_at=posted_at or datetime.datetime.combine(as_at, datetime.time()),
            cover=self._get_cover(facts, posted_at),
            blocks=self._get_blocks(facts),
            notes=self._get_notes(facts),
            positions=self._get_positions(facts),
            summary_title=self.env._("Summary"),
            chart_title=self.env._("Use of the envelopes"),
            empty=self.env._("Nothing at this date."),
            lists=lists,
            ledger=self._get_ledger_table(facts),
            ledger_size=facts.ledger_size,
            kinds=facts.kinds,
            chains=[
                (
                    envelope.display_name,
                    envelope.chain_head,
                    partial(self.env["grant.entry"]._get_chain_rows, envelope),
                )
                for envelope in facts.envelopes
            ],
        )

    def _get_posted_at(self, facts):
        """Time of the last posting: the same ledger gives the same bytes whenever asked."""
        last = self.env["grant.entry"]._read_group(
            [("envelope_id", "in", facts.envelopes.ids)], [], ["posted_at:max"]
        )[0][0]
        return last and last.replace(microsecond=0)

    def _get_cover(self, facts, posted_at):
        contract = facts.contract

        def show(date, pattern="%d/%m/%Y"):
            return date.strftime(pattern) if date else "–"

        posted = posted_at and facts.localise(posted_at)
        return [
            (self.env._("Contract"), contract.display_name),
            (self.env._("Funder"), contract.funder_id.display_name),
            (self.env._("City"), contract.company_id.name),
            (self.env._("Signed on"), show(contract.signature_date)),
            (
                self.env._("Period"),
                f"{show(contract.date_start)} – {show(contract.date_end)}",
            ),
            (self.env._("As at"), show(facts.as_at)),
            (
                self.env._("Ledger"),
                self.env._(
                    "last entry posted on %(time)s (%(timezone)s)",
                    time=show(posted, "%d/%m/%Y %H:%M:%S"),
                    timezone=facts.timezone.key,
                )
                if posted
                else self.env._("empty"),
            ),
        ]

    def _get_notes(self, facts):
        notes = []
        if "direct" in facts.envelopes.mapped("payment_path"):
            notes.append(
                self.env._(
                    "What the State pays to the operators itself is not in the city's accounts: "
                    "it is shown apart, and in no total of what the city paid."
                )
            )
        return [
            *notes,
            self.env._(
                "Every amount is a sum of ledger entries whose accounting date is not after "
                "%(date)s.",
                date=facts.as_at.strftime("%d/%m/%Y"),
            ),
            self.env._(
                "The file ledger.csv that comes with the CSV files holds the whole chain of each "
                "envelope, later entries included: whoever recomputes it finds the heads below."
            ),
        ]

    def _get_blocks(self, facts):
        """What goes through the city's accounts, and what the State pays itself: never summed."""
        titles = {
            "city": (
                self.env._("Through the city's accounts"),
                self.env._("Total through the city's accounts"),
            ),
            "direct": (
                self.env._("Paid to the operators by the State itself"),
                self.env._("Total paid by the State itself"),
            ),
        }
        amount = partial(Column, kind="amount", width=15)
        columns = [
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
        blocks = []
        for path in PATHS:
            envelopes = facts.envelopes.filtered(lambda e, path=path: e.payment_path == path)
            title, total = titles[path]
            rows = [
                (
                    f"{envelope.code} – {envelope.name}",
                    envelope.id,
                    envelope.audience_id.name or "",
                    "-".join(filter(None, (envelope.programme, envelope.programme_action))),
                    *(derive(column, facts.by_envelope[envelope.id]) for column in columns[4:]),
                )
                for envelope in envelopes
            ]
            if rows:
                totals = [add_up(total, columns, rows)]
                blocks.append(Table(title, columns, partial(iter, rows), totals))
        return blocks or [Table(titles["city"][0], columns, partial(iter, ()))]

    def _get_positions(self, facts):
        """Where each chain of the ledger stood when the statement was made (R8)."""
        counted = {
            envelope.id: (count, number)
            for envelope, count, number in self.env["grant.entry"]._read_group(
                [("envelope_id", "in", facts.envelopes.ids), ("date", "<=", facts.as_at)],
                ["envelope_id"],
                ["__count", "number:max"],
            )
        }
        rows = [
            (
                f"{envelope.code} – {envelope.name}",
                envelope.id,
                *counted.get(envelope.id, (0, 0)),
                envelope.entry_count,
                envelope.chain_head,
            )
            for envelope in facts.envelopes
        ]
        columns = [
            Column(self.env._("Envelope"), width=44),
            Column(self.env._("Chain"), "integer"),
            Column(self.env._("Entries counted"), "integer"),
            Column(self.env._("Last one counted"), "integer"),
            Column(self.env._("Last of the chain"), "integer"),
            Column(self.env._("Its SHA-256, head of the chain"), "hash"),
        ]
        title = self.env._("Position of the ledger that this statement was made from")
        return Table(title, columns, partial(iter, rows))

    def _get_totals(self, facts, columns, rows, index):
        """One total for each payment path that has rows; ``index``: the column that says which."""
        labels = {
            "city": self.env._("Total, city"),
            "direct": self.env._("Total, State"),
        }
        return [
            add_up(labels[path], columns, rows, (index, facts.paths[path]))
            for path in PATHS
            if any(row[index] == facts.paths[path] for row in rows)
        ]

    def _get_subsidies_table(self, facts):
        amount = partial(Column, kind="amount", width=14)
        columns = [
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
        labels = self._get_labels("grant.subsidy", "state")
        rows = [
            row
            for subsidy, state in facts.subsidies
            for row in self._get_subsidy_rows(facts, subsidy, columns[10:15], labels[state])
        ]
        totals = self._get_totals(facts, columns, rows, 8)
        self._check_totals(facts, columns, rows)
        title = self.env._("Operators and actions")
        return Table(title, columns, partial(iter, rows), totals)

    def _get_subsidy_rows(self, facts, subsidy, columns, state):
        partner = subsidy.partner_id
        actions = {action.id: action for action in subsidy.action_ids if facts.existed(action)}
        for action_id, amount, sums in split_by_action(
            [(key, money(facts.value(action, "amount"))) for key, action in actions.items()],
            money(facts.value(subsidy, "amount")),
            facts.by_subsidy[subsidy.id],
        ):
            action = actions.get(action_id)
            if action:
                name = action.name
            else:
                name = self.env._("All actions together") if actions else subsidy.name
            yield (
                partner.name,
                partner._get_siret() or "",
                partner.rna or "",
                subsidy.code,
                name,
                ", ".join((action or subsidy).theme_ids.mapped("name")),
                ", ".join(action.audience_ids.mapped("name")) if action else "",
                subsidy.envelope_id.code,
                facts.paths[subsidy.payment_path],
                amount,
                *(derive(column, sums) for column in columns),
                state,
            )

    def _check_totals(self, facts, columns, rows):
        """Each euro of the summary that a subsidy moved is in one row of the operators."""
        total = add_up("", columns, rows)
        for index, column in enumerate(columns):
            if not column.flow:
                continue
            expected = sum((sums[column.flow] for sums in facts.by_envelope.values()), ZERO)
            if total.values[index] != expected:
                raise self._get_refusal(f"{column.label}: {total.values[index]} ≠ {expected}.")

    def _get_tranches_table(self, facts):
        columns = [
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
        ]
        rows = self._get_tranche_rows(facts)
        totals = self._get_totals(facts, columns, rows, 3)
        return Table(self.env._("Tranches"), columns, partial(iter, rows), totals)

    def _get_tranche_rows(self, facts):
        paid = {
            tranche_id: (money(amount), date)
            for tranche_id, amount, date in self.env["grant.entry"]._read_group(
                [
                    ("envelope_id", "in", facts.envelopes.ids),
                    ("date", "<=", facts.as_at),
                    ("kind", "=", "payment"),
                    ("origin_model", "=", "grant.disbursement"),
                ],
                ["origin_id"],
                ["amount:sum", "date:max"],
            )
        }
        kinds = self._get_labels("grant.disbursement", "kind")
        states = self._get_labels("grant.disbursement", "state")
        rows = []
        for subsidy, _state in facts.subsidies:
            head = (
                subsidy.partner_id.name,
                subsidy.code,
                subsidy.envelope_id.code,
                facts.paths[subsidy.payment_path],
            )
            rest = self._sum_flow(facts, subsidy, "payment")
            for tranche in subsidy.disbursement_ids.filtered(facts.existed):
                amount, paid_on = paid.get(tranche.id, (ZERO, None))
                rest -= amount
                decision = facts.last_decision(tranche)
                state = tranche_state(amount, tranche.order_date, decision, facts.as_at)
                ordered = tranche.order_date and tranche.order_date <= facts.as_at
                rows.append((
                    *head,
                    tranche.name,
                    kinds[tranche.kind],
                    money(facts.value(tranche, "amount")),
                    facts.value(tranche, "date", "due_date") or None,
                    states[state],
                    tranche.order_number or "" if ordered else "",
                    tranche.order_date if ordered else None,
                    amount,
                    paid_on if amount else None,
                ))  # fmt: skip
            if rest:
                other = self.env._("Payments without a tranche")
                rows.append((*head, other, "", ZERO, None, "", "", None, rest, None))
        return rows

    def _get_pieces_table(self, facts):
        day = facts.as_at.strftime("%d/%m/%Y")
        columns = [
            Column(self.env._("Operator"), width=26),
            Column(self.env._("Subsidy"), width=15),
            Column(self.env._("Piece"), width=28),
            Column(self.env._("Due on"), "date", 11),
            Column(self.env._("Version"), "integer", 8),
            Column(self.env._("File"), width=34),
            Column(self.env._("SHA-256"), "hash", 50),
            Column(self.env._("Handed in on"), "datetime", 16),
            Column(self.env._("State as at %(date)s", date=day), width=15),
            Column(self.env._("Last decision"), width=13),
            Column(self.env._("Decided on"), "date", 11),
        ]
        states = self._get_labels("grant.deliverable", "state")
        decisions = self._get_labels("grant.decision", "decision")
        rows = []
        for subsidy, _state in facts.subsidies:
            milestones = subsidy.milestone_ids.filtered(facts.existed)
            for piece in subsidy.deliverable_ids:
                if piece.milestone_id not in milestones:
                    continue
                due = facts.value(piece.milestone_id, "date") or None
                head = (subsidy.partner_id.name, subsidy.code, piece.name, due)
                # The latest last; without a version, what was decided on the piece itself.
                for about in piece.version_ids.sorted("number") or piece:
                    tail = self._get_review(facts, about, states, decisions)
                    rows.append((*head, *self._get_file(facts, about), *tail))
        return Table(self.env._("Pieces"), columns, partial(iter, rows))

    def _get_file(self, facts, about):
        if about._name == "grant.deliverable":
            return None, "", "", None
        return about.number, about.name, about.sha256, facts.localise(about.submitted_at)

    def _get_review(self, facts, about, states, decisions):
        """State at the date, last decision ever and its day. A piece proves what was done by a
        date, and is handed in after it: it is listed all the same, and said to be later."""
        taken = facts.decisions[about._name, about.id]
        last = (
            (decisions[taken[-1].decision], facts.localise(taken[-1].decided_at).date())
            if taken
            else ("", None)
        )
        if about._name == "grant.deliverable":
            return states[facts.last_decision(about) or "expected"], *last
        if facts.localise(about.submitted_at).date() > facts.as_at:
            return self.env._("Handed in later"), *last
        return states[facts.last_decision(about) or "submitted"], *last

    # ------------------------------------------------------------------
    # The ledger's lines
    # ------------------------------------------------------------------

    def _get_ledger_table(self, facts):
        columns = [
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
            Column(self.env._("SHA-256"), "hash", 50),
        ]
        expected = {
            (envelope_id, facts.kinds[flow]): sums[flow]
            for envelope_id, sums in facts.by_envelope.items()
            for flow in FLOWS
            if flow in sums
        }

        def read():
            return checked(self._read_lines(facts), expected, facts.ledger_size)

        return Table(self.env._("Ledger"), columns, read)

    def _read_lines(self, facts):
        """Yield the ledger's lines until the date, by batches: memory stays flat whatever the
        ledger's length."""
        self.env.flush_all()
        documents = {}
        for envelope in facts.envelopes:
            name = envelope.code
            last, batch = 0, [None]
            while batch:
                batch = self.env.execute_query(self._get_lines_query(envelope, facts.as_at, last))
                for number, date, kind, partner, code, action, amount, *about in batch:
                    model, document, memo, digest = about
                    if model not in documents:
                        # _get() reads with the user's rights, and we run in sudo
                        documents[model] = self.env["ir.model"]._get(model).name or model
                    yield (
                        envelope.id, number, date, facts.kinds[kind], name, partner, code, action,
                        Decimal(amount), f"{documents[model]} – {document}", memo, digest,
                    )  # fmt: skip
                last = batch[-1][0] if batch else last

    @api.model
    def _get_lines_query(self, envelope, as_at, last):
        return SQL(
            """SELECT entry.number, entry.date, entry.kind, partner.name, subsidy.code,
                      action.name, (entry.amount::numeric(16, 2))::text, entry.origin_model,
                      CASE entry.origin_model WHEN 'grant.disbursement' THEN tranche.name
                                              WHEN 'grant.funding' THEN funding.name
                                              WHEN 'grant.subsidy' THEN subsidy.code
                                              WHEN 'grant.amendment' THEN amendment.number::text
                                              WHEN 'grant.contract' THEN %(code)s
                                              ELSE entry.origin_id::text END,
                      entry.memo, entry.hash
                 FROM grant_entry entry
                 LEFT JOIN res_partner partner ON partner.id = entry.partner_id
                 LEFT JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                 LEFT JOIN grant_action action ON action.id = entry.action_id
                 LEFT JOIN grant_disbursement tranche
                        ON tranche.id = entry.origin_id
                       AND entry.origin_model = 'grant.disbursement'
                 LEFT JOIN grant_funding funding
                        ON funding.id = entry.origin_id AND entry.origin_model = 'grant.funding'
                 LEFT JOIN grant_amendment amendment
                        ON amendment.id = entry.origin_id
                       AND entry.origin_model = 'grant.amendment'
                WHERE entry.envelope_id = %(envelope)s AND entry.number > %(last)s
                  AND entry.date <= %(as_at)s
                ORDER BY entry.number LIMIT %(batch)s""",
            code=envelope.contract_id.code,
            envelope=envelope.id,
            last=last,
            as_at=as_at,
            batch=BATCH,
        )
