from odoo import api, fields, models
from odoo.exceptions import UserError

#: What an operator may ask for; which of them a city takes, its settings say.
KINDS = [
    ("dates", "New dates"),
    ("split", "Another split of the budget"),
    ("action", "Another action"),
    ("tranche", "Payment of the next tranche"),
    ("question", "Question"),
]


class GrantDateRequest(models.Model):
    """What an operator asks the city for, and the answer. Once agreed, new dates, another split or
    another action are a draft amendment, filled; a tranche is for who may to certify.

    Its name is that of its first kind: what was sealed of the requests of then names it.
    """

    _name = "grant.date.request"
    _description = "Request of an Operator"
    _inherit = ["grant.document.mixin", "grant.thread.mixin", "mail.activity.mixin"]
    _order = "id desc"
    _check_company_auto = True

    kind = fields.Selection(
        KINDS, string="Request", required=True, default="dates", readonly=True, index=True
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True,
        check_company=True,
    )  # fmt: skip
    partner_id = fields.Many2one(related="subsidy_id.partner_id", store=True, string="Operator")
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id")
    reason = fields.Text(string="Reason or Question", readonly=True)
    user_id = fields.Many2one(
        "res.users", string="Asked By", required=True, readonly=True, ondelete="restrict"
    )
    asked_at = fields.Datetime(string="Asked On", readonly=True)
    date_before = fields.Date(string="End Now", readonly=True)
    date_end = fields.Date(string="End Asked", readonly=True)
    line_ids = fields.One2many("grant.date.request.line", "request_id", string="Budget")
    title = fields.Char(string="New Action", readonly=True)
    action_id = fields.Many2one(
        "grant.action", string="Taken From", readonly=True, ondelete="set null",
        help="The action whose money goes to the new one.",
    )  # fmt: skip
    amount_before = fields.Monetary(string="That Action Now", readonly=True)
    amount = fields.Monetary(string="Amount Moved", readonly=True)
    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, ondelete="set null"
    )
    tranche_state = fields.Selection(
        related="disbursement_id.state", string="State of the Tranche"
    )
    obstacles = fields.Json(related="disbursement_id.obstacles")
    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", readonly=True, ondelete="set null",
        help="The piece that the question is about; none: the subsidy as a whole.",
    )  # fmt: skip
    state = fields.Selection(
        [
            ("asked", "Asked"),
            ("agreed", "Agreed"),
            ("refused", "Refused"),
            ("answered", "Answered"),
            ("withdrawn", "Withdrawn"),
        ],
        required=True, default="asked", readonly=True, tracking=True, index=True,
    )  # fmt: skip
    answer = fields.Text(readonly=True, help="The operator reads it on its page and by mail.")
    settled_by_id = fields.Many2one(
        "res.users", string="Answered By", readonly=True, ondelete="restrict",
        help="Who answered; of a request that was withdrawn, who withdrew it.",
    )  # fmt: skip
    settled_at = fields.Datetime(string="Answered On", readonly=True)
    amendment_id = fields.Many2one("grant.amendment", readonly=True, ondelete="set null")

    _one_open = models.UniqueIndex(
        "(subsidy_id, kind, COALESCE(deliverable_id, 0)) WHERE state = 'asked'",
        "This is asked for already: wait for the answer, or withdraw that request.",
    )
    _two_people = models.Constraint(
        "CHECK (state = 'withdrawn' OR settled_by_id <> user_id)",
        "Who asks does not answer.",
    )
    _says_what = models.Constraint(
        "CHECK (CASE kind WHEN 'dates' THEN date_end IS NOT NULL "
        "WHEN 'action' THEN title IS NOT NULL ELSE TRUE END)",
        "A request says what it asks for.",
    )

    def _init_column(self, column_name):
        if column_name != "asked_at":
            return super()._init_column(column_name)
        # Of those that are there already.
        return self.env.cr.execute("UPDATE grant_date_request SET asked_at = create_date")

    @api.depends("kind", "subsidy_id.display_name")
    def _compute_display_name(self):
        for request in self:
            names = (request._get_kind_label(), request.subsidy_id.display_name)
            request.display_name = " – ".join(filter(None, names))

    def _get_kind_label(self):
        return dict(self._fields["kind"]._description_selection(self.env))[self.kind or "dates"]

    @api.ondelete(at_uninstall=False)
    def _unlink_never(self):
        for request in self:
            raise UserError(
                self.env._(
                    "%s: what was asked and answered is kept. Answer it, if it still waits.",
                    request.display_name,
                )
            )
