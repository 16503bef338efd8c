from odoo import api, fields, models


class MailActivity(models.Model):
    """Who has something to do for a document of ours is mailed by a job, soon after: who caused it
    waits neither for the mail nor for the mail server."""

    _inherit = "mail.activity"

    grant_to_tell = fields.Boolean(string="Mail to Its User Is Awaited", readonly=True)

    def action_notify(self):
        """Mail the users; of what documents of ours ask for, once the job comes to it."""
        later = self.browse()
        if not self.env.context.get("grant_telling"):
            later = self.filtered(lambda one: one.automated and one.res_model.startswith("grant."))
        if later:
            # sudo: what the caller just made; it starts no job but this one
            later_sudo = later.sudo()
            later_sudo.grant_to_tell = True
            if cron := later_sudo.env.ref("ctai_grants.ir_cron_tell", False):
                cron._trigger()
        return super(MailActivity, self - later).action_notify()

    @api.model
    def _cron_tell(self):
        """Mail the users of what is still to do; one mail is lost, or sent twice, with no other."""
        waiting = self.search([("grant_to_tell", "=", True)], order="id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(waiting))
        for activity in waiting:
            activity.grant_to_tell = False
            activity.with_context(grant_telling=True).action_notify()
            if not cron._commit_progress(1):
                return
