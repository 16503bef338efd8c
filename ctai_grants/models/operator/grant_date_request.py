from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import LazyTranslate, format_date

from ...lib.guard.words import clean, has_words
from ..guard import transition
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

LONGEST_REASON = 5000


class GrantDateRequest(models.Model):
    """What an operator asks for instead of a report: a later end of its action. Agreed, it becomes
    a draft amendment."""

    _name = "grant.date.request"
    _description = "Request for New Dates"
    _inherit = ["grant.document.mixin", "grant.thread.mixin", "mail.activity.mixin"]
    _order = "id desc"
    _rec_name = "subsidy_id"
    _check_company_auto = True

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True,
        check_company=True,
    )  # fmt: skip
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    date_before = fields.Date(string="End Now", readonly=True)
    date_end = fields.Date(string="End Asked", required=True, readonly=True)
    reason = fields.Text(required=True, readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Asked By", required=True, readonly=True, ondelete="restrict"
    )
    state = fields.Selection(
        [("asked", "Asked"), ("agreed", "Agreed"), ("refused", "Refused")],
        required=True, default="asked", readonly=True, tracking=True, index=True,
    )  # fmt: skip
    answer = fields.Text(readonly=True)
    amendment_id = fields.Many2one("grant.amendment", readonly=True, ondelete="set null")

    _one_open = models.UniqueIndex(
        "(subsidy_id) WHERE state = 'asked'", "New dates are asked for already."
    )

    def _ask(self, subsidy, date_end, reason):
        """Ask for a later end of ``subsidy``'s action.

        :param subsidy: in sudo: an operator asks for its own and nothing else
        :return: the request; the same one when the same is asked twice
        :raise UserError: not signed, no later day, no reason, or asked already
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        if not subsidy._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot report on this subsidy."))
        subsidy.lock_for_update(allow_referencing=True)
        subsidy._check_state(("signed",), self.env._("Asking for new dates"))
        if not date_end or date_end <= subsidy.date_end:
            raise UserError(
                self.env._(
                    "Choose a day after the present end (%s).",
                    format_date(self.env, subsidy.date_end),
                )
            )
        if not has_words(reason):
            raise UserError(self.env._("Write why you need more time."))
        # sudo: as above
        open_request = self.sudo().search(
            [("subsidy_id", "=", subsidy.id), ("state", "=", "asked")]
        )
        if open_request:
            if open_request.date_end == date_end:
                return open_request
            raise UserError(self.env._("New dates are asked for already: wait for the answer."))
        # sudo: as above
        request = self.sudo()._record(subsidy, date_end, clean(reason, LONGEST_REASON))
        request._notify()
        return request

    def _record(self, subsidy, date_end, reason):
        vals = {
            "subsidy_id": subsidy.id,
            "date_before": subsidy.date_end,
            "date_end": date_end,
            "reason": reason,
            "user_id": self.env.uid,
        }
        # Nobody types in what somebody else asked.
        return transition.creating(self, [vals]).create(vals)

    def _notify(self):
        coordinator = self.subsidy_id.user_id or self.subsidy_id.contract_id.user_id
        if coordinator:
            self.activity_schedule(
                "ctai_grants.mail_activity_dates",
                user_id=coordinator.id,
                summary=self.env._("Answer: new dates for “%s”", self.subsidy_id.name),
            )

    def action_agree(self):
        """Draft the amendment that gives the later end, and open it.

        :raise UserError: answered already
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Agreeing to new dates")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("asked",), what)
        if self.date_end <= self.subsidy_id.date_end:
            raise UserError(
                self.env._(
                    "%(subsidy)s ends on %(date)s already, not before what was asked for: refuse "
                    "the request, and say so.",
                    subsidy=self.subsidy_id.display_name,
                    date=format_date(self.env, self.subsidy_id.date_end),
                )
            )
        amendment = self.env["grant.amendment"]._draft("subsidy_id", self.subsidy_id)
        amendment.write({"date_end": self.date_end, "reason": self.reason})
        self._transition(state="agreed", amendment_id=amendment.id)
        self.activity_feedback(["ctai_grants.mail_activity_dates"])
        return amendment._get_form_action()

    def action_refuse(self):
        """Ask for the reason, then refuse."""
        return self._ask_reason("refuse_dates")

    @asks_reason("refuse_dates", _lt("Refuse New Dates"))
    def _do_refuse(self, reason):
        """Refuse new dates; the operator reads the reason.

        :raise UserError: answered already
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Refusing new dates")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("asked",), what)
        self._transition(state="refused", answer=reason)
        self.activity_feedback(["ctai_grants.mail_activity_dates"])
