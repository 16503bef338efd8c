"""What accounting says was ordered, and what documents say of it: two roads that share nothing."""

from odoo.tools import SQL

from odoo.addons.ctai_grants.models.accounting.grant_own_cost import select_own_costs

#: Of accounting: each item of an order of a tranche, of its credit note, of what takes that one
#: back and so on, that is not of third parties: ``tranche_id``, ``move_id``, ``company_id``,
#: ``account_id``, ``date``, ``order_date`` (of the order below it), ``amount`` (a credit note is
#: below zero) and ``side``: what it is to the budget year of its date, ``ordered``, ``reduced``
#: (takes off an order of the same year) or ``prior`` (revenue: off one of an earlier year).
ORDERED = SQL(
    """WITH RECURSIVE entry AS (
           SELECT bill.grant_origin_id AS tranche_id, bill.id, bill.company_id, bill.date,
                  bill.date AS order_date, 'ordered' AS side, FALSE AS is_note
             FROM account_move bill
            WHERE bill.grant_origin_model = 'grant.disbursement' AND bill.state = 'posted'
            UNION ALL
           SELECT entry.tranche_id, back.id, back.company_id, back.date, entry.order_date,
                  CASE WHEN extract(year FROM back.date) = extract(year FROM entry.date)
                       THEN CASE entry.side WHEN 'ordered' THEN 'reduced' ELSE entry.side END
                       WHEN entry.is_note THEN 'ordered' ELSE 'prior' END,
                  NOT entry.is_note
             FROM entry JOIN account_move back
               ON back.reversed_entry_id = entry.id AND back.state = 'posted'
       )
       SELECT entry.tranche_id, entry.id AS move_id, entry.company_id, item.account_id, entry.date,
              entry.order_date, item.balance AS amount, entry.side
         FROM entry
         JOIN account_move_line item ON item.move_id = entry.id
         JOIN account_account account ON account.id = item.account_id
          AND account.account_type NOT IN ('liability_payable', 'asset_receivable')
        WHERE item.balance <> 0"""
)

#: Of documents: each tranche that is ordered, by its own date and amount, less what credit notes
#: took off: ``tranche_id``, ``date``, ``amount``.
SAID_ORDERED = SQL(
    """SELECT id AS tranche_id, order_date AS date, amount - COALESCE(reduced_amount, 0) AS amount
         FROM grant_disbursement
        WHERE state IN ('ordered', 'paid') AND order_date IS NOT NULL"""
)


def select_own_ordered(env):
    """SQL of what the city spent itself, as far as it was committed by the end of each year: what
    an amendment of a later year covers is of that year. ``subsidy_id``, ``account_id``, ``date``
    (of the cost, or the end of that later year), ``amount``."""
    return SQL(
        """WITH cost AS (
               SELECT own.line_id, own.subsidy_id, own.account_id, own.company_id, own.date,
                      own.covered_amount,
                      sum(own.covered_amount) OVER (
                          PARTITION BY own.subsidy_id ORDER BY own.date, own.line_id) AS total
                 FROM (%(own_costs)s) own
                WHERE own.subsidy_id IS NOT NULL AND own.covered_amount <> 0
           ), counted AS (
               SELECT cost.*, years.year,
                      LEAST(total, ceiling.amount) - LEAST(total - covered_amount, ceiling.amount)
                      AS amount
                 FROM cost
                 JOIN LATERAL generate_series(
                          extract(year FROM cost.date)::integer,
                          extract(year FROM GREATEST(cost.date, %(today)s))::integer) AS years(year)
                   ON TRUE
                 JOIN LATERAL (SELECT COALESCE(sum(entry.amount), 0) AS amount
                                 FROM grant_entry entry
                                WHERE entry.subsidy_id = cost.subsidy_id
                                  AND entry.kind = 'commitment'
                                  AND entry.date <= make_date(years.year, 12, 31)) ceiling ON TRUE
           )
           SELECT subsidy_id, account_id, date, amount FROM counted
            WHERE year = extract(year FROM date)
            UNION ALL
           SELECT later.subsidy_id, later.account_id, make_date(later.year, 12, 31),
                  later.amount - earlier.amount
             FROM counted later JOIN counted earlier USING (line_id, subsidy_id)
            WHERE later.year = earlier.year + 1""",
        own_costs=select_own_costs(env),
        today=env["res.company"]._get_grant_today_sql(SQL("cost.company_id")),
    )
