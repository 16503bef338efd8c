from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)

# While a piece is in one of these states, a file may be handed in for it.
OPEN_STATES = ("expected", "submitted", "to_complete")


class GrantDeliverable(models.Model):
    """One required piece at a milestone; each hand-in is a numbered version."""

    _name = "grant.deliverable"
    _description = "Piece"
    _inherit = [
        "grant.document.mixin", "grant.decided.mixin", "grant.thread.mixin", "mail.activity.mixin"
    ]  # fmt: skip
    _order = "due_date, id"
    _check_company_auto = True

    _decision_key = "deliverable_id"
    _first_state = "expected"

    name = fields.Char(required=True, portal=True)
    type_id = fields.Many2one("grant.deliverable.type", ondelete="restrict")
    milestone_id = fields.Many2one(
        "grant.milestone", required=True, ondelete="cascade", index=True, check_company=True,
        wakes="_get_milestones",
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        related="milestone_id.subsidy_id", store=True, index=True, portal=True
    )
    contract_id = fields.Many2one(related="milestone_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="milestone_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="milestone_id.company_id", store=True, portal=True)
    due_date = fields.Date(
        related="milestone_id.date", store=True, index=True, string="Due Date", portal=True
    )
    subsidy_state = fields.Selection(related="subsidy_id.state", string="Subsidy State")
    instructions = fields.Text(related="type_id.instructions", portal=True)
    state = fields.Selection(
        [
            ("expected", "Expected"),
            ("submitted", "Submitted"),
            ("accepted", "Accepted"),
            ("to_complete", "To Complete"),
            ("waived", "Waived"),
        ],
        required=True,
        default="expected",
        readonly=True,
        copy=False,
        tracking=True,
        index=True,
        group_expand=True,
        portal=True,
    )
    is_late = fields.Boolean(compute="_compute_is_late", search="_search_is_late", portal=True)
    answer = fields.Text(
        readonly=True, copy=False, portal=True,
        help="What the coordinator answered last; the operator reads it.",
    )  # fmt: skip
    answered_at = fields.Datetime(readonly=True, copy=False, portal=True)
    version_ids = fields.One2many(
        "grant.deliverable.version", "deliverable_id", string="Versions", portal=True
    )
    last_version_id = fields.Many2one("grant.deliverable.version", readonly=True, copy=False)
    decision_ids = fields.One2many("grant.decision", "deliverable_id", string="Decisions")

    def _get_milestones(self):
        return self.milestone_id

    @api.model
    def _get_decision_states(self):
        # Handing in is nobody's decision, and moves a piece all the same.
        return {
            **super()._get_decision_states(),
            "submitted": "submitted",
            "accepted": "accepted",
            "to_complete": "to_complete",
            "waived": "waived",
            "taken_back": "expected",
            "purged": "to_complete",
        }

    def _get_moments(self, decisions):
        # In one second: a version, then what is decided on it, as it was decided.
        moments = sorted(
            [
                *((v.submitted_at, v.number, 0, "submitted") for v in self.version_ids),
                *((d.decided_at, d.version_id.number, 1, d.decision) for d in decisions),
            ],
            key=lambda moment: moment[:3],
        )
        return [(moment[0], moment[-1]) for moment in moments]

    @api.onchange("type_id")
    def _onchange_type_id(self):
        self.name = self.name or self.type_id.name

    @api.depends("due_date", "state", "subsidy_id.state")
    def _compute_is_late(self):
        self.is_late = False
        # Before the signature nobody owes anything, after the closing nothing is asked.
        owed = self.filtered(
            lambda deliverable: deliverable.subsidy_id.state == "signed"
            and deliverable.state in ("expected", "to_complete")
            and deliverable.due_date
        )
        for company, deliverables in owed.grouped("company_id").items():
            today = company._grant_today()
            deliverables.filtered(lambda d, today=today: d.due_date < today).is_late = True

    @api.model
    def _search_is_late(self, operator, value):
        if operator != "in":
            return NotImplemented
        late = Domain("subsidy_id.state", "=", "signed") & self._get_overdue_domain()
        return Domain.OR(late if wanted else ~late for wanted in value)

    @api.model
    def _get_overdue_domain(self):
        """What is late if its subsidy is signed: for who knows which subsidies are, by theirs."""
        return Domain("state", "in", ("expected", "to_complete")) & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("due_date", "<", today))

    def _get_frozen_fields(self):
        # What was handed in, and decided, is about this piece of this subsidy.
        if self.state != "expected" or self.version_ids:
            return frozenset({"milestone_id", "type_id"})
        if self.subsidy_id.state in ("draft", "granted"):
            return frozenset()
        return frozenset({"milestone_id"})

    @api.ondelete(at_uninstall=False)
    def _unlink_except_used(self):
        for deliverable in self:
            if deliverable.version_ids or deliverable.decision_ids or deliverable._is_needed():
                raise UserError(
                    self.env._(
                        "“%(piece)s” has files or decisions, or a tranche depends on it, "
                        "and cannot be deleted: waive it instead.",
                        piece=deliverable.name,
                    )
                )

    def _is_needed(self):
        """Whether something that was signed depends on this piece."""
        return False

    def action_download(self):
        """Download the last version."""
        return self.last_version_id.action_download()

    # ------------------------------------------------------------------
    # Reviewing
    # ------------------------------------------------------------------

    def action_accept(self):
        """Accept the last version.

        :raise UserError: nothing was handed in
        :raise AccessError: the user is not a coordinator
        """
        self._do_review("accepted", ("submitted",))
        return True

    def action_send_back(self):
        """Ask for the reason, then send the piece back to the operator."""
        return self._ask_reason("send_back")

    @asks_reason("send_back", _lt("Send Back to the Operator"))
    def _do_send_back(self, reason):
        """Send a piece back; raises as :meth:`_do_review`."""
        self._do_review("to_complete", ("submitted",), reason)

    def action_waive(self):
        """Ask for the reason, then do without this piece."""
        return self._ask_reason("waive")

    @asks_reason("waive", _lt("Waive This Piece"))
    def _do_waive(self, reason):
        """Do without a piece; raises as :meth:`_do_review`."""
        self._do_review("waived", OPEN_STATES, reason)

    def action_reopen(self):
        """Ask for the reason, then take the decision back: the piece is to be completed."""
        return self._ask_reason("reopen")

    @asks_reason("reopen", _lt("Reopen This Piece"))
    def _do_reopen(self, reason):
        """Take the decision on a piece back; raises as :meth:`_do_review`."""
        self._do_review("to_complete", ("accepted", "waived"), reason)

    def _do_review(self, decision, states, reason=None):
        """Take a decision on the piece and tell the operator.

        :param str decision: ``accepted``, ``to_complete`` or ``waived``
        :param states: the states in which it can be taken
        :param str reason: shown to the operator
        """
        what = self.env._("Reviewing a piece")
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(states, what)
        if decision != "accepted":
            reason = self._check_reason(reason)
        for deliverable in self:
            deliverable._decide(
                decision,
                reason,
                {"version_id": deliverable.last_version_id.id},
                # Once accepted, the last complaint is not for the operator to read any more.
                answer=reason or False,
                answered_at=fields.Datetime.now(),
            )
        self.activity_feedback(["ctai_grants.mail_activity_review"])
        self.milestone_id._refresh_reached()
