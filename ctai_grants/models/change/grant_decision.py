from odoo import api, fields, models


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    amendment_id = fields.Many2one(
        "grant.amendment", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    decision = fields.Selection(
        selection_add=[("reduced",), ("amended", "Amended"), ("identified",)],
        ondelete={"amended": "cascade"},
    )

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "amendment_id"]
