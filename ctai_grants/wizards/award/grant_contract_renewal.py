from odoo import api, fields, models


class GrantContractRenewal(models.TransientModel):
    """Asks what of a contract goes on next year."""

    _name = "grant.contract.renewal"
    _description = "Renew for Next Year"
    _inherit = ["grant.text.mixin"]

    contract_id = fields.Many2one("grant.contract", required=True, readonly=True)
    target = fields.Selection(
        [("new", "A new contract, with the same envelopes"), ("same", "This contract goes on")],
        string="Where", required=True, default="new",
    )  # fmt: skip
    # Not in sudo, as stored fields are computed: only of what the user may read.
    name = fields.Char(
        compute="_compute_proposal", compute_sudo=False, store=True, readonly=False, precompute=True
    )
    code = fields.Char(
        string="Reference", compute="_compute_proposal", compute_sudo=False, store=True,
        readonly=False, precompute=True,
    )  # fmt: skip
    date_start = fields.Date(
        string="Start", compute="_compute_proposal", compute_sudo=False, store=True,
        readonly=False, precompute=True,
    )  # fmt: skip
    date_end = fields.Date(
        string="End", compute="_compute_proposal", compute_sudo=False, store=True,
        readonly=False, precompute=True,
    )  # fmt: skip
    subsidy_ids = fields.Many2many(
        "grant.subsidy", string="Subsidies to Renew", compute="_compute_proposal",
        compute_sudo=False, store=True, readonly=False, precompute=True,
        domain="[('contract_id', '=', contract_id),"
        " ('state', 'in', ('granted', 'signed', 'closed'))]",
    )  # fmt: skip

    @api.depends("contract_id")
    def _compute_proposal(self):
        for window in self:
            contract = window.contract_id
            window.update(contract._get_renewal_values() if contract else {})
            window.subsidy_ids = contract and contract._get_renewable_subsidies()

    def action_confirm(self):
        """Draft it, and open what was made; see :meth:`grant.contract._renew`."""
        self.ensure_one()
        if self.target == "same":
            return self.subsidy_ids.action_renew()
        values = {name: self[name] for name in ("name", "code", "date_start", "date_end")}
        contract = self.contract_id._renew(values, self.subsidy_ids)
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_contract_action")
        return {**action, "views": [(False, "form")], "res_id": contract.id}
