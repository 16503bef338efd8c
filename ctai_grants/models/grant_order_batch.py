from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from .grant_guarded_mixin import TRANSITION


class GrantOrderBatch(models.Model):
    """Orders to pay sent to the treasury together (bordereau), numbered by financial year."""

    _name = "grant.order.batch"
    _description = "Order Batch"
    _inherit = ["grant.thread.mixin", "grant.guarded.mixin"]
    _order = "exercise desc, number desc"
    _rec_name = "number"
    _check_company_auto = True

    _guarded_fields = frozenset({"company_id", "exercise", "number", "date", "user_id"})

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
        "res.users", string="Ordered By", required=True, readonly=True, copy=False,
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
        """The number after the last order of that financial year; empty when that is no number."""
        last = self.env["grant.disbursement"].search(
            [
                ("order_batch_id.company_id", "=", company.id),
                ("order_batch_id.exercise", "=", exercise),
                ("order_number", "!=", False),
            ],
            order="order_batch_id desc, order_number desc",
            limit=1,
        )
        if not last:
            return "1"
        number = last.order_number
        return str(int(number) + 1).zfill(len(number)) if number.isdecimal() else False

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
        batches = self.sudo().with_context(grant_transition=TRANSITION)
        batch = batches.create(
            {
                "company_id": company.id,
                "exercise": date.year,
                "number": number,
                "date": date,
                "user_id": self.env.uid,
            }
        )
        return batch.with_env(self.env)
