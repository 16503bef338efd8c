import datetime

from odoo import api, fields, models
from odoo.fields import Domain


class GrantDisbursement(models.Model):
    """When a tranche has to be paid, and what it costs when it is not."""

    _inherit = "grant.disbursement"

    payment_deadline = fields.Date(
        string="To Pay Before",
        compute="_compute_payment_deadline",
        store=True,
        help="60 days after the notification of the award (a setting), or what the convention's "
        "schedule says when that is later (loi 2000-321, art. 10).",
    )
    days_left = fields.Integer(
        compute="_compute_days_left", help="Until the payment is late; below zero, it is late."
    )
    is_overdue = fields.Boolean(
        string="Payment Overdue", compute="_compute_days_left", search="_search_is_overdue"
    )
    late_interest = fields.Monetary(
        string="Interest Due",
        compute="_compute_days_left",
        help="On what is not paid in time, at the rate of the settings.",
    )

    @api.depends(
        "due_date", "subsidy_id.notification_date", "subsidy_id.convention_reference",
        "company_id.grant_payment_days",
    )  # fmt: skip
    def _compute_payment_deadline(self):
        for disbursement in self:
            notified = disbursement.subsidy_id.notification_date
            legal = notified and notified + datetime.timedelta(
                days=disbursement.company_id.grant_payment_days
            )
            # Without a convention nothing was agreed: a due date is the city's own plan.
            agreed = disbursement.subsidy_id.convention_reference and disbursement.due_date
            dates = [date for date in (legal, agreed) if date]
            disbursement.payment_deadline = max(dates, default=False)

    @api.depends("payment_deadline", "state", "residual_amount", "paid_date")
    def _compute_days_left(self):
        self.days_left = self.is_overdue = self.late_interest = 0
        waiting = self.filtered(
            lambda disbursement: disbursement.payment_deadline
            and disbursement.state not in ("paid", "cancelled")
        )
        for company, disbursements in waiting.grouped("company_id").items():
            today, rate = company._grant_today(), company.grant_late_interest_rate
            for disbursement in disbursements:
                days = (disbursement.payment_deadline - today).days
                disbursement.days_left = days
                if days < 0:
                    disbursement.is_overdue = True
                    interest = disbursement.residual_amount * rate / 100 * -days / 365
                    disbursement.late_interest = disbursement.currency_id.round(interest)

    @api.model
    def _search_is_overdue(self, operator, value):
        if operator != "in":
            return NotImplemented
        overdue = Domain("state", "not in", ("paid", "cancelled")) & self.env[
            "res.company"
        ]._get_grant_today_domain(lambda today: Domain("payment_deadline", "<", today))
        return Domain.OR(overdue if wanted else ~overdue for wanted in value)
