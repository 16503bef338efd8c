import logging

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..ledger.grant_source_mixin import Accounted

_logger = logging.getLogger(__name__)

# The accounts that the settings follow.
CHOSEN = SQL("SELECT company_id, account_id FROM res_company_grant_own_cost_account_rel")


# An item counts once at most, whatever its shares, and these add up to it to the cent: each is
# what the running share comes to, less what it came to before.
# The keys are taken apart as in Odoo's index of analytic.mixin, or it would not be used.
def _select_shares(chosen):
    """SQL of the journal items on an account of own costs that carry analytic accounts of
    envelopes, one row for each of these: ``line_id``, ``envelope_id``, ``amount``."""
    return SQL(
        """SELECT line_id, envelope_id,
                  round(balance * total / 100, 2)
                  - round(balance * (total - share) / 100, 2) AS amount
             FROM (SELECT once.*,
                          sum(share) OVER (PARTITION BY line_id ORDER BY envelope_id) AS total
                     FROM (SELECT part.*, part * 100
                                  / GREATEST(sum(part) OVER (PARTITION BY line_id), 100) AS share
                             FROM (%s) part) once) running""",
        SQL(
            """SELECT line.id AS line_id, line.balance, envelope.id AS envelope_id,
                      LEAST(GREATEST(sum(share.value::text::numeric), 0), 100) AS part
                 FROM grant_envelope envelope
                 JOIN account_move_line line
                   ON regexp_split_to_array(
                          jsonb_path_query_array(
                              line.analytic_distribution, '$.keyvalue()."key"')::text, '\\D+')
                      && ARRAY[envelope.analytic_account_id::text]
                  AND line.parent_state = 'posted' AND line.company_id = envelope.company_id
                  AND envelope.payment_path = 'city'
                 JOIN (%s) chosen
                   ON chosen.account_id = line.account_id AND chosen.company_id = line.company_id
                 JOIN LATERAL jsonb_each(line.analytic_distribution) share
                   ON envelope.analytic_account_id::text = ANY(string_to_array(share.key, ','))
             GROUP BY line.id, envelope.id""",
            chosen or CHOSEN,
        ),
    )


# A reversal belongs where the entry belongs that it takes back, in whatever year it is booked: that
# of a reversal too. Of entries that reverse each other in a circle, none is the first.
_ORIGIN = SQL(
    """WITH RECURSIVE back AS (
           SELECT move.date, move.reversed_entry_id
            UNION
           SELECT reversed.date, reversed.reversed_entry_id
             FROM back JOIN account_move reversed ON reversed.id = back.reversed_entry_id
       )
       SELECT date FROM back WHERE reversed_entry_id IS NULL"""
)


# What is booked on an envelope of the city, and the subsidy that covers its date; orders and claims
# of grants are no costs. Covered is what fits, oldest first: the running total cut between nothing
# and the commitment.
def select_own_costs(env, chosen=None):
    """SQL of the costs of the city, one row for each journal item and envelope it is booked on.

    :param chosen: SQL of (``company_id``, ``account_id``), the accounts that are followed; by
        default those of the settings
    """
    return SQL(
        """WITH item AS (
               SELECT line.id AS line_id, line.date, line.move_id, line.account_id, line.company_id,
                      envelope.id AS envelope_id, envelope.contract_id, line.company_currency_id,
                      line.name, subsidy.id AS subsidy_id, share.amount,
                      COALESCE(subsidy.committed_amount, 0) AS ceiling,
                      (subsidy.id IS NOT NULL AND GREATEST(line.date, origin.date) <= %(today)s
                       AND LEAST(line.date, origin.date)
                           >= GREATEST(contract.force_date, subsidy.signature_date))
                      AS is_in_time
                 FROM (%(shares)s) share
                 JOIN account_move_line line ON line.id = share.line_id
                 JOIN account_move move ON move.id = line.move_id AND move.grant_origin_id IS NULL
                 JOIN grant_envelope envelope ON envelope.id = share.envelope_id
                  AND envelope.state <> 'draft'
                 JOIN grant_contract contract ON contract.id = envelope.contract_id
                 LEFT JOIN LATERAL (%(origin)s) origin ON TRUE
                 LEFT JOIN grant_subsidy subsidy
                   ON subsidy.envelope_id = envelope.id AND subsidy.kind = 'own_cost'
                  AND subsidy.state IN ('signed', 'closed')
                  AND COALESCE(origin.date, line.date)
                      BETWEEN subsidy.date_start AND subsidy.date_end
           ), running AS (
               SELECT item.*,
                      sum(CASE WHEN is_in_time THEN amount ELSE 0 END)
                          OVER (PARTITION BY subsidy_id, envelope_id
                                ORDER BY date, line_id) AS total,
                      CASE WHEN is_in_time THEN amount ELSE 0 END AS counted
                 FROM item
           )
           SELECT running.*,
                  GREATEST(LEAST(total, ceiling), 0)
                  - GREATEST(LEAST(total - counted, ceiling), 0) AS covered_amount
             FROM running""",
        shares=_select_shares(chosen),
        origin=_ORIGIN,
        today=env["res.company"]._get_grant_today_sql(SQL("line.company_id")),
    )


