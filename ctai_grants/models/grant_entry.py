import json
import sys

import psycopg2

from odoo import api, fields, models, modules
from odoo.exceptions import UserError
from odoo.sql_db import Cursor
from odoo.tools import SQL, file_open, format_date
from odoo.tools.misc import formatLang, get_lang

from ..lib import chain
from .grant_accounted_mixin import ACCOUNTED_MODELS

KINDS = [
    ("allocation", "Allocation"),
    ("receipt", "Receipt"),
    ("commitment", "Commitment"),
    ("payment", "Payment"),
    ("justification", "Justification"),
    ("recovery", "Recovery"),
]

# First key of the advisory locks, the second being the envelope's id.
POSTING_LOCK = 0x4752
# What calls a method straight from a request.
DISPATCHERS = ("odoo.service.model", "odoo.addons.rpc.controllers.json2")


def _is_dispatched():
    """Whether only this add-on stands between us and the dispatch of the request.

    Anybody else could hold a savepoint, which nothing tells and which a rollback would end.
    """
    frame = sys._getframe()
    # Code that safe_eval runs has no name.
    while frame.f_globals.get("__name__", "").startswith("odoo.addons.ctai_grants"):
        frame = frame.f_back
    return frame.f_globals.get("__name__") in DISPATCHERS


