from odoo import fields, models


class GrantCondition(models.Model):
    """From what blocks a payment to where that is lifted: one click."""

    _inherit = "grant.condition"

    def action_lift(self):
        """Open what lifts this condition: the piece, the account, the dates of the subsidy.

        :return: the action of its form, a window over the page where only fields are to be filled
        """
        self.ensure_one()
        record, view, target = self._get_lifted_by()
        return {
            "type": "ir.actions.act_window",
            "name": self.display_name,
            "res_model": record._name,
            "res_id": record.id,
            "views": [(view and self.env.ref(f"ctai_grants.{view}").id, "form")],
            "target": target,
        }

    def _get_lifted_by(self):
        """What lifts this condition: the record, its form when it is not the usual one, and where
        that opens."""
        match self.code:
            case "deliverable":
                return self.deliverable_id, False, "current"
            case "bank":
                return self.partner_id.commercial_partner_id, False, "current"
            case "executory" | "convention" | "cer":
                return self.subsidy_id, "grant_subsidy_view_dates", "new"
        return self.subsidy_id, False, "current"


class GrantDisbursement(models.Model):
    _inherit = "grant.disbursement"

    unmet_condition_ids = fields.One2many(
        "grant.condition", string="Still Missing", compute="_compute_unmet_condition_ids"
    )

    def _compute_unmet_condition_ids(self):
        for disbursement in self:
            waits = disbursement.state in ("planned", "ready")
            unmet = disbursement.condition_ids.filtered(lambda one: one.state == "unmet")
            disbursement.unmet_condition_ids = waits and unmet


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    next_condition_ids = fields.One2many(
        "grant.condition", string="Still Missing", compute="_compute_next_condition_ids"
    )

    def _compute_next_condition_ids(self):
        for subsidy in self:
            subsidy.next_condition_ids = subsidy.next_disbursement_id.unmet_condition_ids
