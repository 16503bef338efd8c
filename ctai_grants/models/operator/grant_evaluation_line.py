from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError

from ...lib.guard.words import has_words


class GrantEvaluationPart(models.AbstractModel):
    """A mark or a meeting of an evaluation: it stays as it is once that is concluded."""

    _name = "grant.evaluation.part"
    _description = "Part of an Evaluation"
    _inherit = ["grant.document.mixin"]
    _check_company_auto = True

    evaluation_id = fields.Many2one(
        "grant.evaluation", required=True, ondelete="cascade", index=True
    )
    company_id = fields.Many2one(related="evaluation_id.company_id", store=True)

    def _get_state_label(self):
        # It has no state of its own: messages say its evaluation's.
        return self.evaluation_id._get_state_label()

    @api.model_create_multi
    def create(self, vals_list):
        parts = super().create(vals_list)
        parts._check_open()
        return parts

    def write(self, vals):
        self._check_open()
        result = super().write(vals)
        # Moved to another one, that has to be open too.
        self._check_open()
        return result

    @api.ondelete(at_uninstall=False)
    def _unlink_except_open(self):
        self._check_open()

    def _check_open(self):
        self.evaluation_id._check_state(
            ("draft", "shared"), self.env._("Changing an evaluation")
        )


class GrantEvaluationLine(models.Model):
    """A mark, by a criterion of the grid as it was when the evaluation began."""

    _name = "grant.evaluation.line"
    _description = "Mark of an Evaluation"
    _inherit = ["grant.evaluation.part"]
    _order = "evaluation_id, sequence, id"

    sequence = fields.Integer(default=1000)
    criterion_id = fields.Many2one("grant.criterion", string="Of the Grid", ondelete="restrict")
    description = fields.Text(related="criterion_id.description")
    name = fields.Char(string="Criterion", required=True)
    weight = fields.Integer(required=True, default=1, aggregator=None)
    most = fields.Integer(string="Highest Mark", required=True, default=4, aggregator=None)
    is_marked = fields.Boolean(string="Marked")
    mark = fields.Integer(aggregator=None)
    comment = fields.Text(help="What the mark stands on; without a mark, why there is none.")

    _bounds = models.Constraint(
        "CHECK (weight BETWEEN 1 AND 100 AND most BETWEEN 1 AND 100)",
        "The weight and the highest mark of a criterion go from 1 to 100.",
    )

    @api.onchange("mark")
    def _onchange_mark(self):
        self.is_marked = self.is_marked or bool(self.mark)

    @api.constrains("mark", "most", "is_marked")
    def _check_mark(self):
        for line in self:
            if not 0 <= line.mark <= line.most:
                raise ValidationError(
                    self.env._(
                        "“%(criterion)s”: a mark goes from 0 to %(most)s, %(mark)s is none.",
                        criterion=line.name, most=line.most, mark=line.mark,
                    )
                )  # fmt: skip

    def _check_said(self):
        """Refuse to conclude while a criterion has neither a mark nor a word.

        :raise UserError: naming each
        """
        silent = self.filtered(lambda line: not line.is_marked and not has_words(line.comment))
        if silent:
            raise UserError(
                self.env._(
                    "%(evaluation)s: give a mark, or say why there is none: %(criteria)s.",
                    evaluation=silent.evaluation_id[:1].display_name,
                    criteria=", ".join(silent.mapped("name")),
                )
            )


class GrantEvaluationMeeting(models.Model):
    """An exchange with the operator about its action. Of it, whoever was there by name; of the
    public, nobody (R9)."""

    _name = "grant.evaluation.meeting"
    _description = "Exchange with the Operator"
    _inherit = ["grant.evaluation.part"]
    _order = "evaluation_id, date, id"

    date = fields.Date(required=True)
    kind = fields.Selection(
        [("meeting", "Meeting"), ("visit", "Visit of the action"), ("call", "Call"),
         ("committee", "Committee")],
        required=True, default="meeting",
    )  # fmt: skip
    operator_people = fields.Char(
        string="Of the Operator", help="Names and functions of its people; nobody of the public."
    )
    staff_ids = fields.Many2many(
        "res.users", string="Of the City", domain="[('share', '=', False)]",
        default=lambda self: self.env.user,
    )  # fmt: skip
    minutes = fields.Text(required=True)

    @api.constrains("date")
    def _check_date(self):
        for meeting in self:
            if meeting.date > meeting.evaluation_id.company_id._grant_today():
                raise ValidationError(
                    self.env._("An exchange is written down after it took place: not in future.")
                )

    @api.depends("date", "kind")
    def _compute_display_name(self):
        kinds = dict(self._fields["kind"]._description_selection(self.env))
        for one in self:
            about = (kinds.get(one.kind), one.date and one.date.strftime("%d/%m/%Y"))
            one.display_name = " ".join(filter(None, about))
