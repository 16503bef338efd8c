from itertools import chain

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from odoo.addons.ctai_grants.models.ledger.grant_entry import KINDS

# What a sum of entries of one kind is called.
MEASURES = {
    "allocated": "allocation",
    "received": "receipt",
    "committed": "commitment",
    "paid": "payment",
    "justified": "justification",
    "recovered": "recovery",
}
# What only the shares of entries by action say.
BY_ACTION = {"id", "action_id", "themes", "audiences"}
# In the context, where whole entries do; nobody can send an object over RPC.
WHOLE_ENTRIES = object()
COLUMNS = SQL(
    """entry.id AS entry_id, entry.contract_id, entry.envelope_id, envelope.payment_path,
       entry.subsidy_id, entry.partner_id, entry.company_id, entry.currency_id, entry.date,
       entry.kind"""
)
# LEFT: PostgreSQL does not look at envelopes that nobody asks for.
ENTRIES = SQL(
    "FROM grant_entry entry LEFT JOIN grant_envelope envelope ON envelope.id = entry.envelope_id"
)


class GrantFigure(models.Model):
    """The ledger, line by line, with what its entries are for: to be put together by contract,
    envelope, operator, theme, audience, month and kind, as at any date.

    A commitment says its action; what was paid, justified or recovered says its subsidy alone, and
    is shared among its actions by their amounts, to the cent, so that nothing counts twice. Of an
    action with several themes (or audiences) these stand together as one group.
    """

    _name = "grant.figure"
    _description = "Figures of the Ledger"
    _auto = False
    _order = "date desc, id desc"
    _rec_name = "entry_id"
    _depends = {
        "grant.entry": [
            "envelope_id", "contract_id", "company_id", "currency_id", "subsidy_id", "action_id",
            "partner_id", "date", "kind", "amount",
        ],
        "grant.action": ["subsidy_id", "sequence", "amount", "theme_ids", "audience_ids"],
        "grant.envelope": ["payment_path"],
        "grant.theme": ["name", "sequence"],
        "grant.audience": ["name", "sequence"],
    }  # fmt: skip

    entry_id = fields.Many2one("grant.entry", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    payment_path = fields.Selection(
        [("city", "Through the city's accounts"), ("direct", "Paid by the State")],
        string="Who Pays", readonly=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    action_id = fields.Many2one("grant.action", readonly=True)
    partner_id = fields.Many2one("res.partner", string="Operator", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    themes = fields.Char(readonly=True, help="Those of the action, together.")
    audiences = fields.Char(readonly=True, help="Those of the action, together.")
    date = fields.Date(readonly=True, help="Accounting date.")
    kind = fields.Selection(KINDS, readonly=True)
    amount = fields.Monetary(
        readonly=True, help="Of one kind of entries: euros allocated and paid do not add up."
    )
    allocated = fields.Monetary(readonly=True)
    received = fields.Monetary(readonly=True)
    committed = fields.Monetary(readonly=True)
    paid = fields.Monetary(readonly=True)
    justified = fields.Monetary(readonly=True)
    recovered = fields.Monetary(readonly=True)

    @property
    def _table_query(self):
        if self.env.context.get("grant_figures") is WHOLE_ENTRIES:
            return SQL(
                "SELECT %s, entry.amount, %s %s", COLUMNS, self._measure("entry"), ENTRIES
            )
        # As rounded running totals: the shares of an entry add up to its amount. Ids as large as
        # JavaScript still counts, of 4 096 actions a subsidy.
        return SQL(
            """SELECT line.*, %(measures)s
                 FROM (SELECT entry.id::bigint * 4096 + COALESCE(share.place, 0) AS id, %(columns)s,
                              COALESCE(entry.action_id, share.action_id) AS action_id,
                              share.themes, share.audiences,
                              CASE WHEN entry.action_id IS NOT NULL OR share.action_id IS NULL
                                   THEN entry.amount
                                   ELSE round(entry.amount * share.until / share.total, 2)
                                      - round(entry.amount * share.before / share.total, 2)
                              END AS amount
                         %(entries)s
                         LEFT JOIN (%(shares)s) share ON share.subsidy_id = entry.subsidy_id
                          AND (share.action_id = entry.action_id
                               OR entry.action_id IS NULL AND share.weight > 0)) line""",
            columns=COLUMNS, entries=ENTRIES, shares=self._select_shares(),
            measures=self._measure("line"),
        )  # fmt: skip

    @api.model
    def _measure(self, alias):
        return SQL(", ").join(
            SQL(
                "CASE WHEN %s = %s THEN %s END AS %s",
                SQL.identifier(alias, "kind"), kind, SQL.identifier(alias, "amount"),
                SQL.identifier(name),
            )
            for name, kind in MEASURES.items()
        )  # fmt: skip

    @api.model
    def _select_shares(self):
        """SQL: of each action its share of its subsidy, from one running total to the next; and
        what it is about. Actions without amounts share alike."""
        return SQL(
            """SELECT action.id AS action_id, action.subsidy_id, row_number() OVER shared AS place,
                      weight, sum(weight) OVER shared AS until,
                      sum(weight) OVER shared - weight AS before,
                      sum(weight) OVER (PARTITION BY action.subsidy_id) AS total,
                      (%(themes)s) AS themes, (%(audiences)s) AS audiences
                 FROM (SELECT *, CASE WHEN sum(amount) OVER (PARTITION BY subsidy_id) > 0
                                      THEN amount ELSE 1 END AS weight
                         FROM grant_action) action
               WINDOW shared AS (PARTITION BY action.subsidy_id ORDER BY action.sequence, action.id)
            """,
            themes=self._select_names("grant.theme"), audiences=self._select_names("grant.audience")
        )  # fmt: skip

    @api.model
    def _select_names(self, model):
        """SQL: the names of the themes or audiences of an action, as one text."""
        field = next(
            field for field in self.env["grant.action"]._fields.values()
            if field.comodel_name == model and field.type == "many2many"
        )  # fmt: skip
        return SQL(
            """SELECT string_agg(COALESCE(named.name->>%s, named.name->>'en_US'), ' + '
                                 ORDER BY named.sequence, named.id)
                 FROM %s link JOIN %s named ON named.id = %s WHERE %s = action.id""",
            self.env.lang or "en_US", SQL.identifier(field.relation),
            SQL.identifier(self.env[model]._table), SQL.identifier("link", field.column2),
            SQL.identifier("link", field.column1),
        )  # fmt: skip

    # ------------------------------------------------------------------
    # Put together
    # ------------------------------------------------------------------

    @api.model
    def _read_group(self, domain, groupby=(), aggregates=(), *args, **kwargs):
        self = self._for_sums(domain, groupby, aggregates)
        return super()._read_group(domain, groupby, aggregates, *args, **kwargs)

    @api.model
    def _read_grouping_sets(self, domain, grouping_sets, aggregates=(), order=None):
        sets = [tuple(groupby) for groupby in grouping_sets]
        specs = set(chain.from_iterable(sets))
        self = self._for_sums(domain, specs, aggregates)
        if not specs.issuperset(part.strip() for part in (order or "").split(",") if part):
            return super()._read_grouping_sets(domain, sets, aggregates, order)
        # Put in order when they are summed: joined to a million lines, the names of envelopes or
        # operators, by which groups stand in order, would cost as much as the sums.
        results = super()._read_grouping_sets(domain, sets, aggregates)
        return [
            self._sort_groups(groups, len(groupby))
            for groups, groupby in zip(results, sets, strict=True)
        ]

    @api.model
    def _sort_groups(self, groups, width):
        """These groups by their first ``width`` columns, records as their model orders them."""
        ranks = []
        for column in [*zip(*groups, strict=True)][:width]:
            order = {value: value for value in column}
            if isinstance(column[0], models.BaseModel):
                # sudo: the order alone, of what the groups name already
                model = column[0].sudo().with_context(active_test=False)
                ids = [value.id for value in column if value]
                found = model.search([("id", "in", ids)])
                order = {value: place for place, value in enumerate(found.ids)}
                column = [value.id for value in column]
            # Nothing comes last, as in the database.
            ranks.append([(not value, order.get(value) if value else None) for value in column])
        keys = [*zip(*ranks, strict=True)]
        places = sorted(range(len(groups)), key=lambda place: keys[place]) if keys else []
        return [groups[place] for place in places] or groups

    @api.model
    def _for_sums(self, domain, groupby, aggregates):
        """Where nothing asks for actions, entries need not be shared among them: the sums are the
        same, in a fraction of the time."""
        asked = [condition.field_expr for condition in Domain(domain).iter_conditions()]
        names = {name.partition(".")[0].partition(":")[0] for name in chain(
            asked, groupby, aggregates)}  # fmt: skip
        if names & BY_ACTION:
            return self
        return self.with_context(grant_figures=WHOLE_ENTRIES)

    def _read_group_select(self, aggregate_spec, query):
        if aggregate_spec == "__count":
            # Entries, not their shares.
            if self.env.context.get("grant_figures") is WHOLE_ENTRIES:
                return SQL("COUNT(*)")
            return SQL("COUNT(DISTINCT %s)", self._field_to_sql(self._table, "entry_id", query))
        found = super()._read_group_select(aggregate_spec, query)
        name, _separator, function = aggregate_spec.partition(":")
        if name in MEASURES and function == "sum":
            # As it is added up fastest.
            amount, kind = (
                self._field_to_sql(self._table, other, query) for other in ("amount", "kind")
            )
            return SQL("SUM(%s) FILTER (WHERE %s = %s)", amount, kind, MEASURES[name])
        if name != "amount":
            return found
        # Not in the language's order: that costs as much as the sum.
        kind = SQL('%s COLLATE "C"', self._field_to_sql(self._table, "kind", query))
        return SQL("CASE WHEN MIN(%s) = MAX(%s) THEN %s END", kind, kind, found)

    def action_open_entry(self):
        """Open the ledger's entry that this is of."""
        return self.entry_id._get_records_action()
