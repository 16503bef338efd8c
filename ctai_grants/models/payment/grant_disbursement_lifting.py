from odoo import api, fields, models

from ..guard.obstacle import Obstacle


class GrantCondition(models.Model):
    """From what blocks a payment to where that is lifted: one click."""

    _inherit = "grant.condition"

    def action_lift(self):
        """Open what lifts this condition: the piece, the account, the dates of the subsidy.

        :return: the action of its form, a window over the page where only fields are to be filled
        """
        self.ensure_one()
        return self._get_obstacle()._get_action(self.env)

    def _get_obstacle(self):
        record, view = self._get_lifted_by()
        return Obstacle(self.evidence, record, view=view)

    def _get_lifted_by(self):
        """What lifts this condition: the record, and its form when it is not the usual one."""
        match self.code:
            case "deliverable":
                return self.deliverable_id, None
            case "bank":
                return self.partner_id.commercial_partner_id, None
            case "executory" | "convention" | "cer":
                return self.subsidy_id, "ctai_grants.grant_subsidy_view_dates"
        return self.subsidy_id, None


class GrantDisbursement(models.Model):
    _name = "grant.disbursement"
    _inherit = ["grant.disbursement", "grant.obstacle.mixin"]

    @api.depends("state", "condition_ids.state", "condition_ids.evidence")
    def _compute_obstacles(self):
        return super()._compute_obstacles()

    def _get_obstacles(self):
        """What forbids certifying this tranche."""
        if self.state not in ("planned", "ready"):
            return []
        unmet = self.condition_ids.filtered(lambda condition: condition.state == "unmet")
        return [condition._get_obstacle() for condition in unmet]


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    next_obstacles = fields.Json(string="Still Missing", compute="_compute_next_obstacles")

    @api.depends("next_disbursement_id", "disbursement_ids.obstacles")
    def _compute_next_obstacles(self):
        for subsidy in self:
            subsidy.next_obstacles = subsidy.next_disbursement_id.obstacles
