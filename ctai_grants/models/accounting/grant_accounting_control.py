from odoo import api, fields, models
from odoo.tools import SQL

from .grant_own_cost import select_own_payments

# What the bank moved and nobody has explained: open on the account of an operator (a transfer that
# came back, a payment of nothing), or on the suspense account of the treasury's journal.
OPEN_ITEMS = SQL(
    """SELECT item.id, item.move_id, item.company_id, item.company_currency_id AS currency_id,
              -item.amount AS amount
         FROM (SELECT line.id, line.move_id, line.company_id, line.company_currency_id,
                      line.amount_residual AS amount
                 FROM account_account account
                 JOIN account_move_line line ON line.account_id = account.id
                 LEFT JOIN res_partner partner ON partner.id = line.partner_id
                WHERE account.account_type IN ('liability_payable', 'asset_receivable')
                      -- Of the whole accounting, by the index of what is open.
                  AND line.reconciled IS NOT TRUE AND line.amount_residual <> 0
                  AND EXISTS (SELECT FROM grant_subsidy subsidy
                                JOIN res_partner operator ON operator.id = subsidy.partner_id
                               WHERE subsidy.company_id = line.company_id
                                 -- Whichever record of the body the bank's line names; of nobody
                                 -- it may be any of them.
                                 AND operator.grant_body
                                     = COALESCE(partner.grant_body, operator.grant_body))
                UNION ALL
               SELECT line.id, line.move_id, line.company_id, line.company_currency_id,
                      CASE WHEN account.reconcile THEN line.amount_residual ELSE line.balance END
                 FROM res_company company
                 JOIN account_journal journal ON journal.id = company.grant_payment_journal_id
                 JOIN account_account account ON account.id = journal.suspense_account_id
                 JOIN account_move_line line ON line.account_id = account.id
                  AND line.company_id = company.id AND line.journal_id = journal.id
                WHERE account.account_type NOT IN ('liability_payable', 'asset_receivable')
              ) item
         JOIN account_move move ON move.id = item.move_id
        WHERE item.amount <> 0 AND move.state = 'posted'
          AND (move.origin_payment_id IS NOT NULL OR move.statement_line_id IS NOT NULL)"""
)


