import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import format_date

STATES = [
    ("draft", "Draft"),
    ("issued", "Issued"),
    ("sent", "Sent"),
    ("acknowledged", "Acknowledged"),
    ("contested", "Contested"),
    ("replaced", "Replaced"),
]
#: States in which a statement stands: one for each contract and date.
STANDING = ("issued", "sent", "acknowledged", "contested")


class GrantStatement(models.Model):
    """A financial statement of a contract for its funder: live while it is a draft, frozen once it
    is issued (R8).

    | who | what |
    |---|---|
    | coordinator, finance officer | draft, issue, send, correct |
    | finance manager | issue in spite of a control that fails, with a reason |
    | prefecture, on its page | read, download, acknowledge, contest |
    """

    _name = "grant.statement"
    _description = "Financial Statement"
    _inherit = ["grant.document.mixin", "grant.thread.mixin", "mail.activity.mixin"]
    _order = "as_at desc, id desc"
    _check_company_auto = True

    name = fields.Char(string="Number", readonly=True, copy=False, index=True, portal=True)
    contract_id = fields.Many2one(
        "grant.contract", required=True, ondelete="restrict", index=True, check_company=True,
        portal=True,
    )  # fmt: skip
    # Of what is issued nothing moves: the company of a contract in force does not either.
    company_id = fields.Many2one(related="contract_id.company_id", store=True, portal=True)
    currency_id = fields.Many2one(related="contract_id.currency_id", store=True, portal=True)
    funder_id = fields.Many2one(related="contract_id.funder_id")
    as_at = fields.Date(
        required=True, tracking=True, portal=True,
        default=lambda self: self._get_default_as_at(),
        help="Ledger entries count up to this accounting date.",
    )  # fmt: skip
    date_from = fields.Date(
        string="Period From", compute="_compute_date_from", store=True, readonly=False,
        portal=True, help="The day after the last statement, or the beginning of the contract.",
    )  # fmt: skip
    state = fields.Selection(
        STATES, required=True, default="draft", readonly=True, copy=False, tracking=True,
        index=True, portal=True,
    )  # fmt: skip
    replaces_id = fields.Many2one(
        "grant.statement", readonly=True, copy=False, ondelete="restrict",
        check_company=True, portal=True,
    )  # fmt: skip
    replaced_by_ids = fields.One2many("grant.statement", "replaces_id")
    correction = fields.Text(
        string="Why It Was Corrected", copy=False, portal=True,
        help="Told in the statement: what was wrong in the one that it replaces.",
    )  # fmt: skip
    issued_at = fields.Datetime(string="Issued On", readonly=True, copy=False, portal=True)
    issued_by_id = fields.Many2one(
        "res.users", readonly=True, copy=False, ondelete="restrict"
    )
    lang = fields.Char(string="Language", readonly=True, copy=False)
    heads = fields.Text(
        string="Heads of the Chains", readonly=True, copy=False,
        help="Where all chains of the ledger and of the documents stood: one a line.",
    )  # fmt: skip
    is_certified = fields.Boolean(
        string="Signed by the Accountant Too",
        help="The convention asks for expenses that the public accountant certifies: the document "
        "has a place for that signature.",
    )
    forced_reason = fields.Text(
        string="Issued in Spite of a Control", readonly=True, copy=False, tracking=True
    )
    line_ids = fields.One2many("grant.statement.line", "statement_id", string="Figures")
    check_ids = fields.One2many("grant.statement.check", "statement_id", string="Controls")
    file_ids = fields.One2many("grant.statement.file", "statement_id", string="Files")
    act_ids = fields.One2many("grant.statement.act", "statement_id", string="What Was Done")

    _name_uniq = models.UniqueIndex(
        "(company_id, name)", "Two statements cannot have the same number."
    )
    _standing_uniq = models.UniqueIndex(
        "(contract_id, as_at) WHERE state NOT IN ('draft', 'replaced')",
        "There is an issued statement of this contract as at this date: correct that one.",
    )
    _issued_whole = models.Constraint(
        "CHECK (state = 'draft' OR (name IS NOT NULL AND issued_at IS NOT NULL "
        "AND issued_by_id IS NOT NULL AND heads IS NOT NULL AND lang IS NOT NULL))",
        "An issued statement has a number, a time, a person, a language and the heads of the "
        "chains.",
    )

    @api.model
    def _get_default_as_at(self):
        """The end of last year."""
        return datetime.date(self.env.company._grant_today().year - 1, 12, 31)

    @api.depends("contract_id", "as_at")
    def _compute_date_from(self):
        for statement in self:
            before = statement._get_before()
            statement.date_from = (
                before.as_at + datetime.timedelta(days=1)
                if before and before.as_at
                else statement.contract_id.date_start or statement.contract_id.signature_date
            )

    @api.depends("name", "contract_id", "as_at")
    def _compute_display_name(self):
        for statement in self:
            about = {
                "number": statement.name or self.env._("Draft statement"),
                "contract": statement.contract_id.code or "",
                "date": format_date(self.env, statement.as_at) if statement.as_at else "",
            }
            statement.display_name = self.env._("%(number)s – %(contract)s as at %(date)s", **about)

    def _get_before(self):
        """The statement before this one that stands: of an earlier date."""
        self.ensure_one()
        if not self.contract_id or not self.as_at:
            return self.browse()
        # sudo: a draft's first day, for who may read the contract
        return self.sudo().search(
            [
                ("contract_id", "=", self.contract_id.id), ("as_at", "<", self.as_at),
                ("state", "in", STANDING),
            ],
            order="as_at desc, id desc", limit=1,
        )  # fmt: skip

    def _get_frozen_fields(self):
        if self.state != "draft":
            return frozenset({"contract_id", "as_at", "date_from", "correction", "is_certified"})
        # What a correction replaces says of which contract and date it is.
        return frozenset({"contract_id", "as_at"}) if self.replaces_id else frozenset()

    @api.constrains("date_from", "as_at")
    def _check_period(self):
        for statement in self:
            if statement.date_from and statement.date_from > statement.as_at:
                raise UserError(
                    self.env._(
                        "%(statement)s: its period begins on %(start)s, after it ends.",
                        statement=statement.display_name,
                        start=format_date(self.env, statement.date_from),
                    )
                )

    @api.ondelete(at_uninstall=False)
    def _unlink_except_issued(self):
        for statement in self:
            if statement.state != "draft":
                raise UserError(
                    self.env._(
                        "%(statement)s was issued, and is kept. Correct it by another one.",
                        statement=statement.display_name,
                    )
                )

    def _keeps_file(self, file):
        return file in self.file_ids.attachment_id

    # ------------------------------------------------------------------
    # Correcting
    # ------------------------------------------------------------------

    def action_correct(self):
        """Open a draft that will replace this statement, or the one there is.

        :raise UserError: it was not issued, or is replaced already
        :raise AccessError: the user is neither coordinator nor finance officer
        """
        self.ensure_one()
        what = self.env._("Correcting a statement")
        self._check_staff(what)
        self._check_state(STANDING, what)
        draft = self.search([("replaces_id", "=", self.id), ("state", "=", "draft")], limit=1)
        if not draft:
            vals = {
                "contract_id": self.contract_id.id, "as_at": self.as_at,
                "date_from": self.date_from, "replaces_id": self.id,
                "is_certified": self.is_certified,
            }  # fmt: skip
            draft = self._create_correction(vals)
        return draft._open_form()

    def _open_form(self):
        return {
            "type": "ir.actions.act_window",
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    @api.model
    def _get_standing(self, contract):
        """The statements of a contract that stand, the earliest first."""
        domain = Domain("contract_id", "=", contract.id) & Domain("state", "in", STANDING)
        return self.search(domain, order="as_at, id")
