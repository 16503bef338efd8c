from odoo import Command, models
from odoo.exceptions import UserError

from ...lib.award.renewal import move


class GrantSubsidy(models.Model):
    """The tranches of a subsidy follow it: into a copy, and to another amount."""

    _inherit = "grant.subsidy"

    def _copy_schedule(self, copied):
        pieces = super()._copy_schedule(copied)
        years = self._get_years_until(copied)
        for tranche in self._get_scheduled():
            own = [pieces[piece].id for piece in tranche.deliverable_ids]
            tranche.copy(
                {
                    "subsidy_id": copied.id,
                    "due_date": move(tranche.due_date, years),
                    "deliverable_ids": [Command.set(own)],
                    "note": False,
                }
            )
        return pieces

    def _get_scheduled(self):
        """The tranches that are its schedule in the end. What was cancelled in the course of its
        closing was part of it, the last first, as far as the amount goes: what an amendment or
        somebody put another in the place of was not any more."""
        cancelled = self.disbursement_ids.filtered(lambda t: t.state == "cancelled")
        scheduled = self.disbursement_ids - cancelled
        if self.state != "closed":
            return scheduled
        for tranche in cancelled.sorted(lambda t: max(t.decision_ids.ids, default=0), reverse=True):
            total = sum((scheduled | tranche).mapped("amount"))
            if self.currency_id.compare_amounts(total, self.amount) <= 0:
                scheduled |= tranche
        return scheduled.sorted()

    def action_rescale(self):
        """Bring the tranches to the amount, each by its share; the last takes what rounding leaves.

        :raise UserError: signed, no tranche, or an amount too small for as many
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Rescaling the tranches")
        self._check_group("group_coordinator", what)
        self._check_state(("draft", "granted"), what)
        for subsidy in self:
            subsidy._check_filled(["amount", "disbursement_ids"])
            subsidy._rescale()
        return True

    def _rescale(self):
        tranches = self.disbursement_ids.filtered(lambda t: t.state != "cancelled").sorted()
        before, left, amounts = self._get_planned_amount(), self.amount, {}
        for tranche in tranches[:-1]:
            amounts[tranche] = self.currency_id.round(self.amount * tranche.amount / before)
            left -= amounts[tranche]
        amounts[tranches[-1:]] = self.currency_id.round(left)
        if min(amounts.values()) <= 0:
            raise UserError(
                self.env._(
                    "%(subsidy)s: %(amount)s is too little for %(number)s tranches. Delete some "
                    "first.",
                    subsidy=self.display_name,
                    amount=self.currency_id.format(self.amount),
                    number=len(tranches),
                )
            )
        for tranche, amount in amounts.items():
            tranche.amount = amount

    def action_reapply_template(self):
        """Make the schedule anew from the template: tranches, milestones and pieces.

        :raise UserError: no template, signed, or something of the schedule is in use
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Applying a schedule template")
        self._check_group("group_coordinator", what)
        self._check_state(("draft", "granted"), what)
        for subsidy in self:
            subsidy._check_filled(["template_id", "amount"])
            subsidy.disbursement_ids.unlink()
            subsidy.milestone_ids.unlink()
        return self.action_apply_template()
