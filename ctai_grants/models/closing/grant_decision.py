from odoo import api, fields, models

from .grant_condition import CONDITIONS

DECISIONS = [
    ("reduced", "Reduced"),
    ("identified", "Identified"),
    ("notified", "Notified"),
    ("observed", "Observations Received"),
    ("decided", "Decided"),
    ("claimed", "Claimed"),
    ("collected", "Collected"),
    ("collected_part", "Collected in Part"),
]


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    report_id = fields.Many2one(
        "grant.financial.report", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    recovery_id = fields.Many2one(
        "grant.recovery", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    decision = fields.Selection(
        selection_add=DECISIONS, ondelete={code: "cascade" for code, _label in DECISIONS}
    )
    condition = fields.Selection(selection_add=CONDITIONS)

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "report_id", "recovery_id"]
