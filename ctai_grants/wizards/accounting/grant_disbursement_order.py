from odoo import api, fields, models
from odoo.exceptions import UserError


class GrantDisbursementOrder(models.TransientModel):
    """Asks for the number and date of orders to pay, and of their batch."""

    _name = "grant.disbursement.order"
    _description = "Order a Payment"
    _inherit = ["grant.text.mixin"]

    disbursement_ids = fields.Many2many(
        "grant.disbursement", string="Tranches", required=True, readonly=True
    )
    count = fields.Integer(compute="_compute_totals")
    company_id = fields.Many2one("res.company", compute="_compute_totals")
    currency_id = fields.Many2one("res.currency", compute="_compute_totals")
    amount = fields.Monetary(string="Total", compute="_compute_totals")
    order_number = fields.Char(
        compute="_compute_order_number",
        # Not in sudo, as stored fields are computed: only of tranches that the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        # Before the record is made: over RPC no onchange has filled what is required.
        precompute=True,
        required=True,
        help="Number of the order (mandat) in the city's finance software; of several, the first.",
    )
    # Suggested by the form alone: left out, the next one is taken when it is ordered.
    batch_number = fields.Integer(help="Number of the batch (bordereau) in its financial year.")
    # Another date suggests another number; what the user typed instead stays.
    suggested_order_number = fields.Char(
        compute="_compute_order_number", compute_sudo=False, store=True, readonly=False,
        precompute=True,
    )  # fmt: skip
    suggested_batch_number = fields.Integer()
    order_date = fields.Date(
        required=True,
        compute="_compute_order_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )

    @api.depends("disbursement_ids")
    def _compute_order_date(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.order_date = wizard.disbursement_ids.company_id[:1]._grant_today()

    @api.model_create_multi
    def create(self, vals_list):
        """A list of tranches names each once: twice would be ordered once, without a word.

        :raise UserError: naming the tranche
        """
        default = self.env.context.get("default_disbursement_ids")
        for vals in vals_list:
            self._check_named_once(vals.get("disbursement_ids", default))
        return super().create(vals_list)

    def _check_named_once(self, commands):
        ids = []
        for command in commands or ():
            match command:
                case [fields.Command.SET, _, found]:
                    ids += found
                case [fields.Command.LINK, found, *_] | int(found):
                    ids.append(found)
        if twice := {found for found in ids if ids.count(found) > 1}:
            raise UserError(
                self.env._(
                    "%(tranches)s: named twice. A tranche is ordered once: take it out of the "
                    "list.",
                    tranches=", ".join(
                        self.env["grant.disbursement"].browse(twice).mapped("display_name")
                    ),
                )
            )

    @api.depends("disbursement_ids")
    def _compute_totals(self):
        for wizard in self:
            wizard.count = len(wizard.disbursement_ids)
            wizard.company_id = wizard.disbursement_ids.company_id[:1]
            wizard.currency_id = wizard.disbursement_ids.currency_id[:1]
            wizard.amount = sum(wizard.disbursement_ids.mapped("amount"))

    @api.depends("disbursement_ids", "order_date")
    def _compute_order_number(self):
        batches = self.env["grant.order.batch"]
        for wizard in self:
            if wizard.order_date and wizard.company_id:
                year = wizard.company_id, wizard.order_date.year
                suggested = batches._get_next_order_number(*year)
                if wizard.order_number in (False, wizard.suggested_order_number):
                    wizard.order_number = suggested
                wizard.suggested_order_number = suggested

    @api.onchange("disbursement_ids", "order_date")
    def _onchange_batch_number(self):
        if self.order_date and self.company_id:
            year = self.company_id, self.order_date.year
            suggested = self.env["grant.order.batch"]._get_next_number(*year)
            if self.batch_number in (0, self.suggested_batch_number):
                self.batch_number = suggested
            self.suggested_batch_number = suggested

    def action_confirm(self):
        """Order the payments; see :meth:`grant.disbursement._do_order` for what it refuses."""
        self.ensure_one()
        self.disbursement_ids._do_order(self.order_number, self.order_date, self.batch_number)
        batch = self.disbursement_ids.order_batch_id
        if len(self.disbursement_ids) == 1:
            return {"type": "ir.actions.act_window_close"}
        return {
            "type": "ir.actions.act_window",
            "res_model": "grant.order.batch",
            "res_id": batch.id,
            "views": [(False, "form")],
        }
