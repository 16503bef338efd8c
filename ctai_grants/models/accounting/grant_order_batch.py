from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, format_date

from ..guard import transition


class GrantOrderBatch(models.Model):
    """Orders to pay sent to the treasury together (bordereau), numbered by financial year."""

    _name = "grant.order.batch"
    _description = "Order Batch"
    _inherit = ["grant.document.mixin", "grant.thread.mixin", "grant.pdf.mixin"]
    _order = "exercise desc, number desc"
    _rec_name = "number"
    _check_company_auto = True
    company_id = fields.Many2one(
        "res.company", required=True, readonly=True, ondelete="restrict", copy=False,
        default=lambda self: self.env.company,
    )  # fmt: skip
    currency_id = fields.Many2one(related="company_id.currency_id")
    exercise = fields.Integer(
        string="Financial Year", required=True, readonly=True, copy=False, aggregator=None
    )
    number = fields.Integer(required=True, readonly=True, copy=False, aggregator=None)
    date = fields.Date(required=True, readonly=True, copy=False)
    user_id = fields.Many2one(
        "res.users", string="Issued By", required=True, readonly=True, copy=False,
        ondelete="restrict",
    )  # fmt: skip
    disbursement_ids = fields.One2many("grant.disbursement", "order_batch_id", string="Orders")
    disbursement_count = fields.Integer(string="Number of Orders", compute="_compute_totals")
    amount = fields.Monetary(string="Total", compute="_compute_totals")
    _number_uniq = models.UniqueIndex(
        "(company_id, exercise, number)",
        "There is already an order batch with this number in this financial year.",
    )
    _number_positive = models.Constraint(
        "CHECK (number > 0)", "The number of an order batch is above zero."
    )

    @api.depends("disbursement_ids.amount")
    def _compute_totals(self):
        totals = {
            batch: (amount, count)
            for batch, amount, count in self.env["grant.disbursement"]._read_group(
                [("order_batch_id", "in", self.ids)], ["order_batch_id"], ["amount:sum", "__count"]
            )
        }
        for batch in self:
            batch.amount, batch.disbursement_count = totals.get(batch._origin, (0.0, 0))

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        raise UserError(self.env._("An order batch is kept: its number was used."))

    @api.depends("exercise", "number")
    def _compute_display_name(self):
        for batch in self:
            batch.display_name = self.env._(
                "Batch %(number)s/%(year)s", number=batch.number, year=batch.exercise
            )

    @api.model
    def _get_next_number(self, company, exercise):
        """The number after the last one of that financial year."""
        last = self.search(
            [("company_id", "=", company.id), ("exercise", "=", exercise)],
            order="number desc",
            limit=1,
        )
        return last.number + 1

    @api.model
    def _get_next_order_number(self, company, exercise):
        """The number after the highest of that financial year; empty when none is a number."""
        orders = self.env["grant.disbursement"].search_fetch(
            [
                ("order_batch_id.company_id", "=", company.id),
                ("order_batch_id.exercise", "=", exercise),
                ("order_number", "!=", False),
            ],
            ["order_number"],
        )
        # Finance software may put letters in: such a number has no next one.
        numbers = [number for number in orders.mapped("order_number") if number.isdecimal()]
        if not numbers:
            return False if orders else "1"
        # By value, and then in its own width: after 0099 comes 0100.
        last = max(numbers, key=int)
        return str(int(last) + 1).zfill(len(last))

    @api.model
    def _create_batch(self, company, date, number=None):
        """Make the batch of orders of ``date``, with the next number of its year by default.

        :raise ValidationError: the number is taken
        """
        if not number:
            # Shown to a batch made at the same time: its transaction is tried again.
            self.env.cr.execute(
                SQL("UPDATE res_company SET write_date = write_date WHERE id = %s", company.id)
            )
            number = self._get_next_number(company, date.year)
        # sudo: only ordering makes batches, and it has checked who orders
        batches = self.sudo()
        vals = {
            "company_id": company.id,
            "exercise": date.year,
            "number": number,
            "date": date,
            "user_id": self.env.uid,
        }
        return transition.creating(batches, [vals]).create(vals).with_env(self.env)

    def _get_bills(self):
        """The posted bill of each order: dict {tranche: bill}, by number of the order.

        :raise UserError: an order was taken back, there is none, or one does not pay what was
            certified
        """
        self.ensure_one()
        orders = self.disbursement_ids.sorted(lambda tranche: tranche._get_order_key())
        bills = {tranche: tranche._get_live_move() for tranche in orders}
        gone = [tranche for tranche, bill in bills.items() if not bill]
        if gone or not bills:
            raise UserError(
                self.env._(
                    "%(batch)s: %(tranche)s was taken back, order it again first.",
                    batch=self.display_name,
                    tranche=gone[0].display_name if gone else self.env._("every order"),
                )
            )
        for tranche, bill in bills.items():
            tranche._check_bill(bill)
        return bills

    # ------------------------------------------------------------------
    # The list (bordereau), to be signed
    # ------------------------------------------------------------------

    def action_print(self):
        """Download the list of the orders of this batch (bordereau), to be signed.

        :raise UserError: an order was taken back
        """
        self.ensure_one()
        self._get_bills()
        return {
            "type": "ir.actions.act_url",
            "url": f"/grants/batches/{self.id}/list",
            "target": "download",
        }

    def _get_list_title(self):
        return self.env._(
            "Order batch no. %(number)s, financial year %(year)s",
            number=self.number,
            year=self.exercise,
        )

    def _print_order_batch(self):
        return self._make_pdf()

    def _make_pdf(self):
        """The list of the orders in the user's language: its name, and the PDF.

        :raise UserError: an order was taken back
        :raise AccessError: the user is not a finance officer
        """
        self._check_group("group_finance_officer", self.env._("Printing an order batch"))
        rows = [self._get_list_row(tranche, bill) for tranche, bill in self._get_bills().items()]
        address = self.company_id.partner_id._get_identity(self.date)
        town = f"{address.zip or ''} {address.city or ''}".strip()
        content = self._typeset(
            "ctai_grants/report/batch.typ",
            {
                "title": self._get_list_title(),
                "date": self.date,
                "sender": [line for line in (address.name, address.street, town) if line],
                **self._get_list_words(len(rows)),
                "rows": rows,
                "total": self.currency_id.format(self.amount),
            },
        )
        return self._get_list_title(), content

    def _get_list_words(self, count):
        return {
            "about": [
                self.env._("Date: %s", format_date(self.env, self.date)),
                self.env._("Number of orders: %s", count),
            ],
            "headings": [
                self.env._("Order no."),
                self.env._("Third party"),
                "SIRET",
                self.env._("Object"),
                self.env._("Account"),
                "IBAN",
                self.env._("Amount"),
            ],
            "total_label": self.env._("Total"),
            "words": self.env._(
                "The present batch amounts to: %s.",
                self.currency_id.amount_to_text(self.amount).lower(),
            ),
            "signature": [self.env._("The authorising officer,")],
        }

    def _get_list_row(self, tranche, bill):
        return [
            tranche.order_number,
            tranche.partner_id._get_identity(self.date).name,
            tranche.partner_id.commercial_partner_id._get_identity(self.date)._get_siret() or "",
            f"{tranche.subsidy_id.code} – {tranche.name}",
            bill._get_grant_account().code or "",
            bill.partner_bank_id._get_masked_number(short=True) or "",
            tranche.currency_id.format(tranche.amount),
        ]
