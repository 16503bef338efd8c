from odoo import api, fields, models


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", readonly=True, ondelete="restrict",
        index="btree_not_null",
    )  # fmt: skip
    version_id = fields.Many2one("grant.deliverable.version", readonly=True, ondelete="restrict")
    decision = fields.Selection(
        selection_add=[
            ("accepted", "Accepted"),
            ("to_complete", "To Complete"),
            ("waived", "Waived"),
            ("taken_back", "Taken Back"),
            ("purged", "Files Purged"),
        ],
        ondelete={
            "accepted": "cascade",
            "to_complete": "cascade",
            "waived": "cascade",
            "taken_back": "cascade",
            "purged": "cascade",
        },
    )

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "deliverable_id"]
