from odoo import api, fields, models


class GrantSubsidy(models.Model):
    """What one operator gets from one envelope, as the ledger knows it."""

    _name = "grant.subsidy"
    _description = "Subsidy"
    _inherit = ["grant.document.mixin", "grant.source.mixin", "grant.counted.mixin"]
    _order = "code desc, id desc"
    _rec_names_search = ["code", "name", "partner_id.name"]
    _check_company_auto = True

    _entry_kinds = ("commitment",)
    _entry_name = "code"
    _entry_key = "subsidy_id"
    _room_signs = {"commitment": 1, "payment": -1, "recovery": 1}

    name = fields.Char(string="Object", required=True, tracking=True, portal=True)
    # The number is taken when the subsidy is saved: a form that is only opened leaves no gap.
    code = fields.Char(required=True, copy=False, default="/", portal=True)
    active = fields.Boolean(default=True, portal=True)
    envelope_id = fields.Many2one(
        "grant.envelope", required=True, ondelete="restrict", index=True, tracking=True,
        check_company=True,
    )  # fmt: skip
    contract_id = fields.Many2one(
        related="envelope_id.contract_id", store=True, index=True, precompute=True, portal=True
    )
    company_id = fields.Many2one(
        related="envelope_id.company_id", store=True, precompute=True, portal=True
    )
    currency_id = fields.Many2one(
        related="envelope_id.currency_id", store=True, precompute=True, portal=True
    )
    partner_id = fields.Many2one(
        "res.partner", string="Operator", required=True, ondelete="restrict", index=True,
        tracking=True, domain="[('is_company', '=', True)]", check_company=True, portal=True,
    )  # fmt: skip
    action_ids = fields.One2many(
        "grant.action", "subsidy_id", string="Actions", copy=True, portal=True
    )
    entry_ids = fields.One2many("grant.entry", "subsidy_id", string="Ledger")

    _code_uniq = models.UniqueIndex(
        "(company_id, code)", "There is already a subsidy with this code."
    )
    _paid_within_committed = models.Constraint(
        "CHECK (paid_amount - recovered_amount <= committed_amount)",
        "What is paid for a subsidy, less what is recovered, cannot exceed its commitment.",
    )
    _counters_positive = models.Constraint(
        "CHECK (committed_amount >= 0 AND paid_amount >= 0 AND justified_amount >= 0 "
        "AND recovered_amount >= 0)",
        "The totals of a subsidy cannot be negative.",
    )

    @api.depends("code", "partner_id.name")
    def _compute_display_name(self):
        for subsidy in self:
            # sudo: an operator's or a prefecture's portal user may not read every partner
            partner = subsidy.partner_id.sudo().name
            # Its number is taken when it is saved.
            code = subsidy.code != "/" and subsidy.code
            subsidy.display_name = " – ".join(filter(None, (code, partner)))

    @api.model_create_multi
    def create(self, vals_list):
        for vals in vals_list:
            if vals.get("code", "/") == "/":
                envelope = self.env["grant.envelope"].browse(vals.get("envelope_id"))
                company = envelope.company_id or self.env.company
                vals["code"] = company._next_grant_number(self, "code")
        return super().create(vals_list)

    def action_view_entries(self):
        """Open the ledger of these subsidies, limited to the kind given in the context."""
        return self.env["grant.entry"]._get_action([("subsidy_id", "in", self.ids)])
