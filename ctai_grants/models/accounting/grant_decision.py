from odoo import api, fields, models

DECISIONS = [
    ("returned",),
    ("ordered", "Ordered"),
    ("order_withdrawn", "Order Taken Back"),
    ("paid",),
    ("claimed",),
    ("claim_withdrawn", "Claim Withdrawn"),
    ("collected",),
    ("set_off", "Set Off"),
    ("set_off_undone", "Set-Off Undone"),
    ("cost_account", "Analytic Account Changed"),
]
OWN = ("ordered", "order_withdrawn", "claim_withdrawn", "set_off", "set_off_undone", "cost_account")


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    set_off_id = fields.Many2one(
        "grant.set.off", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    decision = fields.Selection(
        selection_add=DECISIONS, ondelete=dict.fromkeys(OWN, "cascade")
    )

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "set_off_id"]
