from odoo import api, fields, models

DECISIONS = [
    ("granted", "Granted"),
    ("signed", "Signed"),
    ("closed", "Closed Out"),
    ("reopened", "Reopened"),
    ("cancelled", "Cancelled"),
    ("accepted", "Accepted"),
    ("to_complete", "To Complete"),
    ("waived", "Waived"),
    ("overridden", "Condition Overridden"),
    ("certified", "Certified"),
    ("returned", "Returned"),
    ("ordered", "Ordered"),
    ("order_withdrawn", "Order Taken Back"),
    ("treasury_received", "Received by the Treasury"),
    ("treasury_taken", "Taken in Charge by the Treasury"),
    ("treasury_pending", "Suspended by the Treasury"),
    ("treasury_rejected", "Rejected by the Treasury"),
    ("treasury_settled", "Settled by the Treasury"),
    ("paid", "Paid Out"),
    ("unpaid", "Payment Cancelled"),
    ("reduced", "Reduced"),
    ("amended", "Amended"),
    ("identified", "Identified"),
    ("notified", "Notified"),
    ("observed", "Observations Received"),
    ("decided", "Decided"),
    ("claimed", "Claimed"),
    ("claim_withdrawn", "Claim Withdrawn"),
    ("collected", "Collected"),
]

# What a tranche waits for (R4).
CONDITIONS = [
    ("signed", "Subsidy in force"),
    ("executory", "Council's decision executory"),
    ("convention", "Convention signed"),
    ("cer", "Contrat d'engagement républicain signed"),
    ("bank", "Bank account verified"),
    ("repayment", "No repayment outstanding"),
    ("report", "Financial report accepted"),
    ("due", "Within what is due"),
    ("deliverable", "Piece accepted"),
]


class GrantDecision(models.Model):
    """Who decided what, when and why, on a subsidy and its documents.

    Written once, by :meth:`_record`: to change a decision is to take another (R5). The database
    refuses updates and deletions (``grant_entry_schema.sql``).
    """

    _name = "grant.decision"
    _description = "Grant Decision"
    _inherit = ["grant.append.only.mixin"]
    _order = "decided_at desc, id desc"
    _rec_name = "decision"
    _log_access = False

    subsidy_id = fields.Many2one(
        "grant.subsidy", required=True, readonly=True, ondelete="restrict", index=True
    )
    deliverable_id = fields.Many2one(
        "grant.deliverable", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    version_id = fields.Many2one("grant.deliverable.version", readonly=True, ondelete="restrict")
    disbursement_id = fields.Many2one(
        "grant.disbursement", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    report_id = fields.Many2one(
        "grant.financial.report", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    recovery_id = fields.Many2one(
        "grant.recovery", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    amendment_id = fields.Many2one(
        "grant.amendment", readonly=True, ondelete="restrict", index="btree_not_null"
    )
    company_id = fields.Many2one("res.company", required=True, readonly=True, ondelete="restrict")
    decision = fields.Selection(DECISIONS, required=True, readonly=True)
    condition = fields.Selection(CONDITIONS, readonly=True)
    reason = fields.Text(readonly=True)
    user_id = fields.Many2one("res.users", required=True, readonly=True, ondelete="restrict")
    decided_at = fields.Datetime(required=True, readonly=True)
    subject = fields.Char(compute="_compute_subject")

    @api.depends(
        "subsidy_id", "deliverable_id", "disbursement_id", "report_id", "recovery_id",
        "amendment_id",
    )  # fmt: skip
    def _compute_subject(self):
        for decision in self:
            document = (
                decision.deliverable_id
                or decision.disbursement_id
                or decision.report_id
                or decision.recovery_id
                or decision.amendment_id
                or decision.subsidy_id
            )
            decision.subject = document.display_name

    @api.model
    def _record(self, decision, subsidy, reason=None, **details):
        """Record a decision of the present user, now.

        :param str decision: one of :data:`DECISIONS`
        :param subsidy: the subsidy (one record) it is about
        :param details: ``deliverable_id``, ``version_id``, ``disbursement_id``, ``report_id``,
            ``recovery_id``, ``amendment_id`` (ids), ``condition`` (one of :data:`CONDITIONS`)
        """
        return self._append(
            {
                "decision": decision,
                "subsidy_id": subsidy.id,
                "company_id": subsidy.company_id.id,
                "reason": reason or False,
                # sudo() in a caller keeps the user: the one who pressed the button
                "user_id": self.env.uid,
                "decided_at": fields.Datetime.now(),
                **details,
            }
        )
