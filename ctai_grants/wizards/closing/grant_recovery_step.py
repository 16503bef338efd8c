from odoo import api, fields, models


class GrantRecoveryStep(models.TransientModel):
    """Asks what the next step of a recovery takes: a date and a reference, or a decision."""

    _name = "grant.recovery.step"
    _description = "Step of a Recovery"
    _inherit = ["grant.money.mixin"]

    recovery_id = fields.Many2one("grant.recovery", required=True, readonly=True)
    step = fields.Selection(
        [
            ("notify", "Notify"),
            ("decide", "Decide"),
            ("claim", "Claim"),
            ("collect", "Paid Back"),
        ],
        required=True,
        readonly=True,
    )
    currency_id = fields.Many2one(related="recovery_id.currency_id", related_sudo=False)
    observations = fields.Text(related="recovery_id.observations", related_sudo=False)
    answer_deadline = fields.Date(related="recovery_id.answer_deadline", related_sudo=False)
    date = fields.Date(
        required=True,
        compute="_compute_date",
        # Not in sudo, as stored fields are computed: only of what the user may read.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    reference = fields.Char()
    amount = fields.Monetary(
        compute="_compute_amount",
        # Not in sudo, as stored fields are computed: over RPC, a wizard can be opened on any
        # recovery.
        compute_sudo=False,
        store=True,
        readonly=False,
        precompute=True,
    )
    reason = fields.Text(string="Grounds")

    @api.depends("recovery_id")
    def _compute_date(self):
        for wizard in self:
            # The day of the city whose document it is, whichever one works for now.
            wizard.date = wizard.recovery_id.company_id._grant_today()

    @api.depends("recovery_id", "step")
    def _compute_amount(self):
        for wizard in self:
            recovery = wizard.recovery_id
            collecting = wizard.step == "collect"
            wizard.amount = recovery.residual_amount if collecting else recovery.amount

    def action_confirm(self):
        """Take the step; see the methods of :class:`grant.recovery` for what they refuse."""
        self.ensure_one()
        match self.step:
            case "notify":
                self.recovery_id._do_notify(self.date)
            case "decide":
                self.recovery_id._do_decide(self.reason, self.amount)
            case "claim":
                self.recovery_id._do_claim(self.date)
            case "collect":
                self.recovery_id._do_collect(self.date, self.reference, self.amount)
        return {"type": "ir.actions.act_window_close"}