# What the ledger is to say of these costs. At no date is more paid than was committed then: what an
# amendment adds covers older costs from its own date on. What is paid falls only where costs fall:
# a ceiling that was lowered since leaves out the latest costs, and no negative payment.
def select_own_payments(env, chosen=None, moved=()):
    """SQL of the payments that own costs make, one row for each subsidy and accounting date.

    :param chosen: as for :func:`select_own_costs`
    :param moved: lines (:meth:`grant.entry._post`) of commitments that are about to be posted
    """
    committed = SQL(
        """SELECT subsidy_id, date, amount FROM grant_entry WHERE kind = 'commitment'
            UNION ALL
           SELECT * FROM unnest(%s::integer[], %s::date[], %s::numeric[])""",
        [line["subsidy_id"] for line in moved],
        [line["date"] for line in moved],
        [line["amount"] for line in moved],
    )
    return SQL(
        """WITH step AS (
               SELECT subsidy_id, date, counted AS spent, 0 AS committed FROM (%s) cost
                WHERE subsidy_id IS NOT NULL
                UNION ALL
               SELECT entry.subsidy_id, entry.date, 0, entry.amount
                 FROM (%s) entry JOIN grant_subsidy subsidy ON subsidy.id = entry.subsidy_id
                WHERE subsidy.kind = 'own_cost'
           ), day AS (
               SELECT subsidy_id, date, GREATEST(sum(sum(spent)) OVER so_far, 0) AS spent,
                      sum(sum(committed)) OVER so_far AS ceiling
                 FROM step GROUP BY subsidy_id, date
               WINDOW so_far AS (PARTITION BY subsidy_id ORDER BY date)
           ), fall AS (
               SELECT day.*, GREATEST(lag(spent, 1, 0.0) OVER so_far - spent, 0) AS fall
                 FROM day WINDOW so_far AS (PARTITION BY subsidy_id ORDER BY date)
           ), fallen AS (
               SELECT fall.*, sum(fall) OVER (PARTITION BY subsidy_id ORDER BY date) AS fallen
                 FROM fall
           ), covered AS (
               SELECT subsidy_id, date,
                      min(LEAST(spent, ceiling) + fallen) OVER (
                          PARTITION BY subsidy_id ORDER BY date
                          ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) - fallen AS total
                 FROM fallen
           )
           SELECT subsidy_id, date,
                  total - lag(total, 1, 0.0) OVER (PARTITION BY subsidy_id ORDER BY date) AS amount
             FROM covered""",
        select_own_costs(env, chosen),
        committed,
    )


