from odoo import fields, models


class GrantDeliverable(models.Model):
    """An operator is reminded of a piece until it is handed in, and told what became of it."""

    _inherit = "grant.deliverable"

    unreminded_reason = fields.Char(
        string="Not Reminded Because",
        copy=False,
        tracking=True,
        help="As long as there is a reason, the operator is not mailed about this piece.",
    )
    reminder_ids = fields.One2many("grant.reminder", "deliverable_id", string="Reminders")

    def _notify_submission(self, version):
        # What the coordinator was asked to ask for is there.
        self.activity_unlink(["ctai_grants.mail_activity_late", "ctai_grants.mail_activity_nobody"])
        return super()._notify_submission(version)

    def _do_review(self, decision, states, reason=None):
        res = super()._do_review(decision, states, reason)
        if decision in ("accepted", "waived"):
            self.activity_unlink(
                ["ctai_grants.mail_activity_late", "ctai_grants.mail_activity_nobody"]
            )
        if decision in ("accepted", "to_complete"):
            # Of what was only waived, and is asked for again, nothing was read.
            self.env["grant.reminder"]._tell_decided(self.filtered("last_version_id"))
        return res
