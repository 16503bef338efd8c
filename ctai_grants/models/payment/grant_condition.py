import datetime
from collections import defaultdict

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import LazyTranslate, format_date

from ...lib.guard.words import has_words
from ..guard import transition
from ..guard.grant_acting_mixin import asks_reason
from .grant_decision import CONDITIONS

_lt = LazyTranslate(__name__)

# Requests filed from this day carry the contrat d'engagement républicain (décret 2021-1947).
CER_FROM = datetime.date(2022, 1, 2)

# What is known of a condition, as far as nothing else is said.
FACTS = {
    "code": False, "state": False, "deliverable_id": False, "date": False, "reference": False,
    "amount": 0.0, "fingerprint": False, "bic": False, "sequence": 0,
}  # fmt: skip


class GrantCondition(models.Model):
    """One condition of a tranche (R4): met or not, and the evidence of it.

    The rows follow the facts until the tranche is certified, and then stay as they were that day:
    they are what the certificate rests on. A condition that a finance manager did without stays
    marked for ever.

    Sources: executory decision, CGCT L2131-1; convention above the threshold, loi 2000-321
    art. 10; contrat d'engagement républicain, art. 10-1 of the same law.
    """

    _name = "grant.condition"
    _description = "Condition of Payment"
    _inherit = ["grant.document.mixin"]
    _order = "disbursement_id, sequence, id"

    disbursement_id = fields.Many2one(
        "grant.disbursement", string="Tranche", readonly=True, required=True, ondelete="cascade",
        index=True,
    )  # fmt: skip
    subsidy_id = fields.Many2one(
        related="disbursement_id.subsidy_id", store=True, index=True, ondelete="cascade"
    )
    partner_id = fields.Many2one(
        related="disbursement_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="disbursement_id.company_id", store=True, index=True)
    currency_id = fields.Many2one(related="disbursement_id.currency_id")
    tranche_state = fields.Selection(related="disbursement_id.state", string="State of the Tranche")
    code = fields.Selection(CONDITIONS, string="Condition", readonly=True, required=True)
    sequence = fields.Integer(readonly=True)
    deliverable_id = fields.Many2one(
        "grant.deliverable", string="Piece", readonly=True, ondelete="cascade",
        index="btree_not_null",
    )  # fmt: skip
    state = fields.Selection(
        [
            ("met", "Met"),
            ("not_required", "Not Required"),
            ("unmet", "Not Met"),
            ("waived", "Piece Waived"),
            ("overridden", "Overridden"),
        ],
        readonly=True,
        required=True,
        index=True,
    )
    date = fields.Date(string="Date of the Evidence", readonly=True)
    reference = fields.Char(string="Reference of the Evidence", readonly=True)
    amount = fields.Monetary(string="Amount of the Evidence", readonly=True)
    # Of an account: which one, where the reference shows a part of its number only.
    fingerprint = fields.Char(readonly=True)
    bic = fields.Char(string="BIC of the Account", readonly=True)
    decision_id = fields.Many2one(
        "grant.decision", string="Override", readonly=True, ondelete="restrict"
    )
    evidence = fields.Text(compute="_compute_evidence")
    may_override = fields.Boolean(compute="_compute_may_override")

    _once = models.UniqueIndex(
        "(disbursement_id, code, COALESCE(deliverable_id, 0))",
        "A tranche has each condition once.",
    )

    @api.depends("code", "deliverable_id.name")
    def _compute_display_name(self):
        labels = dict(self._fields["code"]._description_selection(self.env))
        for condition in self:
            condition.display_name = " – ".join(
                filter(None, (labels.get(condition.code), condition.deliverable_id.name))
            )

    @api.depends("state", "code", "tranche_state")
    def _compute_may_override(self):
        for condition in self:
            condition.may_override = (
                condition.state == "unmet"
                and not condition._is_absolute()
                and condition.tranche_state in ("planned", "ready")
            )

    def _is_absolute(self):
        """Whether no decision replaces this condition: nothing is owed without a signature."""
        return self.code == "signed"

    # ------------------------------------------------------------------
    # The evidence, in the reader's words
    # ------------------------------------------------------------------

    @api.depends(
        "state", "code", "date", "reference", "amount", "decision_id", "deliverable_id.state"
    )
    def _compute_evidence(self):
        for condition in self:
            if condition.state == "overridden":
                decision = condition.decision_id
                condition.evidence = self.env._(
                    "%(user)s did without it on %(date)s: %(reason)s",
                    user=decision.user_id.name,
                    date=format_date(self.env, decision.decided_at.date()),
                    reason=decision.reason,
                )
            elif condition.state == "unmet":
                condition.evidence = condition._say_no()
            else:
                condition.evidence = condition._say_yes()

    @api.model
    def _get_unmet_sentences(self, disbursements):
        """What keeps these saved tranches from being certified: dict {tranche: sentences}."""
        sentences = defaultdict(list)
        unmet = self.search_fetch(
            [("disbursement_id", "in", disbursements.ids), ("state", "=", "unmet")],
            ["disbursement_id", "code", "reference", "deliverable_id"],
            order="sequence, id",
        )
        unmet.deliverable_id.fetch(["name", "state"])
        for condition in unmet:
            sentences[condition.disbursement_id].append(condition._say_no())
        return sentences

    def _say_no(self):
        return getattr(self, f"_say_no_{self.code}")()

    def _say_yes(self):
        facts = {
            "date": format_date(self.env, self.date) if self.date else None,
            "amount": (self.currency_id or self.env.company.currency_id).format(self.amount),
            "reference": self.reference,
        }
        return self._get_met_sentence(facts) or " – ".join(
            filter(None, (facts["reference"], facts["date"]))
        )

    def _get_met_sentence(self, facts):
        """The evidence of this condition in a sentence, or None: its reference and date say it.

        :param dict facts: ``date``, ``amount`` and ``reference`` of the evidence, as texts
        """
        match self.code, self.state:
            case "convention", "not_required":
                return self.env._("%(amount)s granted in the year.", **facts)
            case "cer", "not_required":
                day = format_date(self.env, CER_FROM)
                return self.env._("Requested before %(date)s.", date=day)
            case "signed", _:
                return self.env._("Subsidy signed on %(date)s.", **facts)
            case "executory", _:
                return self.env._("Executory since %(date)s.", **facts)
            case "convention", _:
                return self.env._("%(reference)s; %(amount)s granted in the year.", **facts)
            case "cer", _:
                return self.env._("Signed on %(date)s.", **facts)
        return None

    def _say_no_signed(self):
        return self.env._("The subsidy is not signed, or closed.")

    def _say_no_executory(self):
        return self.env._("The council's decision is not executory (no date of it in the past).")

    def _say_no_convention(self):
        return self.env._(
            "A signed convention is required above %(threshold)s a year: enter its reference.",
            threshold=self.currency_id.format(self.company_id.grant_convention_threshold),
        )

    def _say_no_cer(self):
        return self.env._("The contrat d'engagement républicain is not signed.")

    def _say_no_bank(self):
        if self.reference:
            return self.env._(
                "No bank account of the operator is verified: check whose %(account)s is, and mark "
                "it as trusted.",
                account=self.reference,
            )
        return self.env._("No bank account of the operator is verified: enter its IBAN.")

    def _say_no_deliverable(self):
        state = self.deliverable_id._get_state_label()
        return self.env._(
            "“%(piece)s” is not accepted (%(state)s).",
            piece=self.deliverable_id.name,
            state=state,
        )

    # ------------------------------------------------------------------
    # The facts
    # ------------------------------------------------------------------

    @api.ondelete(at_uninstall=False)
    def _unlink_except_synced(self):
        self._check_not_by_hand()

    @api.model
    def _sync(self, disbursements):
        """Bring the conditions of these waiting tranches to what the facts are now.

        :return: the tranches of which none is unmet
        """
        # sudo: whoever changes a fact may not write conditions, and nobody but this method does
        conditions = self.sudo()
        nothing = gone = conditions.browse()
        new, changed, waiting = [], {}, set()
        # sudo: nor read all that they are about
        disbursements = disbursements.sudo()
        yearly_amounts = disbursements.subsidy_id._get_yearly_amounts()
        kept = conditions.search_fetch(
            [("disbursement_id", "in", disbursements.ids)],
            ["disbursement_id", *FACTS],
            order="id",
        ).grouped("disbursement_id")
        for disbursement in disbursements:
            own = kept.get(disbursement, nothing)
            rows = {(row.code, row.deliverable_id.id): row for row in own}
            known = conditions._get_facts(disbursement, yearly_amounts)
            for sequence, facts in enumerate(sorted(known, key=conditions._get_place)):
                facts = {**FACTS, **facts, "sequence": sequence}
                row = rows.pop((facts["code"], facts["deliverable_id"]), None)
                if facts["state"] == "unmet" and not (row and row.state == "overridden"):
                    waiting.add(disbursement.id)
                if row is None:
                    new.append({"disbursement_id": disbursement.id, **facts})
                elif row.state != "overridden" and (change := row._get_change(facts)):
                    changed[change] = changed.get(change, nothing) | row
            gone = gone.union(*(row for row in rows.values() if row.state != "overridden"))
        transition.writing(gone, FACTS).unlink()
        # What changes of many at once is written once.
        for change, rows in changed.items():
            rows._transition(**dict(change))
        transition.creating(conditions, new).create(new)
        return disbursements.filtered(lambda disbursement: disbursement.id not in waiting)

    def _get_place(self, facts):
        """Where a condition stands in the list: as in the selection of their codes."""
        return list(dict(self._fields["code"].selection)).index(facts["code"])

    def _get_change(self, facts):
        """What of ``facts`` is not so yet: pairs of a field's name and its value."""
        return tuple(item for item in facts.items() if self._is_changed(self, *item))

    def _get_facts(self, disbursement, yearly_amounts):
        """What is known of each condition of a tranche: values of this model, one dict each.

        :param dict yearly_amounts: of :meth:`grant.subsidy._get_yearly_amounts`
        """
        subsidy = disbursement.subsidy_id
        facts = [
            {
                "code": "signed",
                "state": "met" if subsidy.state == "signed" else "unmet",
                "date": subsidy.signature_date,
            },
            self._get_executory(subsidy),
            self._get_convention(subsidy, yearly_amounts[subsidy]),
            self._get_cer(subsidy),
        ]
        if subsidy.payment_path == "city":
            facts.append(self._get_bank(subsidy.partner_id))
        return facts + [self._get_deliverable(piece) for piece in disbursement.deliverable_ids]

    def _get_executory(self, subsidy):
        date = subsidy.executory_date
        met = date and date <= subsidy.company_id._grant_today()
        return {"code": "executory", "state": "met" if met else "unmet", "date": date}

    def _get_convention(self, subsidy, amount):
        state = "not_required"
        if has_words(subsidy.convention_reference):
            state = "met"
        elif subsidy._is_above_threshold(amount):
            state = "unmet"
        return {
            "code": "convention",
            "state": state,
            "reference": subsidy.convention_reference,
            "amount": amount,
        }

    def _get_cer(self, subsidy):
        # A request is older than the decision on it.
        requested = subsidy.request_date or subsidy.decision_date
        state = "not_required"
        if subsidy.cer_date:
            state = "met"
        elif requested and requested >= CER_FROM:
            state = "unmet"
        return {"code": "cer", "state": state, "date": subsidy.cer_date}

    def _get_bank(self, partner):
        verified = partner._get_grant_bank()
        account = verified or partner.commercial_partner_id.bank_ids[:1]
        return {
            "code": "bank",
            "state": "met" if verified else "unmet",
            "reference": account._get_masked_number(),
            "fingerprint": verified._get_fingerprint(),
            "bic": verified._get_bic(),
        }

    def _names_account(self, account):
        """Whether this evidence is of that very account, its holder included."""
        # None kept: of a certificate older than fingerprints, or an account without a BIC.
        return (
            self._looks_like(account)
            and self.fingerprint in (False, account._get_fingerprint())
            and self.bic in (False, account._get_bic())
            and not self._is_unproven(account)
        )

    def _looks_like(self, account):
        return self.reference in account._get_masked_numbers()

    def _is_unproven(self, account):
        """Whether this evidence is older than fingerprints and says too little: the account was
        entered or changed since, or is not the only one that looks like that."""
        if self.fingerprint or not self._looks_like(account):
            return False
        alike = account.partner_id.commercial_partner_id.with_context(active_test=False).bank_ids
        dates = (account.write_date, account.bank_id.write_date)
        certified = self.disbursement_id.certified_at
        is_changed = certified and max(filter(None, dates)) > certified
        return is_changed or len(alike.filtered(self._looks_like)) > 1

    def _get_deliverable(self, piece):
        state = {"accepted": "met", "waived": "waived"}.get(piece.state, "unmet")
        facts = {"code": "deliverable", "deliverable_id": piece.id, "state": state}
        if state == "met":
            facts["reference"] = piece.last_version_id.display_name
            facts["date"] = piece.answered_at and piece.answered_at.date()
        elif state == "waived":
            facts["reference"] = piece.answer
        return facts

    # ------------------------------------------------------------------
    # Doing without one
    # ------------------------------------------------------------------

    def action_override(self):
        """Ask for the reason, then do without this condition."""
        return self._ask_reason("override")

    def _get_reason_title(self, title):
        return f"{title} – {self.display_name}"

    @asks_reason("override", _lt("Do Without This Condition"))
    def _do_override(self, reason):
        """Do without this condition, with a written reason kept with the decision, on the tranche
        and in the memo of its payment's ledger entry (R4).

        :raise UserError: the tranche is certified, or the condition is met, or absolute
        :raise AccessError: the user is not a finance manager
        """
        self.ensure_one()
        what = self.env._("Overriding a condition")
        self._check_group("group_finance_manager", what)
        disbursement = self.disbursement_id
        disbursement.lock_for_update()
        disbursement._check_state(("planned", "ready"), what)
        disbursement._refresh_readiness()
        if not self.exists() or not self.may_override:
            raise UserError(
                self.env._("There is nothing to override: this condition is met, or cannot be.")
            )
        decision = self.env["grant.decision"]._record(
            "overridden",
            self.subsidy_id,
            reason,
            disbursement_id=disbursement.id,
            condition=self.code,
            deliverable_id=self.deliverable_id.id,
        )
        # sudo: nobody may write conditions but their own methods
        self.sudo()._transition(state="overridden", decision_id=decision.id)
        disbursement._refresh_readiness()