class GrantOwnCost(models.Model):
    """What the city spends itself on a contract (the coordinator's post), as accounting says it:
    one line for each journal item, with what its subsidy covers of it."""

    _name = "grant.own.cost"
    _description = "Cost of the City"
    _auto = False
    _order = "date desc, id desc"

    line_id = fields.Many2one("account.move.line", string="Journal Item", readonly=True)
    move_id = fields.Many2one("account.move", string="Journal Entry", readonly=True)
    name = fields.Char(string="Label", readonly=True)
    account_id = fields.Many2one("account.account", readonly=True)
    date = fields.Date(readonly=True)
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    contract_id = fields.Many2one("grant.contract", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    amount = fields.Monetary(readonly=True, help="The envelope's share of the journal item.")
    covered_amount = fields.Monetary(
        string="Covered", readonly=True, help="What the subsidy pays, the oldest cost first."
    )
    not_covered_amount = fields.Monetary(string="Not Covered", readonly=True)
    reason = fields.Selection(
        [
            ("ceiling", "Beyond the amount committed"),
            ("period", "No cost of the city is signed for that day"),
            ("future", "After today"),
            ("force", "Before the signature"),
        ],
        string="Why Not",
        readonly=True,
    )

    @property
    def _table_query(self):
        # An item may be a cost of several envelopes: an id for the pair, while there are fewer than
        # 65 536 of these.
        return SQL(
            """SELECT line_id::bigint * 65536 + envelope_id AS id, line_id, move_id, name,
                      account_id, date, subsidy_id, envelope_id, contract_id, company_id,
                      company_currency_id AS currency_id, amount, covered_amount,
                      amount - covered_amount AS not_covered_amount,
                      CASE WHEN amount = covered_amount THEN NULL
                           WHEN subsidy_id IS NULL THEN 'period'
                           WHEN is_in_time THEN 'ceiling'
                           WHEN date > %s THEN 'future'
                           ELSE 'force' END AS reason
                 FROM (%s) cost""",
            self.env["res.company"]._get_grant_today_sql(SQL("company_id")),
            select_own_costs(self.env),
        )

    @api.depends("name", "move_id")
    def _compute_display_name(self):
        for cost in self:
            cost.display_name = cost.name or cost.move_id.display_name

    def action_open_move(self):
        """Open the journal entry of this cost."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": "account.move",
            "res_id": self.move_id.id,
            "views": [(False, "form")],
        }

    # ------------------------------------------------------------------
    # The ledger follows
    # ------------------------------------------------------------------

    @api.model
    def _sync(self, envelopes, moved=()):
        """Bring the payments of the costs of ``envelopes`` to what accounting says and the
        commitment covers (R1, R6): what does not fit stays booked, and is not counted.

        :param moved: as for :func:`select_own_payments`
        :raise UserError: a cost leaves, and its contract is closed
        """
        # sudo: accounting has decided, whoever may do that; the ledger follows
        subsidies = self.env["grant.subsidy"].sudo().search(
            [("envelope_id", "in", envelopes.ids), ("kind", "=", "own_cost")]
        )  # fmt: skip
        # Nearly all of accounting has nothing to do with grants: nothing is locked for it.
        if not subsidies:
            return
        entries = subsidies.env["grant.entry"]
        entries._begin_posting(subsidies.envelope_id)
        # Shown to costs booked at the same time, which would not see these: tried again.
        subsidies.envelope_id._touch()
        for subsidy, differences in self._get_differences(subsidies, moved=moved).items():
            # In one statement: the ledger judges together what leaves and what comes.
            lines = Accounted(
                {
                    "kind": "payment",
                    "envelope_id": subsidy.envelope_id.id,
                    "subsidy_id": subsidy.id,
                    "date": date,
                    "amount": amount,
                    "memo": subsidy.name,
                }
                for date, amount in differences
            )
            subsidy._post_entries(lines)

    @api.model
    def _get_differences(self, subsidies, chosen=None, moved=()):
        """What accounting covers beyond the ledger, or the other way round.

        :param chosen: as for :func:`select_own_costs`
        :param moved: as for :func:`select_own_payments`
        :return: dict {subsidy: list of (accounting date, euros to post)}
        """
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT subsidy_id, date, sum(amount)
                     FROM (SELECT subsidy_id, date, amount FROM (%s) payment
                            WHERE subsidy_id = ANY(%s)
                            UNION ALL
                           SELECT subsidy_id, date, -amount FROM grant_entry
                            WHERE subsidy_id = ANY(%s) AND kind = 'payment') sides
                 GROUP BY subsidy_id, date HAVING sum(amount) <> 0
                 ORDER BY subsidy_id, date""",
                select_own_payments(self.env, chosen, moved),
                subsidies.ids,
                subsidies.ids,
            )
        )
        differences = {}
        for subsidy_id, date, amount in rows:
            subsidy = subsidies.browse(subsidy_id)
            differences.setdefault(subsidy, []).append((date, float(amount)))
        return differences

    @api.model
    def _cron_sync(self):
        """Each night: what was booked ahead is covered when its day has come."""
        for envelope in self.env["grant.envelope"].search([("state", "=", "in_force")]):
            try:
                with self.env.cr.savepoint():
                    self._sync(envelope)
            except UserError as refusal:
                # The others are not to wait for it; the control screen shows it.
                _logger.warning("Own costs of %s: %s", envelope.display_name, refusal)
