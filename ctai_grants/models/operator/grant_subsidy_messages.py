import datetime

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import LazyTranslate

from ...lib.guard.words import clean, has_words
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

LONGEST_MESSAGE = 4000
#: Messages that the people of an operator may write about one subsidy within an hour.
MOST_MESSAGES = 20
ACTIVITY = "ctai_grants.mail_activity_message"


class GrantSubsidy(models.Model):
    """The conversation of the city and the operator about a subsidy (:mod:`grant_message`)."""

    _inherit = "grant.subsidy"

    exchange_ids = fields.One2many(
        "grant.message", "subsidy_id", string="Messages with the Operator"
    )
    access_ids = fields.One2many(
        related="partner_id.commercial_partner_id.grant_access_ids", string="Who May Act",
        groups="ctai_grants.group_reader",
    )  # fmt: skip

    def _has_messages(self, user):
        """Whether ``user`` reads and writes the messages of this subsidy (in sudo) on the portal:
        its operator, and not the prefecture."""
        self.ensure_one()
        return self.kind == "operator" and self._can_submit(user)

    def action_write_to_operator(self):
        """Ask for a message to the operator."""
        return self._ask_reason("write_to_operator")

    @asks_reason("write_to_operator", _lt("Write to the Operator"))
    def _do_write_to_operator(self, text):
        """Write to the operator, who gets a mail and reads it on the portal.

        :raise UserError: of no operator, or too long
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        self._check_staff(self.env._("Writing to an operator"))
        for subsidy in self:
            subsidy.check_access("read")
            # sudo: lines are added by this method alone; the user reads the subsidy and is staff
            subsidy.sudo()._add_message(text, by_city=True)

    def _write_to_city(self, text):
        """Write to the city, as the operator on the portal.

        :return: the message; the one before when it says the same: a second click
        :raise UserError: nothing to read, too long, or too many
        :raise AccessError: the user does not act for the operator
        """
        self.ensure_one()
        # sudo: whose subsidy it is
        subsidy = self.sudo()
        if self.env.user._is_internal() or not subsidy._has_messages(self.env.user):
            raise AccessError(self.env._("You cannot write about this subsidy."))
        return subsidy._add_message(text, by_city=False)

    def _add_message(self, text, by_city):
        """Add a message: in sudo, of who was checked."""
        if self.kind != "operator" or self.state in ("draft", "cancelled"):
            raise UserError(
                self.env._("%s: there is no operator to write with.", self.display_name)
            )
        text = self._check_message(text)
        if again := self._find_again(text, by_city):
            return again
        message = self.env["grant.message"]._append(
            {
                "subsidy_id": self.id,
                "company_id": self.company_id.id,
                "user_id": self.env.uid,
                "author": self.env.user.name,
                "by_city": by_city,
                "text": text,
                "sent_at": fields.Datetime.now(),
            }
        )
        if by_city:
            self.env["grant.reminder"]._tell_message(message)
            self.activity_feedback([ACTIVITY])
        else:
            self._ask_coordinator()
        return message

    def _check_message(self, text):
        """A message as it is kept: without what controls a screen.

        :raise UserError: nothing to read, or too long
        """
        text = clean(text, LONGEST_MESSAGE + 1)
        if not has_words(text):
            raise UserError(self.env._("Write your message first."))
        if len(text) > LONGEST_MESSAGE:
            raise UserError(
                self.env._(
                    "The message is too long: %s characters at most. Shorten it, or send it in two "
                    "messages.",
                    LONGEST_MESSAGE,
                )
            )
        return text

    def _find_again(self, text, by_city):
        """The same message, of the same user, a moment ago.

        :raise UserError: an operator that writes without end
        """
        now = fields.Datetime.now()
        recent = self.env["grant.message"].search(
            [
                ("subsidy_id", "=", self.id), ("by_city", "=", by_city),
                ("sent_at", ">", now - datetime.timedelta(hours=1)),
            ]
        )  # fmt: skip
        same = recent.filtered(
            lambda message: message.text == text and message.user_id == self.env.user
            and message.sent_at > now - datetime.timedelta(minutes=10)
        )  # fmt: skip
        if not same and not by_city and len(recent) >= MOST_MESSAGES:
            raise UserError(
                self.env._(
                    "You have written %s messages within an hour. The city reads them: wait for "
                    "its answer.",
                    len(recent),
                )
            )
        return same[-1:]

    def _ask_coordinator(self):
        """One activity until somebody answers; Odoo mails it to whom it is for."""
        coordinator = self._get_coordinator()
        waiting = self.activity_search([ACTIVITY])
        if coordinator and not waiting:
            self.activity_schedule(
                ACTIVITY,
                user_id=coordinator.id,
                summary=self.env._("The operator has written: read it, and answer"),
            )