class GrantAccountingControl(models.Model):
    """The ledger beside accounting, one line for each document that accounting pays (R6)."""

    _name = "grant.accounting.control"
    _description = "Ledger and Accounting"
    _auto = False
    _order = "is_different desc, id desc"
    _rec_name = "document"

    origin_model = fields.Char(readonly=True)
    origin_id = fields.Many2oneReference(model_field="origin_model", readonly=True)
    document = fields.Char(compute="_compute_document")
    kind = fields.Selection(
        [
            ("payment", "Payment"),
            ("receipt", "Receipt"),
            ("recovery", "Recovery"),
            ("open", "Open Bank Item"),
        ],
        readonly=True,
        help="Open: money that the bank moved and that is matched with nothing: a transfer that "
        "came back, or a line still on the suspense account.",
    )
    subsidy_id = fields.Many2one("grant.subsidy", readonly=True)
    envelope_id = fields.Many2one("grant.envelope", readonly=True)
    company_id = fields.Many2one("res.company", readonly=True)
    currency_id = fields.Many2one("res.currency", readonly=True)
    ledger_amount = fields.Monetary(string="In the Ledger", readonly=True)
    accounting_amount = fields.Monetary(string="In Accounting", readonly=True)
    difference = fields.Monetary(readonly=True)
    is_different = fields.Boolean(
        readonly=True,
        help="The amounts differ, or the dates they are booked at, or the order is not what was "
        "certified.",
    )
    is_otherwise = fields.Boolean(
        string="Not as Certified",
        readonly=True,
        help="The bank account, the organisation, the amount or the date of the order, or the "
        "account of its payment, is not what was certified, or the treasury rejected what is paid.",
    )
    remark = fields.Text(string="What Differs", compute="_compute_remark")

    @api.depends("origin_model", "origin_id")
    def _compute_document(self):
        for model, lines in self.grouped("origin_model").items():
            # sudo: the name only; who reads the control may not read the journal entries
            records = self.env[model].sudo().browse(lines.mapped("origin_id"))
            names = {record.id: record.display_name for record in records}
            for line in lines:
                line.document = names[line.origin_id]

    @api.depends("is_otherwise", "origin_id")
    def _compute_remark(self):
        orders = self.filtered(
            lambda line: line.is_otherwise and line.origin_model == "grant.disbursement"
        )
        sentences = {}
        if orders:
            condition = SQL("tranche.id = ANY(%s)", orders.mapped("origin_id"))
            for tranche, sentence in self.env["grant.disbursement"]._say_wrong_orders(condition):
                sentences.setdefault(tranche.id, []).append(sentence)
        for line in self:
            found = sentences.get(line.origin_id, ()) if line in orders else ()
            line.remark = "\n".join(found)

    @property
    def _table_query(self):
        documents = self._select_documents()
        # By date, then summed: what is booked at another date is a difference too.
        return SQL(
            """SELECT document.line_id AS id, document.origin_model, document.id AS origin_id,
                      document.kind, document.subsidy_id, document.envelope_id,
                      document.company_id, document.currency_id,
                      sum(sides.posted) AS ledger_amount, sum(sides.booked) AS accounting_amount,
                      sum(sides.booked - sides.posted) AS difference,
                      bool_or(sides.booked <> sides.posted OR sides.otherwise) AS is_different,
                      bool_or(sides.otherwise) AS is_otherwise
                 FROM (%s) document
                 JOIN (SELECT origin_model, origin_id, kind, date, sum(posted) AS posted,
                              sum(booked) AS booked, bool_or(otherwise) AS otherwise
                         FROM (%s) lines
                     GROUP BY origin_model, origin_id, kind, date) sides
                   ON sides.origin_model = document.origin_model
                  AND sides.origin_id = document.id AND sides.kind = document.kind
                 JOIN grant_envelope envelope ON envelope.id = document.envelope_id
                WHERE envelope.payment_path = 'city'
             GROUP BY document.line_id, document.origin_model, document.id, document.kind,
                      document.subsidy_id, document.envelope_id, document.company_id,
                      document.currency_id
                UNION ALL
               SELECT id::bigint * %s + %s, 'account.move', move_id, 'open', NULL, NULL, company_id,
                      currency_id, 0, amount, amount, TRUE, FALSE
                 FROM (%s) item""",
            documents,
            self._select_sides(documents),
            self._get_step(),
            self._get_step() - 1,
            OPEN_ITEMS,
        )

    def _get_step(self):
        """How far apart the ids of two lines of one model are: each of the models, own costs and
        open items have a remainder of their own, so that no two lines share an id."""
        return len(self.env["grant.accounted.mixin"]._get_accounted_models()) + 2

    def _select_documents(self):
        """SQL of the documents whose money accounting moves, and of the city's own costs."""
        names = self.env["grant.accounted.mixin"]._get_accounted_models()
        documents = SQL(" UNION ALL ").join(
            SQL(
                """SELECT id, %s AS origin_model, id::bigint * %s + %s AS line_id, %s AS kind,
                          envelope_id, %s AS subsidy_id, company_id, currency_id
                     FROM %s""",
                name,
                self._get_step(),
                number,
                self.env[name]._accounted_kind,
                SQL("subsidy_id" if "subsidy_id" in self.env[name] else "NULL::integer"),
                SQL.identifier(self.env[name]._table),
            )
            for number, name in enumerate(names, 1)
        )
        return SQL(
            """%s UNION ALL
               SELECT id, 'grant.subsidy', id::bigint * %s, 'payment', envelope_id, id, company_id,
                      currency_id
                 FROM grant_subsidy WHERE kind = 'own_cost'""",
            documents,
            self._get_step(),
        )

    def _select_sides(self, documents):
        """SQL of what the ledger posted, and of what accounting booked, line by line; orders that
        are not what was certified are shown before anything is paid too."""
        return SQL(
            """SELECT entry.origin_model, entry.origin_id, entry.kind, entry.date,
                      entry.amount AS posted, 0 AS booked, FALSE AS otherwise
                 FROM grant_entry entry
                UNION ALL
               SELECT accounted.origin_model, accounted.origin_id, document.kind,
                      accounted.date, 0, accounted.amount, FALSE
                 FROM (%s) accounted
                 JOIN (%s) document USING (origin_model)
                WHERE document.id = accounted.origin_id
                UNION ALL
               SELECT 'grant.subsidy', subsidy_id, 'payment', date, 0, amount, FALSE
                 FROM (%s) own
                UNION ALL
               SELECT 'grant.disbursement', tranche_id, 'payment', date, 0, 0, TRUE
                 FROM (%s) wrong_orders""",
            self.env["grant.disbursement"]._select_banked(),
            documents,
            select_own_payments(self.env),
            self.env["grant.disbursement"]._select_wrong_orders(),
        )

    def action_open_document(self):
        """Open the tranche, instalment, recovery or journal entry of this line."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "res_model": self.origin_model,
            "res_id": self.origin_id,
            "views": [(False, "form")],
        }
