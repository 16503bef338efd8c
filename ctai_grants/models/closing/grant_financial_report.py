import datetime

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.tools import LazyTranslate
from odoo.tools.misc import formatLang

from ...lib.closing import due
from ...lib.guard.money import ZERO, euros
from ..guard.grant_acting_mixin import asks_reason

_lt = LazyTranslate(__name__)


class GrantFinancialReport(models.Model):
    """What an operator spent of a subsidy (compte rendu financier, Cerfa 15059), and what is due
    to it in the end by the convention's rule.

    One per subsidy: a corrected report is the same one, reopened and accepted again. Accepting it
    posts the ``justification``, which is the eligible spending and never more than the amount
    due. So what the operator keeps by right and not by spending (a lump sum, a surplus that the
    convention lets it keep) stays “unjustified” in the ledger: that is what it is.
    """

    _name = "grant.financial.report"
    _description = "Financial Report"
    _inherit = [
        "grant.document.mixin", "grant.source.mixin", "grant.decided.mixin", "grant.dated.mixin",
        "grant.thread.mixin", "mail.activity.mixin",
    ]  # fmt: skip
    _legal_others = ("acceptance_date",)
    _order = "exercise_end desc, id desc"
    _rec_name = "subsidy_id"
    _check_company_auto = True

    _entry_kinds = ("justification", "commitment")
    _entry_name = "subsidy_id.code"
    _decision_key = "report_id"

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, ondelete="restrict", check_company=True,
        domain="[('kind', '=', 'operator'), ('state', '=', 'signed'), ('report_ids', '=', False)]",
    )  # fmt: skip
    contract_id = fields.Many2one(related="subsidy_id.contract_id", store=True, index=True)
    envelope_id = fields.Many2one(related="subsidy_id.envelope_id", store=True, index=True)
    partner_id = fields.Many2one(
        related="subsidy_id.partner_id", store=True, string="Operator", index=True
    )
    company_id = fields.Many2one(related="subsidy_id.company_id", store=True)
    currency_id = fields.Many2one(related="subsidy_id.currency_id", store=True)
    due_rule = fields.Selection(related="subsidy_id.due_rule")
    exercise_start = fields.Date(required=True, tracking=True)
    exercise_end = fields.Date(required=True, tracking=True)
    budget_amount = fields.Monetary(
        string="Budgeted Charges", help="Total of the charges in the budget of the convention."
    )
    actual_amount = fields.Monetary(string="Actual Charges")
    eligible_amount = fields.Monetary(
        string="Eligible Spending",
        help="What the convention accepts of the actual charges: linked to the action, necessary, "
        "reasonable, spent within the period.",
    )
    other_income = fields.Monetary(
        help="Income of the action, without this subsidy.",
    )
    version_id = fields.Many2one(
        "grant.deliverable.version", string="Signed Report", ondelete="restrict",
        domain="[('subsidy_id', '=', subsidy_id)]", check_company=True,
    )  # fmt: skip
    acceptance_date = fields.Date(
        string="Accepted On",
        copy=False,
        tracking=True,
        help="Accounting date of what is posted; today when left empty.",
    )
    note = fields.Text(string="Notes")
    state = fields.Selection(
        [("draft", "Draft"), ("accepted", "Report Accepted")],
        required=True, default="draft", readonly=True, copy=False, tracking=True, index=True,
        wakes="_get_tranches",
    )  # fmt: skip
    granted_amount = fields.Monetary(
        readonly=True, copy=False, help="Amount of the subsidy when the report was accepted."
    )
    due_amount = fields.Monetary(string="Amount Due", compute="_compute_due")
    kept_amount = fields.Monetary(string="Surplus Kept", compute="_compute_due")
    left_amount = fields.Monetary(string="Left to Pay", compute="_compute_due")
    to_recover_amount = fields.Monetary(string="To Pay Back", compute="_compute_due")
    due_table = fields.Html(string="Calculation", compute="_compute_due_table", sanitize=False)
    decision_ids = fields.One2many("grant.decision", "report_id", string="Decisions")
    recovery_ids = fields.One2many("grant.recovery", "report_id", string="Recoveries")

    _subsidy_uniq = models.UniqueIndex(
        "(subsidy_id)", "There is already a financial report of this subsidy: correct that one."
    )
    _exercise = models.Constraint(
        "CHECK (exercise_end >= exercise_start)", "The exercise cannot end before it starts."
    )
    _amounts_positive = models.Constraint(
        "CHECK (budget_amount >= 0 AND actual_amount >= 0 AND eligible_amount >= 0 "
        "AND other_income >= 0)",
        "The amounts of a financial report cannot be negative.",
    )

    @api.model
    def _get_decision_states(self):
        return {**super()._get_decision_states(), "accepted": "accepted", "reopened": "draft"}

    def _get_tranches(self):
        return self.subsidy_id.disbursement_ids

    @api.depends("subsidy_id.display_name")
    def _compute_display_name(self):
        for report in self:
            report.display_name = self.env._(
                "Financial report %(subsidy)s", subsidy=report.subsidy_id.display_name or ""
            )

    @api.constrains("eligible_amount", "actual_amount")
    def _check_eligible(self):
        for report in self:
            if report.currency_id.compare_amounts(report.eligible_amount, report.actual_amount) > 0:
                raise ValidationError(
                    self.env._(
                        "%(report)s: the eligible spending (%(eligible)s) cannot exceed the "
                        "actual charges (%(actual)s).",
                        report=report.display_name,
                        eligible=report.currency_id.format(report.eligible_amount),
                        actual=report.currency_id.format(report.actual_amount),
                    )
                )

    @api.constrains("subsidy_id", "version_id")
    def _check_subsidy(self):
        for report in self:
            if report.subsidy_id.kind != "operator":
                raise ValidationError(self.env._("A cost of the city has no financial report."))
            # sudo: of which subsidy the file is, whoever may read it
            if report.version_id and report.sudo().version_id.subsidy_id != report.subsidy_id:
                raise ValidationError(
                    self.env._(
                        "%(report)s: the file is another subsidy's.", report=report.display_name
                    )
                )

    def _get_frozen_fields(self):
        # Accepted once, it has entries that name its subsidy.
        frozen = {"subsidy_id"} if self.decision_ids else set()
        if self.state == "accepted":
            frozen |= {
                "subsidy_id", "exercise_start", "exercise_end", "budget_amount", "actual_amount",
                "eligible_amount", "other_income", "version_id", "acceptance_date",
            }  # fmt: skip
        return frozenset(frozen)

    @api.ondelete(at_uninstall=False)
    def _unlink_except_undecided(self):
        for report in self:
            if report.decision_ids:
                raise UserError(
                    self.env._(
                        "%(report)s was accepted once and cannot be deleted.",
                        report=report.display_name,
                    )
                )

    # ------------------------------------------------------------------
    # What is due
    # ------------------------------------------------------------------

    def _get_due(self):
        """What the convention leaves to the operator, and what follows of it.

        :return: dict of Decimal, in euros: ``granted``, ``due``, ``paid`` (less what was paid
            back), ``kept`` (surplus), ``left`` (still to pay), ``to_recover``; ``due`` and what
            comes of it are None while the subsidy, or the budget that its rule divides by, is
            missing
        """
        self.ensure_one()
        # sudo: an operator's page shows the calculation of its own report
        subsidy = self.subsidy_id.sudo()
        # Once accepted, the calculation stays that of its day.
        granted = euros(self.granted_amount if self.state == "accepted" else subsidy.amount)
        paid = euros(subsidy.paid_amount) - euros(subsidy.recovered_amount)
        result = {"granted": granted, "paid": paid}
        if not subsidy or (subsidy.due_rule == "pro_rata" and not self.budget_amount):
            return {**result, "due": None, "kept": None, "left": None, "to_recover": None}
        amount = due.amount_due(
            subsidy.due_rule,
            granted,
            euros(self.budget_amount),
            euros(self.eligible_amount),
            euros(self.other_income),
        )
        over = max(ZERO, paid - amount)
        kept = due.surplus_kept(granted, subsidy.surplus_percent, over)
        return {
            **result,
            "due": amount,
            "kept": kept,
            "left": max(ZERO, amount - paid),
            "to_recover": over - kept,
        }

    @api.depends(
        "budget_amount", "eligible_amount", "other_income", "state", "granted_amount",
        "subsidy_id.amount", "subsidy_id.due_rule", "subsidy_id.surplus_percent",
        "subsidy_id.paid_amount", "subsidy_id.recovered_amount",
    )  # fmt: skip
    def _compute_due(self):
        for report in self:
            result = report._get_due()
            report.due_amount = float(result["due"] or 0)
            report.kept_amount = float(result["kept"] or 0)
            report.left_amount = float(result["left"] or 0)
            report.to_recover_amount = float(result["to_recover"] or 0)

    @api.depends("due_amount", "kept_amount", "left_amount", "to_recover_amount", "actual_amount")
    def _compute_due_table(self):
        for report in self:
            report.due_table = self.env["ir.qweb"]._render(
                "ctai_grants.due_lines",
                {
                    "lines": report._get_due_lines(),
                    "currency": report.currency_id or self.env.company.currency_id,
                },
            )

    def _get_due_lines(self):
        """The calculation, line by line, as both sides read it.

        :return: list of dicts: ``label``, ``formula`` (a sentence), ``amount`` (euros, or None
            when it cannot be told yet), ``total`` (whether it closes a part)
        """
        self.ensure_one()
        # sudo: an operator's page shows the calculation of its own report
        subsidy = self.subsidy_id.sudo()
        result = self._get_due()
        lines = [
            (self.env._("Amount granted"), subsidy.convention_reference or "", "granted", False),
            (self.env._("Amount due"), self._get_due_formula(), "due", True),
            (
                self.env._("Paid so far"),
                self.env._("payments, less what was paid back"),
                "paid",
                False,
            ),
        ]
        if result["kept"]:
            lines.append((
                self.env._("Surplus kept"),
                self.env._(
                    "%(percent)s %% of the amount granted at most",
                    percent=formatLang(self.env, subsidy.surplus_percent, digits=2),
                ),
                "kept",
                False,
            ))  # fmt: skip
        if result["to_recover"]:
            formula = self.env._("paid so far − amount due − surplus kept")
            lines.append((self.env._("To pay back"), formula, "to_recover", True))
        else:
            formula = self.env._("amount due − paid so far")
            lines.append((self.env._("Left to pay"), formula, "left", True))
        return [
            {
                "label": label,
                "formula": formula,
                "amount": None if result[key] is None else float(result[key]),
                "total": total,
            }
            for label, formula, key, total in lines
        ]

    def _get_due_formula(self):
        """The convention's rule in words, with the figures of this report."""
        # sudo: an operator's page shows the calculation of its own report
        rule = self.subsidy_id.sudo().due_rule
        amounts = {
            name: (self.currency_id or self.env.company.currency_id).format(self[name])
            for name in ("budget_amount", "eligible_amount", "other_income")
        }
        match rule:
            case "fixed":
                return self.env._("lump sum: what was granted, whatever was spent")
            case "pro_rata" if not self.budget_amount:
                return self.env._("pro rata of the budget spent: enter the budgeted charges")
            case "pro_rata":
                return self.env._(
                    "amount granted × eligible spending %(eligible_amount)s ÷ budget "
                    "%(budget_amount)s, never more than was granted",
                    **amounts,
                )
            case "cost":
                return self.env._(
                    "eligible spending %(eligible_amount)s, never more than was granted", **amounts
                )
        return self.env._(
            "eligible spending %(eligible_amount)s − other income %(other_income)s, never more "
            "than was granted",
            **amounts,
        )

    # ------------------------------------------------------------------
    # Actions
    # ------------------------------------------------------------------

    def action_accept(self):
        """Accept the report: post the justification and settle what is left of the subsidy.

        What the operator is not owed any more is taken off the planned tranches and released; what
        was paid beyond its due and the surplus it may keep becomes a recovery.

        :raise UserError: the subsidy is not signed; the report has no figures or no file, or is
            dated before the end of its exercise; a tranche on its way to payment exceeds what
            is due; or nothing is due, which takes a reason (:meth:`_do_accept`)
        :raise AccessError: the user is not a coordinator
        """
        self._accept()
        return True

    def _accept(self, reason=None):
        what = self.env._("Accepting a financial report")
        self._check_group("group_coordinator", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("draft",), what)
        self.subsidy_id._check_state(("signed",), what)
        for report in self:
            date = report.acceptance_date or report.company_id._grant_today()
            report._check_complete(date)
            report._check_nothing_due(reason)
            due_text = self.env._(
                "Due: %(due)s of %(granted)s",
                due=report.currency_id.format(report.due_amount),
                granted=report.currency_id.format(report.subsidy_id.amount),
            )
            report._decide(
                "accepted",
                "\n".join(filter(None, (due_text, reason))),
                granted_amount=report.subsidy_id.amount,
                acceptance_date=date,
            )
            report._settle(date)

    def _settle(self, date):
        """Bring ledger, tranches and recoveries to what the accepted report says is due."""
        self.ensure_one()
        subsidy = self.subsidy_id
        self._reduce_tranches()
        # What has changed, no more: a report that was reopened has posted already.
        differences = {
            "justification": min(self.eligible_amount, self.due_amount) - subsidy.justified_amount,
            "commitment": subsidy._get_commitment_target() - subsidy.committed_amount,
        }
        lines = [
            {
                "kind": kind,
                "envelope_id": subsidy.envelope_id.id,
                "subsidy_id": subsidy.id,
                "date": date,
                "amount": subsidy.currency_id.round(amount),
                "memo": self.display_name,
            }
            for kind, amount in differences.items()
            if not subsidy.currency_id.is_zero(amount)
        ]
        if lines:
            self._post_entries(lines)
        self._identify_recovery()
        # What is left to pay has changed in the ledger.
        subsidy.disbursement_ids._wake()

    def _reduce_tranches(self):
        """Take off the planned tranches what is not due.

        :raise UserError: a tranche is certified or ordered for more than is due
        """
        if excess := self._get_excess():
            raise UserError(excess)
        for tranche, amount in self._get_reductions():
            tranche._do_reduce(amount, self)

    def _get_on_the_way(self):
        """The tranches that will be paid: they come first."""
        tranches = self.subsidy_id.disbursement_ids
        return tranches.filtered(lambda tranche: tranche.state in ("certified", "ordered"))

    def _get_left_to_plan(self):
        """Euros that the report leaves to pay, beyond what is on its way."""
        # What was withdrawn is due and is not paid again: a tranche of it would wait for ever.
        left = max(0.0, self.left_amount - self.subsidy_id._get_withdrawn_amount())
        # Of what is paid in part, or reduced, only what is not paid yet is on its way.
        return left - sum(self._get_on_the_way().mapped("residual_amount"))

    def _get_excess(self):
        """A sentence on the tranches that are certified or ordered for more than is due, if any."""
        on_the_way = self._get_on_the_way()
        if on_the_way and self.currency_id.compare_amounts(self._get_left_to_plan(), 0) < 0:
            return self.env._(
                "%(report)s leaves %(left)s to pay, less than what is on its way (%(tranches)s): "
                "return what is certified, wait for the payment of what is ordered.",
                report=self.display_name,
                left=self.currency_id.format(self.left_amount),
                tranches=", ".join(on_the_way.mapped("display_name")),
            )
        return None

    def _get_reductions(self):
        """What is not due, taken off the planned tranches, the balance first: list of (tranche,
        euros that are left of it)."""
        planned = self.subsidy_id.disbursement_ids.filtered(
            lambda tranche: tranche.state in ("planned", "ready")
        )
        excess = sum(planned.mapped("amount")) - self._get_left_to_plan()
        last_first = planned.sorted(
            lambda t: (t.kind == "balance", t.due_date or datetime.date.max, t.sequence, t.id),
            reverse=True,
        )
        reductions = []
        for tranche in last_first:
            if self.currency_id.compare_amounts(excess, 0) <= 0:
                break
            taken = min(excess, tranche.amount)
            excess -= taken
            reductions.append((tranche, tranche.amount - taken))
        return reductions

    def _identify_recovery(self):
        """A recovery of what was paid beyond the due amount, less those that are open already.

        :raise UserError: a recovery that the operator was told of asks for more than is left
        """
        gone, missing = self._get_recovery_change()
        gone._waive(self.env._("The financial report was accepted again."))
        if missing:
            self.env["grant.recovery"]._identify(self, missing)
        if asked := self._get_asked_too_much():
            raise UserError(asked)

    def _get_open_recoveries(self):
        return self.recovery_ids.filtered(lambda recovery: recovery._is_open())

    def _get_recovery_change(self):
        """What accepting makes of the recoveries: those of its own that are given up, and euros of
        a new one."""
        own = self._get_open_recoveries()
        gone = own.browse()
        compare = self.currency_id.compare_amounts
        if compare(self.to_recover_amount, sum(own.mapped("residual_amount"))):
            # Nobody was told of these: made again. What was notified stays as it was told.
            gone = own.filtered(lambda recovery: recovery.state == "identified")
        # Those of other reasons count as well: the same euros are not asked twice.
        asked = self.subsidy_id._get_open_recovery_amount() - sum(gone.mapped("residual_amount"))
        missing = self.currency_id.round(self.to_recover_amount - asked)
        return gone, max(0.0, missing)

    def _get_asked_too_much(self):
        """A sentence on recoveries that ask the operator for more than is left, if any."""
        notified = self._get_open_recoveries().filtered(
            lambda recovery: recovery.state != "identified"
        )
        asked = sum(notified.mapped("residual_amount"))
        if self.currency_id.compare_amounts(asked, self.to_recover_amount) > 0:
            return self.env._(
                "%(report)s leaves less to pay back than is asked of the operator: waive "
                "%(recoveries)s first.",
                report=self.display_name,
                recoveries=", ".join(notified.mapped("display_name")),
            )
        return None

    def action_reopen(self):
        """Ask for the reason, then open the report for a correction."""
        return self._ask_reason("reopen_report")

    @asks_reason("reopen_report", _lt("Reopen the Financial Report"))
    def _do_reopen(self, reason):
        """Open an accepted report again; what it posted stays until it is accepted again, which
        posts the difference.

        :raise UserError: not accepted, or the subsidy is closed
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Reopening a financial report")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("accepted",), what)
        self.subsidy_id._check_state(("signed",), what)
        for report in self:
            report._decide("reopened", reason, acceptance_date=False)

    def action_view_recoveries(self):
        """Open the recoveries that come of these reports."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_recovery_action")
        action["domain"] = [("report_id", "in", self.ids)]
        action["context"] = {}
        return action
