from odoo import api, fields, models

# What a tranche waits for (R4).
CONDITIONS = [
    ("signed", "Subsidy in force"),
    ("executory", "Council's decision executory"),
    ("convention", "Convention signed"),
    ("cer", "Contrat d'engagement républicain signed"),
    ("bank", "Bank account verified"),
    ("deliverable", "Piece accepted"),
]
DECISIONS = [
    ("overridden", "Condition Overridden"),
    ("certified", "Certified"),
    ("returned", "Returned"),
    ("paid", "Paid Out"),
    ("unpaid", "Payment Cancelled"),
]


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, ondelete="restrict",
        index="btree_not_null",
    )  # fmt: skip
    decision = fields.Selection(
        selection_add=DECISIONS, ondelete={code: "cascade" for code, _label in DECISIONS}
    )
    condition = fields.Selection(CONDITIONS, readonly=True)

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "disbursement_id"]
