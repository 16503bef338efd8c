from odoo import Command, api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate

from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)
CONCLUSIONS = [("continue", "Continue"), ("amend", "Amend"), ("stop", "Stop")]


class GrantEvaluation(models.Model):
    """What the city thinks of an action at the end of a year: marks by the criteria of its grid,
    what they stand on, what was said with the operator, and what is to become of the action.

    Drafted by one coordinator, shared with the others, concluded by one of them: then it stays as
    it is, until it is reopened with a reason. Concluded, it prepares the next year's amendment,
    which is signed as any other.
    """

    _name = "grant.evaluation"
    _description = "Evaluation of an Action"
    _inherit = [
        "grant.document.mixin", "grant.decided.mixin", "grant.thread.mixin", "mail.activity.mixin"
    ]  # fmt: skip
    _order = "year desc, subsidy_id, action_id, id"
    _check_company_auto = True
    _decision_key = "evaluation_id"

    action_id = fields.Many2one(
        "grant.action", required=True, ondelete="restrict", index=True, check_company=True,
        domain="[('subsidy_id.kind', '=', 'operator'), "
        "('subsidy_id.state', 'in', ('signed', 'closed'))]",
    )  # fmt: skip
    year = fields.Integer(
        required=True, aggregator=None,
        default=lambda self: self.env.company._grant_today().year,
    )  # fmt: skip
    subsidy_id = fields.Many2one(related="action_id.subsidy_id", store=True, index=True)
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    user_id = fields.Many2one(
        "res.users", string="In Charge", default=lambda self: self.env.user, tracking=True,
        domain="[('share', '=', False)]", check_company=True,
    )  # fmt: skip
    participant_ids = fields.Many2many(
        "res.users", string="With", domain="[('share', '=', False)]",
        help="Who of the city evaluates the action with them.",
    )  # fmt: skip
    line_ids = fields.One2many("grant.evaluation.line", "evaluation_id", string="Marks")
    meeting_ids = fields.One2many("grant.evaluation.meeting", "evaluation_id", string="Exchanges")
    meeting_count = fields.Integer(compute="_compute_meeting_count")
    result_ids = fields.Many2many(
        "grant.indicator.result", string="Indicators", compute="_compute_result_ids"
    )
    report_id = fields.Many2one(
        "grant.financial.report", string="Financial Report", ondelete="restrict",
        domain="[('subsidy_id', '=', subsidy_id)]", check_company=True,
    )  # fmt: skip
    deliverable_ids = fields.Many2many(
        "grant.deliverable", string="Pieces", domain="[('subsidy_id', '=', subsidy_id)]",
        check_company=True,
    )  # fmt: skip
    score = fields.Float(
        string="Mark (%)", compute="_compute_score", store=True, aggregator="avg", digits=(5, 1),
        help="The marks given, weighted, of the highest ones.",
    )  # fmt: skip
    opinion = fields.Text(
        help="What went well, what did not. Name nobody of the public."
    )
    conclusion = fields.Selection(CONCLUSIONS, tracking=True)
    conclusion_reason = fields.Text(string="Why")
    next_year = fields.Text(string="What to Change Next Year")
    state = fields.Selection(
        [("draft", "In Preparation"), ("shared", "Shared"), ("concluded", "Concluded")],
        required=True, default="draft", readonly=True, copy=False, tracking=True, index=True,
        group_expand=True,
    )  # fmt: skip
    concluded_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    concluded_date = fields.Date(string="Concluded On", readonly=True, copy=False)
    amendment_id = fields.Many2one(
        "grant.amendment", string="Amendment for Next Year", readonly=True, copy=False,
        ondelete="set null", index="btree_not_null",
    )  # fmt: skip

    _action_year_uniq = models.UniqueIndex(
        "(action_id, year)", "This action is evaluated for that year already."
    )
    _year_range = models.Constraint(
        "CHECK (year BETWEEN 2000 AND 2100)", "A year has four digits."
    )

    # ------------------------------------------------------------------
    # What it is
    # ------------------------------------------------------------------

    @api.depends("action_id.name", "partner_id.name", "year")
    def _compute_display_name(self):
        for one in self:
            about = (one.partner_id.name, one.action_id.name, str(one.year))
            one.display_name = " – ".join(filter(None, about))

    @api.depends("meeting_ids")
    def _compute_meeting_count(self):
        for evaluation in self:
            evaluation.meeting_count = len(evaluation.meeting_ids)

    @api.depends("action_id")
    def _compute_result_ids(self):
        """Those of the action, and those asked of its subsidy as a whole."""
        for evaluation in self:
            domain = [("subsidy_id", "=", evaluation.subsidy_id.id)]
            results = evaluation.result_ids.search(domain) if evaluation.subsidy_id else []
            evaluation.result_ids = results and results.filtered(
                lambda line, own=evaluation.action_id: not line.action_id or line.action_id == own
            )

    @api.depends("line_ids.mark", "line_ids.is_marked", "line_ids.weight", "line_ids.most")
    def _compute_score(self):
        for evaluation in self:
            marked = evaluation.line_ids.filtered("is_marked")
            most = sum(line.most * line.weight for line in marked)
            got = sum(line.mark * line.weight for line in marked)
            evaluation.score = 100 * got / most if most else 0.0

    @api.onchange("action_id")
    def _onchange_action_id(self):
        self.report_id = self.subsidy_id.report_ids[:1]

    @api.constrains("action_id", "report_id", "deliverable_ids")
    def _check_evidence(self):
        for one in self:
            others = (one.report_id.subsidy_id | one.deliverable_ids.subsidy_id) - one.subsidy_id
            if others:
                raise UserError(
                    self.env._(
                        "%(evaluation)s: what it stands on is of %(others)s. Take what is of "
                        "%(subsidy)s.",
                        evaluation=one.display_name,
                        others=", ".join(others.mapped("display_name")),
                        subsidy=one.subsidy_id.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        evaluations = super().create(vals_list)
        for evaluation in evaluations:
            evaluation.subsidy_id._check_state(
                ("signed", "closed"), self.env._("Evaluating an action")
            )
            if not evaluation.report_id:
                evaluation.report_id = evaluation.subsidy_id.report_ids[:1]
            if not evaluation.line_ids:
                evaluation.line_ids = evaluation._prepare_lines()
        return evaluations

    def _prepare_lines(self):
        """The city's grid, as it is now: what becomes of it later changes no evaluation."""
        grid = self.env["grant.criterion"].search(
            [("company_id", "in", [False, self.company_id.id])]
        )
        return [
            Command.create(
                {"criterion_id": one.id, "name": one.name, "weight": one.weight, "most": one.most,
                 "sequence": place}
            )
            for place, one in enumerate(grid)
        ]  # fmt: skip

    def _get_frozen_fields(self):
        if self.state != "concluded":
            return frozenset({"action_id", "year"} if self.state == "shared" else ())
        return frozenset({
            "action_id", "year", "user_id", "participant_ids", "line_ids", "meeting_ids",
            "report_id", "deliverable_ids", "opinion", "conclusion", "conclusion_reason",
            "next_year",
        })  # fmt: skip

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_state(("draft",), self.env._("Deleting an evaluation"))

    # ------------------------------------------------------------------
    # Its steps
    # ------------------------------------------------------------------

    @api.model
    def _get_decision_states(self):
        return {
            **super()._get_decision_states(), "shared": "shared", "concluded": "concluded",
            "reopened": "shared",
        }  # fmt: skip

    def _begin(self, states, what):
        self._check_group("group_coordinator", what)
        self.lock_for_update()
        self._check_state(states, what)

    def action_share(self):
        """Show it to who evaluates with: each gets an activity.

        :raise UserError: not in preparation
        :raise AccessError: the user is not a coordinator
        """
        self._begin(("draft",), self.env._("Sharing an evaluation"))
        self._decide("shared")
        for evaluation in self:
            for user in evaluation.participant_ids - self.env.user:
                evaluation.activity_schedule(
                    "ctai_grants.mail_activity_evaluation", user_id=user.id
                )
        return True

    def action_conclude(self):
        """Conclude: what is to become of the action, said and explained.

        :raise UserError: not shared, or naming what is missing
        :raise AccessError: the user is not a coordinator
        """
        self._begin(("shared",), self.env._("Concluding an evaluation"))
        for evaluation in self:
            evaluation._check_filled(["opinion", "conclusion", "conclusion_reason"])
            if evaluation.conclusion == "amend":
                evaluation._check_filled(["next_year"])
            evaluation.line_ids._check_said()
        reasons = {evaluation: evaluation.conclusion_reason for evaluation in self}
        today = self.env.company._grant_today()
        self._decide("concluded", reasons, concluded_by_id=self.env.uid, concluded_date=today)
        self.activity_feedback(["ctai_grants.mail_activity_evaluation"])
        return True

    def action_reopen(self):
        """Ask why, then reopen."""
        return self._ask_reason("reopen_evaluation")

    @asks_reason("reopen_evaluation", _lt("Reopen the Evaluation"))
    def _do_reopen(self, reason):
        """Open a concluded evaluation again; the amendment that it prepared stays.

        :raise UserError: not concluded, or the amendment is signed
        :raise AccessError: the user is not a coordinator
        """
        self._begin(("concluded",), self.env._("Reopening an evaluation"))
        for amendment in self.amendment_id.filtered(lambda one: one.state == "signed"):
            raise UserError(
                self.env._("%s is signed: what led to it stays.", amendment.display_name)
            )
        self._decide("reopened", reason, concluded_by_id=False, concluded_date=False)

    def action_prepare_next_year(self):
        """Draft the amendment for the next year that follows from the conclusion, and open it. It
        changes nothing until it is signed.

        :raise UserError: not concluded, to be stopped, prepared already, or the subsidy is closed
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Preparing the next year")
        self._begin(("concluded",), what)
        if self.amendment_id:
            return self.amendment_id._get_form_action()
        if self.conclusion == "stop":
            raise UserError(
                self.env._("%s: it was decided to stop this action.", self.display_name)
            )
        self.subsidy_id._check_state(("signed",), what)
        amendment = self.env["grant.amendment"]._draft("subsidy_id", self.subsidy_id)
        amendment._renew(self)
        self._transition(amendment_id=amendment.id)
        return amendment._get_form_action()

    def action_view_results(self):
        """Open the indicators that it stands on."""
        action = self.env["ir.actions.act_window"]._for_xml_id(
            "ctai_grants.grant_indicator_result_action"
        )
        return {**action, "domain": [("id", "in", self.result_ids.ids)]}


class GrantDecision(models.Model):
    _inherit = "grant.decision"

    evaluation_id = fields.Many2one(
        "grant.evaluation", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    decision = fields.Selection(
        selection_add=[("shared", "Shared"), ("concluded", "Concluded")],
        ondelete={"shared": "cascade", "concluded": "cascade"},
    )

    @api.model
    def _get_document_fields(self):
        return [*super()._get_document_fields(), "evaluation_id"]
