from odoo import api, fields, models
from odoo.tools import file_open

from .grant_statement import STANDING

KINDS = [
    ("issued", "Issued"),
    ("forced", "Issued in Spite of a Control"),
    ("sent", "Sent"),
    ("opened", "Opened"),
    ("downloaded", "Downloaded"),
    ("acknowledged", "Acknowledged"),
    ("contested", "Contested"),
    ("replaced", "Replaced"),
]
#: What an act makes of a statement, by its state before: all else refuses. No state: it stays.
NEXT = {
    "issued": {"draft": "issued"},
    "forced": {"issued": None},
    "sent": {"issued": "sent", **dict.fromkeys(("sent", "acknowledged", "contested"))},
    "opened": dict.fromkeys((*STANDING, "replaced")),
    "downloaded": dict.fromkeys((*STANDING, "replaced")),
    "acknowledged": dict.fromkeys(("issued", "sent", "contested"), "acknowledged"),
    "contested": dict.fromkeys(("issued", "sent", "contested"), "contested"),
    "replaced": dict.fromkeys(STANDING, "replaced"),
}


class GrantStatementAct(models.Model):
    """What was done with a statement, by whom and when: written once."""

    _name = "grant.statement.act"
    _description = "Act on a Statement"
    _inherit = ["grant.append.only.mixin"]
    _order = "id desc"
    _rec_name = "kind"
    _log_access = False

    statement_id = fields.Many2one(
        "grant.statement", required=True, readonly=True, ondelete="restrict", index=True
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    kind = fields.Selection(KINDS, string="Act", required=True, readonly=True)
    line_id = fields.Many2one(
        "grant.statement.line", readonly=True, ondelete="restrict"
    )
    file_kind = fields.Char(string="File", readonly=True)
    text = fields.Text(readonly=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    author = fields.Char(string="By", required=True, readonly=True)
    acted_at = fields.Datetime(string="When", required=True, readonly=True)

    @api.model
    def _get_chained_fields(self):
        return ["statement_id"]

    @api.model
    def _get_guards(self, chained):
        # Of the statement itself too: what it was issued as, no SQL changes.
        guards = super()._get_guards(chained)
        with file_open("ctai_grants_reports/models/statement/grant_statement.sql") as stream:
            return f"{guards}\n{stream.read()}"

    @api.model
    def _get_state_after(self, kinds):
        """The state of a statement on which these acts were done, in their order.

        :raise KeyError: they cannot have followed each other
        """
        state = "draft"
        for kind in kinds:
            state = NEXT[kind][state] or state
        return state


class GrantStatement(models.Model):
    _inherit = "grant.statement"

    def _act(self, kind, **details):
        """Record an act of the present user on this statement (in sudo), and move its state.

        :param details: ``text``, ``line_id``, ``file_kind``
        :raise UserError: it is not in a state for that
        """
        self.ensure_one()
        labels = dict(KINDS)
        field = self.env["grant.statement.act"]._fields["kind"]
        labels.update(field._description_selection(self.env))
        self._check_state(tuple(NEXT[kind]), labels[kind])
        # What the database cannot keep, from wherever it comes.
        self._check_texts({"correction": details.get("text")})
        user = self.env.user
        author = user.partner_id.display_name
        self.env["grant.statement.act"]._append(
            {
                "statement_id": self.id,
                "company_id": self.company_id.id,
                "kind": kind,
                "user_id": user.id,
                "author": author,
                "acted_at": fields.Datetime.now(),
                **details,
            }
        )
        state = NEXT[kind][self.state]
        if state and state != self.state:
            self._transition(state=state)
