from dateutil.relativedelta import relativedelta
from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import format_date

from .grant_guarded_mixin import TRANSITION

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
    _inherit = ["grant.thread.mixin", "grant.guarded.mixin"]
    _order = "id desc"
    _rec_names_search = ["contract_id.code", "subsidy_id.code", "reason"]
    _check_company_auto = True
    # A signed one is written by nobody, and discussed all the same.
    _mail_post_access = "read"

    _document_fields = ("amount", "date_start", "date_end")
    _before_fields = tuple(f"{name}_before" for name in _document_fields)
    _guarded_fields = frozenset({"state", "signed_by_id", "company_id", *_before_fields})

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
    decision_date = fields.Date()
    executory_date = fields.Date(
        string="Decision Executory On",
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
    obstacles = fields.Text(string="What Prevents Its Signature", compute="_compute_obstacles")
    is_stale = fields.Boolean(compute="_compute_obstacles")
    advice = fields.Text(compute="_compute_obstacles", help="What is unusual, and allowed.")

    _one_document = models.Constraint(
        "CHECK ((contract_id IS NULL) <> (subsidy_id IS NULL))",
        "An amendment is to a contract or to a subsidy: choose one.",
    )
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
        *_document_fields, *_before_fields, "state", "signature_date",
        *(
            f"{lines}.{name}"
            for lines in LINE_FIELDS.values()
            for name in ("name", "amount", "date", "is_cancelled", "envelope_code")
        ),
    )  # fmt: skip
    def _compute_obstacles(self):
        for amendment in self:
            is_open = amendment.state == "draft" and amendment._get_document()
            amendment.is_stale = bool(is_open and amendment._get_stale())
            amendment.obstacles = "\n".join(amendment._get_obstacles() if is_open else [])
            amendment.advice = "\n".join(amendment._get_advice() if is_open else [])

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

    # ------------------------------------------------------------------
    # Drafting
    # ------------------------------------------------------------------

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
        self._transition(
            line_ids=[
                fields.Command.create(lines._prepare_line(item, number))
                for number, item in enumerate(self._get_missing_items(), len(self.line_ids) + 1)
            ]
        )

    def action_refresh(self):
        """Take what the document says now as “before”; what was changed in the draft stays.

        :raise UserError: signed already
        """
        self._check_state(("draft",), self.env._("Refreshing an amendment"))
        for amendment in self:
            document = amendment._get_document()
            for name in amendment._get_amended_fields():
                if amendment[name] == amendment[f"{name}_before"]:
                    amendment[name] = document[name]
                amendment._transition(**{f"{name}_before": document[name]})
            lines = amendment.line_ids.filtered("item_id")
            gone = lines.filtered(lambda line: line._is_gone())
            gone.with_context(grant_transition=TRANSITION).unlink()
            (lines - gone)._refresh()
            amendment._add_missing_lines()

    def _carry(self):
        """Put off by a year the end of the subsidy, and what is neither certified nor reached."""
        year = relativedelta(years=1)
        self.date_end = self.date_end and self.date_end + year
        self.reason = self.env._(
            "What is left to pay, %(left)s, is carried to the next year.",
            left=self.currency_id.format(self.subsidy_id.to_pay_amount),
        )
        waiting = (self.tranche_line_ids | self.milestone_line_ids).filtered(
            lambda line: line.date and not line.is_settled
        )
        for line in waiting:
            line.date += year

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

    # ------------------------------------------------------------------
    # In words
    # ------------------------------------------------------------------

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

    # ------------------------------------------------------------------
    # What would forbid its signature
    # ------------------------------------------------------------------

    def _get_obstacles(self):
        """What forbids signing this amendment as it stands: a list of sentences.

        A draft shows them (R2), the signature refuses for them.
        """
        self.ensure_one()
        obstacles = self._get_line_obstacles()
        if stale := self._get_stale():
            obstacles.append(
                self.env._(
                    "%(document)s has changed since this was drafted (%(changes)s): press "
                    "“Refresh”, and look at it again.",
                    document=self._get_document().display_name,
                    changes="; ".join(stale),
                )
            )
        for name in ("date_start", "date_end"):
            if self[f"{name}_before"] and not self[name]:
                label = self._fields[name]._description_string(self.env)
                obstacles.append(self.env._("“%s” is missing.", label))
        if self.date_start and self.date_end and self.date_end < self.date_start:
            obstacles.append(self.env._("The end comes before the start."))
        if self.subsidy_id:
            return obstacles + self._get_subsidy_obstacles()
        return obstacles + self._get_contract_obstacles()

    def _get_stale(self):
        """What the document says now and did not when this was drafted: a list of sentences."""
        document = self._get_document()
        stale = [
            self.env._(
                "%(item)s: %(before)s then, %(now)s now",
                item=self._fields[name]._description_string(self.env),
                before=self._format(name, self[f"{name}_before"]),
                now=self._format(name, document[name]),
            )
            for name in self._get_amended_fields()
            if document[name] != self[f"{name}_before"]
        ]
        for line in self._get_lines():
            stale += line._get_stale()
        # A form that was never saved has no lines yet.
        for item in self._get_missing_items() if self._origin else ():
            stale.append(self.env._("“%(item)s” was added", item=item.display_name))
        return stale

    def _get_line_obstacles(self):
        obstacles = []
        for line in self._get_lines():
            if line.is_settled and line.operation != "same":
                obstacles.append(
                    self.env._(
                        "%(item)s is certified, ordered, paid, claimed or reached: it does not "
                        "change any more.",
                        item=line._get_label(),
                    )
                )
            if line.item_model == "grant.milestone" and not line.date:
                obstacles.append(self.env._("%(item)s needs a date.", item=line._get_label()))
            needs_amount = line.item_model in ("grant.disbursement", "grant.funding")
            if needs_amount and line.operation != "cancel" and not line.amount:
                obstacles.append(self.env._("%(item)s needs an amount.", item=line._get_label()))
        return obstacles

    def _get_subsidy_obstacles(self):
        subsidy, currency = self.subsidy_id, self.currency_id
        obstacles = subsidy._get_period_errors(self, subsidy.contract_id)
        if subsidy._get_report():
            obstacles.append(
                self.env._(
                    "The financial report of %(subsidy)s is accepted, what is due is settled: "
                    "reopen the report first.",
                    subsidy=subsidy.display_name,
                )
            )
        asked = self.amount - self.amount_before
        left = subsidy.envelope_id.available_amount
        if currency.compare_amounts(asked, max(left, 0)) > 0:
            obstacles.append(
                self.env._(
                    "Envelope “%(envelope)s”: %(left)s left to commit, %(asked)s asked: "
                    "%(over)s too much.",
                    envelope=subsidy.envelope_id.display_name,
                    left=currency.format(left),
                    asked=currency.format(asked),
                    over=currency.format(asked - left),
                )
            )
        return obstacles + self._get_schedule_obstacles()

    def _get_schedule_obstacles(self):
        tranches, actions = self.tranche_line_ids, self.action_line_ids
        settled = sum(tranches.filtered("is_settled").mapped("amount"))
        kept = self.subsidy_id.paid_amount - self.subsidy_id.recovered_amount
        planned = sum(t.amount for t in tranches if t.operation != "cancel")
        of_actions = sum(actions.mapped("amount"))
        short = self.amount - planned
        # It may have been signed short of its amount: not shorter than it was.
        missing = max(0.0, self.amount_before - sum(tranches.mapped("amount_before")))
        sentences = (
            (
                max(settled, kept) - self.amount,
                self.env._("certified, ordered or paid is more than the amount by %(gap)s"),
            ),
            (-short, self.env._("the tranches exceed the amount by %(gap)s")),
            (
                short - missing if planned else 0.0,
                self.env._("the tranches fall short of the amount by %(gap)s"),
            ),
            (of_actions - self.amount, self.env._("the actions exceed the amount by %(gap)s")),
        )
        return [
            self.env._(
                "%(subsidy)s: %(problem)s.",
                subsidy=self.subsidy_id.display_name,
                problem=sentence % {"gap": self.currency_id.format(gap)},
            )
            for gap, sentence in sentences
            if self.currency_id.compare_amounts(gap, 0) > 0
        ]

    def _get_contract_obstacles(self):
        currency, contract = self.currency_id, self.contract_id
        obstacles = [
            sentence
            for subsidy in contract.subsidy_ids.filtered(lambda s: s.state != "cancelled")
            for sentence in subsidy._get_period_errors(subsidy, self)
        ]
        for line in self.envelope_line_ids.filtered("item_id"):
            left = line._get_item().available_amount
            asked = line.amount_before - line.amount
            if currency.compare_amounts(asked, left) > 0:
                obstacles.append(
                    self.env._(
                        "Envelope “%(envelope)s”: the allocation cannot go down by %(asked)s, "
                        "only %(left)s are not committed: %(over)s too much.",
                        envelope=line.name,
                        asked=currency.format(asked),
                        left=currency.format(left),
                        over=currency.format(asked - left),
                    )
                )
        return obstacles + self._get_code_obstacles()

    def _get_code_obstacles(self):
        """New envelopes have a code of their own, new instalments that of a city's envelope."""
        codes = self.envelope_line_ids.mapped("envelope_code")
        city = self.envelope_line_ids.filtered(lambda line: line.payment_path == "city")
        obstacles = [
            self.env._("%(item)s: give it a code that no other has.", item=line._get_label())
            for line in self.envelope_line_ids
            if not line.envelope_code or codes.count(line.envelope_code) > 1
        ]
        return obstacles + [
            self.env._(
                "%(item)s: enter the code of an envelope paid through the city's accounts.",
                item=line._get_label(),
            )
            for line in self.funding_line_ids
            if line.envelope_code not in city.mapped("envelope_code")
        ]

    def _get_advice(self):
        """What the State owes usually adds up to what it allots: sentences where it does not."""
        remaining = self.funding_line_ids.filtered(lambda line: line.operation != "cancel")
        due = remaining.grouped("envelope_code")
        return [
            self.env._(
                "Envelope “%(envelope)s”: its instalments add up to %(due)s, its amount is "
                "%(amount)s.",
                envelope=line.name,
                due=self.currency_id.format(sum(due[line.envelope_code].mapped("amount"))),
                amount=self.currency_id.format(line.amount),
            )
            for line in self.envelope_line_ids
            if line.envelope_code in due
            and self.currency_id.compare_amounts(
                sum(due[line.envelope_code].mapped("amount")), line.amount
            )
        ]

    # ------------------------------------------------------------------
    # Signing
    # ------------------------------------------------------------------

    def action_sign(self):
        """Apply these amendments, all of them or nothing, dated of their signature.

        Signed by the mayor once the council's decision is executory (CGCT L2131-1).

        :raise UserError: something is missing, a ceiling refuses (R1), the schedule does not
            follow the amount, or the document has changed since the draft
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Signing an amendment")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(
            self.subsidy_id.envelope_id | self.contract_id.envelope_ids
        )
        self._check_state(("draft",), what)
        for amendment in self:
            amendment._check_complete()
            amendment._lock_items()
            amendment._check_obstacles()
            amendment._apply()
            amendment._record_signature()

    def _check_complete(self):
        required = ["reason", "signature_date"]
        if self.kind != "own_cost":
            required += ["decision_number", "decision_date", "executory_date", "attachment_ids"]
        self._check_filled(required)
        self._get_document()._check_state(
            ("signed", "in_force"), self.env._("Signing an amendment")
        )
        self._check_dates()

    def _check_dates(self):
        """Refuse a signature in the future, before the document's own, or before the council's
        decision was executory."""
        signed = self._get_document().signature_date
        if self.signature_date > self.company_id._grant_today() or (
            signed and self.signature_date < signed
        ):
            raise UserError(
                self.env._(
                    "%(amendment)s: it is signed after the document it amends, and today at the "
                    "latest.",
                    amendment=self.display_name,
                )
            )
        order = ("decision_date", "executory_date", "signature_date")
        dates = [(self[name], name) for name in order if self[name]]
        for (earlier, before), (later, after) in zip(dates, dates[1:], strict=False):
            if later < earlier:
                raise UserError(
                    self.env._(
                        "%(amendment)s: “%(after)s” comes before “%(before)s”.",
                        amendment=self.display_name,
                        after=self._fields[after]._description_string(self.env),
                        before=self._fields[before]._description_string(self.env),
                    )
                )

    def _lock_items(self):
        """The document, then what it is made of: nobody certifies a tranche meanwhile."""
        # sudo: locks what the amendment changes, read below
        document = self._get_document().sudo()
        document.lock_for_update(allow_referencing=True)
        # sudo: the same
        for items in self.sudo()._get_items():
            items.lock_for_update(allow_referencing=True)

    def _check_obstacles(self):
        obstacles = self._get_obstacles()
        if not self._get_sentences():
            obstacles.append(self.env._("It changes nothing."))
        if obstacles:
            raise UserError(
                self.env._(
                    "%(amendment)s cannot be signed:\n%(obstacles)s",
                    amendment=self.display_name,
                    obstacles="\n".join(f"• {obstacle}" for obstacle in obstacles),
                )
            )

    def _apply(self):
        # sudo: whoever signs an amendment does what it says, to each document it names
        self_sudo = self.sudo()
        changed = self_sudo.line_ids.filtered(lambda line: line.operation != "same")
        first = changed.filtered(lambda line: line._goes_first())
        first._apply()
        document = self_sudo._get_document()
        document._transition(**{name: self[name] for name in self._get_amended_fields()})
        # Envelopes come before their instalments.
        (changed - first).sorted("item_model")._apply()
        if entries := self._prepare_entries():
            self.env["grant.entry"]._post(self, entries)
        self_sudo.subsidy_id._sync_own_costs()
        self_sudo.subsidy_id.disbursement_ids._refresh_readiness()

    def _prepare_entries(self):
        """Lines of the ledger: what each envelope, or each action, gains or loses."""
        if self.contract_id:
            gains = [
                {"kind": "allocation", "envelope_id": line.item_id, "amount": gain}
                for line in self.envelope_line_ids
                if (gain := line._get_gain())
            ]
        else:
            subsidy = {
                "kind": "commitment",
                "envelope_id": self.subsidy_id.envelope_id.id,
                "subsidy_id": self.subsidy_id.id,
            }
            gains = [
                {**subsidy, "action_id": line.item_id, "amount": gain}
                for line in self.action_line_ids
                if (gain := line._get_gain())
            ]
            rest = self.amount - self.amount_before - sum(gain["amount"] for gain in gains)
            if not self.currency_id.is_zero(rest):
                gains.append({**subsidy, "amount": self.currency_id.round(rest)})
        # The ceilings hold after each line: what is paid needs its commitment, what is committed
        # its allocation. Gains first, if there is room for them.
        up = sum(gain["amount"] for gain in gains if gain["amount"] > 0)
        fits = self.contract_id or up <= self.subsidy_id.envelope_id.available_amount
        gains.sort(key=lambda gain: gain["amount"], reverse=bool(fits))
        return [{**gain, "date": self.signature_date, "memo": self.display_name} for gain in gains]

    def _record_signature(self):
        """Freeze the amendment and its files, and tell the document's readers."""
        owner = {"res_model": self._name, "res_id": self.id}
        own = self.attachment_ids.filtered_domain([(name, "=", owner[name]) for name in owner])
        # Another document keeps its own: this one gets a copy, that nobody may change any more.
        files = own | (self.attachment_ids - own).copy(owner)
        self._transition(state="signed", signed_by_id=self.env.uid, attachment_ids=files.ids)
        if self.subsidy_id:
            self.env["grant.decision"]._record(
                "amended", self.subsidy_id, self.reason, amendment_id=self.id
            )
        self._get_document().message_post(
            body=self.env._(
                "%(amendment)s, signed on %(date)s:%(summary)s",
                amendment=self.display_name,
                date=format_date(self.env, self.signature_date),
                summary=Markup("").join(
                    Markup("<br/>• %s") % sentence for sentence in self._get_sentences()
                ),
            )
        )

    @api.private
    @api.model
    def _get_undone(self, contract, date):
        """What the subsidies of ``contract`` said on that day, where amendments signed since have
        changed it.

        :return: dict: (model, id): its values then (``amount``, euros; ``date``), or None for
            what was added since
        """
        undone = {}
        later = [("state", "=", "signed"), ("signature_date", ">", date)]
        # The first one signed since knows what was before: it comes last.
        for amendment in self.search(
            [("subsidy_id.contract_id", "=", contract.id), *later],
            order="signature_date desc, id desc",
        ):
            undone["grant.subsidy", amendment.subsidy_id.id] = {"amount": amendment.amount_before}
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
