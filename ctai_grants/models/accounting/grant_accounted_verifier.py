from odoo import api, models
from odoo.tools import SQL, format_date

# What accounting says was paid, found from the other end than the ledger's poster does: from the
# accounts of the bank and cash journals and of their payment methods, entry by entry, to the
# documents whose lines were matched with them; and from the set-offs. Nothing is shared with it.
# Entries that are matched with no document of ours are left out first: a city has a hundred others
# for each.
BANKED = SQL(
    """WITH treasury AS (
           SELECT default_account_id AS account_id FROM account_journal
            WHERE type IN ('bank', 'cash', 'credit')
            UNION
           SELECT payment_account_id FROM account_payment_method_line
            UNION
           SELECT outstanding_account_id FROM account_payment
       ), matched AS MATERIALIZED (
           SELECT other.move_id
             FROM account_move document
             JOIN account_move_line own ON own.move_id = document.id
             JOIN LATERAL (
                      SELECT credit_move_id AS line_id FROM account_partial_reconcile
                       WHERE debit_move_id = own.id
                       UNION ALL
                      SELECT debit_move_id FROM account_partial_reconcile
                       WHERE credit_move_id = own.id
                  ) match ON TRUE
             JOIN account_move_line other ON other.id = match.line_id
            WHERE document.grant_origin_id IS NOT NULL
       ), item AS (
           SELECT line.move_id, line.balance,
                  kind.account_type IN ('liability_payable', 'asset_receivable') AS is_debt,
                  kind.account_type IN ('asset_cash', 'liability_credit_card')
                  OR (kind.account_type IN ('asset_current', 'liability_current')
                      AND EXISTS (SELECT FROM treasury WHERE account_id = line.account_id)
                      AND move.origin_payment_id IS NOT NULL) AS is_money
             FROM account_move move
             JOIN account_move_line line ON line.move_id = move.id
             JOIN account_account kind ON kind.id = line.account_id
            WHERE move.state = 'posted' AND move.move_type = 'entry'
              AND move.id IN (SELECT move_id FROM matched)
       ), entry AS (
           SELECT move_id, sum(balance) FILTER (WHERE is_money) AS banked,
                  COALESCE(sum(balance) FILTER (WHERE is_debt AND balance > 0), 0) AS owed_less,
                  COALESCE(sum(balance) FILTER (WHERE is_debt AND balance < 0), 0) AS owed_more
             FROM item GROUP BY move_id HAVING bool_or(is_money)
       ), paying AS (
           SELECT move_id, banked <= -owed_less AS pays, banked >= -owed_more AS receives
             FROM entry
            UNION
           SELECT move_id, TRUE, TRUE FROM grant_set_off WHERE move_id IS NOT NULL
       )
       SELECT document.grant_origin_model AS origin_model, document.grant_origin_id AS origin_id,
              entry_of.date, match.amount
         FROM paying
         JOIN account_move entry_of ON entry_of.id = paying.move_id AND entry_of.state = 'posted'
         JOIN account_move_line line ON line.move_id = paying.move_id
         JOIN account_partial_reconcile match
           ON (match.debit_move_id = line.id AND paying.pays)
           OR (match.credit_move_id = line.id AND paying.receives)
         JOIN account_move_line own
           ON own.id = CASE line.id WHEN match.debit_move_id THEN match.credit_move_id
                                    ELSE match.debit_move_id END
         JOIN account_move document ON document.id = own.move_id
        WHERE document.grant_origin_id IS NOT NULL AND document.state = 'posted'
          AND document.id <> line.move_id
        UNION ALL
       SELECT origin_model, origin_id, moved.date, moved.amount
         FROM grant_carry carry
         JOIN LATERAL (VALUES (carry.date, carry.amount), (carry.from_date, -carry.amount))
              AS moved (date, amount) ON TRUE"""
)