class GrantEntry(models.Model):
    """One line of the grant ledger (R1, R3).

    Entries are written by :meth:`_post` alone: the ORM's create, write and unlink refuse, and
    the database numbers, chains and counts each one (``grant_entry_schema.sql``). A correction
    is another entry with the opposite amount.
    """

    _name = "grant.entry"
    _description = "Grant Ledger Entry"
    _inherit = ["grant.append.only.mixin"]
    _order = "date desc, id desc"
    _rec_name = "number"
    _log_access = False

    number = fields.Integer(required=True, readonly=True, aggregator=None)
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, readonly=True, ondelete="restrict"
    )
    contract_id = fields.Many2one(
        "grant.contract", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    currency_id = fields.Many2one(
        "res.currency", required=True, readonly=True, ondelete="restrict"
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    action_id = fields.Many2one("grant.action", readonly=True, ondelete="restrict")
    partner_id = fields.Many2one(
        "res.partner", string="Operator", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    date = fields.Date(required=True, readonly=True, help="Accounting date.")
    kind = fields.Selection(KINDS, required=True, readonly=True)
    amount = fields.Monetary(required=True, readonly=True)
    memo = fields.Char(readonly=True)
    origin_model = fields.Char(required=True, readonly=True)
    origin_id = fields.Many2oneReference(
        string="Document", model_field="origin_model", required=True, readonly=True, aggregator=None
    )
    user_id = fields.Many2one(
        "res.users", string="Posted By", required=True, readonly=True, ondelete="restrict"
    )
    posted_at = fields.Datetime(required=True, readonly=True, help="Time of posting.")
    previous_hash = fields.Char(required=True, readonly=True)
    hash = fields.Char(required=True, readonly=True)

    _number_uniq = models.UniqueIndex(
        "(envelope_id, number)", "Two entries of an envelope cannot have the same number."
    )
    _contract_date_idx = models.Index("(contract_id, date)")
    # To PostgreSQL “NaN” equals itself and exceeds every number: only the bound refuses it.
    _amount_cents = models.Constraint(
        "CHECK (amount <> 0 AND amount = round(amount, 2) AND abs(amount) < 1e12)",
        "The amount of a ledger entry is not zero and has two decimals at most.",
    )
    _subsidy_by_kind = models.Constraint(
        "CHECK ((subsidy_id IS NULL) = (kind IN ('allocation', 'receipt')))",
        "Allocations and receipts belong to an envelope, the other entries to a subsidy.",
    )

    def init(self):
        # After the tables of every model exist: the functions name three of them.
        self.pool.post_init(self._install_guards)

    @api.model
    def _install_guards(self):
        with file_open("ctai_grants/models/grant_entry_schema.sql") as schema:
            self.env.cr.execute(schema.read())

    # ------------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------------

    @api.model
    def _begin_posting(self, envelopes):
        """Queue for the envelopes' ledgers, and see what those before us have posted.

        To be called first thing by the methods that will post. Odoo's transactions read a
        snapshot taken at their first query: whoever waits for another posting would then fail
        on the row that changed meanwhile, and be retried after a random sleep, five times at
        most. So the wait is on a session lock, which outlives a rollback: when the envelopes
        have changed since the snapshot, the transaction is restarted under it, as long as
        nothing can be lost by that. The transaction's own lock then takes over, and ends with it.
        """
        cr = self.env.cr
        ids = sorted(set(envelopes.ids))
        if not ids:
            return
        can_restart = self._can_restart_transaction()
        queue = SQL("SELECT grant_entry_queue(%s, %s, %s)", POSTING_LOCK, ids, can_restart)
        try:
            try:
                cr.execute(queue, log_exceptions=False)
            except psycopg2.errors.SerializationFailure:
                cr.rollback()
                self._query_locks(ids, "pg_advisory_xact_lock", "pg_advisory_unlock")
        except BaseException:
            # Nothing can be unlocked in a failed transaction, and the connection is used again.
            if can_restart:
                cr.rollback()
                self._query_locks(ids, "pg_advisory_unlock")
            raise

    @api.model
    def _query_locks(self, envelope_ids, *functions):
        calls = SQL(", ").join(SQL("%s(%s, id)", SQL(f), POSTING_LOCK) for f in functions)
        self.env.cr.execute(SQL("SELECT %s FROM unnest(%s) id", calls, envelope_ids))

    @api.model
    def _can_restart_transaction(self):
        """Whether a rollback now loses nothing that a caller prepared; whether something is
        written already is for the database to say."""
        cr = self.env.cr
        # Tests run in one transaction that must not end; their cursors refuse it.
        if modules.module.current_test or not isinstance(cr, Cursor) or not _is_dispatched():
            return False
        self.env.flush_all()
        return not (cr.precommit or cr.postcommit or cr.prerollback or cr.postrollback)

    @api.private
    @api.model
    def _post(self, origin, lines):
        """Append ``lines`` to the ledger, for the document ``origin``: the only way in.

        :param origin: the document (one record) the entries come from
        :param lines: list of dicts: ``kind``, ``envelope_id``, ``date`` (accounting date),
            ``amount`` (euros, signed), and where they apply ``subsidy_id``, ``action_id``,
            ``memo``; ids, not records
        :return: the entries, in order
        :raise UserError: a ceiling refuses (R1); the envelope is not in force; the date is in
            the future, or before the contract
        """
        origin.ensure_one()
        self._begin_posting(
            self.env["grant.envelope"].browse({line["envelope_id"] for line in lines})
        )
        for line in lines:
            self._check_date(line)
        self.env.flush_all()
        values = SQL(", ").join(
            SQL(
                "(%s, %s, %s, %s, %s, round(%s::numeric, 2), %s, %s, %s, %s)",
                line["envelope_id"],
                line.get("subsidy_id") or None,
                line.get("action_id") or None,
                line["date"],
                line["kind"],
                repr(line["amount"]),
                line.get("memo") or None,
                origin._name,
                origin.id,
                self.env.uid,
            )
            for line in lines
        )
        query = SQL(
            """INSERT INTO grant_entry (envelope_id, subsidy_id, action_id, date, kind, amount,
                                        memo, origin_model, origin_id, user_id)
               VALUES %s RETURNING id""",
            values,
        )
        # A refusal is put into words when the transaction has failed: what that reads, now.
        get_lang(self.env)
        try:
            self.env.cr.execute(query, log_exceptions=False)
        except psycopg2.errors.CheckViolation as error:
            if (error.diag.constraint_name or "").startswith("grant_ledger_"):
                raise self._get_refusal(error) from error
            raise
        entries = self.browse(row[0] for row in self.env.cr.fetchall())
        self._forget_counters(lines)
        return entries

    @api.model
    def _check_date(self, line):
        """Refuse a date after today, or before the money was there: as at that date, more would
        be committed than allocated (R1)."""
        date = fields.Date.to_date(line["date"])
        contract = self.env["grant.envelope"].browse(line["envelope_id"]).contract_id
        if date > contract.company_id._grant_today():
            raise UserError(self.env._("A date after today cannot be recorded in the ledger."))
        if contract.force_date and date < contract.force_date:
            raise UserError(
                self.env._(
                    "%(contract)s is in force since %(date)s: nothing before that day can be "
                    "recorded in the ledger.",
                    contract=contract.display_name,
                    date=format_date(self.env, contract.force_date),
                )
            )
        self._check_left_then(line, date)

    @api.model
    def _check_left_then(self, line, date):
        """Refuse what only a later amendment leaves room for: the ceilings of the database count
        all that is allotted, whatever its date (R1)."""
        asked = {"commitment": 1, "allocation": -1}.get(line["kind"], 0) * line["amount"]
        envelope = self.env["grant.envelope"].browse(line["envelope_id"])
        # sudo: the dates only
        amendments = envelope.contract_id.sudo().amendment_ids
        later = amendments.filtered(lambda a: a.state == "signed" and a.signature_date > date)
        if asked <= 0 or not later:
            return
        for day in sorted(set(later.mapped("signature_date"))):
            sums = dict(
                self._read_group(
                    [("envelope_id", "=", envelope.id), ("date", "<", day)],
                    ["kind"],
                    ["amount:sum"],
                )
            )
            left = sums.get("allocation", 0.0) - sums.get("commitment", 0.0)
            if envelope.currency_id.compare_amounts(asked, left) > 0:
                raise UserError(
                    self.env._(
                        "Envelope “%(envelope)s”: before the amendment of %(date)s, %(left)s are "
                        "left to commit, %(asked)s asked.",
                        envelope=envelope.display_name,
                        date=format_date(self.env, day),
                        left=envelope.currency_id.format(left),
                        asked=envelope.currency_id.format(asked),
                    )
                )

    @api.model
    def _forget_counters(self, lines):
        """Drop what the cache knows of the counters that the database has just moved."""
        kinds = {None, *(line["kind"] for line in lines)}
        for model, key in (("grant.envelope", "envelope_id"), ("grant.subsidy", "subsidy_id")):
            records = self.env[model].browse({line[key] for line in lines if line.get(key)})
            kind_of = records._counter_kinds.get
            moved = [name for name in records._counter_fields if kind_of(name) in kinds]
            records.invalidate_recordset([*moved, "entry_ids"], flush=False)
            records.modified([*moved, "entry_ids"])

    @api.model
    def _get_refusal(self, error):
        """The refusal of the database as a message that says which ceiling, what was left and
        what was asked."""
        about = json.loads(error.diag.message_detail)
        currency = self.env["res.currency"].new(about.get("currency") or {})
        amounts = {
            name: formatLang(self.env, about[name], currency_obj=currency)
            for name in ("left", "asked")
            if name in about
        }
        match error.diag.constraint_name.removeprefix("grant_ledger_"), about.get("kind"):
            case "envelope_ceiling", "commitment":
                text = self.env._(
                    "Envelope “%(envelope)s”: %(left)s left to commit, %(asked)s asked.",
                    envelope=about["envelope"],
                    **amounts,
                )
            case "envelope_ceiling", _:
                text = self.env._(
                    "Envelope “%(envelope)s”: the allocation cannot go down by %(asked)s, only "
                    "%(left)s are not committed.",
                    envelope=about["envelope"],
                    **amounts,
                )
            case "subsidy_ceiling", "payment":
                text = self.env._(
                    "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: %(left)s left to pay, "
                    "%(asked)s asked.",
                    envelope=about["envelope"],
                    subsidy=about["subsidy"],
                    **amounts,
                )
            case "subsidy_ceiling", _:
                text = self.env._(
                    "Envelope “%(envelope)s”, subsidy “%(subsidy)s”: it cannot go down by "
                    "%(asked)s, only %(left)s are not paid.",
                    envelope=about["envelope"],
                    subsidy=about["subsidy"],
                    **amounts,
                )
            case "not_in_force", _:
                text = self.env._(
                    "Envelope “%(envelope)s”: its contract is not in force, nothing can be "
                    "posted.",
                    envelope=about["envelope"],
                )
            case _:
                text = self.env._(
                    "The grant ledger refuses: %(error)s", error=error.diag.message_primary
                )
        return UserError(text)

    # ------------------------------------------------------------------
    # Reading
    # ------------------------------------------------------------------

    @api.depends("number", "envelope_id")
    def _compute_display_name(self):
        for entry in self:
            entry.display_name = f"{entry.envelope_id.display_name} #{entry.number}"

    def action_open_origin(self):
        """Open the document this entry comes from."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.origin_model,
            "res_id": self.origin_id,
            "views": [(False, "form")],
        }

    @api.private
    @api.model
    def _get_chain_rows(self, envelope):
        """Yield the entries of ``envelope`` in order, as :mod:`ctai_grants.lib.chain` reads them.

        Straight from the tables, in batches: memory stays flat whatever the ledger's length.
        """
        self.env.flush_all()
        last, batch = 0, [None]
        while batch:
            self.env.cr.execute(
                SQL(
                    """SELECT number, envelope_id, to_char(date, 'YYYY-MM-DD') AS date, kind,
                              (amount::numeric(16, 2))::text AS amount, subsidy_id, action_id,
                              partner_id, origin_model, origin_id, user_id,
                              to_char(posted_at, 'YYYY-MM-DD"T"HH24:MI:SS.US') AS posted_at,
                              memo, previous_hash, hash
                         FROM grant_entry WHERE envelope_id = %s AND number > %s
                        ORDER BY number LIMIT 5000""",
                    envelope.id,
                    last,
                )
            )
            batch = self.env.cr.dictfetchall()
            yield from batch
            last = batch[-1]["number"] if batch else last

    @api.private
    @api.model
    def _verify(self, envelopes):
        """Check hash chains and counters of ``envelopes`` against their entries, and these against
        accounting (R6).

        :return: list of sentences, one for each thing that is wrong, empty when all holds
        """
        wrong = []
        for envelope in envelopes:
            broken = chain.first_break(self._get_chain_rows(envelope), envelope.chain_head)
            if broken:
                wrong.append(
                    self.env._(
                        "Envelope “%(envelope)s”: %(broken)s.",
                        envelope=envelope.display_name,
                        broken=broken,
                    )
                )
        return [
            *wrong,
            *self._get_misplaced(envelopes),
            *self._get_wrong_counters(envelopes),
            *(
                sentence
                for model in ACCOUNTED_MODELS
                for sentence in self.env[model]._get_unbalanced(envelopes)
            ),
            *self.env["grant.own.cost"]._get_unbalanced(envelopes),
        ]

    @api.model
    def _get_misplaced(self, envelopes):
        """Sentences naming the first entry of each envelope that says another contract, company
        or currency than its envelope, or has a subsidy of another one: the hash chain covers
        neither."""
        self.env.flush_all()
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
        subsidies = (
            self.env["grant.subsidy"]
            .with_context(active_test=False)
            .search([("envelope_id", "in", envelopes.ids)])
        )
        for records, key in ((envelopes, "envelope_id"), (subsidies, "subsidy_id")):
            sums = {
                (record, kind): amount
                for record, kind, amount in self._read_group(
                    [(key, "in", records.ids)], [key, "kind"], ["amount:sum"]
                )
            }
            for record in records:
                for counter, kind in records._counter_kinds.items():
                    posted = sums.get((record, kind), 0.0)
                    if record.currency_id.compare_amounts(record[counter], posted):
                        wrong.append(
                            self.env._(
                                "%(document)s: the counter “%(counter)s” says %(counted)s, the "
                                "ledger %(posted)s.",
                                document=record.display_name,
                                counter=records._fields[counter]._description_string(self.env),
                                counted=record.currency_id.format(record[counter]),
                                posted=record.currency_id.format(posted),
                            )
                        )
        return wrong
