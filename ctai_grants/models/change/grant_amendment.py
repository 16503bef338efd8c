from odoo import api, fields, models
from odoo.tools import format_date

from ...lib.award.renewal import move
from ..guard import transition

# The lines of a document in an amendment, by what they are about.
LINE_FIELDS = {
    "grant.disbursement": "tranche_line_ids",
    "grant.milestone": "milestone_line_ids",
    "grant.action": "action_line_ids",
    "grant.envelope": "envelope_line_ids",
    "grant.funding": "funding_line_ids",
}


class GrantAmendment(models.Model):
    """An amendment (avenant) to a contract or to a subsidy (R10).

    It is drafted beside what the document says, and changes nothing until it is signed: then
    all of it is applied, through the ledger and at the date of the signature, or nothing is. A
    signed amendment never changes again; to change what it did is to sign another.
    """

    _name = "grant.amendment"
    _description = "Amendment"
    _inherit = [
        "grant.document.mixin", "grant.source.mixin", "grant.decided.mixin",
        "grant.obstacle.mixin", "grant.thread.mixin",
    ]  # fmt: skip
    _order = "id desc"
    _rec_names_search = ["contract_id.code", "subsidy_id.code", "reason"]
    _check_company_auto = True
    # A signed one is written by nobody, and discussed all the same.
    _mail_post_access = "read"
    _entry_kinds = ("allocation", "commitment")
    _entry_name = "number"
    _decision_key = "amendment_id"

    _document_fields = ("amount", "date_start", "date_end")
    _before_fields = tuple(f"{name}_before" for name in _document_fields)
    number = fields.Integer(required=True, aggregator=None)
    contract_id = fields.Many2one(
        "grant.contract", ondelete="restrict", index="btree_not_null", check_company=True
    )
    subsidy_id = fields.Many2one(
        "grant.subsidy", ondelete="restrict", index="btree_not_null", check_company=True
    )
    partner_id = fields.Many2one(related="subsidy_id.partner_id", string="Operator")
    kind = fields.Selection(related="subsidy_id.kind")
    company_id = fields.Many2one(
        "res.company", compute="_compute_company_id", store=True, precompute=True, index=True
    )
    currency_id = fields.Many2one(related="company_id.currency_id", store=True)
    user_id = fields.Many2one(
        "res.users",
        string="Prepared By",
        default=lambda self: self.env.user,
        domain="[('share', '=', False)]",
    )
    reason = fields.Text(string="Object", help="Why the document is amended, and how.")
    decision_number = fields.Char(help="Number of the council's deliberation.")
    decision_date = fields.Date(tracking=True)
    executory_date = fields.Date(
        string="Decision Executory On",
        tracking=True,
        help="The later of its transmission to the prefecture and its publication.",
    )
    signature_date = fields.Date(tracking=True)
    signed_by_id = fields.Many2one(
        "res.users", string="Applied By", readonly=True, ondelete="restrict"
    )
    attachment_ids = fields.Many2many("ir.attachment", string="Signed File")
    state = fields.Selection(
        [("draft", "Draft"), ("signed", "Signed and Applied")],
        required=True, default="draft", readonly=True, tracking=True, index=True,
    )  # fmt: skip
    amount_before = fields.Monetary(readonly=True)
    amount = fields.Monetary(tracking=True)
    date_start_before = fields.Date(string="Start Before", readonly=True)
    date_start = fields.Date(string="Start")
    date_end_before = fields.Date(string="End Before", readonly=True)
    date_end = fields.Date(string="End", tracking=True)
    line_ids = fields.One2many("grant.amendment.line", "amendment_id", string="Lines")
    tranche_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Tranches",
        domain=[("item_model", "=", "grant.disbursement")],
    )  # fmt: skip
    milestone_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Pieces to Hand In",
        domain=[("item_model", "=", "grant.milestone")],
    )  # fmt: skip
    action_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Actions",
        domain=[("item_model", "=", "grant.action")],
    )  # fmt: skip
    envelope_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="Envelopes",
        domain=[("item_model", "=", "grant.envelope")],
    )  # fmt: skip
    funding_line_ids = fields.One2many(
        "grant.amendment.line", "amendment_id", string="State Instalments",
        domain=[("item_model", "=", "grant.funding")],
    )  # fmt: skip
    summary = fields.Text(string="What Changes", compute="_compute_summary")
    is_stale = fields.Boolean(compute="_compute_obstacles")
    advice = fields.Text(compute="_compute_obstacles", help="What is unusual, and allowed.")
    _one_document = models.Constraint(
        "CHECK ((contract_id IS NULL) <> (subsidy_id IS NULL))",
        "An amendment is to a contract or to a subsidy: choose one.",
    )
    # Two indexes: to PostgreSQL, two lines without contract are not the same.
    _contract_number_uniq = models.UniqueIndex(
        "(contract_id, number)", "There is already an amendment with this number."
    )
    _subsidy_number_uniq = models.UniqueIndex(
        "(subsidy_id, number)", "There is already an amendment with this number."
    )
    _number_positive = models.Constraint("CHECK (number > 0)", "Amendments are numbered from 1.")
    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amounts of an amendment cannot be negative."
    )

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "amended": "signed"}

    @api.depends("contract_id", "subsidy_id")
    def _compute_company_id(self):
        for amendment in self:
            amendment.company_id = amendment._get_document().company_id

    @api.depends("number", "contract_id.code", "subsidy_id.code")
    def _compute_display_name(self):
        for amendment in self:
            amendment.display_name = self.env._(
                "%(document)s, amendment %(number)s",
                document=amendment._get_document().code,
                number=amendment.number,
            )

    @api.depends(*_document_fields, *_before_fields, *LINE_FIELDS.values())
    def _compute_summary(self):
        for amendment in self:
            amendment.summary = "\n".join(amendment._get_sentences())

    @api.depends(
        *_document_fields, *_before_fields,
        "state", "reason", "decision_number", "signature_date", "decision_date", "executory_date",
        "attachment_ids",
        *(
            f"{lines}.{name}"
            for lines in LINE_FIELDS.values()
            for name in ("name", "amount", "date", "is_cancelled", "envelope_code")
        ),
    )  # fmt: skip
    def _compute_obstacles(self):
        result = super()._compute_obstacles()
        for amendment in self:
            is_open = amendment.state == "draft" and amendment._get_document()
            amendment.is_stale = bool(is_open and amendment._get_stale())
            amendment.advice = "\n".join(amendment._get_advice() if is_open else [])
        return result

    def _get_document(self):
        """The contract or the subsidy that is amended."""
        self.ensure_one()
        return self.subsidy_id or self.contract_id

    def _get_lines(self):
        """All the lines, as the form has them before it is saved."""
        self.ensure_one()
        lines = self.env["grant.amendment.line"]
        return lines.union(*(self[name] for name in LINE_FIELDS.values()))

    def _get_items(self):
        """The documents that can be changed, one recordset for each kind."""
        subsidy, contract = self.subsidy_id, self.contract_id
        if subsidy:
            tranches = subsidy.disbursement_ids.filtered(lambda d: d.state != "cancelled")
            return [tranches, subsidy.milestone_ids, subsidy.action_ids]
        return [contract.envelope_ids, contract.funding_ids]

    def _get_amended_fields(self):
        """Names of the document's own fields that this amendment may change."""
        return self._document_fields if self.subsidy_id else ("date_start", "date_end")

    @api.model_create_multi
    def create(self, vals_list):
        # Those of one document are numbered one after the other.
        amendments = self.browse()
        for vals in vals_list:
            amendment = super().create([{**vals, "number": self._get_next_number(vals)}])
            amendment._get_document()._check_state(
                ("signed", "in_force"), self.env._("Drafting an amendment")
            )
            amendment._load(vals)
            amendments |= amendment
        return amendments

    @api.model
    def _get_next_number(self, vals):
        if vals.get("number"):
            return vals["number"]
        key = "subsidy_id" if vals.get("subsidy_id") else "contract_id"
        # sudo: a number is taken, whoever may read who has it
        last = self.sudo().search([(key, "=", vals.get(key))], order="number desc", limit=1)
        return last.number + 1

    @api.model
    def _draft(self, key, document):
        """A new draft amendment to ``document``.

        :param str key: ``subsidy_id`` or ``contract_id``
        :raise AccessError: the user is not a coordinator
        """
        document.ensure_one()
        self._check_group("group_coordinator", self.env._("Drafting an amendment"))
        return self.create({key: document.id})

    def action_discard(self):
        """Delete a draft, as if one had only looked, and open again what it was to amend.

        :raise UserError: signed
        :raise AccessError: the user is not a coordinator
        """
        self.ensure_one()
        what = self.env._("Discarding an amendment")
        self._check_group("group_coordinator", what)
        self._check_state(("draft",), what)
        document = self._get_document()
        self.unlink()
        return {
            "type": "ir.actions.act_window",
            "res_model": document._name,
            "res_id": document.id,
            "views": [(False, "form")],
            # The way back to the draft is gone too.
            "target": "main",
        }

    def _get_form_action(self):
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Amendment"),
            "res_model": self._name,
            "res_id": self.id,
            "views": [(False, "form")],
        }

    def _load(self, given):
        """Take what the document says: “before”, and “after” where nothing else was given."""
        document = self._get_document()
        for name in self._get_amended_fields():
            self._transition(**{f"{name}_before": document[name]})
            if name not in given:
                self[name] = document[name]
        self._add_missing_lines()

    def _get_missing_items(self):
        """Documents that this amendment has no line of yet."""
        known = {(line.item_model, line.item_id) for line in self._get_lines()}
        items = [item for items in self._get_items() for item in items]
        return [item for item in items if (item._name, item.id) not in known]

    def _add_missing_lines(self):
        lines = self.env["grant.amendment.line"]
        vals_list = [
            {"amendment_id": self.id, **lines._prepare_line(item, number)}
            for number, item in enumerate(self._get_missing_items(), len(self.line_ids) + 1)
        ]
        transition.creating(lines, vals_list).create(vals_list)

    def action_refresh(self):
        """Take what the document says now as “before”; what was changed in the draft stays.

        :raise UserError: signed already
        """
        self._check_state(("draft",), self.env._("Refreshing an amendment"))
        for amendment in self:
            document = amendment._get_document()
            for name in amendment._get_amended_fields():
                # While “before” is what it was: that alone tells what was changed in the draft.
                if amendment[name] == amendment[f"{name}_before"]:
                    amendment[name] = document[name]
                amendment._transition(**{f"{name}_before": document[name]})
            lines = amendment.line_ids.filtered("item_id")
            gone = lines.filtered(lambda line: line._is_gone())
            # By hand, the line of a document that exists cannot be deleted.
            transition.writing(gone, ("item_id",)).unlink()
            (lines - gone)._refresh()
            amendment._add_missing_lines()
        return True

    def _carry(self):
        """Put off by a year the end of the subsidy, and what is neither certified nor reached."""
        self.date_end = move(self.date_end, 1)
        self.reason = self.env._(
            "What is left to pay, %(left)s, is carried to the next year.",
            left=self.currency_id.format(self.subsidy_id.to_pay_amount),
        )
        waiting = (self.tranche_line_ids | self.milestone_line_ids).filtered(
            lambda line: line.date and not line.is_settled
        )
        for line in waiting:
            line.date = move(line.date, 1)

    def _get_frozen_fields(self):
        if self.state == "draft":
            return frozenset({"contract_id", "subsidy_id"})
        return frozenset({
            "number", "contract_id", "subsidy_id", "reason", "decision_number", "decision_date",
            "executory_date", "signature_date", "attachment_ids", "user_id", "line_ids",
            *self._document_fields, *LINE_FIELDS.values(),
        })  # fmt: skip

    @api.ondelete(at_uninstall=False)
    def _unlink_except_draft(self):
        self._check_state(("draft",), self.env._("Deleting an amendment"))

    def _format(self, name, value):
        if name == "amount":
            return self.currency_id.format(value)
        return format_date(self.env, value) if value else self.env._("no date")

    def _get_sentences(self):
        """What this amendment changes, from what it keeps: one sentence a change."""
        self.ensure_one()
        lines = self._get_lines().filtered(lambda line: line.operation != "same")
        return [
            self.env._(
                "%(item)s: %(changes)s",
                item=self._fields[name]._description_string(self.env),
                changes=f"{self._format(name, self[f'{name}_before'])} → "
                f"{self._format(name, self[name])}",
            )
            for name in self._get_amended_fields()
            if self[name] != self[f"{name}_before"]
        ] + [line._get_sentence() for line in lines]

    @api.private
    @api.model
    def _get_undone(self, contract, date):
        """What ``contract`` and its subsidies said on that day, where amendments signed since have
        changed it.

        :return: dict: (model, id): its values then (``amount``, euros; ``date``; of a contract or
            subsidy ``date_start`` and ``date_end``), or None for what was added since
        """
        undone = {}
        # One that is signed on that very day counts for it.
        later = [("state", "=", "signed"), ("signature_date", ">", date)]
        # The first one signed since knows what was before: it comes last.
        for amendment in self.search(
            ["|", ("contract_id", "=", contract.id),
             ("subsidy_id.contract_id", "=", contract.id), *later],
            order="signature_date desc, id desc",
        ):
            document = amendment._get_document()
            undone[document._name, document.id] = {
                name: amendment[f"{name}_before"] for name in amendment._get_amended_fields()
            }
            for line in amendment.line_ids.filtered(lambda line: line.operation != "same"):
                undone[line.item_model, line.item_id] = (
                    {"amount": line.amount_before, "date": line.date_before}
                    if line.name_before
                    else None
                )
        return undone

    def action_view_entries(self):
        """Open what these amendments posted to the ledger."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_entry_action")
        action["domain"] = [("origin_model", "=", self._name), ("origin_id", "in", self.ids)]
        action["context"] = {}
        return action
