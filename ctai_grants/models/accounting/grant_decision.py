from odoo import fields, models

DECISIONS = [
    ("returned",),
    ("ordered", "Ordered"),
    ("order_withdrawn", "Order Taken Back"),
    ("paid",),
    ("claimed",),
    ("claim_withdrawn", "Claim Withdrawn"),
    ("collected",),
]


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    decision = fields.Selection(
        selection_add=DECISIONS,
        ondelete=dict.fromkeys(("ordered", "order_withdrawn", "claim_withdrawn"), "cascade"),
    )
