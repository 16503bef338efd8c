from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import format_date

from ...lib.guard.words import clean, has_words
from ..guard.dates import say_day

LONGEST_ANSWER = 20000
ACTIVITY = "ctai_grants.mail_activity_observations"


class GrantRecovery(models.Model):
    """The operator answers a recovery on the portal, once, before anything is decided (CRPA, art.
    L121-1 and L122-1). What it said stays: a decision, append-only, and sealed fields."""

    _inherit = "grant.recovery"

    portal_answer = fields.Text(string="Answer on the Portal", readonly=True, copy=False)
    portal_answered_at = fields.Datetime(string="Answered At", readonly=True, copy=False)
    portal_answered_by_id = fields.Many2one(
        "res.users", string="Answered By", readonly=True, copy=False, ondelete="restrict"
    )

    def _is_answerable(self):
        """Whether the operator can still answer here: told, within its delay, not yet."""
        self.ensure_one()
        return (
            self.state == "notified" and not self.portal_answered_at
            and self.company_id._grant_today() <= self.answer_deadline
        )  # fmt: skip

    def _say_delay(self):
        """What becomes of this notified recovery, for its operator, and whose turn it is: a state
        of the timeline."""
        self.ensure_one()
        if self._is_answerable():
            note = self.env._("You can answer until this day; nothing is decided before.")
            return note, "to_come"
        if self.portal_answered_at:
            day = format_date(self.env, self.portal_answered_at)
            note = self.env._("You answered on %s: the city reads it before it decides.", day)
            return note, "city"
        return self.env._("The delay to answer is over: the city decides."), "city"

    def _get_steps(self):
        """What the operator may do for these notified recoveries while the delay runs: as
        ``grant.deliverable`` ``_get_steps``."""
        return [
            {
                "subsidy": recovery.subsidy_id,
                "piece": False,
                "date": recovery.answer_deadline,
                "late": False,
                "sentence": recovery.env._(
                    "The city considers asking you to pay back %(amount)s: you can answer its "
                    "letter until %(date)s.",
                    amount=recovery.currency_id.format(recovery.amount),
                    date=say_day(recovery.env, recovery.answer_deadline),
                ),
                "gain": False,
                "answer": False,
                "url": f"/my/subsidies/{recovery.subsidy_id.id}/recoveries/{recovery.id}",
                "button": recovery.env._("Answer the letter"),
            }
            for recovery in self.filtered(lambda recovery: recovery._is_answerable())
        ]

    def _answer(self, text):
        """Record what the operator answers, and tell who decides.

        :raise UserError: not notified, the delay is over, answered already, or nothing to read
        :raise AccessError: the user does not act for the operator
        """
        self.ensure_one()
        # sudo: whose recovery it is; no portal user reads recoveries but on the page
        recovery = self.sudo()
        user = self.env.user
        if user._is_internal() or not recovery.subsidy_id._can_submit(user):
            raise AccessError(self.env._("You cannot answer this letter."))
        recovery._lock_in_turn()
        sent = (user, clean(text, LONGEST_ANSWER))
        if sent == (recovery.portal_answered_by_id, recovery.portal_answer):
            # A second click.
            return
        recovery._check_answerable()
        text = recovery._check_answer(text)
        recovery._decide(
            "observed",
            text,
            observations="\n\n".join(filter(None, (recovery.observations, text))),
            portal_answer=text,
            portal_answered_at=fields.Datetime.now(),
            portal_answered_by_id=user.id,
        )
        recovery._tell_deciders()

    def _check_answerable(self):
        if self.portal_answered_at:
            raise UserError(
                self.env._(
                    "%(recovery)s was answered already, on %(date)s: the answer stays as it is. To "
                    "add to it, write to the city.",
                    recovery=self.name,
                    date=format_date(self.env, self.portal_answered_at),
                )
            )
        if not self._is_answerable():
            raise UserError(
                self.env._(
                    "%(recovery)s: the delay to answer ended on %(date)s. Write to the city "
                    "without waiting: it may still read you before it decides.",
                    recovery=self.name,
                    date=format_date(self.env, self.answer_deadline),
                )
            )

    def _check_answer(self, text):
        text = clean(text, LONGEST_ANSWER + 1)
        if not has_words(text):
            raise UserError(self.env._("Write your answer first."))
        if len(text) > LONGEST_ANSWER:
            raise UserError(
                self.env._(
                    "The answer is too long: %s characters at most. Send a longer one by post.",
                    LONGEST_ANSWER,
                )
            )
        return text

    def _tell_deciders(self):
        """An activity for who follows the subsidy, and for who decides."""
        subsidy = self.subsidy_id
        for user in subsidy._get_coordinator() | subsidy._get_finance_officer():
            self.activity_schedule(
                ACTIVITY,
                user_id=user.id,
                date_deadline=self.answer_deadline,
                summary=self.env._("The operator has answered: read it before deciding"),
            )

    def _decide(self, decision, reason=None, details=None, **values):
        result = super()._decide(decision, reason, details, **values)
        if decision in ("decided", "waived"):
            self.activity_feedback([ACTIVITY])
        return result
