import datetime

from markupsafe import Markup, escape

from odoo import api, fields, models
from odoo.fields import Domain

ACTIVITY = "ctai_grants.mail_activity_closing"
#: Days: after an end, until when somebody is asked to close; and what they are given for it.
LATEST, DELAY = 60, 30


class GrantClosingMixin(models.AbstractModel):
    """What has an end and is closed after it: what is still open, and who closes it."""

    _name = "grant.closing.mixin"
    _description = "Document to Close"

    _closing_state = None

    closing_checklist = fields.Html(
        string="Open before the Closing",
        compute="_compute_closing_checklist",
        help="What has to be settled before it is closed, and who does it: one a line.",
    )
    closing_task_date = fields.Date(string="Closing Tasks Made On", readonly=True, copy=False)

    @api.depends("state")
    def _compute_closing_checklist(self):
        for document in self:
            tasks = document._get_closing_tasks() if document.id else []
            document.closing_checklist = Markup("<br/>").join(
                # sudo: the name of a colleague
                Markup("%s – %s") % (sentence, user.sudo().name) if user else sentence
                for sentence, user in tasks
            )

    def _get_closing_tasks(self):
        """What is open before this document can be closed: list of (sentence, who closes it);
        empty when it is not there to be closed."""
        raise NotImplementedError

    @api.model
    def _say_open(self, tasks):
        """Of (documents, sentence that names them, user): those that there are; each name opens
        its document."""
        link = Markup('<a href="/odoo/%s/%s">%s</a>')
        return [
            (
                escape(sentence)
                % {
                    "documents": Markup(", ").join(
                        link % (document._name, document.id, document.display_name)
                        for document in documents
                    )
                },
                user,
            )
            for documents, sentence, user in tasks
            if documents
        ]

    @api.model
    def _cron_ask_closing(self):
        """Each night: who has something to close is told, once an end."""
        for name in ("grant.subsidy", "grant.contract"):
            documents = self.env[name]
            ended = Domain("state", "=", documents._closing_state) & self.env[
                "res.company"
            ]._get_grant_today_domain(lambda today: Domain("date_end", "<", today))
            documents.search(ended)._ask_closing()

    def _ask_closing(self):
        # An amendment may have moved the end since.
        for document in self.filtered(
            lambda d: not d.closing_task_date or d.closing_task_date <= d.date_end
        ):
            today = document.company_id._grant_today()
            # What ended long before this was asked for is found in the lists.
            if document.date_end >= today - datetime.timedelta(days=LATEST):
                for user in {user for _sentence, user in document._get_closing_tasks() if user}:
                    document.with_context(lang=user.lang)._schedule_closing(user, today)
            document._transition(closing_task_date=today)

    def _schedule_closing(self, user, today):
        sentences = [sentence for sentence, who in self._get_closing_tasks() if who == user]
        self.activity_schedule(
            ACTIVITY,
            user_id=user.id,
            date_deadline=today + datetime.timedelta(days=DELAY),
            summary=self.env._("Close %s", self.display_name),
            note=Markup("<br/>").join(sentences),
        )
