from odoo import api, fields, models, tools
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..guard.fields import get_declared


class GrantCountedMixin(models.AbstractModel):
    """Counters: sums over the ledger that the database moves with each entry, under CHECK
    constraints (R1). Nothing else writes them.

    A field declares what it ``counts``: a kind of entry, or ``entries`` for what moves with each.
    """

    _name = "grant.counted.mixin"
    _description = "Counters of the Ledger"
    # Which knows what ``portal`` means on a field.
    _inherit = ["grant.disclosed.mixin", "grant.sealed.mixin"]

    # The field of an entry that names such a document; what a euro of each kind adds to its room.
    _entry_key = None
    _room_signs = {}

    # Monetary fields ask for one here; each model says whose it is.
    currency_id = fields.Many2one("res.currency")
    committed_amount = fields.Monetary(
        string="Committed", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="commitment",
    )  # fmt: skip
    paid_amount = fields.Monetary(
        string="Paid", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="payment",
    )  # fmt: skip
    justified_amount = fields.Monetary(
        string="Justified", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="justification",
    )  # fmt: skip
    recovered_amount = fields.Monetary(
        string="Recovered", required=True, default=0.0, readonly=True, copy=False, portal=True,
        counts="recovery",
    )  # fmt: skip
    to_pay_amount = fields.Monetary(
        string="To Pay", compute="_compute_to_pay_amount", portal=True
    )
    unjustified_amount = fields.Monetary(
        string="Unjustified", compute="_compute_unjustified_amount"
    )

    def _valid_field_parameter(self, field, name):
        return name == "counts" or super()._valid_field_parameter(field, name)

    @tools.ormcache()
    def _get_counters(self):
        """What each counter counts: dict {name of the field: kind, or ``entries``}."""
        return get_declared(self, "counts")

    @tools.ormcache()
    def _get_sealed_fields(self):
        # Those are the database's, and verified against the entries.
        return super()._get_sealed_fields() - self._get_counters().keys()

    @tools.ormcache()
    def _get_money_counters(self):
        """The counters that are sums of euros: dict {name of the field: kind}."""
        return {name: kind for name, kind in self._get_counters().items() if kind != "entries"}

    # Each by itself: lists of many lines ask for one of them.
    @api.depends("committed_amount", "paid_amount", "recovered_amount")
    def _compute_to_pay_amount(self):
        for record in self:
            kept = record.paid_amount - record.recovered_amount
            record.to_pay_amount = record.committed_amount - kept

    @api.depends("paid_amount", "recovered_amount", "justified_amount")
    def _compute_unjustified_amount(self):
        for record in self:
            kept = record.paid_amount - record.recovered_amount
            record.unjustified_amount = kept - record.justified_amount

    def _get_owed(self, kind):
        """What the entries of a kind are to add up to, as this document says by its present state:
        euros, at least and at most. None when it says nothing: then nothing is posted of it.

        Where another book says it (accounting), these lines are not asked for here.
        """
        self.ensure_one()

    def _check_owed(self, kind, amount, origin):
        """Refuse entries that lead away from what this document is owed (:meth:`_get_owed`), or
        beyond it.

        :param float amount: euros, all lines of that kind together
        :param origin: the document that posts them
        :raise UserError: naming both documents and the amount
        """
        counters = {counted: name for name, counted in self._get_money_counters().items()}
        held = self[counters[kind]] if kind in counters else 0.0
        least, most = self._get_owed(kind) or (held, held)
        compare = self.currency_id.compare_amounts
        is_over = compare(held + amount, max(held, most)) > 0
        if origin.id and not is_over and compare(held + amount, min(held, least)) >= 0:
            return
        kinds = dict(self.env["grant.entry"]._fields["kind"]._description_selection(self.env))
        raise UserError(
            self.env._(
                "%(origin)s: nothing asks for this entry (%(kind)s, %(amount)s). %(document)s is "
                "in the state “%(state)s”, and its entries are posted by its own steps: use their "
                "buttons.",
                origin=origin.display_name,
                kind=kinds[kind],
                amount=self.currency_id.format(amount),
                document=self.display_name,
                state=self._get_state_label(),
            )
        )

    def _get_room_since(self, day):
        """The least that is left (of an envelope to commit, of a subsidy to pay) at the end of
        ``day`` and of each day after it: what may be taken as of ``day``.

        :return: euros, below zero where data from before exceed a ceiling
        """
        self.ensure_one()
        self.env.flush_all()
        signs = SQL(" ").join(
            SQL("WHEN %s THEN %s", kind, sign) for kind, sign in self._room_signs.items()
        )
        ((room,),) = self.env.execute_query(
            SQL(
                """WITH move AS (
                       SELECT GREATEST(date, %(day)s::date) AS date,
                              CASE kind %(signs)s ELSE 0 END * amount AS change
                         FROM grant_entry WHERE %(key)s = %(id)s
                        UNION ALL SELECT %(day)s::date, 0
                   ), day AS (
                       SELECT sum(sum(change)) OVER (ORDER BY date) AS room
                         FROM move GROUP BY date
                   )
                   SELECT min(room) FROM day""",
                day=day,
                signs=signs,
                key=SQL.identifier(self._entry_key),
                id=self.id,
            )
        )
        return float(room)

    def _judge_counter(self, counter, posted):
        """A sentence when a counter of this document is not what was posted: a list."""
        field = self._fields[counter]
        if not self.currency_id.compare_amounts(self[counter], posted):
            return []
        is_money = field.type == "monetary"
        write = self.currency_id.format if is_money else str
        return [
            self.env._(
                "%(document)s: the counter “%(counter)s” says %(counted)s, the ledger %(posted)s.",
                document=self.display_name,
                counter=field._description_string(self.env),
                counted=write(self[counter]),
                posted=write(posted),
            )
        ]
