import psycopg2

from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL
from odoo.tools.misc import get_lang

from ..guard.grant_append_only_mixin import read_sql

KINDS = [
    ("allocation", "Allocation"),
    ("receipt", "Receipt"),
    ("commitment", "Commitment"),
    ("payment", "Payment"),
    ("justification", "Justification"),
    ("recovery", "Recovery"),
]


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
    # Who posted it, and when, is hashed: user_id and posted_at, not Odoo's own columns.
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
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True, ondelete="restrict")
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
    # What comes after a day: grant_entry_dates.sql.
    _subsidy_date_idx = models.Index("(subsidy_id, date) WHERE subsidy_id IS NOT NULL")
    _ceiling_date_idx = models.Index(
        "(envelope_id, date) WHERE kind IN ('allocation', 'commitment')"
    )
    _room_date_idx = models.Index(
        "(envelope_id, date) "
        "WHERE kind = 'allocation' AND amount > 0 OR kind = 'commitment' AND amount < 0"
    )
    # To PostgreSQL “NaN” equals itself and exceeds every number: only the bound refuses it.
    _amount_cents = models.Constraint(
        "CHECK (amount <> 0 AND amount = round(amount, 2) AND abs(amount) < 1e12)",
        "The amount of a ledger entry is not zero and has two decimals at most.",
    )
    _subsidy_by_kind = models.Constraint(
        "CHECK (CASE WHEN subsidy_id IS NULL THEN kind IN ('allocation', 'receipt') "
        "ELSE kind IN ('commitment', 'payment', 'justification', 'recovery') END)",
        "Allocations and receipts belong to an envelope, the other entries to a subsidy.",
    )

    @api.model
    def _get_guards(self, chained):
        own = [read_sql(f"ledger/grant_entry_{name}") for name in ("schema", "dates")]
        return "\n".join([super()._get_guards(chained), *own])

    # ------------------------------------------------------------------
    # Posting
    # ------------------------------------------------------------------

    @api.private
    @api.model
    def _post(self, origin, lines):
        """Append ``lines`` to the ledger, for the document ``origin``: the only way in.

        :param origin: the document (one record, :mod:`grant_source_mixin`) the entries come from
        :param lines: list of dicts: ``kind``, ``envelope_id``, ``date`` (accounting date),
            ``amount`` (euros, signed), and where they apply ``subsidy_id``, ``action_id``,
            ``memo``; ids, not records
        :return: the entries, in order
        :raise UserError: a ceiling refuses (R1); the envelope is not in force; the date is in
            the future, or before the contract
        """
        origin.ensure_one()._check_entries(lines)
        # What the database judges and counts is what these documents have written.
        self.env.flush_all()
        # A refusal is put into words when the transaction has failed: what that reads, now.
        get_lang(self.env)
        try:
            # In one round trip, all rules in the database: each costs as much as an entry.
            with self._queueing({line["envelope_id"] for line in lines}) as turn:
                insert = SQL("SELECT %s; %s", turn, self._get_insert(origin, lines))
                self.env.cr.execute(insert, log_exceptions=False)
        except psycopg2.errors.CheckViolation as error:
            if (error.diag.constraint_name or "").startswith("grant_ledger_"):
                raise UserError(self._get_refusal(error)) from error
            # Another CHECK: Odoo has the sentence of its constraint.
            raise
        entries = self.browse(row[0] for row in self.env.cr.fetchall())
        self._forget_counters(lines)
        return entries

    @api.model
    def _append(self, vals):
        # A line of a document alone, and all of its lines together.
        self._refuse()

    @api.model
    def _get_insert(self, origin, lines):
        """SQL that appends ``lines``; the database fills in the rest of each entry."""
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
        return SQL(
            """INSERT INTO grant_entry (envelope_id, subsidy_id, action_id, date, kind, amount,
                                        memo, origin_model, origin_id, user_id)
               VALUES %s RETURNING id""",
            values,
        )

    @api.model
    def _forget_counters(self, lines):
        """Drop what the cache knows of the counters that the database has just moved."""
        known = self.env.transaction.field_data
        kinds = frozenset(line["kind"] for line in lines)
        for model, key, names, followers, is_stored in self._get_moved(kinds):
            # The ORM looks for what follows anew each time, which costs half as much as an entry.
            if is_stored or known and any(map(known.get, followers)):
                records = self.env[model].browse({line[key] for line in lines if line.get(key)})
                # Nothing is pending, all was flushed before. And the ORM did not write these: what
                # is computed of them has to be told.
                records.invalidate_recordset(names, flush=False)
                records.modified(names)

    @api.model
    @tools.ormcache("kinds")
    def _get_moved(self, kinds):
        """What moves with entries of these kinds: for each model its name, the field of an entry
        that names such a document, the names of its fields that move, these fields with all that
        follow them, and whether one that follows is stored."""
        moved = []
        for key in ("envelope_id", "subsidy_id"):
            model = self.env[self._fields[key].comodel_name]
            counters = {**model._get_counters(), "entry_ids": "entries"}
            names = [name for name, kind in counters.items() if kind in kinds | {"entries"}]
            followers = set()
            for field in map(model._fields.get, names):
                followers |= {field, *self.pool.field_inverses[field]}
                followers.update(self.pool.get_dependent_fields(field))
            is_stored = any(field.store and field.compute for field in followers)
            moved.append((model._name, key, tuple(names), tuple(followers), is_stored))
        return moved

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

    @api.model
    def _get_action(self, domain):
        """The list of these entries, limited to the kind given in the context."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_entry_action")
        kind = self.env.context.get("entry_kind")
        action["domain"] = [*domain, ("kind", "=", kind)] if kind else domain
        action["context"] = {}
        return action
