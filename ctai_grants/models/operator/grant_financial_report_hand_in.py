from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL, LazyTranslate, format_datetime

from ...lib.guard.words import has_words
from ..guard.grant_acting_mixin import asks_reason
from .grant_financial_report import TOTALS

_lt = LazyTranslate(__name__)

#: What the operator writes beside the figures.
TEXTS = ("achieved", "audience", "places", "objectives", "allocation_rules", "observations")
ATTESTATION = ("attested", "attested_name", "attested_quality", "attested_place", "attested_date")
DATES = ("exercise_start", "exercise_end")


class GrantFinancialReport(models.Model):
    """What the operator does with its report: begin it, write it in as many times as it takes, hand
    it in with the attestation of its legal representative; and the city sends it back."""

    _inherit = "grant.financial.report"

    outcome = fields.Selection(
        [("report", "The action took place"), ("not_done", "The action did not take place")],
        required=True,
        default="report",
        tracking=True,
    )
    hand_in = fields.Selection(
        [
            ("to_fill", "Being Filled In"),
            ("submitted", "Handed In"),
            ("to_complete", "To Complete"),
        ],
        string="With the Operator",
        required=True, default="to_fill", readonly=True, copy=False, tracking=True, index=True,
    )  # fmt: skip
    is_with_city = fields.Boolean(compute="_compute_is_with_city")
    revision = fields.Integer(readonly=True, copy=False, aggregator=None)
    submitted_at = fields.Datetime(string="Handed In On", readonly=True, copy=False)
    submitted_by_id = fields.Many2one(
        "res.users", string="Handed In By", readonly=True, copy=False, ondelete="restrict"
    )
    answer = fields.Text(
        string="Answer of the City", readonly=True, copy=False,
        help="What is to be completed; the operator reads it.",
    )  # fmt: skip
    achieved = fields.Text(
        string="What Was Done", help="Or, when the action did not take place, why."
    )
    audience = fields.Text(
        string="People Reached", help="About how many, by kind of public: counts, never names."
    )
    places = fields.Text(string="Dates and Places")
    objectives = fields.Text(string="Objectives Reached", help="Against those of the convention.")
    allocation_rules = fields.Text(
        string="Sharing of Indirect Charges", help="By which rule they are given to the action."
    )
    observations = fields.Text()
    attested = fields.Boolean(help="The legal representative certifies that all of it is exact.")
    attested_name = fields.Char(string="Legal Representative")
    attested_quality = fields.Char(string="Quality", help="President, treasurer…")
    attested_place = fields.Char(string="Done At")
    attested_date = fields.Date(string="Done On")

    @api.model
    def _get_decision_states(self):
        # Sent back, it is the draft that it was.
        return {**super()._get_decision_states(), "to_complete": None}

    @api.depends("state", "hand_in")
    def _compute_is_with_city(self):
        for report in self:
            report.is_with_city = report._is_with_city()

    def _is_with_city(self):
        """Whether the operator has handed it in, and waits: what it wrote stays as it is."""
        self.ensure_one()
        return self.state == "accepted" or self.hand_in == "submitted"

    def _check_with_operator(self, what):
        """Refuse to change what was handed in, or accepted.

        :raise UserError: naming the report and where it is
        """
        for report in self:
            if report._is_with_city():
                raise UserError(
                    self.env._(
                        "%(what)s: %(report)s is in the state “%(state)s”.",
                        what=what,
                        report=report.display_name,
                        state=report._get_state_label(),
                    )
                )

    def _get_state_label(self):
        if self.state == "accepted" or self.hand_in == "to_fill":
            return super()._get_state_label()
        field = self._fields["hand_in"]
        return dict(field._description_selection(self.env))[self.hand_in]

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        if self.line_ids or self.submitted_at:
            # Its lines are of that budget, and its attestation of that operator.
            frozen |= {"subsidy_id"}
        if self._is_with_city():
            frozen |= {"outcome", *TEXTS, *ATTESTATION, *DATES}
        return frozen

    def _has_signature(self):
        if self.hand_in != "submitted":
            return super()._has_signature()
        # Online, the operator itself: what the city enters in its place stands on a signed paper.
        # sudo: who has which login is not everybody's to read
        author = self.submitted_by_id.sudo()
        return self.attested and author.has_group("ctai_grants.group_portal_operator")

    def _attests_nothing(self):
        is_zero = self.currency_id.is_zero
        nothing = self.outcome == "not_done" and is_zero(self.due_amount)
        return nothing or super()._attests_nothing()

    # ------------------------------------------------------------------
    # Beginning
    # ------------------------------------------------------------------

    @api.model
    def _begin(self, subsidy, outcome):
        """The report of ``subsidy``, made if it is not there yet, with every line of the form.

        :param subsidy: in sudo: an operator makes its own report and nothing else
        :param str outcome: ``report`` or ``not_done``
        :raise AccessError: the user is neither a coordinator nor the operator itself
        :raise UserError: the subsidy is not signed, or the report was handed in
        """
        # Two who begin at once make one report.
        subsidy._lock_in_turn()
        report = subsidy.report_ids
        if not report:
            # sudo: an operator has no right on reports; what follows refuses who is not this one's
            report = self.sudo().create(self._prepare_begun(subsidy))
        report._check_writable()
        if not report.line_ids and (report.version_id or any(report[name] for name in TOTALS)):
            raise UserError(
                self.env._(
                    "The city has entered the figures of this report already, from paper. Write to "
                    "it if they are to be changed."
                )
            )
        if outcome in dict(self._fields["outcome"].selection):
            report.outcome = outcome
        report._load_lines()
        return report

    @api.model
    def _prepare_begun(self, subsidy):
        end = subsidy._get_fiscalyear_end() or subsidy.date_end
        return {
            "subsidy_id": subsidy.id,
            "exercise_start": min(subsidy.date_start or end, end),
            "exercise_end": end,
        }

    def _is_open_to(self, user):
        """Whether ``user`` may write this report now."""
        self.ensure_one()
        return (
            self.subsidy_id.state == "signed"
            and not self._is_with_city()
            and self.subsidy_id._can_submit(user)
        )

    def _check_writable(self):
        """Refuse who may not write this report, or not any more.

        :raise AccessError: the user is neither a coordinator nor the operator itself
        :raise UserError: the subsidy is not signed, or the report was handed in
        """
        self.ensure_one()
        if not self.subsidy_id._can_submit(self.env.user):
            raise AccessError(self.env._("You cannot report on this subsidy."))
        what = self.env._("Writing the financial report")
        self.subsidy_id._check_state(("signed",), what)
        self._check_with_operator(what)

    def _begin_saving(self, revision):
        """Wait for who saves it now, and refuse who saw less than is there.

        :raise UserError: as :meth:`_check_writable`; or somebody saved it meanwhile
        """
        # Who comes second waits, then begins again with what the first saved.
        self.env.execute_query(
            SQL("SELECT id FROM grant_financial_report WHERE id = %s FOR UPDATE", self.id)
        )
        self._check_writable()
        if revision != self.revision:
            raise UserError(
                self.env._(
                    "This report was saved on %(time)s by %(user)s, after you opened it. What you "
                    "typed is still on this page: save again to put it in the place of theirs, or "
                    "open the page again to see theirs.",
                    time=format_datetime(self.env, self.write_date),
                    user=self.write_uid.name,
                )
            )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_begun(self):
        for report in self.filtered(lambda report: report.revision or report.submitted_at):
            raise UserError(
                self.env._(
                    "%s is being filled in by its operator, and is not deleted: what it wrote "
                    "would be lost.",
                    report.display_name,
                )
            )

    # ------------------------------------------------------------------
    # Handing in
    # ------------------------------------------------------------------

    def _do_hand_in(self):
        """Hand the report in: from now on it waits for the city.

        :raise UserError: it says nothing yet, or is not attested: naming all that is missing
        """
        self._check_writable()
        if void := self._get_void():
            raise UserError("\n".join(void.values()))
        if self.outcome == "not_done":
            # What is attested is that nothing was spent.
            self.line_ids.write({"actual": 0, "refused_amount": 0})
        self._transition(
            hand_in="submitted",
            submitted_at=fields.Datetime.now(),
            submitted_by_id=self.env.uid,
            answer=False,
        )
        self._notify_hand_in()

    def _get_void(self):
        """What makes a report none: dict {name of the field: sentence}. All else is advice."""
        void, today = {}, self.company_id._grant_today()
        if self.outcome == "report":
            if self.currency_id.is_zero(self.actual_amount):
                void["actual"] = self.env._(
                    "No charge is entered: fill in what was spent. If nothing was, choose “The "
                    "action did not take place”."
                )
            if self.exercise_end >= today:
                void["exercise_end"] = self.env._(
                    "The financial year is not over yet: the report is handed in after its end."
                )
        if not has_words(self.achieved):
            void["achieved"] = self.env._("Say in some words what was done, or why it was not.")
        for name in ATTESTATION:
            if not self[name]:
                label = self._fields[name]._description_string(self.env)
                void[name] = self.env._("The attestation is not complete: “%s”.", label)
        if self.attested_date and self.attested_date > today:
            void["attested_date"] = self.env._("The attestation is dated of a day to come.")
        return void

    def _notify_hand_in(self):
        """Tell the coordinator, once, that there is something to review."""
        coordinator = self.subsidy_id.user_id or self.contract_id.user_id
        kind = "ctai_grants.mail_activity_report"
        if coordinator and not self.activity_search([kind]):
            summary = self.env._("Review “%s”", self.display_name)
            self.activity_schedule(kind, user_id=coordinator.id, summary=summary)
        self.message_post(
            body=self.env._(
                "Handed in and attested by %(name)s (%(quality)s), %(place)s.",
                name=self.attested_name,
                quality=self.attested_quality,
                place=self.attested_place,
            )
        )

    # ------------------------------------------------------------------
    # Sending back
    # ------------------------------------------------------------------

    def action_send_back(self):
        """Ask what is missing, then send the report back to the operator."""
        return self._ask_reason("send_back_report")

    @asks_reason("send_back_report", _lt("Send the Report Back to the Operator"))
    def _do_send_back(self, reason):
        """Send a report back: the operator reads the reason and writes it again.

        :raise UserError: it was not handed in, or is accepted
        :raise AccessError: the user is not a coordinator
        """
        what = self.env._("Sending a financial report back")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(("draft",), what)
        for report in self:
            if report.hand_in != "submitted":
                raise UserError(
                    self.env._("%s: it was not handed in online.", report.display_name)
                )
            piece = report._get_paper_piece()
            # What it was signed with, it is not any more.
            report._decide(
                "to_complete", reason, hand_in="to_complete", answer=reason, attested=False,
                version_id=False,
            )  # fmt: skip
            if piece.state == "submitted":
                piece._do_send_back(reason)
            elif piece.state == "accepted":
                # With a report that was accepted, and opened again.
                piece._do_reopen(reason)
        self.activity_feedback(["ctai_grants.mail_activity_report"])
