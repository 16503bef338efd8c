from odoo import api, fields, models


class GrantStatementCheck(models.Model):
    """A control of a statement, as it was when it was issued: two figures that should be one."""

    _name = "grant.statement.check"
    _description = "Control of a Statement"
    _inherit = ["grant.append.only.mixin"]
    _order = "statement_id, id"
    _log_access = False

    statement_id = fields.Many2one(
        "grant.statement", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    name = fields.Char(string="Control", required=True, readonly=True)
    found = fields.Char(string="In the Statement", required=True, readonly=True)
    expected = fields.Char(string="Found Elsewhere", required=True, readonly=True)
    is_held = fields.Boolean(string="Holds", required=True, readonly=True)

    @api.model
    def _get_chained_fields(self):
        return ["statement_id"]
