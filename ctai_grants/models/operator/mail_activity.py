import logging

from odoo import api, fields, models

from ..guard.dates import say_day

_logger = logging.getLogger(__name__)


class MailActivity(models.Model):
    """Who has something to do for a document of ours is mailed by a job, soon after: all of it in
    one mail. Who caused it waits neither for the mail nor for the mail server."""

    _inherit = "mail.activity"

    grant_to_tell = fields.Boolean(string="Mail to Its User Is Awaited", readonly=True)

    def action_notify(self):
        """Mail the users; of what documents of ours ask for, once the job comes to it."""
        later = self.filtered(
            lambda one: (
                one.automated
                and (one.res_model or "").startswith("grant.")
                # Others find it among their messages in Odoo, at once.
                and one.user_id.sudo().notification_type == "email"
            )
        )
        if later:
            # sudo: what the caller just made; it starts no job but this one
            later_sudo = later.sudo()
            later_sudo.grant_to_tell = True
            if cron := later_sudo.env.ref("ctai_grants.ir_cron_tell", False):
                cron._trigger()
        return super(MailActivity, self - later).action_notify()

    @api.model
    def _cron_tell(self):
        """Mail the users what is still to do, each with one mail."""
        waiting = self.search([("grant_to_tell", "=", True)], order="date_deadline, id")
        cron = self.env["ir.cron"]
        cron._commit_progress(remaining=len(waiting))
        for user, tasks in waiting.grouped("user_id").items():
            count = len(tasks)
            try:
                with self.env.cr.savepoint():
                    tasks.exists()._tell(user)
            except Exception:
                # Nobody waits for a mail because another one's cannot be made.
                _logger.exception("The tasks of %s were not mailed", user.login)
            if not cron._commit_progress(count):
                return

    def _tell(self, user):
        """Mail a user those of these tasks that are still to do, a mail for each city."""
        self.grant_to_tell = False
        if not (user.active and user.email):
            return
        tasks = self.filtered(lambda task: task.active and task._get_shown(user))
        cities = tasks.grouped(lambda task: task._get_shown(user).company_id or user.company_id)
        for city, tasks in cities.items():
            tasks._mail_tasks(user, city)

    def _get_shown(self, user):
        """The document of this task, if it is there and its user may still read it."""
        companies = user.company_ids.ids
        document = self.env[self.res_model].with_user(user).browse(self.res_id).exists()
        return document.with_context(allowed_company_ids=companies)._filtered_access("read")

    def _mail_tasks(self, user, city):
        """One mail of all of these, in the language of their user."""
        tasks = self.with_context(lang=user.lang or self.env.lang)
        items = [task._describe_task() for task in tasks]
        title = items[0]["name"]
        if len(items) > 1:
            title = tasks.env._("%s new things to do", len(items))
        values = {
            "city": city,
            "title": title,
            "intro": tasks.env._("this waits for you in the grants of %s.", city.name),
            "items": items,
            "ask": tasks.env._("What is done meanwhile needs nothing more: its task is gone."),
            "why": tasks.env._(
                "You receive this mail because these documents are yours to follow. To read such "
                "tasks in Odoo only, choose so in your preferences."
            ),
        }
        self.env["mail.mail"].create(
            {
                "subject": tasks.env._("%(city)s: %(title)s", city=city.name, title=title),
                "body_html": tasks.env["ir.qweb"]._render("ctai_grants.staff_mail_tasks", values),
                "email_from": city.email_formatted or user.email_formatted,
                "author_id": city.partner_id.id,
                "recipient_ids": user.partner_id.ids,
                "auto_delete": True,
                "headers": {"Auto-Submitted": "auto-generated"},
            }
        )

    def _describe_task(self):
        """What the mail says of a task, and its link: the page of the document, after a login."""
        # sudo: of a document that is its user's to follow, the name and whose it is
        document = self.env[self.res_model].sudo().browse(self.res_id)
        about = document.display_name
        if "subsidy_id" in document and (subsidy := document.subsidy_id):
            about = f"{subsidy.partner_id.name} · {subsidy.name} ({subsidy.code})"
        base = document.get_base_url()
        return {
            "name": self.summary or self.activity_type_id.name,
            "subsidy": about,
            "when": self.env._(
                "To be done by %s",
                say_day(self.env, self.date_deadline),
            ),
            "note": self.note,
            "url": f"{base}/mail/view?model={document._name}&res_id={document.id}",
        }
