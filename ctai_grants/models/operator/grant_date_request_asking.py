import datetime

from psycopg2.errors import UniqueViolation

from odoo import fields, models
from odoo.exceptions import AccessError, ConcurrencyError, UserError
from odoo.tools import format_date

from ...lib.guard.words import clean, has_words
from ..guard import transition

#: Characters of a reason, and of a title.
LONGEST_REASON = 5000
LONGEST_TITLE = 200
#: Requests of one account within a day.
MOST_A_DAY = 20


class NotAsked(UserError):
    """A request that cannot be made as it was filled in.

    :param str field: the name of the field of the form that is to be changed
    """

    def __init__(self, message, field):
        super().__init__(message)
        self.field = field


class GrantDateRequest(models.Model):
    """Asking, and taking back what was asked: the operator's side."""

    _inherit = "grant.date.request"

    def _ask(self, subsidy, kind, values):
        """Ask the city for something about ``subsidy``.

        :param subsidy: in sudo: an operator asks for its own and nothing else
        :param str kind: one of :data:`KINDS`
        :param dict values: ``reason`` and, by kind, ``date_end``; ``amounts`` (euros by budget
            line) and ``added`` (euros by budget account); ``title``, ``action`` and ``amount``;
            ``tranche``; ``piece`` (records in sudo, days and euros, whatever was sent)
        :return: the request; the same one when the same is asked twice
        :raise UserError: not taken by the city, not signed, asked already, too often or wrongly
            (:class:`NotAsked`: in which field)
        :raise AccessError: the user is neither a coordinator nor the operator itself
        """
        if not subsidy._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot ask for anything about this subsidy."))
        self._check_askable(subsidy, kind)
        # A second click finds what the first one asked for.
        subsidy._lock_in_turn()
        vals = {
            "kind": kind,
            "subsidy_id": subsidy.id,
            "reason": clean(values.get("reason"), LONGEST_REASON) or False,
        }
        prepared, lines = getattr(self, f"_prepare_{kind}")(subsidy, values)
        vals |= prepared
        # sudo: an operator has no access to requests but by these methods
        self = self.sudo()
        if same := self._find_open(vals, lines):
            return same
        self._check_rate()
        request = self._record(vals, lines)
        request._notify()
        return request

    def _ask_dates(self, subsidy, date_end, reason):
        """Ask for a later end of the action; as :meth:`_ask`."""
        return self._ask(subsidy, "dates", {"date_end": date_end, "reason": reason})

    def _check_askable(self, subsidy, kind):
        if subsidy.state == "closed":
            raise UserError(
                self.env._(
                    "%s is closed: nothing can be asked for any more. Write to your contact at the "
                    "city.",
                    subsidy.name,
                )
            )
        subsidy._check_state(("signed",), self.env._("Asking for something"))
        if kind not in subsidy._get_request_kinds():
            raise UserError(
                self.env._("The city does not take this request here: write to your contact.")
            )

    def _find_open(self, vals, lines):
        """The request of this kind that waits for its answer, when it is the very same.

        :raise UserError: it is another one
        """
        waiting = self.search(
            [
                ("subsidy_id", "=", vals["subsidy_id"]),
                ("kind", "=", vals["kind"]),
                ("deliverable_id", "=", vals.get("deliverable_id") or False),
                ("state", "=", "asked"),
            ]
        )
        if not waiting:
            return waiting
        kept = {
            (line.budget_line_id.id, line.account_id.id): line.amount for line in waiting.line_ids
        }
        asked = {(line["budget_line_id"], line["account_id"]): line["amount"] for line in lines}
        if kept == asked and not any(self._is_changed(waiting, *item) for item in vals.items()):
            return waiting
        raise self._get_asked_already()

    def _get_asked_already(self):
        return UserError(
            self.env._(
                "This is asked for already: wait for the answer, or withdraw that request first."
            )
        )

    def _check_rate(self):
        """Refuse what no person asks for by hand."""
        if self.env.user._is_internal():
            return
        since = fields.Datetime.now() - datetime.timedelta(days=1)
        domain = [("user_id", "=", self.env.uid), ("asked_at", ">", since)]
        if self.search_count(domain, limit=MOST_A_DAY) >= MOST_A_DAY:
            raise UserError(
                self.env._(
                    "You have sent %s requests since yesterday: go on tomorrow, or write to your "
                    "contact at the city.",
                    MOST_A_DAY,
                )
            )

    def _record(self, vals, lines):
        vals |= {"user_id": self.env.uid, "asked_at": fields.Datetime.now()}
        try:
            with self.env.cr.savepoint():
                # Nobody types in what somebody else asked.
                request = transition.creating(self, [vals]).create(vals)
                request.flush_recordset()
        except UniqueViolation as error:
            # Asked at the same moment, and not seen from here: look again.
            raise ConcurrencyError("asked meanwhile") from error
        request = request.with_env(self.env)
        if lines:
            lines = [{"request_id": request.id, **line} for line in lines]
            transition.creating(request.line_ids, lines).create(lines)
        return request

    def _notify(self):
        coordinator = self.subsidy_id._get_coordinator()
        if coordinator:
            own = self.with_context(lang=coordinator.lang)
            self.activity_schedule(
                "ctai_grants.mail_activity_request",
                user_id=coordinator.id,
                summary=own.env._(
                    "%(kind)s: answer %(operator)s",
                    kind=own._get_kind_label(),
                    operator=self.partner_id.name,
                ),
            )

    def _do_withdraw(self):
        """Take back what was asked, before it is answered.

        :raise UserError: answered or withdrawn already
        :raise AccessError: neither the operator itself nor who asked for it
        """
        self.ensure_one()
        user = self.env.user
        # sudo: compares the user's organisation with the subsidy's, which it may not read
        self = self.sudo()
        is_of_operator = not user._is_internal() and self.subsidy_id._can_submit(user)
        if not is_of_operator and self.user_id != user:
            raise AccessError(self.env._("You cannot withdraw this request."))
        self._lock_in_turn()
        if self.state == "withdrawn":
            # A second click, or the colleague was faster.
            return
        self._check_state(("asked",), self.env._("Withdrawing a request"))
        self._settle("withdrawn")

    # ------------------------------------------------------------------
    # What each kind asks for: values, and lines of the budget
    # ------------------------------------------------------------------

    def _check_words(self, values, sentence):
        if not has_words(clean(values.get("reason"), LONGEST_REASON)):
            raise NotAsked(sentence, "reason")

    def _prepare_dates(self, subsidy, values):
        date_end = values.get("date_end")
        if not date_end or date_end <= subsidy.date_end:
            raise NotAsked(
                self.env._(
                    "Choose a day after the present end (%s).",
                    format_date(self.env, subsidy.date_end),
                ),
                "date_end",
            )
        self._check_words(values, self.env._("Write why you need more time."))
        return {"date_before": subsidy.date_end, "date_end": date_end}, []

    def _prepare_split(self, subsidy, values):
        amounts, added = values.get("amounts") or {}, values.get("added") or {}
        budget = subsidy.budget_line_ids
        lines = [
            {
                "budget_line_id": line.id,
                "account_id": line.account_id.id,
                "name": line.name,
                "is_subsidy": line.is_subsidy,
                "amount_before": line.amount,
                "amount": amounts.get(line, line.amount),
            }
            for line in budget
        ]
        known = budget.account_id
        for account, amount in added.items():
            if account in known or account._has_funders():
                raise UserError(
                    self.env._(
                        "%s: it is in the budget already, or names a funder. Change its line.",
                        account.display_name,
                    )
                )
            lines.append(
                {"budget_line_id": False, "account_id": account.id, "amount_before": 0.0,
                 "amount": amount}
            )  # fmt: skip
        currency = subsidy.currency_id
        if not any(currency.compare_amounts(x["amount"], x["amount_before"]) for x in lines):
            raise UserError(self.env._("Change at least two amounts: this is the present budget."))
        # As the budget itself is looked at: both sides equal, the subsidy as granted.
        models_of = self.env["grant.date.request.line"].sudo()
        errors = models_of.union(*map(models_of.new, lines))._get_errors(subsidy.amount, currency)
        if errors:
            raise UserError("\n".join(errors))
        self._check_words(values, self.env._("Write why you need another split."))
        return {}, lines

    def _prepare_action(self, subsidy, values):
        title = clean(values.get("title"), LONGEST_TITLE).replace("\n", " ")
        if not has_words(title):
            raise NotAsked(self.env._("Name the new action."), "title")
        self._check_words(values, self.env._("Describe the action: for whom, when, where."))
        action, amount = values.get("action"), values.get("amount") or 0.0
        vals = {"title": title}
        if not action and not amount:
            return vals, []
        if not action or action not in subsidy.action_ids:
            raise NotAsked(self.env._("Choose the action that the money comes from."), "action")
        currency = subsidy.currency_id
        if currency.compare_amounts(amount, 0) <= 0:
            raise NotAsked(self.env._("Write how much goes to the new action."), "amount")
        if currency.compare_amounts(amount, action.amount) > 0:
            raise NotAsked(
                self.env._(
                    "“%(action)s” has %(amount)s: no more can be taken from it.",
                    action=action.name,
                    amount=currency.format(action.amount),
                ),
                "amount",
            )
        return vals | {
            "action_id": action.id, "amount_before": action.amount, "amount": amount
        }, []  # fmt: skip

    def _prepare_tranche(self, subsidy, values):
        tranche = values.get("tranche") or subsidy._get_next_tranche()
        if not tranche or tranche.subsidy_id != subsidy:
            raise UserError(self.env._("No payment of this subsidy is left to ask for."))
        about = {"tranche": tranche.name}
        if tranche.state not in ("planned", "ready"):
            raise UserError(
                self.env._(
                    "“%(tranche)s” is not to be asked for any more: the city has certified, paid "
                    "or cancelled it.",
                    **about,
                )
            )
        if tranche.kind == "balance":
            raise UserError(
                self.env._(
                    "“%(tranche)s” is the balance: it follows your financial report, nothing is to "
                    "be asked for.",
                    **about,
                )
            )
        if tranche != subsidy._get_next_tranche():
            raise UserError(
                self.env._(
                    "“%(tranche)s” is not the next payment: “%(next)s” comes first.",
                    next=subsidy._get_next_tranche().name,
                    **about,
                )
            )
        if awaited := tranche._get_awaited_pieces():
            raise UserError(
                self.env._(
                    "“%(tranche)s” waits for what you have to hand in first: %(pieces)s. Then ask "
                    "for it.",
                    pieces=", ".join(awaited.mapped("name")),
                    **about,
                )
            )
        return {"disbursement_id": tranche.id}, []

    def _prepare_question(self, subsidy, values):
        piece = values.get("piece")
        if piece and piece not in subsidy.deliverable_ids:
            raise NotAsked(self.env._("Choose a piece of this subsidy."), "piece")
        self._check_words(values, self.env._("Write your question."))
        return {"deliverable_id": piece.id if piece else False}, []
