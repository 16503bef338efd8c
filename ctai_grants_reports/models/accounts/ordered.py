"""What accounting says was ordered, and what documents say of it: two roads that share nothing."""

from odoo.tools import SQL

#: Of accounting: each item of an order of a tranche, or of its credit note, that is not of third
#: parties: ``tranche_id``, ``move_id``, ``company_id``, ``account_id``, ``date``, ``order_date``
#: (of the order that a credit note takes off) and ``amount`` (a credit note below zero).
ORDERED = SQL(
    """SELECT bill.grant_origin_id AS tranche_id, move.id AS move_id, move.company_id,
              item.account_id, move.date, bill.date AS order_date, item.balance AS amount
         FROM account_move bill
         JOIN LATERAL (
                  SELECT bill.id, bill.date, bill.company_id
                   UNION ALL
                  SELECT note.id, note.date, note.company_id FROM account_move note
                   WHERE note.reversed_entry_id = bill.id AND note.state = 'posted'
              ) move ON TRUE
         JOIN account_move_line item ON item.move_id = move.id
         JOIN account_account account ON account.id = item.account_id
          AND account.account_type NOT IN ('liability_payable', 'asset_receivable')
        WHERE bill.grant_origin_model = 'grant.disbursement' AND bill.state = 'posted'
          AND item.balance <> 0"""
)

#: Of documents: each tranche that is ordered, by its own date and amount, less what credit notes
#: took off: ``tranche_id``, ``date``, ``amount``.
SAID_ORDERED = SQL(
    """SELECT id AS tranche_id, order_date AS date, amount - COALESCE(reduced_amount, 0) AS amount
         FROM grant_disbursement
        WHERE state IN ('ordered', 'paid') AND order_date IS NOT NULL"""
)
