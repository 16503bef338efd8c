from odoo import fields, models

ANSWERS = [
    ("treasury_received", "Received by the Treasury"),
    ("treasury_taken", "Taken in Charge by the Treasury"),
    ("treasury_pending", "Suspended by the Treasury"),
    ("treasury_rejected", "Rejected by the Treasury"),
    ("treasury_settled", "Settled by the Treasury"),
]


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    decision = fields.Selection(
        selection_add=[("order_withdrawn",), *ANSWERS, ("paid",)],
        ondelete={code: "cascade" for code, _label in ANSWERS},
    )
