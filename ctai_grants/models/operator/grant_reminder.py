import logging
from typing import NamedTuple

import psycopg2

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, groupby

_logger = logging.getLogger(__name__)

# Operators written to in one transaction, with one set of statements.
BATCH = 100


class Due(NamedTuple):
    """An operator that is to be written to, and the step of each piece that asks for it."""

    company_id: int
    partner_id: int
    #: {id of the piece: days from its due date}
    steps: dict
    #: {(id of the subsidy, end of the period): days from it}: figures that are awaited
    figures: dict


class GrantReminder(models.Model):
    """What an operator was reminded of, and when; and the city, of its own deadlines.

    One row a step of a due date: it is written in the transaction of the mail, and unique, so no
    step is told twice, whatever the scheduled action does. A due date that an amendment moved has
    steps of its own.
    """

    _name = "grant.reminder"
    _description = "Reminder"
    _order = "sent_at desc, id desc"
    _log_access = False
    _rec_name = "step"

    kind = fields.Selection(
        [
            ("piece", "Piece to hand in"),
            ("figures", "Figures to enter"),
            ("payment", "Payment to make"),
            ("publication", "Award to publish"),
        ],
        required=True,
        readonly=True,
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="cascade", index=True
    )
    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", readonly=True, ondelete="cascade", index=True
    )
    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, ondelete="cascade", index=True
    )
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, precompute=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True, precompute=True)
    due_date = fields.Date(required=True, readonly=True)
    days = fields.Integer(
        required=True, readonly=True, aggregator=None,
        help="Of the step, from the due date: below zero before it.",
    )  # fmt: skip
    step = fields.Char(compute="_compute_step")
    sent_at = fields.Datetime(required=True, readonly=True, string="Reminded On")
    recipients = fields.Char(
        string="To", readonly=True, help="Mail addresses; none: nobody could be written to."
    )
    message_id = fields.Many2one("mail.message", string="Mail", readonly=True, ondelete="set null")

    _step_uniq = models.UniqueIndex(
        "(kind, COALESCE(deliverable_id, disbursement_id, subsidy_id), due_date, days)",
        "This was reminded of already.",
    )

    @api.depends("kind", "days", "due_date", "sent_at")
    def _compute_step(self):
        for reminder in self:
            days = reminder.days
            # A deadline of the city's own is told once, at whatever distance it is found.
            if reminder.kind in ("payment", "publication") and reminder.sent_at:
                days = (reminder.sent_at.date() - reminder.due_date).days
            if days < 0:
                reminder.step = self.env._("%(days)s days before", days=-days)
            elif days == 1:
                reminder.step = self.env._("The day after")
            else:
                reminder.step = self.env._("%(days)s days after", days=days)

    def action_open_mail(self):
        """Show the mail as it left.

        :raise UserError: no mail left, or its text is not kept any more
        """
        self.ensure_one().check_access("read")
        if not self.message_id:
            raise UserError(self.env._("No mail is kept of this reminder."))
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Mail to the Operator"),
            "res_model": "grant.reminder.preview",
            # sudo: a mail to an operator is shown to who may read what it is about
            "res_id": self.env["grant.reminder.preview"].sudo()._show(self.sudo()).id,
            "view_mode": "form",
            "target": "new",
        }

    def action_preview(self):
        """Show the mails that would leave to operators today, whatever the hour.

        :raise AccessError: the user is not a coordinator
        """
        self.env["grant.subsidy"]._check_group(
            "group_coordinator", self.env._("Looking at the reminders of today")
        )
        mails = self.env["grant.reminder.preview"]._make()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Reminders of Today"),
            "res_model": mails._name,
            "view_mode": "list,form",
            "domain": [("id", "in", mails.ids)],
            "context": {"create": False, "delete": False},
            "help": self.env._("No operator has to be reminded today."),
        }

    # ------------------------------------------------------------------
    # What is due
    # ------------------------------------------------------------------

    @api.model
    def _get_due(self, at_any_hour=False):
        """Who is to be written to now: a list of :class:`Due`.

        Of each piece the last step that has come, when neither it nor a later one was told: a
        scheduled action that was away for weeks writes once.

        :param at_any_hour: also whom the day or the hour spares
        """
        due = []
        for company in self.env["res.company"].search([("grant_reminders", "=", True)]):
            rows = self.env.execute_query(self._get_due_query(company))
            figures = self.env.execute_query(self._get_figures_query(company))
            partners = self.env["res.partner"].browse({row[0] for row in rows + figures})
            partners.fetch(["tz", "zip"])
            spared = {
                partner.id for partner in partners
                if not (at_any_hour or company._is_reminder_time(partner))
            }  # fmt: skip
            for partner_id, owed in groupby(rows + figures, lambda row: row[0]):
                if partner_id not in spared:
                    steps = {row[1]: row[2] for row in owed if len(row) == 3}
                    awaited = {(row[1], row[2]): row[3] for row in owed if len(row) == 4}
                    due.append(Due(company.id, partner_id, steps, awaited))
        return due

    @api.model
    def _get_due_query(self, company):
        steps, today = company._get_reminder_steps(), company._grant_today()
        self.env.flush_all()
        return SQL(
            """
            SELECT operator.id, piece.id, step.days
              FROM grant_deliverable piece
              JOIN grant_subsidy subsidy ON subsidy.id = piece.subsidy_id
              JOIN res_partner party ON party.id = piece.partner_id
              JOIN res_partner operator ON operator.id = party.commercial_partner_id
        CROSS JOIN LATERAL (SELECT max(days) AS days FROM unnest(%(steps)s) days
                             WHERE piece.due_date + days <= %(today)s) step
             WHERE piece.company_id = %(company)s
               AND piece.due_date BETWEEN %(today)s - %(last)s AND %(today)s - %(first)s
               AND %(open)s
               AND COALESCE(operator.grant_unreminded_reason, '') = ''
               AND %(untold)s
          ORDER BY operator.id, piece.due_date, piece.id
            """,
            steps=steps,
            today=today,
            company=company.id,
            # A week more: what the last step asks for may have to wait for a working day.
            last=steps[-1] + 7,
            first=steps[0],
            open=self._get_open_sql(),
            untold=self._get_untold_sql(SQL("step.days")),
        )

    @api.model
    def _get_open_sql(self):
        return SQL(
            "piece.state IN ('expected', 'to_complete') AND subsidy.state = 'signed'"
            " AND subsidy.active AND COALESCE(piece.unreminded_reason, '') = ''"
        )

    @api.model
    def _get_untold_sql(self, days):
        return SQL(
            "NOT EXISTS (SELECT FROM grant_reminder told WHERE told.deliverable_id = piece.id"
            " AND told.due_date = piece.due_date AND told.days >= %s)",
            days,
        )

    # ------------------------------------------------------------------
    # Reminding
    # ------------------------------------------------------------------

    @api.model
    def _cron_remind(self):
        """Each hour: remind whom it is time for, then the city of its own deadlines."""
        cron = self.env["ir.cron"]
        due = self._get_due()
        cron._commit_progress(remaining=len(due) + 1)
        for _company, dues in groupby(due, lambda one: one.company_id):
            for start in range(0, len(dues), BATCH):
                batch = dues[start : start + BATCH]
                self._remind_safely(batch)
                # Kept at once: what has left is not sent again.
                if not cron._commit_progress(len(batch)):
                    return
        self._watch_deadlines()
        cron._commit_progress(1)

    @api.model
    def _remind_safely(self, batch):
        """Remind a batch; if that fails, one operator after the other, and log who cannot be."""
        try:
            with self.env.cr.savepoint():
                self._remind(batch)
            return
        except psycopg2.errors.UniqueViolation:
            # Somebody else told one of them at this moment: the next hour sees what is left.
            return
        except psycopg2.Error:
            raise
        except Exception as error:
            if len(batch) == 1:
                _logger.exception("Operator %s is not reminded", batch[0].partner_id)
                return
            _logger.warning("A batch of reminders is tried one by one: %s", error)
        for one in batch:
            self._remind_safely([one])

    @api.model
    def _remind(self, batch):
        """Mail each operator of a batch, of one city, about all that it owes; note the steps."""
        # sudo: the scheduled action's, and nothing comes out of here but to the operators
        self = self.sudo()
        steps = self._lock({piece: days for due in batch for piece, days in due.steps.items()})
        pieces = self.env["grant.deliverable"].browse(steps)
        company = self.env["res.company"].browse({due.company_id for due in batch})
        figures = {key: days for due in batch for key, days in due.figures.items()}
        figures = self._lock_figures(company, figures)
        letters = self._make_letters(pieces, figures)
        messages = self._send(letters)
        rows, unreached, late = [], pieces.browse(), pieces.browse()
        for letter in letters:
            for piece in letter.get_pieces() & pieces:
                rows.append(
                    {
                        "kind": "piece", "subsidy_id": piece.subsidy_id.id,
                        "deliverable_id": piece.id, "due_date": piece.due_date,
                        "days": steps[piece.id], "sent_at": fields.Datetime.now(),
                        "recipients": ", ".join(letter.addresses) or False,
                        "message_id": messages[letter.partner].id if letter.addresses else False,
                    }
                )  # fmt: skip
                unreached |= piece if not letter.addresses else piece.browse()
                late |= piece if steps[piece.id] > 0 else piece.browse()
        self.create(rows)
        self._escalate(late - unreached, unreached)
        self._note_figures(letters, messages, figures)

    @api.model
    def _lock(self, steps):
        """Which of these steps are still to be told: none that another transaction is telling, or
        whose piece is being handed in. Nobody hands in before this one ends.

        :param steps: dict {id of the piece: days}
        """
        if not steps:
            return {}
        self.env.flush_all()
        rows = self.env.execute_query(
            SQL(
                "SELECT piece.id, asked.days FROM unnest(%s, %s) asked (id, days)"
                " JOIN grant_deliverable piece ON piece.id = asked.id"
                " JOIN grant_subsidy subsidy ON subsidy.id = piece.subsidy_id"
                " WHERE %s AND %s ORDER BY piece.id FOR NO KEY UPDATE OF piece SKIP LOCKED",
                list(steps), list(steps.values()), self._get_open_sql(),
                self._get_untold_sql(SQL("asked.days")),
            )
        )  # fmt: skip
        return dict(rows)

    @api.model
    def _escalate(self, late, unreached):
        """Leave an activity to the coordinator: of each late piece, and of each that nobody could
        be reminded of; one of a kind a piece."""
        self._leave_activities("late", late, self._say_late)
        self._leave_activities("nobody", unreached, self._say_nobody)

    def _say_late(self):
        return self.env._("Late: ask the operator")

    def _say_nobody(self):
        return self.env._("Nobody to write to")

    @api.model
    def _leave_activities(self, name, documents, say, today=None):
        """One activity of a kind on each document that has none, in one go.

        :param str name: of the kind
        :param say: method of this model: what is to be done, in the language of who does it
        :param today: by when, if not by the day of :meth:`_get_task`
        """
        activities = self.env["mail.activity"]
        kind = self.env.ref(f"ctai_grants.mail_activity_{name}")
        having = activities.search_fetch(
            [
                ("res_model", "=", documents._name), ("res_id", "in", documents.ids),
                ("activity_type_id", "=", kind.id),
            ],
            ["res_id"],
        )  # fmt: skip
        documents -= documents.browse(having.mapped("res_id"))
        model = self.env["ir.model"]._get_id(documents._name)
        vals_list = []
        for document in documents:
            user, day = self._get_task(document)
            if user:
                vals_list.append(
                    {
                        "res_model_id": model, "res_id": document.id, "user_id": user.id,
                        "activity_type_id": kind.id, "date_deadline": today or day,
                        "automated": True,
                        "summary": getattr(self.with_context(lang=user.lang), say.__name__)(),
                    }
                )  # fmt: skip
        # No mail each: they stand in the coordinator's list.
        activities.with_context(mail_activity_quick_update=True).create(vals_list)

    @api.model
    def _get_task(self, document):
        """Who has to do something about a document, and by when."""
        return document.subsidy_id._get_coordinator(), document.company_id._grant_today()
