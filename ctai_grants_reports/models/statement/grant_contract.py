from odoo import fields, models


class GrantContract(models.Model):
    """The statements of a contract."""

    _inherit = "grant.contract"

    statement_ids = fields.One2many("grant.statement", "contract_id", string="Statements")
    statement_count = fields.Integer(compute="_compute_statement_count")

    def _compute_statement_count(self):
        counts = dict(
            self.env["grant.statement"]._read_group(
                [("contract_id", "in", self.ids)], ["contract_id"], ["__count"]
            )
        )
        for contract in self:
            contract.statement_count = counts.get(contract._origin, 0)

    def action_view_statements(self):
        """Open the statements of this contract."""
        self.ensure_one()
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants_reports.grant_statement_action"
        )
        return {
            **action,
            "domain": [("contract_id", "=", self.id)],
            "context": {"default_contract_id": self.id},
        }
