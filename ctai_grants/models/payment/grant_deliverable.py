from odoo import api, fields, models


class GrantDeliverable(models.Model):
    _inherit = "grant.deliverable"

    disbursement_ids = fields.Many2many(
        "grant.disbursement",
        "grant_disbursement_deliverable_rel",
        string="Unlocks",
        copy=False,
        wakes="_get_tranches",
        help="The tranches that wait for this piece.",
    )
    state = fields.Selection(wakes="_get_tranches")

    @api.model
    def _get_decision_states(self):
        # A tranche does without it: the piece stays what it is.
        return {**super()._get_decision_states(), "overridden": None}

    def _get_tranches(self):
        return self.disbursement_ids

    @api.constrains("milestone_id", "disbursement_ids")
    def _check_disbursements(self):
        self.disbursement_ids._check_deliverables()

    @api.model_create_multi
    def create(self, vals_list):
        pieces = super().create(vals_list)
        # What was certified was so under the conditions of its day.
        pieces.disbursement_ids._check_state(("planned", "ready"), self.env._("Adding a condition"))
        return pieces

    def _get_frozen_fields(self):
        # Where the milestone is fixed, so is what depends on the piece.
        frozen = super()._get_frozen_fields()
        return frozen | {"disbursement_ids"} if frozen else frozen

    def _is_needed(self):
        signed = self.subsidy_id.state not in ("draft", "granted")
        return super()._is_needed() or bool(self.disbursement_ids and signed)
