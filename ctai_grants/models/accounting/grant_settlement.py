from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

# What is matched with the payable and receivable lines of our entries, from these on: each match
# once, at the accounting date of the other entry. Money: the other entry moves at least as much of
# it as it says of third parties, to the same side; what is written off, or owed by somebody else,
# does not hide behind a payment. Then what was set off on purpose, our entry's own credit note, and
# the differences of exchange rates; the rest is none of these.
SETTLED = SQL(
    """SELECT side.id, move.grant_origin_model AS origin_model, move.grant_origin_id AS origin_id,
              move.id AS move_id, other.id AS other_line_id, other_move.id AS other_move_id,
              move.company_id, line.company_currency_id AS currency_id,
              other_move.date, side.amount, sums.money, sums.due,
              CASE WHEN other_move.move_type = 'entry' AND sums.money >= sums.due THEN 'money'
                   WHEN other_move.grant_set_off_id IS NOT NULL THEN 'set_off'
                   WHEN other_move.reversed_entry_id = move.id
                        OR move.reversed_entry_id = other_move.id THEN 'reversal'
                   WHEN EXISTS (SELECT FROM account_partial_reconcile rate
                                 WHERE rate.exchange_move_id = other_move.id) THEN 'exchange'
                   ELSE 'other' END AS how
         FROM account_move move
         JOIN account_move_line line ON line.move_id = move.id
         JOIN account_account account ON account.id = line.account_id
          AND account.account_type IN ('liability_payable', 'asset_receivable')
         JOIN LATERAL (
                  SELECT id, credit_move_id AS other_id, amount
                    FROM account_partial_reconcile WHERE debit_move_id = line.id
                   UNION ALL
                  SELECT id, debit_move_id, amount
                    FROM account_partial_reconcile WHERE credit_move_id = line.id
              ) side ON TRUE
         JOIN account_move_line other ON other.id = side.other_id
         JOIN account_move other_move ON other_move.id = other.move_id
         LEFT JOIN account_payment payment ON payment.id = other_move.origin_payment_id
         JOIN LATERAL (
                  SELECT COALESCE(sum(-sign(other.balance) * item.balance) FILTER (
                             WHERE item_account.account_type IN ('asset_cash',
                                                                 'liability_credit_card')
                                OR (item.account_id = payment.outstanding_account_id
                                    AND item_account.account_type IN ('asset_current',
                                                                      'liability_current'))), 0
                         ) AS money,
                         COALESCE(sum(abs(item.balance)) FILTER (
                             WHERE item_account.account_type IN ('liability_payable',
                                                                 'asset_receivable')
                               AND sign(item.balance) = sign(other.balance)), 0) AS due
                    FROM account_move_line item
                    JOIN account_account item_account ON item_account.id = item.account_id
                   WHERE item.move_id = other_move.id
              ) sums ON TRUE
        WHERE move.grant_origin_id IS NOT NULL AND move.state = 'posted'
          AND other_move.state = 'posted' AND other_move.id <> move.id"""
)


class GrantSettlement(models.Model):
    """What settles our orders and claims in accounting, one line for each match, and what that is:
    money, a set-off, the order's own credit note, or something that pays nothing (R6)."""

    _name = "grant.settlement"
    _description = "Settlement of an Order or Claim"
    _auto = False
    _order = "date, id"

    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", readonly=True)
    move_id = fields.Many2one("account.move", string="Order or Claim", readonly=True)
    other_line_id = fields.Many2one("account.move.line", readonly=True)
    other_move_id = fields.Many2one("account.move", string="Settled By", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    date = fields.Date(readonly=True)
    amount = fields.Monetary(readonly=True)
    money = fields.Monetary(string="Money of That Entry", readonly=True)
    due = fields.Monetary(string="Third Parties of That Entry", readonly=True)
    how = fields.Selection(
        [
            ("money", "Payment"),
            ("set_off", "Set-Off"),
            ("reversal", "Credit Note of the Order"),
            ("exchange", "Exchange Difference"),
            ("other", "No Payment"),
        ],
        readonly=True,
    )

    @property
    def _table_query(self):
        return SETTLED

    @api.model
    def _get(self, moves, *how):
        """The settlements of ``moves``, oldest first; of these kinds, where some are named."""
        self.env.flush_all()
        # Nothing in the cache of what is no table.
        self.invalidate_model()
        kinds = [("how", "in", how)] if how else []
        stored = [name for name, field in self._fields.items() if field.store and name != "id"]
        # sudo: whoever may match may not read the documents; nothing of it is shown
        return self.sudo().search_fetch([("move_id", "in", moves.ids), *kinds], stored)

    def _get_last_payment(self):
        """Of these settlements, the last entry that pays: money, or a set-off."""
        paying = self.filtered(lambda settlement: settlement.how in ("money", "set_off"))
        return paying.other_move_id.sorted(lambda move: (move.date, move.id))[-1:]

    @api.model
    def _check(self, moves, partials=None):
        """Refuse what would settle these entries and is no payment, no set-off recorded as such,
        and not their own credit note; and money of somebody else, or of another day.

        :param partials: the matches to look at; all of these entries by default
        :raise UserError: naming the document, what would settle it and what to do
        """
        # Nearly all of accounting has nothing to do with grants.
        if not moves:
            return
        found = self._get(moves)
        for settlement in found.browse(partials.ids) & found if partials else found:
            (document,) = settlement.move_id._get_grant_documents().values()
            if settlement.how == "other" and not document._is_written_off(settlement):
                raise UserError(settlement._say_no_payment(document))
            if settlement.how == "money":
                document._check_money(settlement)

    def _say_no_payment(self, document):
        about = {"document": document.display_name, "other": self.other_move_id.display_name}
        if self.money > 0:
            return self.env._(
                "%(document)s: of the %(due)s that %(other)s would settle, %(money)s moved through "
                "a bank account. Record the money that moved; the rest is taken off by a credit "
                "note of the order or claim itself.",
                due=self.currency_id.format(self.due),
                money=self.currency_id.format(self.money),
                **about,
            )
        if self.other_move_id.move_type != "entry":
            return self.env._(
                "%(document)s: %(other)s is no payment, it sets one debt off against another. "
                "Record a set-off, with its reason and reference (Grants > Finance > Set-Offs).",
                **about,
            )
        return self.env._(
            "%(document)s: %(other)s moves no money, and so pays nothing. Record a payment or a "
            "set-off; or reduce the order by a credit note made from it.",
            **about,
        )

    def _is_write_off(self):
        """Whether these are entries by which the city gives up what it was owed: of this debt
        alone, and no money in them."""
        return all(
            line.other_move_id.move_type == "entry"
            and line.currency_id.is_zero(line.money)
            and line.other_move_id._get_payment_lines() == line.other_line_id
            for line in self
        )
