from collections import defaultdict
from functools import partial

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL, LazyTranslate

from ..guard.grant_acting_mixin import asks_reason
from ..guard.obstacle import Obstacle
from ..guard.reading import Wanted, keep_lines
from .grant_recovery import OPEN_STATES, WITHDRAWALS

_lt = LazyTranslate(__name__)


class GrantSubsidy(models.Model):
    _inherit = "grant.subsidy"

    due_rule = fields.Selection(
        [
            ("fixed", "Lump sum"),
            ("pro_rata", "Pro rata of the budget spent"),
            ("cost", "Never more than the cost"),
            ("deficit", "Never more than the deficit"),
        ],
        string="Rule for the Amount Due",
        required=True,
        default="fixed",
        tracking=True,
        help="What the convention makes of a financial report below its budget.",
    )
    surplus_percent = fields.Float(
        string="Surplus Kept (%)",
        digits=(5, 2),
        help="Of the amount granted: what the convention lets the operator keep of money it did "
        "not use (loi 2000-321, art. 10).",
    )
    report_required = fields.Boolean(
        string="Financial Report Required",
        compute="_compute_report_required",
        store=True,
        readonly=False,
        precompute=True,
        wakes="_get_tranches",
        help="The balance is not paid, and the subsidy not closed, without an accepted financial "
        "report.",
    )
    report_ids = fields.One2many("grant.financial.report", "subsidy_id", string="Financial Report")
    recovery_ids = fields.One2many("grant.recovery", "subsidy_id", string="Recoveries")
    recovery_count = fields.Integer(compute="_compute_recovery_count")
    report_state = fields.Selection(related="report_ids.state", string="State of the Report")
    owed_amount = fields.Monetary(
        string="Operator Has to Pay Back",
        compute="_compute_owed_amount",
        help="Repayments claimed from the operator by this city, for all its subsidies, and not "
        "paid yet.",
    )
    still_owed_amount = fields.Monetary(
        string="Still Owed to the Operator",
        compute="_compute_still_owed_amount",
        help="What the accepted financial report leaves to pay.",
    )
    _surplus_percent_range = models.Constraint(
        "CHECK (surplus_percent >= 0 AND surplus_percent <= 100)",
        "The surplus that an operator keeps is between 0 and 100 %.",
    )

    @api.model
    def _get_decision_states(self):
        states = super()._get_decision_states()
        reopened = {**states["reopened"], "closed": "signed"}
        # Its report was done without: the subsidy stays what it is.
        return {**states, "closed": "closed", "reopened": reopened, "overridden": None}

    def _get_frozen_fields(self):
        frozen = super()._get_frozen_fields()
        if self.state in ("draft", "granted"):
            return frozen
        # What the convention says of the amount due in the end.
        return frozen | {"due_rule", "surplus_percent", "report_required"}

    @api.depends("due_rule", "kind")
    def _compute_report_required(self):
        for subsidy in self:
            # A lump sum is due without it, unless the convention says otherwise.
            subsidy.report_required = subsidy.kind == "operator" and subsidy.due_rule != "fixed"

    @api.depends("recovery_ids")
    def _compute_recovery_count(self):
        counts = dict(
            self.env["grant.recovery"]._read_group(
                [("subsidy_id", "in", self.ids)], ["subsidy_id"], ["__count"]
            )
        )
        for subsidy in self:
            subsidy.recovery_count = counts.get(subsidy._origin, 0)

    @api.depends(
        "partner_id.grant_body", "partner_id.grant_recovery_ids.state",
        "partner_id.grant_recovery_ids.residual_amount",
    )  # fmt: skip
    def _compute_owed_amount(self):
        # sudo: an amount owed to the same city, whoever of its staff may read the recovery
        recoveries = self.env["grant.recovery"].sudo()
        # Only what is claimed: before, the operator is asked for nothing.
        owed = defaultdict(float)
        bodies = self.partner_id.mapped("grant_body")
        for recovery in recoveries.search_fetch(
            [("partner_id.grant_body", "in", bodies), ("state", "=", "claimed")],
            ["partner_id", "company_id", "amount", "collected_amount", "state"],
        ):
            key = recovery.partner_id.grant_body, recovery.company_id.id
            owed[key] += recovery.residual_amount
        for subsidy in self:
            subsidy.owed_amount = owed[subsidy.partner_id.grant_body, subsidy.company_id.id]

    def _get_wanted(self):
        # sudo: as there
        subsidies, reports = self.sudo(), self.sudo().env["grant.financial.report"]
        of_subsidies = SQL("subsidy_id = ANY(%s)", self.ids)
        keep = partial(keep_lines, subsidies, "report_ids")
        wanted = Wanted(reports, ("subsidy_id", "state"), of_subsidies, keep)
        return [*super()._get_wanted(), wanted]

    def _get_report(self):
        """The accepted financial report, or none."""
        self.ensure_one()
        return self.report_ids.filtered(lambda report: report.state == "accepted")

    def _get_commitment_target(self):
        """Euros that remain promised: the amount granted; once the financial report is accepted,
        what is due, or what is already paid when that is more."""
        self.ensure_one()
        if report := self._get_report():
            return max(report.due_amount, self.paid_amount - self.recovered_amount)
        return self.amount

    def _get_owed(self, kind):
        if kind == "commitment" and self.state == "signed":
            least = self._get_commitment_target()
            # What is not paid back after all is held again, whatever the report left.
            return least, max(least, self.paid_amount)
        if kind == "justification" and (report := self._get_report()):
            owed = min(report.eligible_amount, report.due_amount)
            return owed, owed
        if kind == "recovery" and self.envelope_id.payment_path == "direct":
            owed = sum(self.recovery_ids.mapped("collected_amount"))
            return owed, owed
        return super()._get_owed(kind)

    def _get_withdrawn_amount(self):
        """Euros paid back because a condition was not met: they are not paid out again."""
        self.ensure_one()
        withdrawn = self.recovery_ids.filtered(lambda recovery: recovery.reason in WITHDRAWALS)
        return sum(withdrawn.mapped("collected_amount"))

    def _get_payable_again_amount(self):
        again = super()._get_payable_again_amount()
        # Where nothing came back, nothing withdrawn did.
        return again and again - self._get_withdrawn_amount()

    def _get_due_left(self):
        """Euros that the accepted financial report leaves to pay, or None without one."""
        self.ensure_one()
        if report := self._get_report():
            return report.left_amount - self._get_withdrawn_amount()
        return None

    def _get_open_recovery_amount(self, but=None):
        """Euros that the open recoveries of this subsidy still ask for, ``but`` one."""
        self.ensure_one()
        recoveries = self.env["grant.recovery"].search(
            [("subsidy_id", "=", self.id), ("state", "in", OPEN_STATES)]
        )
        return sum((recoveries - but if but else recoveries).mapped("residual_amount"))

    def _get_recoverable_amount(self, but=None):
        """Euros paid and not paid back, less what open recoveries ask for already."""
        self.ensure_one()
        held = self.paid_amount - self.recovered_amount
        return self.currency_id.round(held - self._get_open_recovery_amount(but))

    def _check_not_claimed(self, amount):
        """Refuse to take payments back that are claimed from the operator: what is claimed was
        paid, as long as it is claimed.

        :param float amount: euros of payments that would be none
        :raise UserError: naming the recoveries
        """
        self.ensure_one()
        claimed = self.recovery_ids.filtered(lambda recovery: recovery.state == "claimed")
        asked = sum(claimed.mapped("residual_amount"))
        left = self.paid_amount - self.recovered_amount - asked
        if claimed and self.currency_id.compare_amounts(amount, left) > 0:
            raise UserError(
                self.env._(
                    "%(subsidy)s: a payment of %(amount)s cannot be cancelled, %(asked)s of what "
                    "was paid are claimed from the operator (%(recoveries)s). Take that claim back "
                    "first: set its entry to draft, or waive it where the State claims.",
                    subsidy=self.display_name,
                    amount=self.currency_id.format(amount),
                    asked=self.currency_id.format(asked),
                    recoveries=", ".join(claimed.mapped("name")),
                )
            )

    def action_waive_report(self):
        """Ask for the reason, then do without the financial report."""
        return self._ask_reason("waive_report")

    @asks_reason("waive_report", _lt("Do Without the Financial Report"))
    def _do_waive_report(self, reason):
        """Do without the financial report that the convention asks for, with a reason.

        :raise UserError: none is required, or it is accepted
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Doing without the financial report")
        self._check_group("group_finance_manager", what)
        self.lock_for_update()
        self._check_state(("signed",), what)
        for subsidy in self:
            if not subsidy.report_required or subsidy._get_report():
                raise UserError(
                    self.env._(
                        "%(subsidy)s waits for no financial report.", subsidy=subsidy.display_name
                    )
                )
            subsidy._decide("overridden", reason, {"condition": "report"}, report_required=False)

    @api.depends(
        "report_ids.state", "report_ids.left_amount", "recovery_ids.state",
        "recovery_ids.collected_amount",
    )  # fmt: skip
    def _compute_still_owed_amount(self):
        for subsidy in self:
            subsidy.still_owed_amount = max(0.0, subsidy._get_due_left() or 0.0)

    def _get_release_obstacles(self, owed=True):
        obstacles = super()._get_release_obstacles(owed)
        if owed and self.currency_id.compare_amounts(self.still_owed_amount, 0) > 0:
            sentence = self.env._(
                "The accepted financial report says that %(owed)s are still owed to "
                "%(operator)s: pay them. A finance manager alone closes without it, with the "
                "reason (“Close without Paying What Is Owed”).",
                owed=self.currency_id.format(self.still_owed_amount),
                operator=self.partner_id.display_name,
            )
            obstacles.append(Obstacle(sentence, self._get_report()))
        return obstacles

    def _get_release_preview(self):
        preview = super()._get_release_preview()
        if self._get_report():
            alert = self.currency_id.compare_amounts(self.still_owed_amount, 0) > 0
            rows = [
                (self.env._("Amount Due"), self._get_report().due_amount),
                (self.env._("Paid, less what came back"), self.paid_amount - self.recovered_amount),
                (self.env._("Still owed to the operator"), self.still_owed_amount),
            ]
            title = self.env._("What the accepted financial report says")
            preview.append({"title": title, "rows": rows, "alert": alert})
        return preview

    def _get_reason_preview(self, action):
        preview = super()._get_reason_preview(action)
        obstacles = []
        for subsidy in self:
            if action in ("close", "close_unpaid"):
                obstacles += subsidy._get_closing_obstacles(owed=action == "close")
            elif action == "cancel":
                obstacles += subsidy._get_release_obstacles()
        if obstacles:
            rows = [(obstacle._get_link(self.env), None) for obstacle in obstacles]
            preview.append({"title": self.env._("What forbids it"), "rows": rows, "alert": True})
        return preview

    def _get_closing_obstacles(self, owed=True):
        """What keeps this subsidy from being closed: a list of sentences.

        :param bool owed: whether what is still owed counts
        """
        self.ensure_one()
        obstacles = self._get_release_obstacles(owed) + [
            Obstacle(
                self.env._(
                    "Recovery %(recovery)s is open: collect it, or waive it.",
                    recovery=recovery.display_name,
                ),
                recovery,
            )
            for recovery in self.recovery_ids.filtered(lambda recovery: recovery._is_open())
        ]
        # Who got nothing, or gave all of it back, has nothing to account for.
        kept = self.paid_amount - self.recovered_amount
        if (
            self.report_required
            and not self._get_report()
            and self.currency_id.compare_amounts(kept, 0) > 0
        ):
            sentence = self.env._(
                "The financial report is not accepted: accept it, or do without it with a reason."
            )
            obstacles.append(Obstacle(sentence, self.report_ids[:1]))
        return obstacles

    def action_close(self):
        """Ask for the reason, then close the subsidy and release what is not paid."""
        return self._ask_reason("close")

    @asks_reason("close", _lt("Close the Subsidy"))
    def _do_close(self, reason):
        """Close the subsidy: tranches not paid are cancelled, their commitment released.

        :raise UserError: a tranche is certified or ordered and not paid yet, a recovery is open,
            the financial report that the convention asks for is not accepted, or something is
            still owed by the accepted one
        :raise AccessError: the user is not a finance manager
        """
        what = self._begin_closing()
        for subsidy in self:
            subsidy._check_obstacles(what, subsidy._get_closing_obstacles())
            subsidy._release("closed", reason)

    def _begin_closing(self):
        what = self.env._("Closing a subsidy")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("signed",), what)
        return what

    def action_close_unpaid(self):
        """Ask for the reason, then close without paying what is still owed."""
        return self._ask_reason("close_unpaid")

    @asks_reason("close_unpaid", _lt("Close without Paying What Is Owed"))
    def _do_close_unpaid(self, reason):
        """Close the subsidy, and release even what the accepted report says is still owed: by the
        name of who decides so, with the reason and the amount.

        :raise UserError: nothing is owed, or what :meth:`_do_close` refuses otherwise
        :raise AccessError: the user is not a finance manager
        """
        what = self._begin_closing()
        for subsidy in self:
            owed = subsidy.still_owed_amount
            if subsidy.currency_id.compare_amounts(owed, 0) <= 0:
                raise UserError(
                    self.env._(
                        "%(subsidy)s: nothing is owed by its financial report. Close it.",
                        subsidy=subsidy.display_name,
                    )
                )
            subsidy._check_obstacles(what, subsidy._get_closing_obstacles(owed=False))
            text = self.env._(
                "%(owed)s owed and not paid: %(reason)s",
                owed=subsidy.currency_id.format(owed),
                reason=reason,
            )
            subsidy._decide("overridden", text, {"condition": "due"})
            subsidy._release("closed", text)

    def action_reopen(self):
        """Open a closed subsidy again and commit its amount again, or what its financial report
        says is due.

        :raise UserError: the envelope has not enough left any more (R1), or the contract is closed
        :raise AccessError: the user is not a finance manager
        """
        what = self.env._("Reopening a subsidy")
        self._check_group("group_finance_manager", what)
        self.env["grant.entry"]._begin_posting(self.envelope_id)
        self._check_state(("closed",), what)
        # Where nothing is posted again, the ledger would not see it.
        self.contract_id._check_state(("in_force",), what)
        for subsidy in self:
            subsidy._decide("reopened")
            released = subsidy._get_commitment_target() - subsidy.committed_amount
            if not subsidy.currency_id.is_zero(released):
                subsidy._post_commitment(released, subsidy.company_id._grant_today())
        return True

    def action_view_report(self):
        """Open the financial report, or the form to enter it."""
        self.ensure_one()
        return {
            "type": "ir.actions.act_window",
            "name": self.env._("Financial Report"),
            "res_model": "grant.financial.report",
            "res_id": self.report_ids.id,
            "views": [(False, "form")],
            "context": {
                "default_subsidy_id": self.id,
                "default_exercise_start": self.date_start,
                "default_exercise_end": self.date_end,
            },
        }

    def action_view_recoveries(self):
        """Open the recoveries of these subsidies."""
        action = self.env["ir.actions.act_window"]._for_xml_id("ctai_grants.grant_recovery_action")
        action["domain"] = [("subsidy_id", "in", self.ids)]
        action["context"] = {"default_subsidy_id": self.id if len(self) == 1 else False}
        return action
