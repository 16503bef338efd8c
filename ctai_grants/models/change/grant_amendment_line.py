from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import format_date

from ..guard import transition
from ..payment.grant_disbursement import KINDS as TRANCHE_KINDS

# What an amendment changes: the fields of the document behind the name, amount and date of a line.
ITEM_FIELDS = {
    "grant.disbursement": {"name": "name", "amount": "amount", "date": "due_date"},
    "grant.milestone": {"date": "date"},
    "grant.action": {"amount": "amount"},
    "grant.envelope": {"amount": "amount"},
    "grant.funding": {"amount": "amount", "date": "due_date"},
}
CONTRACT_ITEMS = ("grant.envelope", "grant.funding")
# Items that an amendment can cancel.
CANCELLABLE = ("grant.disbursement", "grant.funding")


class GrantAmendmentLine(models.Model):
    """What an amendment makes of one tranche, milestone, action, envelope or State instalment.

    The columns “before” are read from the document when the amendment is drafted or refreshed,
    and kept: the amendment says what it changed, whatever becomes of the document.
    """

    _name = "grant.amendment.line"
    _description = "Change of an Amendment"
    _inherit = ["grant.document.mixin"]
    _order = "amendment_id, sequence, id"
    _check_company_auto = True

    _before_fields = ("name_before", "amount_before", "date_before")
    _new_fields = ("tranche_kind", "condition_ids", "payment_path", "envelope_code")

    amendment_id = fields.Many2one("grant.amendment", required=True, ondelete="cascade", index=True)
    company_id = fields.Many2one(related="amendment_id.company_id", store=True)
    currency_id = fields.Many2one(related="amendment_id.currency_id", store=True)
    sequence = fields.Integer(default=1000)
    item_model = fields.Selection(
        [
            ("grant.disbursement", "Tranche"),
            ("grant.milestone", "Due date"),
            ("grant.action", "Action"),
            ("grant.envelope", "Envelope"),
            ("grant.funding", "State instalment"),
        ],
        string="What",
        required=True,
    )
    item_id = fields.Many2oneReference(model_field="item_model", readonly=True, aggregator=None)
    name_before = fields.Char(readonly=True)
    name = fields.Char(required=True)
    amount_before = fields.Monetary(readonly=True)
    amount = fields.Monetary(
        string="Amount After", compute="_compute_amount", store=True, readonly=False
    )
    date_before = fields.Date(readonly=True)
    date = fields.Date(string="Date After")
    is_cancelled = fields.Boolean(string="Cancel")
    is_settled = fields.Boolean(
        compute="_compute_is_settled", help="Certified, ordered, paid, claimed or reached."
    )
    operation = fields.Selection(
        [
            ("same", "Unchanged"),
            ("change", "Changed"),
            ("add", "Added"),
            ("cancel", "Cancelled"),
        ],
        string="Change",
        compute="_compute_operation",
        store=True,
    )
    tranche_kind = fields.Selection(TRANCHE_KINDS, string="Kind", default="interim")
    condition_ids = fields.Many2many(
        "grant.deliverable",
        string="Conditions",
        help="The pieces that must be accepted before a new tranche is certified.",
    )
    envelope_code = fields.Char(
        string="Envelope", help="Code of the envelope; of an instalment, whose envelope it is."
    )
    payment_path = fields.Selection(
        [("city", "Through the city's accounts"), ("direct", "Paid by the State")], default="city"
    )

    _amount_positive = models.Constraint(
        "CHECK (amount >= 0)", "The amounts of an amendment cannot be negative."
    )

    @api.depends(
        "name", "name_before", "amount", "amount_before", "date", "date_before", "is_cancelled"
    )
    def _compute_operation(self):
        for line in self:
            # Filled in for every document that is there when the amendment is drafted.
            if not line.name_before:
                line.operation = "add"
            elif line.is_cancelled:
                line.operation = "cancel"
            else:
                line.operation = "change" if line._get_changes() else "same"

    @api.depends("is_cancelled")
    def _compute_amount(self):
        # The total of what remains shows below the list.
        for line in self:
            line.amount = 0.0 if line.is_cancelled else line.amount or line.amount_before

    @api.depends("item_id", "item_model")
    def _compute_is_settled(self):
        for line in self:
            item = line._get_item()
            match item._name:
                case "grant.disbursement":
                    line.is_settled = item.state not in ("planned", "ready")
                case "grant.funding":
                    line.is_settled = item.state != "expected"
                case "grant.milestone":
                    line.is_settled = bool(item.reached_date)
                case _:
                    line.is_settled = False

    def _get_item(self):
        """The document this line changes, or none: it is to be added, or was deleted since."""
        self.ensure_one()
        if not self.item_id:
            return self.browse()
        # sudo: an amendment shows what it changes to whoever may read it
        return self.env[self.item_model].sudo().browse(self.item_id).exists()

    def _get_gain(self):
        """Euros that this line adds, below zero when it takes some away."""
        self.ensure_one()
        return self.currency_id.round(self.amount - self.amount_before)

    @api.model
    def _read_item(self, item):
        """Name, amount and date of a document, as a line keeps them."""
        values = {"name": item.name, "amount": 0.0, "date": False}
        if item._name == "grant.milestone":
            pieces = [name for name in item.deliverable_ids.mapped("name") if name != item.name]
            values["name"] += f" ({', '.join(pieces)})" if pieces else ""
        for name, field in ITEM_FIELDS[item._name].items():
            values[name] = item[field]
        return values

    @api.model
    def _prepare_line(self, item, sequence):
        """Values of the line of a document, unchanged."""
        values = self._read_item(item)
        envelope = item.envelope_id if item._name == "grant.funding" else item
        return {
            **values,
            **{f"{name}_before": value for name, value in values.items()},
            "item_model": item._name,
            "item_id": item.id,
            "sequence": sequence,
            "envelope_code": envelope.code if "code" in envelope else False,
            "payment_path": envelope.payment_path if item._name == "grant.envelope" else False,
            "tranche_kind": item.kind if item._name == "grant.disbursement" else False,
        }

    def _get_changes(self):
        """Names of the values (name, amount, date) that differ from before."""
        self.ensure_one()
        return [
            name for name in ITEM_FIELDS.get(self.item_model, ()) if self._differs(name, self[name])
        ]

    def _differs(self, name, value):
        before = self[f"{name}_before"]
        if name == "amount":
            currency = self.currency_id or self.env.company.currency_id
            return currency.compare_amounts(value, before) != 0
        return (value or False) != (before or False)

    def _get_stale(self):
        """What the document says now and did not when the amendment was drafted: sentences."""
        self.ensure_one()
        if not self.item_id:
            return []
        item = self._get_item()
        if self._is_gone():
            return [self.env._("%(item)s is cancelled or deleted", item=self._get_label())]
        now = self._read_item(item)
        return [
            self.env._(
                "%(item)s: %(before)s then, %(now)s now",
                item=self._get_label(),
                before=self._format(name, self[f"{name}_before"]),
                now=self._format(name, now[name]),
            )
            for name in ITEM_FIELDS[self.item_model]
            if self._differs(name, now[name])
        ]

    def _is_gone(self):
        """Whether the document was deleted, or the tranche cancelled, since the draft."""
        item = self._get_item()
        return not item or (item._name == "grant.disbursement" and item.state == "cancelled")

    def _refresh(self):
        """Read the columns “before” again; what was not changed follows them."""
        for line in self:
            now = self._read_item(line._get_item())
            changed = [*line._get_changes(), *line._before_fields]
            follow = {name: value for name, value in now.items() if name not in changed}
            before = {f"{name}_before": value for name, value in now.items()}
            line._transition(**follow, **before)

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

    def _get_label(self):
        labels = dict(self._fields["item_model"]._description_selection(self.env))
        return self.env._(
            "%(what)s “%(name)s”",
            what=labels[self.item_model],
            name=self.name_before or self.name,
        )

    def _format(self, name, value):
        if name == "amount":
            return self.currency_id.format(value)
        if name == "date":
            return format_date(self.env, value) if value else self.env._("no date")
        return value

    def _get_sentence(self):
        """What this line changes, as a reader would tell it, from what it keeps."""
        self.ensure_one()
        if self.operation == "cancel":
            details = [self._format("amount", self.amount_before)] if self.amount_before else []
            details = [self.env._("cancelled"), *details]
        elif self.operation == "add":
            names = [name for name in ("amount", "date") if self[name]]
            details = [self.env._("added"), *(self._format(name, self[name]) for name in names)]
            details += [self._format("name", name) for name in self.condition_ids.mapped("name")]
        else:
            details = [
                f"{self._format(name, self[f'{name}_before'])} → {self._format(name, self[name])}"
                for name in self._get_changes()
            ]
        return self.env._(
            "%(item)s: %(changes)s", item=self._get_label(), changes=", ".join(details)
        )

    # ------------------------------------------------------------------
    # Guards
    # ------------------------------------------------------------------

    def _get_frozen_fields(self):
        if self.amendment_id.state != "draft":
            return frozenset(
                {"amendment_id", "item_model", "name", "amount", "date", "is_cancelled"}
            ).union(self._new_fields)
        frozen = {"amendment_id", "item_model"}
        if self.item_id:
            frozen |= {"name", "amount", "date", "is_cancelled"}.difference(
                ITEM_FIELDS[self.item_model],
                ("is_cancelled",) if self.item_model in CANCELLABLE else (),
            )
            frozen.update(self._new_fields)
        return frozenset(frozen)

    def _get_state_label(self):
        return self.amendment_id._get_state_label()

    @api.constrains("item_model", "amendment_id")
    def _check_item_model(self):
        for line in self:
            if (line.item_model in CONTRACT_ITEMS) != bool(line.amendment_id.contract_id):
                raise ValidationError(
                    self.env._(
                        "%(amendment)s: envelopes and instalments belong to a contract, the rest "
                        "to a subsidy.",
                        amendment=line.amendment_id.display_name,
                    )
                )

    @api.model_create_multi
    def create(self, vals_list):
        lines = super().create(vals_list)
        lines.amendment_id._check_state(("draft",), self.env._("Adding to an amendment"))
        return lines

    @api.ondelete(at_uninstall=False)
    def _unlink_except_added(self):
        self.amendment_id._check_state(("draft",), self.env._("Removing from an amendment"))
        for line in self:
            _line, allowed = transition.spend(line)
            if line.item_id and not allowed:
                raise UserError(
                    self.env._(
                        "%(item)s exists: tick “Cancel” to cancel it, or leave the line as it is.",
                        item=line._get_label(),
                    )
                )

    # ------------------------------------------------------------------
    # Applying
    # ------------------------------------------------------------------

    def _goes_first(self):
        """Whether to apply this line before the amount and the period of the document: what
        takes less of the amount, or leaves the beginning of the period."""
        later = self.item_model == "grant.milestone" and self.date_before
        return bool(later and self.date > later) or self.amount < self.amount_before

    def _apply(self):
        """Do what these lines say, to documents that were locked and found unchanged."""
        for line in self:
            item = line._get_item()
            if line.operation == "add":
                # Kept: a statement of an earlier day leaves out what was added (_get_undone).
                line._transition(item_id=line._add_item().id)
            elif line.operation == "cancel" and line.item_model == "grant.disbursement":
                item._decide("cancelled", line.amendment_id.display_name)
            elif line.operation == "cancel":
                # An instalment: nothing else can be cancelled (CANCELLABLE).
                item.unlink()
            else:
                fields_of = ITEM_FIELDS[line.item_model]
                item._transition(**{fields_of[name]: line[name] for name in line._get_changes()})

    def _add_item(self):
        self.ensure_one()
        # sudo: whoever signs an amendment does what it says, a new action or milestone included
        items = self.env[self.item_model].sudo()
        vals = self._prepare_item()
        # A new envelope is in force at once, and nobody types in a state.
        item = transition.creating(items, [vals]).create(vals)
        if item._name == "grant.milestone":
            # sudo: as above
            pieces = self.env["grant.deliverable"].sudo()
            pieces.create({"name": self.name, "milestone_id": item.id})
        return item

    def _prepare_item(self):
        """Values of the document that this line adds."""
        values = {field: self[name] for name, field in ITEM_FIELDS[self.item_model].items()}
        values |= {"name": self.name}
        contract, subsidy = self.amendment_id.contract_id, self.amendment_id.subsidy_id
        match self.item_model:
            case "grant.envelope":
                values |= {"contract_id": contract.id, "code": self.envelope_code}
                values |= {"payment_path": self.payment_path, "state": "in_force"}
            case "grant.funding":
                values["envelope_id"] = contract.envelope_ids.filtered(
                    lambda envelope: envelope.code == self.envelope_code
                ).id
            case "grant.disbursement":
                values |= {"subsidy_id": subsidy.id, "kind": self.tranche_kind}
                values["deliverable_ids"] = self.condition_ids.ids
            case _:
                values["subsidy_id"] = subsidy.id
        return values
