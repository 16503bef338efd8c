from odoo import api, fields, models

from ..guard import transition


class GrantDisbursement(models.Model):
    """Tranches that a signed subsidy gets besides those it was signed with."""

    _inherit = "grant.disbursement"

    # What the finance software asks for with each order.
    engagement_number = fields.Char(related="subsidy_id.engagement_number")
    budget_chapter = fields.Char(related="subsidy_id.budget_chapter")
    budget_function = fields.Char(related="subsidy_id.budget_function")
    budget_service = fields.Char(related="subsidy_id.budget_service")

    @api.model_create_multi
    def create(self, vals_list):
        """Once signed, the schedule is part of what was signed (R4): a finance manager alone
        completes one that was signed without all its tranches."""
        self.env["grant.entry"]._begin_making(vals_list)
        # An amendment's other lines may make the room; it has looked at them all.
        is_amendment = transition.is_open(self)
        disbursements = super().create(vals_list)
        disbursements._check_added(check_total=not is_amendment)
        return disbursements

    def write(self, vals):
        before = {disbursement: disbursement.subsidy_id for disbursement in self}
        result = super().write(vals)
        if "subsidy_id" in vals:
            self.filtered(lambda d: d.subsidy_id != before[d])._check_added()
        return result

    @api.model
    def _get_looked_at(self):
        """Names of the fields that the total of a schedule and the conditions look at."""
        return ["subsidy_id", "kind", "amount", "state"]

    def _check_added(self, check_total=True):
        """Refuse these tranches of signed subsidies from who may not add them, and beyond the
        amount of the subsidy.

        :raise UserError: naming the subsidy and both amounts
        :raise AccessError: the user is not a finance manager
        """
        signed = self.filtered(lambda d: d.subsidy_id.state not in ("draft", "granted"))
        if signed:
            signed._check_group(
                "group_finance_manager", self.env._("Adding a tranche to a signed subsidy")
            )
            # An amendment signed meanwhile adds up the tranches, and so does who adds one: one of
            # us waits, and sees the other's.
            signed.subsidy_id.lock_for_update(allow_referencing=True)
            signed.envelope_id._touch()
            if check_total:
                signed.subsidy_id._check_schedule_total()
