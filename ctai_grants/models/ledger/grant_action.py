from odoo import fields, models


class GrantAction(models.Model):
    """One action that a subsidy pays for, as the ledger knows it."""

    _name = "grant.action"
    _description = "Grant Action"
    _inherit = ["grant.document.mixin"]
    _order = "subsidy_id, sequence, id"
    _check_company_auto = True

    name = fields.Char(required=True, portal=True)
    sequence = fields.Integer(default=10, portal=True)
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="cascade", index=True, check_company=True,
        portal=True,
    )  # fmt: skip
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True, portal=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True, portal=True)
