from collections import defaultdict
from decimal import Decimal

from odoo import api, models
from odoo.tools import SQL

from ...lib.accounting.own_costs import find_origin, get_payments, split


class GrantOwnCost(models.Model):
    """The verifier of own costs: reads the journals and the ledger, and works out the rest without
    the query that posts (R6)."""

    _inherit = "grant.own.cost"

    @api.model
    def _find_wrong_payments(self, subsidies):
        """Where the ledger does not say of these costs of the city what accounting has.

        :return: list of (subsidy, day, euros that accounting has beyond the ledger)
        """
        self.env.flush_all()
        # sudo: who verifies may not read the journals, and sees sums
        subsidies = subsidies.sudo()
        spent = self._read_spent(subsidies)
        posted = self._read_posted(subsidies)
        wrong = []
        for subsidy in subsidies:
            paid = posted[subsidy.id, "payment"]
            payments = {}
            if subsidy.state in ("signed", "closed"):
                payments = get_payments(spent[subsidy.id], posted[subsidy.id, "commitment"])
            for day in sorted({*payments, *paid}):
                if difference := payments.get(day, Decimal(0)) - paid.get(day, Decimal(0)):
                    wrong.append((subsidy, day, float(difference)))
        return wrong

    def _read_posted(self, subsidies):
        """Sums of the ledger: dict {(id, kind): {day: euros}}."""
        rows = self.env.execute_query(
            SQL(
                """SELECT subsidy_id, kind, date, amount::text FROM grant_entry
                    WHERE subsidy_id = ANY(%s)""",
                subsidies.ids,
            )
        )
        sums = defaultdict(lambda: defaultdict(Decimal))
        for subsidy, kind, date, amount in rows:
            sums[subsidy, kind][date] += Decimal(amount)
        return sums

    def _read_spent(self, subsidies):
        """Costs in accounting: dict {id of the subsidy: {day: euros}}."""
        companies = subsidies.company_id.ids
        # All envelopes of these cities: an item may be shared with others.
        accounts = {
            envelope.analytic_account_id.id: envelope
            # sudo: who verifies one city's costs may not read another envelope of it
            for envelope in self.env["grant.envelope"].sudo().search([
                ("company_id", "in", companies), ("payment_path", "=", "city"),
                ("analytic_account_id", "!=", False),
            ])
        }  # fmt: skip
        moves = self._read_moves()
        own = subsidies.grouped("envelope_id")
        spent = defaultdict(lambda: defaultdict(Decimal))
        for move, company, date, balance, distribution in self._read_items(companies):
            shares = [
                (accounts[account].id, Decimal(str(share)))
                for key, share in distribution.items()
                for account in map(int, key.split(","))
                if account in accounts and accounts[account].company_id.id == company
            ]
            origin = find_origin(move, moves) if move in moves else date
            for envelope_id, amount in split(Decimal(balance), shares).items():
                envelope = self.env["grant.envelope"].browse(envelope_id)
                for subsidy in own.get(envelope.with_env(subsidies.env), ()):
                    if self._is_cost_of(subsidy, date, origin):
                        spent[subsidy.id][date] += amount
        return spent

    def _is_cost_of(self, subsidy, date, origin):
        """Whether what is booked on ``date``, of an entry of the day ``origin``, is its cost."""
        first = max(subsidy.contract_id.force_date, subsidy.signature_date)
        last = subsidy.company_id._grant_today()
        is_in_period = subsidy.date_start <= origin <= subsidy.date_end
        return is_in_period and first <= min(date, origin) and max(date, origin) <= last

    def _read_items(self, companies):
        """Posted items on the accounts that are followed, with a distribution."""
        return self.env.execute_query(
            SQL(
                """SELECT item.move_id, item.company_id, item.date, item.balance::text,
                          item.analytic_distribution
                     FROM account_move_line item
                    WHERE item.company_id = ANY(%s) AND item.parent_state = 'posted'
                      AND item.analytic_distribution IS NOT NULL
                      AND (item.company_id, item.account_id) IN (
                              SELECT company_id, account_id
                                FROM res_company_grant_own_cost_account_rel)
                      AND NOT EXISTS (SELECT FROM account_move move WHERE move.id = item.move_id
                                         AND move.grant_origin_id IS NOT NULL)""",
                companies,
            )
        )

    def _read_moves(self):
        """Entries that take back others, and these: dict {id: (date, id of the one taken back)}."""
        rows = self.env.execute_query(
            SQL(
                """SELECT id, date, reversed_entry_id FROM account_move
                    WHERE reversed_entry_id IS NOT NULL
                       OR id IN (SELECT reversed_entry_id FROM account_move)"""
            )
        )
        return {move: (date, back) for move, date, back in rows}