# Items matched by more than they have: ours, and those that they are matched with.
OVERMATCHED = SQL(
    """SELECT DISTINCT document.grant_origin_model AS origin_model,
              document.grant_origin_id AS origin_id, item.move_id, abs(item.balance) AS amount,
              used.amount AS matched
         FROM account_move document
         JOIN account_move_line own ON own.move_id = document.id
         JOIN LATERAL (
                  SELECT credit_move_id AS other_id FROM account_partial_reconcile
                   WHERE debit_move_id = own.id
                   UNION
                  SELECT debit_move_id FROM account_partial_reconcile WHERE credit_move_id = own.id
              ) match ON TRUE
         JOIN LATERAL (VALUES (own.id), (match.other_id)) AS side (id) ON TRUE
         JOIN account_move_line item ON item.id = side.id
         JOIN LATERAL (
                  SELECT sum(amount) AS amount
                    FROM (SELECT amount FROM account_partial_reconcile
                           WHERE debit_move_id = item.id
                           UNION ALL
                          SELECT amount FROM account_partial_reconcile
                           WHERE credit_move_id = item.id) sides
              ) used ON used.amount > abs(item.balance)
        WHERE document.grant_origin_id IS NOT NULL AND document.state = 'posted'"""
)


class GrantAccountedMixin(models.AbstractModel):
    """The verifier of what was paid: from the bank's side (R6)."""

    _inherit = "grant.accounted.mixin"

    @api.model
    def _select_banked(self):
        """SQL of what the bank's side says of documents: ``origin_model``, ``origin_id``,
        ``date``, ``amount``."""
        return BANKED

    @api.model
    def _select_live(self):
        """SQL of the entry in accounting of ``document`` that stands: the last one that is posted
        and not reversed."""
        return SQL(
            """(SELECT move.id, move.date, move.amount_total FROM account_move move
                 WHERE move.grant_origin_model = %s AND move.grant_origin_id = document.id
                   AND move.state = 'posted' AND move.reversed_entry_id IS NULL
                   AND NOT EXISTS (SELECT FROM account_move back
                                    WHERE back.reversed_entry_id = move.id
                                      AND back.state = 'posted')
              ORDER BY move.id DESC LIMIT 1)""",
            self._name,
        )

    @api.model
    def _get_ledger_days(self):
        # Accounting's own day too, where the ledger carried it to a later one.
        return SQL(
            """%s UNION ALL SELECT from_date FROM grant_carry
                WHERE grant_carry.origin_model = own.origin_model
                  AND grant_carry.origin_id = own.origin_id""",
            super()._get_ledger_days(),
        )

    @api.model
    def _get_unbalanced(self, envelopes):
        """Sentences naming the documents of ``envelopes`` whose ledger and accounting differ."""
        documents = self.search([("envelope_id", "in", envelopes.ids)]).filtered(
            lambda document: document._is_accounted()
        )
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                """SELECT origin_id, date, sum(amount)
                     FROM (SELECT origin_model, origin_id, date, amount FROM (%s) banked
                            UNION ALL
                           SELECT origin_model, origin_id, date, -amount
                             FROM grant_entry WHERE kind = %s) sides
                    WHERE origin_model = %s AND origin_id = ANY(%s)
                 GROUP BY origin_id, date HAVING sum(amount) <> 0
                 ORDER BY origin_id, date""",
                self._select_banked(),
                self._accounted_kind,
                self._name,
                documents.ids,
            )
        )
        return [
            self.env._(
                "%(document)s: on %(date)s accounting and the ledger differ by %(amount)s.",
                document=document.display_name,
                date=format_date(self.env, date),
                amount=document.currency_id.format(float(amount)),
            )
            for origin_id, date, amount in rows
            for document in self.browse(origin_id)
        ] + self._get_overmatched(documents)

    @api.model
    def _get_overmatched(self, documents):
        """Sentences naming the entries that settle ``documents`` by more than they are of."""
        rows = self.env.execute_query(
            SQL(
                """SELECT origin_id, move_id, amount, matched FROM (%s) items
                    WHERE origin_model = %s AND origin_id = ANY(%s) ORDER BY 1, 2""",
                OVERMATCHED,
                self._name,
                documents.ids,
            )
        )
        # sudo: who verifies may not read the accounts, and is told which entry it is
        moves = self.env["account.move"].sudo()
        return [
            self.env._(
                "%(document)s: %(entry)s is of %(amount)s, and matched for %(matched)s.",
                document=document.display_name,
                entry=moves.browse(move_id).display_name,
                amount=document.currency_id.format(float(amount)),
                matched=document.currency_id.format(float(matched)),
            )
            for origin_id, move_id, amount, matched in rows
            for document in self.browse(origin_id)
        ]
