from odoo import fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ...lib.guard.words import clean
from ..guard.grant_acting_mixin import asks_reason
from .grant_amendment import BUDGET
from .grant_date_request_asking import LONGEST_REASON

_lt = LazyTranslate(__name__)


class GrantDateRequest(models.Model):
    """Answering, always in words and never by who asked: the coordinator's side. What is agreed
    becomes a draft amendment, or leads to the tranche; nothing is signed or certified here."""

    _inherit = "grant.date.request"

    def _get_reason_title(self, title):
        return f"{title} – {self.display_name}"

    def action_agree(self):
        """Ask for the answer, then agree."""
        return self._ask_reason("agree_request")

    @asks_reason("agree_request", _lt("Agree"))
    def _do_agree(self, reason):
        """Agree, with an answer that the operator reads.

        :return: the action that opens the draft amendment, or the tranche to certify
        :raise UserError: answered already, a question, or what it asks for cannot be any more
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Agreeing to a request")
        self._begin_answer(what)
        if self.kind == "question":
            raise UserError(self.env._("%s: answer it, in words.", self.display_name))
        made = getattr(self, f"_agree_{self.kind}")()
        amendment = made if made._name == "grant.amendment" else self.amendment_id
        self._settle("agreed", reason, amendment_id=amendment.id)
        return made.get_formview_action()

    def action_refuse(self):
        """Ask for the reason, then refuse."""
        return self._ask_reason("refuse_request")

    @asks_reason("refuse_request", _lt("Refuse"))
    def _do_refuse(self, reason):
        """Refuse, with a reason that the operator reads; raises as :meth:`_do_agree`."""
        self._begin_answer(self.env._("Refusing a request"))
        if self.kind == "question":
            raise UserError(self.env._("%s: answer it, in words.", self.display_name))
        self._settle("refused", reason)

    def action_answer(self):
        """Ask for the answer, then send it."""
        return self._ask_reason("answer_request")

    @asks_reason("answer_request", _lt("Answer"))
    def _do_answer(self, reason):
        """Answer a question; raises as :meth:`_do_agree`."""
        self._begin_answer(self.env._("Answering a question"))
        if self.kind != "question":
            raise UserError(self.env._("%s: agree to it, or refuse it.", self.display_name))
        self._settle("answered", reason)

    def _begin_answer(self, what):
        self.ensure_one()
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("asked",), what)
        # sudo: whose logins they are
        if self.env["grant.review"]._is_among(self.sudo().user_id, self.env.user):
            raise UserError(
                self.env._(
                    "%(what)s: you asked for it yourself. For %(request)s, somebody else has to "
                    "answer.",
                    what=what,
                    request=self.display_name,
                )
            )

    def _settle(self, state, answer=None, **vals):
        self._transition(
            state=state,
            answer=clean(answer, LONGEST_REASON) or False,
            settled_by_id=self.env.uid,
            settled_at=fields.Datetime.now(),
            **vals,
        )
        # sudo: an operator ends what it asked of somebody else
        self.sudo().activity_ids.action_feedback()
        if answer:
            self._tell_answered()

    # ------------------------------------------------------------------
    # What each kind becomes
    # ------------------------------------------------------------------

    def _draft_amendment(self, reason=None):
        amendment = self.env["grant.amendment"]._draft("subsidy_id", self.subsidy_id)
        amendment.reason = reason or self.reason
        return amendment

    def _agree_dates(self):
        if self.date_end <= self.subsidy_id.date_end:
            raise UserError(
                self.env._(
                    "%(subsidy)s ends on %(date)s already, not before what was asked for: refuse "
                    "the request, and say so.",
                    subsidy=self.subsidy_id.display_name,
                    date=format_date(self.env, self.subsidy_id.date_end),
                )
            )
        amendment = self._draft_amendment()
        amendment.date_end = self.date_end
        return amendment

    def _agree_split(self):
        budget = {line.id: line.amount for line in self.subsidy_id.budget_line_ids}
        said = {line.budget_line_id.id: line.amount_before for line in self.line_ids}
        said.pop(False, None)
        if budget != said:
            raise self._get_overtaken()
        amendment = self._draft_amendment()
        lines = {line.item_id: line for line in amendment.budget_line_ids}
        for line in self.line_ids:
            if line.budget_line_id:
                lines[line.budget_line_id.id].amount = line.amount
            elif line.amount:
                amendment.line_ids.create(
                    {
                        "amendment_id": amendment.id,
                        "item_model": BUDGET,
                        "name": line.account_id.display_name,
                        "budget_account_id": line.account_id.id,
                        "amount": line.amount,
                    }
                )
        return amendment

    def _agree_action(self):
        if self.action_id and self.currency_id.compare_amounts(
            self.action_id.amount, self.amount_before
        ):
            raise self._get_overtaken()
        # A line of an amendment has a name: the description is its object.
        amendment = self._draft_amendment(
            self.env._("New action “%(title)s”: %(reason)s", title=self.title, reason=self.reason)
        )
        taken = amendment.action_line_ids.filtered(lambda line: line.item_id == self.action_id.id)
        taken.amount = self.currency_id.round(taken.amount - self.amount)
        amendment.line_ids.create(
            {
                "amendment_id": amendment.id,
                "item_model": "grant.action",
                "name": self.title,
                "amount": self.amount,
            }
        )
        return amendment

    def _agree_tranche(self):
        tranche = self.disbursement_id
        if tranche.state in ("planned", "ready"):
            # Says what is missing; who may certifies it there, and nobody here.
            tranche.action_check()
        elif tranche.state not in ("certified", "ordered", "paid"):
            raise self._get_overtaken()
        return tranche

    def _get_overtaken(self):
        return UserError(
            self.env._(
                "%(request)s: %(subsidy)s has changed since this was asked for. Refuse the "
                "request, and say what to ask for now.",
                request=self._get_kind_label(),
                subsidy=self.subsidy_id.display_name,
            )
        )

    # ------------------------------------------------------------------
    # Telling
    # ------------------------------------------------------------------

    def _tell_answered(self):
        """Write the answer to the operator."""
        # sudo: who answers need not be allowed to read who has a login
        told = self.sudo()
        reminders = told.env["grant.reminder"]
        reminders._send(reminders._address(told, self._write_answer))

    def _write_answer(self, requests):
        """Title, template and values of the mail; ``requests`` has its language."""
        request, env = requests[0], requests.env
        about = {"kind": request._get_kind_label()}
        match request.state:
            case "answered":
                title = env._("The city answers your question")
            case "agreed":
                title = env._("The city agrees: %(kind)s", **about)
            case _:
                title = env._("The city does not agree: %(kind)s", **about)
        piece = request.deliverable_id
        subsidy = request.subsidy_id
        item = {
            "name": piece.name or about["kind"],
            "subsidy": f"{subsidy.name} ({subsidy.code})",
            "asked": request.reason,
            "answer": request.answer,
            "url": f"{request.get_base_url()}/my/subsidies/{subsidy.id}/asks",
        }
        intro = env._("here is the answer of %(city)s to what %(operator)s asked.")
        return title, "operator_mail_answer", {"intro": intro, "items": [item]}
